//go:build nginx

package export_test

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/nginx"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// exported is a policy of which one nginx serves many, each at a host of its own.
type exported struct {
	host  string
	plan  *corsrpc.Plan
	layer *corsrpc.Layer
	model *export.Model
}

var (
	quiet     = slog.New(slog.DiscardHandler)
	names     = regexp.MustCompile(`([$<{])cors_`)
	hashLines = regexp.MustCompile(`(?m)^map_hash_.*;$`)
)

// serveMany starts one nginx with the exports of random policies.
func serveMany(t *testing.T, b *backend, seed uint64, n int) (*nginx.Server, []exported) {
	t.Helper()
	var text strings.Builder
	text.WriteString("map_hash_max_size 4096; map_hash_bucket_size 512; variables_hash_max_size 65536; server_names_hash_max_size 4096; client_header_buffer_size 16k;\n")
	all := make([]exported, n)
	for i := range all {
		d := draw{rand.New(rand.NewPCG(seed, uint64(i)))}
		x := exported{host: fmt.Sprintf("api%d.test", i), plan: d.plan(t)}
		var err error
		if x.model, err = export.New(planaccess.Rules(x.plan), export.Options{OwnOrigins: []string{"https://" + x.host}, Upstream: b.url}); err != nil {
			t.Fatal(err)
		}
		if x.layer, err = corsrpc.New(x.plan, corsrpc.WithLogger(quiet)); err != nil {
			t.Fatal(err)
		}
		part := hashLines.ReplaceAllString(nginxText(t, x.model), "")
		text.WriteString(names.ReplaceAllString(part, fmt.Sprintf("${1}p%d_", i)))
		all[i] = x
	}
	return nginx.Start(t, text.String()), all
}

// TestNginxExact sends random requests through nginx, and compares what it does with the model and with Wrap.
func TestNginxExact(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	seen := map[string]int{}
	const batch = 40
	for first := 0; first < nginxPolicies; first += batch {
		t.Run(fmt.Sprint(first), func(t *testing.T) { // so that nginx ends with its batch
			s, all := serveMany(t, b, uint64(first), batch)
			client := s.Transport()
			defer client.CloseIdleConnections()
			for i, x := range all {
				d := draw{rand.New(rand.NewPCG(uint64(first), uint64(1000+i)))}
				for range nginxCalls {
					x.compare(t, b, client, d, seen)
				}
			}
		})
	}
	t.Log(seen)
	for _, class := range []string{"granted", "passed", "refused", "preflight", "refused preflight", "stricter", "refused by nginx"} {
		if seen[class] < nginxPolicies/10 {
			t.Errorf("%d requests are %s", seen[class], class)
		}
	}
}

