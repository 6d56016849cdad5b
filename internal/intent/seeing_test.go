package intent

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// TestHandshakes: CheckOrigin allows a WebSocket handshake of another origin if and only if a
// rule governs the path and allows the origin with credentials.
func TestHandshakes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, handshakesAreGuarded)
}

func handshakesAreGuarded(t *rapid.T) {
	w := drawWorld(t)
	for range callsPerPolicy {
		c := drawCall(t, w)
		if c.Page == c.API {
			continue
		}
		r := httptest.NewRequest(http.MethodGet, c.API+c.Path, nil)
		r.Header.Set("Origin", c.Page)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Upgrade", "websocket")
		rule, governed := w.RuleFor(c.Path, true)
		want := governed && rule.allowsCall(c.Page) && rule.Credentials()
		if got := w.layer.CheckOrigin(r); got != want {
			t.Fatalf("%s from %s: %t, want %t\npolicy %s", c.Path, c.Page, got, want, prototext.Format(w.Policy))
		}
	}
}

// TestShadows: observers are notified if a shadow policy changes the effect of a call in a
// browser, and not if it is the same policy with another order of rules.
func TestShadows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, shadowsAreTold)
}

func shadowsAreTold(t *rapid.T) {
	w := drawWorld(t)
	policy := proto.CloneOf(w.Policy.Policy)
	policy.Shadow = nil
	active, candidate, reordered := w.with(policy), w.with(drawWorld(t).Policy.Policy), w.with(proto.CloneOf(policy))
	slices.Reverse(reordered.Policy.Rules)
	candidate.Policy.Policy = proto.CloneOf(candidate.Policy.Policy)
	candidate.Policy.Policy.Shadow = nil
	if chance(t, 70, "a candidate that is close") {
		candidate.Policy.Policy = proto.CloneOf(policy)
		if rules := candidate.Policy.Policy.Rules; len(rules) > 0 {
			i := index(t, len(rules), "changed rule")
			changed := drawRule(t, rules[i].Path != "")
			changed.Selector, changed.Path = rules[i].Selector, rules[i].Path
			rules[i] = changed
		}
	}
	if err := active.compile(t); err != nil {
		return // the shadow policy alone takes origins of a profile
	}
	if candidate = newWorld(t, candidate.Policy, w.set); candidate == nil {
		return
	}
	if err := reordered.compile(t); err != nil {
		t.Fatal(err)
	}
	notified := 0
	count := corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) {
		if e.Kind == corsrpc.EventShadow {
			notified++
		}
	}))
	beside := func(shadow *world) *world {
		watched := w.with(policy)
		if err := watched.compile(t, count, corsrpc.WithShadow(shadow.layer.Plan())); err != nil {
			t.Fatal(err)
		}
		return watched
	}
	besideCandidate, besideItself := beside(candidate), beside(reordered)
	for range callsPerPolicy {
		c := drawCall(t, w)
		if c.Page == c.API {
			continue // no policy restricts the server's own pages
		}
		notified = 0
		effect(t, besideItself.layer.Wrap, c)
		if notified > 0 {
			t.Fatalf("%+v: an observer was notified of the same policy in another order\npolicy %s", c, prototext.Format(policy))
		}
		first, logFirst, _ := effect(t, besideCandidate.layer.Wrap, c)
		second, logSecond, _ := effect(t, candidate.layer.Wrap, c)
		if c.Mode == corsbrowser.NoCORS && c.Method != http.MethodPost {
			first.Timing, second.Timing = false, false // decisions on requests without Origin are compared without their fields
		}
		if notified == 0 && (first != second || !reflect.DeepEqual(grantsIn(logFirst), grantsIn(logSecond))) {
			t.Fatalf("%+v: no observer was notified of the difference\none   %+v %+v\nother %+v %+v\npolicy %s\ncandidate %s", c, first, logFirst, second, logSecond, prototext.Format(policy), prototext.Format(candidate.Policy))
		}
	}
}

// grantsIn returns the Access-Control-* fields and Timing-Allow-Origin of each response to a request
// with an Origin, with sorted lists.
func grantsIn(log []corsbrowser.Exchange) (grants []http.Header) {
	for _, e := range log {
		if e.Header.Get("Origin") == "" {
			continue
		}
		grant := e.Answer.Clone()
		maps.DeleteFunc(grant, func(name string, _ []string) bool {
			return !strings.HasPrefix(name, "Access-Control-") && name != "Timing-Allow-Origin"
		})
		for _, lines := range grant {
			names := strings.Split(strings.Join(lines, ", "), ", ")
			slices.Sort(names)
			lines[0] = strings.Join(names, ", ")
		}
		grants = append(grants, grant)
	}
	return grants
}
