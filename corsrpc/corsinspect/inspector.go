// Package corsinspect is a page that shows what a layer of corsrpc does, and why: each
// procedure's rule and where each of its values comes from, the refusals, grouped and
// counted, the policy and its shadow, reloads, origin sources; and a form that says of any
// request what becomes of it, step by step.
//
//	inspector, err := corsinspect.New()
//	if err != nil {
//		log.Fatal(err)
//	}
//	layer, err := corsrpc.Load("cors.yaml", corsrpc.WithObserver(inspector))
//	if err != nil {
//		log.Fatal(err)
//	}
//	go http.ListenAndServe("localhost:6060", inspector)
//
// It needs no script and nothing from elsewhere. A request that accepts application/json,
// and not text/html, gets the same as JSON; its fields may grow in number.
//
// It shows the policy, and the origins and paths of refused requests, to whoever
// reaches it: mount it on an internal port only, not behind Wrap.
//
// It changes nothing, takes GET and HEAD only, refuses what a browser says comes from
// another origin, and answers only under names that no stranger can point to it: see
// WithHosts.
//
// Over https and on loopback, browsers say of every request whose it is (Sec-Fetch-Site).
// Over plain http elsewhere, Origin and Referer say so, and a page can leave out both: an
// image, a link or a window of another site that sends no Referer is answered. That page
// reads nothing of it (no CORS headers, Cross-Origin-Resource-Policy, no framing), and
// nothing is changed by it; but it learns that the inspector is there, and keeps a handle
// on the window, since browsers ignore Cross-Origin-Opener-Policy over plain http. Serve
// it on loopback, or over https.
package corsinspect

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// Option is an option of New.
type Option interface{ apply(*Inspector) error }

type option func(*Inspector) error

func (o option) apply(i *Inspector) error { return o(i) }

// WithHosts adds host names under which the inspector answers, on any port, in
// any letter case, with and without a dot at the end. Of host:port and of a URL it is the
// name that counts. New fails where one is not a host name, such as a wildcard.
// Default: none, and it answers under localhost, names below it, and IP
// addresses only: a page of any site can have its own name point to an internal address
// (DNS rebinding), but none of these.
func WithHosts(hosts ...string) Option {
	return option(func(i *Inspector) error {
		for _, host := range hosts {
			name, ok := hostName(host)
			if !ok {
				return fmt.Errorf("corsinspect: WithHosts: %q is not a host name: write one such as cors.internal.example", safetext.Sample(host))
			}
			i.hosts = append(i.hosts, name)
		}
		return nil
	})
}

// hostName is the host name of an option: of a host, with a port or not, or of a URL.
func hostName(host string) (name string, ok bool) {
	if _, rest, isURL := strings.Cut(host, "://"); isURL {
		end := strings.IndexAny(rest+"/", "/?#")
		host = rest[:end]
	}
	name = plainHost(host)
	_, ok = origin.Parse("https://" + name)
	port := strings.TrimPrefix(host[len(withoutPort(host)):], ":")
	return name, ok && !strings.HasSuffix(name, ".") && strings.Trim(port, "0123456789") == ""
}

// Inspector is the page. It is a corsrpc.Observer of one layer and an http.Handler, and
// safe for concurrent use.
type Inspector struct {
	hosts   []string // as plainHost has them
	layer   atomic.Pointer[corsrpc.Layer]
	history *history
}

