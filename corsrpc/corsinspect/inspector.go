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

// Inspector serves the page of one layer. It is a corsrpc.Observer and an http.Handler. New
// returns one, and corsrpc.WithObserver attaches it to a layer; before that it answers with
// the status 503. It is safe for concurrent use.
type Inspector struct {
	hosts   []string // as pageguard.HostName returns them
	layer   atomic.Pointer[corsrpc.Layer]
	history *history
}

// New returns an inspector for one layer; pass it to corsrpc.WithObserver. Its counts start
// at zero. The error joins a *corsrpc.OptionError for each option that is not valid.
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

// Attach sets the inspector's layer. corsrpc.New calls it. It returns an error if the
// inspector has a layer already, or if the inspector or the layer is a zero value.
func (i *Inspector) Attach(l *corsrpc.Layer) error {
	if i.history == nil {
		return errors.New("the inspector is a zero value: make it with corsinspect.New")
	}
	if l == nil || l.Plan() == nil {
		return errors.New("the layer is nil or a zero value: make it with corsrpc.Load or corsrpc.New")
	}
	if !i.layer.CompareAndSwap(nil, l) {
		return errors.New("the inspector already has a layer: make an inspector for each layer, and pass it only once")
	}
	return nil
}

// Enabled reports whether the inspector records events of a kind: refusals, differences of
// the shadow policy, reloads, requests that no rule governs, and preflights without a call.
func (i *Inspector) Enabled(kind corsrpc.EventKind) bool {
	switch kind {
	case corsrpc.EventRefusal, corsrpc.EventShadow, corsrpc.EventReload, corsrpc.EventUngoverned, corsrpc.EventCallMissing:
		return true
	}
	return false
}

// Observe records an event.
func (i *Inspector) Observe(_ context.Context, e corsrpc.Event) {
	switch e.Kind {
	case corsrpc.EventRefusal:
		i.history.refused(e.Request, e.Decision)
	case corsrpc.EventShadow:
		i.history.differed(e.Request, e.Decision, e.Shadow)
	case corsrpc.EventReload:
		i.history.reloaded(e.Err, e.Plan)
	case corsrpc.EventUngoverned:
		i.history.reported(i.history.ungoverned, e)
	case corsrpc.EventCallMissing:
		i.history.reported(i.history.missing, e)
	}
}

// ServeHTTP answers with the page or with JSON. The query encodes the page's form; a query
// larger than 64 KiB is answered with the status 414.
func (i *Inspector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if status, text := i.refusal(r); status != 0 {
		if status == http.StatusMethodNotAllowed {
			header.Set("Allow", "GET, HEAD") // RFC 9110, section 15.5.6
		}
		http.Error(w, text, status)
		return
	}
	layer := i.layer.Load()
	if layer == nil {
		http.Error(w, "corsinspect: the inspector has no layer yet: pass corsrpc.WithObserver(inspector) to corsrpc.Load or corsrpc.New", http.StatusServiceUnavailable)
		return
	}
	if len(r.URL.RawQuery) > maxQuery {
		http.Error(w, fmt.Sprintf("corsinspect: the query, which holds the values of the form's fields, is larger than %d KiB: shorten a field", maxQuery>>10), http.StatusRequestURITooLong)
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
		_ = encoder.Encode(shown) // an error means that the client has disconnected
		return
	}
	page := inspectorPage()
	var body bytes.Buffer
	if err := page.template.Execute(&body, shown); err != nil {
		http.Error(w, "corsinspect: rendering the page failed: "+err.Error(), http.StatusInternalServerError)
		return
	}
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", page.policy)
	_, _ = body.WriteTo(w)
}

// wantsJSON reports whether a request accepts JSON, and not HTML.
func wantsJSON(r *http.Request) bool {
	accept := strings.ToLower(strings.Join(r.Header["Accept"], ","))
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}
