package corsrpc_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// kinds are the existing kinds of events.
func (e *events) kinds() (kinds []corsrpc.EventKind) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range e.all {
		kinds = append(kinds, event.Kind)
	}
	return kinds
}

// selective is an observer that receives some kinds of events.
type selective struct {
	events
	wants []corsrpc.EventKind
	asked []corsrpc.EventKind
}

func (s *selective) Enabled(kind corsrpc.EventKind) bool {
	s.asked = append(s.asked, kind)
	return slices.Contains(s.wants, kind)
}

// TestSelectiveObservers checks that a SelectiveObserver receives the kinds that it enables, and that
// other observers receive decisions, differences, refreshes and reloads.
func TestSelectiveObservers(t *testing.T) {
	t.Parallel()
	const (
		decision, shadow, refresh = corsrpc.EventDecision, corsrpc.EventShadow, corsrpc.EventRefresh
		reload, refusal           = corsrpc.EventReload, corsrpc.EventRefusal
		ungoverned, callMissing   = corsrpc.EventUngoverned, corsrpc.EventCallMissing
	)
	for name, test := range map[string]struct{ wants, want []corsrpc.EventKind }{
		"nothing":   {nil, nil},
		"decisions": {[]corsrpc.EventKind{decision}, []corsrpc.EventKind{decision, decision, decision, decision}},
		"refusals":  {[]corsrpc.EventKind{refusal}, []corsrpc.EventKind{refusal}},
		"the rest":  {[]corsrpc.EventKind{shadow, refresh, reload}, []corsrpc.EventKind{shadow, refresh, reload}},
		"the late":  {[]corsrpc.EventKind{ungoverned, callMissing}, []corsrpc.EventKind{ungoverned}},
		"all":       {[]corsrpc.EventKind{decision, shadow, refresh, reload, refusal}, []corsrpc.EventKind{decision, decision, decision, shadow, refusal, decision, refresh, reload}},
	} {
		o, everything := &selective{wants: test.wants}, &events{}
		layer, _ := newLayer(t, "defaults: {allow_origins: [https://app.example.com], allow_origins_from: [tenants]}\nshadow: {defaults: {allow_origins: [https://new.example.com]}}",
			corsrpc.WithObserver(o), corsrpc.WithObserver(everything), corsrpc.WithOriginSource("tenants", rowsOf()))
		callFrom(layer, "/elsewhere", "https://evil.example")
		callFrom(layer, "/elsewhere", page)
		callFrom(layer, listRPC, page)
		callFrom(layer, listRPC, "https://evil.example")
		if err := layer.Refresh(t.Context(), "tenants"); err != nil {
			t.Fatal(err)
		}
		if err := layer.Reload(t.Context(), layer.Plan()); err != nil {
			t.Fatal(err)
		}
		if got := o.kinds(); !slices.Equal(got, test.want) {
			t.Errorf("%s: received %v, want %v", name, got, test.want)
		}
		if want := []corsrpc.EventKind{decision, decision, decision, shadow, decision, refresh, reload}; !slices.Equal(everything.kinds(), want) {
			t.Errorf("%s: an observer of all kinds received %v, want %v", name, everything.kinds(), want)
		}
		if all := []corsrpc.EventKind{decision, shadow, refresh, reload, refusal, ungoverned, callMissing}; !slices.Equal(o.asked, all) {
			t.Errorf("%s: asked of %v, want %v", name, o.asked, all)
		}
	}
}

// TestServerCallsAreObserved checks that the layer decides on a server's call to an ungoverned path
// only if an observer receives decisions.
func TestServerCallsAreObserved(t *testing.T) {
	all := &events{}
	few := &selective{wants: []corsrpc.EventKind{corsrpc.EventRefusal, corsrpc.EventShadow, corsrpc.EventReload}}
	layer, _ := newLayer(t, allowPage, corsrpc.WithObserver(all), corsrpc.WithObserver(few))
	layer.Wrap(emptyHandler).ServeHTTP(httptest.NewRecorder(), newRequest(http.MethodPost, listRPC, nil))
	if len(all.of(corsrpc.EventDecision)) != 1 || len(few.kinds()) != 0 {
		t.Errorf("received %v and %v", all.kinds(), few.kinds())
	}
	layer, _ = newLayer(t, allowPage, corsrpc.WithObserver(few))
	h, r := layer.Wrap(emptyHandler), newRequest(http.MethodPost, listRPC, nil)
	var w http.ResponseWriter = discard{http.Header{}}
	if n := testing.AllocsPerRun(10, func() { h.ServeHTTP(w, r) }); n > 0 {
		t.Errorf("%v allocations of a server's call", n)
	}
}

