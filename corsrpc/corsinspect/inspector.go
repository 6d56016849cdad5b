package corsinspect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// Inspector is the page of one layer: a corsrpc.Observer and an http.Handler. New makes
// one. Before it has its layer, it answers 503. It is safe for concurrent use.
type Inspector struct {
	hosts   []string // as plainHost has them
	layer   atomic.Pointer[corsrpc.Layer]
	history *history
}

// New returns an inspector for one layer, which corsrpc.WithObserver gives it to. Its
// counts begin now. The error joins a *corsrpc.OptionError for each option that has no
// meaning.
func New(opts ...Option) (*Inspector, error) {
	i := &Inspector{history: newHistory()}
	var problems []error
	for _, o := range opts {
		if o == nil {
			problems = append(problems, &corsrpc.OptionError{Option: "corsinspect.Option", Reason: "the option is nil"})
			continue
		}
		problems = append(problems, o.apply(i))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return i, nil
}

// Attach takes the layer; corsrpc.New calls it. The error says that the inspector has a
// layer already, or that New did not make it.
func (i *Inspector) Attach(l *corsrpc.Layer) error {
	if i.history == nil {
		return errors.New("the inspector is not one that corsinspect.New made")
	}
	if l == nil || l.Plan() == nil {
		return errors.New("the layer is not one that corsrpc.Load or corsrpc.New made")
	}
	if !i.layer.CompareAndSwap(nil, l) {
		return errors.New("the inspector has a layer already: make one for each layer, and give it once")
	}
	return nil
}

// Enabled reports whether the inspector keeps events of a kind. It keeps none of requests
// that pass.
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

// ServeHTTP answers with the page or with JSON. The query is that of the page's form; one
// larger than 64 KiB is answered 414.
func (i *Inspector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if status, why := i.refusal(r); status != 0 {
		if status == http.StatusMethodNotAllowed {
			header.Set("Allow", "GET, HEAD") // RFC 9110, section 15.5.6
		}
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

// wantsJSON reports whether a request accepts JSON, and not a page.
func wantsJSON(r *http.Request) bool {
	accept := strings.ToLower(strings.Join(r.Header["Accept"], ","))
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}