// New returns an inspector, which belongs to the layer that it is given to by
// corsrpc.WithObserver. Its counts begin now. The errors are those of its options, joined.
func New(opts ...Option) (*Inspector, error) {
	i := &Inspector{history: newHistory()}
	var failed []error
	for _, o := range opts {
		failed = append(failed, o.apply(i))
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return i, nil
}

// Attach takes the layer: corsrpc.New calls it. The error says that the inspector has a
// layer already.
func (i *Inspector) Attach(l *corsrpc.Layer) error {
	if i.history == nil {
		return errors.New("the inspector is not one that corsinspect.New made")
	}
	if !i.layer.CompareAndSwap(nil, l) {
		return errors.New("the inspector has a layer already: make one for each layer, and give it once")
	}
	return nil
}

// Enabled reports whether the inspector keeps events of a kind: not those of requests that
// pass.
func (i *Inspector) Enabled(kind corsrpc.EventKind) bool {
	switch kind {
	case corsrpc.EventRefusal, corsrpc.EventShadow, corsrpc.EventReload:
		return true
	}
	return false
}

// Observe keeps what the page shows of an event.
func (i *Inspector) Observe(_ context.Context, e corsrpc.Event) {
	switch e.Kind {
	case corsrpc.EventRefusal:
		i.history.refused(e.Request, e.Decision)
	case corsrpc.EventShadow:
		i.history.differed(e.Request, e.Decision, e.Shadow)
	case corsrpc.EventReload:
		i.history.reloaded(e.Err, e.Plan)
	}
}

// ServeHTTP answers with the page or with JSON.
func (i *Inspector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if status, why := i.refusal(r); status != 0 {
		http.Error(w, why, status)
		return
	}
	layer := i.layer.Load()
	if layer == nil {
		http.Error(w, "corsrpc: the inspector has no layer yet: give it to corsrpc.Load or corsrpc.New by corsrpc.WithObserver(inspector)", http.StatusServiceUnavailable)
		return
	}
	if len(r.URL.RawQuery) > maxQuery {
		http.Error(w, fmt.Sprintf("corsrpc: the form is larger than %d KiB, as a browser sends it", maxQuery>>10), http.StatusRequestURITooLong)
		return
	}
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Vary", "Accept")
	shown := i.inspect(layer, r.URL.Query())
	if wantsJSON(r) {
		header.Set("Content-Type", "application/json")
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(shown) // nobody is left to tell of an error
		return
	}
	page := inspectorPage()
	var body bytes.Buffer
	if err := page.template.Execute(&body, shown); err != nil {
		http.Error(w, "corsrpc: the page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", page.policy)
	_, _ = body.WriteTo(w)
}

// refusal says why a request is not answered: status 0 for those that are.
func (i *Inspector) refusal(r *http.Request) (status int, why string) {
	switch {
	case !i.answersUnder(r.Host):
		return http.StatusForbidden, "corsrpc: the inspector answers under localhost, IP addresses and the names that corsinspect.WithHosts gives, so that no site can read it by a name that it points here"
	case !fromItself(r):
		return http.StatusForbidden, "corsrpc: the inspector answers no other site: open it from the address bar"
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return http.StatusMethodNotAllowed, "corsrpc: the inspector shows, and changes nothing: GET and HEAD only"
	}
	return 0, ""
}

// answersUnder reports whether no stranger can have the host's name point here.
func (i *Inspector) answersUnder(hostport string) bool {
	host := plainHost(hostport)
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		slices.Contains(i.hosts, host)
}

// plainHost is the host as two spellings of it compare: in lower case, without the port
// and without the dot that may end it.
func plainHost(hostport string) string {
	return strings.TrimSuffix(fetch.Lower(withoutPort(hostport)), ".")
}

// withoutPort drops a Host's port.
func withoutPort(hostport string) string {
	if colon := strings.LastIndexByte(hostport, ':'); colon > strings.LastIndexByte(hostport, ']') {
		return hostport[:colon]
	}
	return hostport
}

// fromItself reports whether no other site's page makes the request, as far as the browser
// says whose it is.
func fromItself(r *http.Request) bool {
	site := r.Header["Sec-Fetch-Site"]
	if len(site) > 0 && !isOne(site, "same-origin") && !isOne(site, "none") {
		return false
	}
	if origins := r.Header["Origin"]; len(origins) > 0 {
		return len(origins) == 1 && isItself(origins[0], r)
	}
	if len(site) > 0 {
		return true
	}
	for _, from := range r.Header["Referer"] {
		if from != "" && !isItself(originOf(from), r) {
			return false
		}
	}
	return true
}

// isOne reports whether a header has one line, and it is the value.
func isOne(lines []string, value string) bool { return len(lines) == 1 && lines[0] == value }

// isItself reports whether an origin is that of the Host that a request names.
func isItself(raw string, r *http.Request) bool {
	from, ok := origin.Parse(raw)
	return ok && from.SameHost(r.Host, r.TLS != nil)
}

// originOf is the origin of a URL; empty for what has none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// wantsJSON reports whether a request accepts JSON, and no page.
func wantsJSON(r *http.Request) bool {
	accept := strings.ToLower(strings.Join(r.Header["Accept"], ","))
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

//go:embed inspector.html
var inspectorHTML string

//go:embed inspector.css
var inspectorCSS string

// inspectorPage is the page's template, and the Content-Security-Policy that lets its
// style sheet in and nothing else.
var inspectorPage = sync.OnceValue(func() struct {
	template *template.Template
	policy   string
} {
	sum := sha256.Sum256([]byte(inspectorCSS))
	return struct {
		template *template.Template
		policy   string
	}{
		template: template.Must(template.New("inspector").Funcs(template.FuncMap{
			"style": func() template.CSS { return template.CSS(inspectorCSS) },
			"join":  strings.Join,
		}).Parse(inspectorHTML)),
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	}
})