// TestEventsHoldTheRequest checks that an event has the request that was decided on.
func TestEventsHoldTheRequest(t *testing.T) {
	t.Parallel()
	o := &selective{wants: []corsrpc.EventKind{corsrpc.EventDecision, corsrpc.EventRefusal, corsrpc.EventShadow}}
	layer, _ := newLayer(t, allowPage+"shadow: {defaults: {allow_origins: [\"*\"]}}\n", corsrpc.WithObserver(o))
	r := newRequest(http.MethodPost, listRPC+"?a=b", http.Header{"Origin": {"https://evil.example"}})
	want := corsrpc.RequestOf(r)
	layer.Wrap(emptyHandler).ServeHTTP(httptest.NewRecorder(), r)
	layer.CheckOrigin(r)
	if got := []corsrpc.EventKind{corsrpc.EventRefusal, corsrpc.EventDecision, corsrpc.EventShadow, corsrpc.EventRefusal, corsrpc.EventDecision}; !slices.Equal(o.kinds(), got) {
		t.Fatalf("received %v, want %v", o.kinds(), got)
	}
	for _, e := range o.all {
		if !reflect.DeepEqual(e.Request, want) {
			t.Errorf("%s: %+v, want %+v", e.Kind, e.Request, want)
		}
	}
}

// attached is a LayerObserver.
type attached struct {
	events
	to  []*corsrpc.Layer
	err error
}

func (a *attached) Attach(l *corsrpc.Layer) error {
	a.to = append(a.to, l)
	return a.err
}

// TestObserversAreAttached checks that New attaches a LayerObserver last, and fails if the observer
// refuses the layer.
func TestObserversAreAttached(t *testing.T) {
	t.Parallel()
	a, b := &attached{}, &attached{}
	layer, _ := newLayer(t, allowPage, corsrpc.WithObserver(a), corsrpc.WithObserver(&events{}), corsrpc.WithObserver(b))
	if want := []*corsrpc.Layer{layer}; !slices.Equal(a.to, want) || !slices.Equal(b.to, want) {
		t.Errorf("attached to %p and %p, want %p", a.to, b.to, want)
	}

	refuses := &attached{err: errors.New("serves another layer")}
	if layer, err := corsrpc.New(compilePolicy(t, allowPage), corsrpc.WithObserver(refuses), quiet); layer != nil || !errors.Is(err, refuses.err) || !strings.HasPrefix(err.Error(), "corsrpc: WithObserver: ") {
		t.Errorf("%v, %v", layer, err)
	}

	early := &attached{}
	down := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) { yield("", errors.New("down")) }
	})
	if _, err := corsrpc.New(compilePolicy(t, tenantsPolicy), corsrpc.WithObserver(early), quiet, corsrpc.WithOriginSource("tenants", down, corsrpc.SourceWait(1))); err == nil || len(early.to) > 0 {
		t.Errorf("an observer was attached by a New that fails: %v, %v", early.to, err)
	}
}

// watches is a LayerObserver that calls Watch as soon as it is attached.
type watches struct {
	events
	err error
}

func (w *watches) Attach(l *corsrpc.Layer) error {
	ended, end := context.WithCancel(context.Background())
	end()
	w.err = l.Watch(ended)
	return nil
}

// TestAttachedLayerIsComplete checks that the layer that Load attaches has its file.
func TestAttachedLayerIsComplete(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "cors.yaml")
	if err := os.WriteFile(file, []byte(policyOf("app")), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &watches{}
	if _, err := corsrpc.Load(file, corsrpc.WithObserver(w), quiet); err != nil || w.err != nil {
		t.Errorf("%v, %v", err, w.err)
	}
}