// compare sends a request through nginx, and through Wrap.
func (x *exported) compare(t *testing.T, b *backend, client http.RoundTripper, d draw, seen map[string]int) {
	t.Helper()
	r := d.request(x.model)
	if d.chance(5) {
		x.aim(d, &r)
	}
	r.Host = x.host
	switch own := r.Header.Get("Origin"); own {
	case "https://api.example.com":
		r.Header["Origin"] = []string{"https://" + x.host}
	case "https://A.example.com": // which no browser sends
		r.Header["Origin"] = []string{"https://a.example.com"}
	}
	target := r.Header.Get("X-Target")
	preflight := d.chance(3) && r.Header["Origin"] != nil
	if preflight {
		r.Method = http.MethodOptions
		r.Header["Access-Control-Request-Method"] = []string{d.one([]string{"GET", "POST", "DELETE"})}
		delete(r.Header, "Cookie")
		delete(r.Header, "Upgrade")
		delete(r.Header, "Connection")
	}
	handler := func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "x-secret")
		h.Set("Timing-Allow-Origin", "*")
		h.Set("X-Cost", "1")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "read")
	}
	b.serve(handler)
	u, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatal(err)
	}
	u.Scheme, u.Host = "http", x.host
	out := &http.Request{Method: r.Method, URL: u, Host: x.host, Header: r.Header}
	before := b.hits.Load()
	response, err := client.RoundTrip(out.WithContext(t.Context()))
	what := fmt.Sprintf("%s %q %v, %s", r.Method, target, r.Header, x.plan.Policy())
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	body, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	reached := b.hits.Load() > before

	ran := false
	w := httptest.NewRecorder()
	in := httptest.NewRequest(r.Method, "/", nil)
	in.Host, in.RequestURI, in.Header = x.host, target, r.Header.Clone()
	in.URL, _ = url.ParseRequestURI(target)
	x.layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran = true
		handler(w, r)
	})).ServeHTTP(w, in)

	governing, allows := reading{x.model}.allows(&r)
	cross := x.isCrossOrigin(&r)
	granted := response.Header.Get("Access-Control-Allow-Origin")
	decision := x.plan.Decide(r)
	if reached && !ran {
		t.Errorf("the request reaches the server, and not with Wrap: %s", what)
	}
	if n := len(response.Header["Access-Control-Allow-Origin"]); n > 1 {
		t.Errorf("%d lines of Access-Control-Allow-Origin: %s", n, what)
	}
	for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Timing-Allow-Origin"} {
		if got, want := response.Header.Get(name), w.Header().Get(name); got != "" && got != want && decision.Outcome() != corsrpc.OutcomeUntouched {
			t.Errorf("%s: %q, and Wrap has %q: %s", name, got, want, what)
		}
	}
	switch {
	case response.StatusCode == http.StatusBadRequest && !reached:
		seen["refused by nginx"]++
		if !regexp.MustCompile(`%00|%zz|[.][.]|%2[eE]`).MatchString(target) {
			t.Errorf("status 400: %s", what)
		}
		return
	case preflight && cross:
		if reached {
			t.Errorf("a preflight reaches the server: %s", what)
		}
		if grants := x.grantsPreflight(&r); grants != (granted != "") || grants != (response.StatusCode == http.StatusNoContent) {
			t.Errorf("%q: status %d, Access-Control-Allow-Origin %q: %s", governing, response.StatusCode, granted, what)
		}
		if granted == "" {
			seen["refused preflight"]++
			return
		}
		seen["preflight"]++
		for _, name := range []string{"Access-Control-Max-Age", "Access-Control-Allow-Credentials"} {
			if got, want := response.Header.Get(name), w.Header().Get(name); got != want {
				t.Errorf("%s: %q, and Wrap has %q: %s", name, got, want, what)
			}
		}
		return
	}
	if reached != allows {
		t.Errorf("%q: reached the server: %v, and the model allows it: %v: %s", governing, reached, allows, what)
	}
	switch {
	case !reached && (response.StatusCode != http.StatusForbidden || granted != "" || response.Header.Get("Cache-Control") != "no-store"):
		t.Errorf("status %d, %v: %s", response.StatusCode, response.Header, what)
	case !reached && ran:
		seen["stricter"]++
	case !reached:
		seen["refused"]++
	case granted != "":
		seen["granted"]++
		if r.Method != http.MethodHead && string(body) != "read" {
			t.Errorf("the body is %q: %s", body, what)
		}
		if x.layerGrants(w) != granted {
			t.Errorf("granted %q: %s", granted, what)
		}
	default:
		seen["passed"]++
		if cross && r.Header["Origin"] != nil && r.Header["Upgrade"] == nil && decision.Outcome() == corsrpc.OutcomeGrant {
			t.Errorf("not granted: %s", what)
		}
	}
}

// aim makes a request one that a rule may grant.
func (x *exported) aim(d draw, r *corsrpc.Request) {
	for _, i := range d.Perm(len(x.model.Routes)) {
		route := x.model.Routes[i]
		if route.Answer == nil || route.Path == "" {
			continue
		}
		u, err := url.ParseRequestURI(route.Path)
		if err != nil {
			continue
		}
		r.Path, r.EscapedPath, r.Query = u.Path, u.RawPath, ""
		r.Header["X-Target"] = []string{route.Path}
		if len(route.Answer.Origins) > 0 {
			r.Header["Origin"] = []string{d.one(route.Answer.Origins)}
		}
		if d.chance(8) {
			r.Header["Sec-Fetch-Site"], r.Header["Sec-Fetch-Mode"] = []string{"cross-site"}, []string{"cors"}
		}
		return
	}
}

func (x *exported) layerGrants(w *httptest.ResponseRecorder) string {
	return w.Header().Get("Access-Control-Allow-Origin")
}

// isCrossOrigin reports whether the request comes from a page of another origin.
func (x *exported) isCrossOrigin(r *corsrpc.Request) bool {
	site, from := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	return site != "same-origin" && site != "none" && (site != "" || from != "" && from != "https://"+x.host)
}

// grantsPreflight reports whether the model grants a preflight.
func (x *exported) grantsPreflight(r *corsrpc.Request) bool {
	found := reading{x.model}.route(r.Header.Get("X-Target"))
	return found != nil && found.Answer != nil && reading{x.model}.allowsOrigin(found.Answer, r.Header.Get("Origin"))
}
