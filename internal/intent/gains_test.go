package intent

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/internal/analysis"
)

// TestGains: what brute force finds that one of two policies grants is seen in a browser: the layer of the
// one policy grants it, and that of the other does not.
func TestGains(t *testing.T) {
	t.Parallel()
	rapid.Check(t, gainsAreSeen)
}

func gainsAreSeen(t *rapid.T) {
	p := drawPair(t)
	c := newComparer(p.old.Policy, p.next.Policy)
	gainsFlip(t, c, p.old, p.next)
	gainsFlip(t, c.reversed(), p.next, p.old)
}

// gainsFlip fails the test unless each gain is seen with one policy, and not with the other.
func gainsFlip(t fataler, c *comparer, old, next *world) {
	t.Helper()
	seen := map[string]int{}
	for g := range c.gains {
		kind := fmt.Sprint(g.aspect, g.target)
		if seen[kind]++; seen[kind] > 3 {
			continue
		}
		call := c.withMethod(g, g.call())
		have, want := shows(t, old.bound(t, call), g.aspect, call), shows(t, next.bound(t, call), g.aspect, call)
		if have >= want {
			t.Fatalf("%+v\nis not seen: %d with the one policy, %d with the other\n%+v\n%s", g, have, want, call, pair{old, next, ""})
		}
	}
}

// TestNothingElseIsGained: where brute force finds nothing that one of two policies grants and the other
// does not, no random call shows such a thing in a browser.
func TestNothingElseIsGained(t *testing.T) {
	t.Parallel()
	rapid.Check(t, nothingElseIsGained)
}

func nothingElseIsGained(t *rapid.T) {
	p := drawPair(t)
	c := newComparer(p.old.Policy, p.next.Policy)
	gained, lost := hasGains(c), hasGains(c.reversed())
	if gained && lost {
		return
	}
	for range callsPerPolicy {
		aspect, call := drawProbe(t, p.old, c.universe)
		have, want := shows(t, p.old.bound(t, call), aspect, call), shows(t, p.next.bound(t, call), aspect, call)
		if have < want && !gained || have > want && !lost {
			t.Fatalf("%s is not found: %d with the old policy, %d with the next\n%+v\n%s", aspect, have, want, call, p)
		}
	}
}

// hasGains reports whether brute force finds a gain.
func hasGains(c *comparer) bool {
	for range c.gains {
		return true
	}
	return false
}

// drawProbe draws a call that may show an aspect.
func drawProbe(t *rapid.T, w *world, u *universe) (analysis.Aspect, analysis.Call) {
	aspect := pick(t, aspects, "aspect")
	call := analysis.Call{
		Origin: pick(t, u.pages, "page").origin, Path: pick(t, u.targets, "target").path, Method: pick(t, []string{"POST", "POST", "GET", "GET", "PUT", "HEAD", "DELETE"}, "method"),
		Credentials: chance(t, 30, "credentials"), Sources: map[string][]string{}, Env: map[string]string{},
	}
	if chance(t, 40, "another page") {
		call.Origin = pick(t, pages, "another page")
	}
	if chance(t, 30, "changed page") {
		page := changed(t, call.Origin)
		if scheme, _, _ := split(page); isPage(page) && slices.Contains(schemes, scheme) { // a misspelled scheme cannot be in a variable
			call.Origin = page
		}
	}
	if chance(t, 40, "another path") {
		call.Path = pick(t, w.paths(), "another path")
	}
	if call.Method == http.MethodGet && chance(t, 40, "a GET of Connect") {
		call.Query = getCall
	}
	for _, set := range u.unknown {
		if !chance(t, 40, "in the set") || !canHave(set, call.Origin) {
			continue
		}
		if name, _, ok := variable(set); ok {
			call.Env[name] = call.Origin
		} else {
			call.Sources[set] = []string{call.Origin}
		}
	}
	switch aspect {
	case analysis.AspectCredentials:
		call.Credentials = true
	case analysis.AspectRequestHeader:
		call.RequestHeaders = []string{pick(t, u.requestNames, "request header")}
	case analysis.AspectResponseHeader:
		call.ResponseHeader = pick(t, u.responseNames, "response header")
	case analysis.AspectWithoutOrigin:
		call.Origin, call.Method, call.Navigation = "", http.MethodGet, rapid.Bool().Draw(t, "link")
		call.Credentials = false
	case analysis.AspectOwnOrigin:
		if !strings.HasPrefix(call.Origin, "http") {
			call.Origin = foreign[0]
		}
	}
	return aspect, call
}

// aspects are all aspects.
var aspects = []analysis.Aspect{
	analysis.AspectOrigin, analysis.AspectCredentials, analysis.AspectMethod, analysis.AspectRequestHeader, analysis.AspectResponseHeader,
	analysis.AspectMaxAge, analysis.AspectTiming, analysis.AspectUngoverned, analysis.AspectWithoutOrigin, analysis.AspectCookies,
	analysis.AspectOwnOrigin,
}
