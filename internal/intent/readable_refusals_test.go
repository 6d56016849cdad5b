package intent

import (
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

// TestReadableRefusals: with WithExplain, the handler gets exactly the calls that it gets without,
// and the script reads the same responses of the handler. Pages of origins that are not explainable get the same bytes.
// Most calls that are refused are readable for the developers' pages.
func TestReadableRefusals(t *testing.T) {
	t.Parallel()
	refused, readable := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		r, n := checkReadableRefusals(t)
		refused, readable = refused+r, readable+n
	})
	if readable*2 < refused {
		t.Errorf("%d of %d refused calls of developers are readable", readable, refused)
	}
}

func readableRefusalsRunNothing(t *rapid.T) { checkReadableRefusals(t) }

// checkReadableRefusals returns the number of calls of explainable origins that production stops in
// mode cors, and how many of these are readable with WithExplain.
func checkReadableRefusals(t *rapid.T) (refused, readable int) {
	w := drawWorld(t)
	explained := w.with(w.Policy.Policy)
	if err := explained.compile(t, corsrpc.WithExplain()); err != nil {
		t.Fatal(err)
	}
	for range callsPerPolicy {
		c := drawCall(t, w)
		want, wantLog, _ := effect(t, w.layer.Wrap, c)
		got, gotLog, _ := effect(t, explained.layer.Wrap, c)
		fail := func(problem string) {
			t.Fatalf("%+v\n%s\nwith WithExplain %+v %+v\nwithout          %+v %+v\npolicy %s", c, problem, got, gotLog, want, wantLog, prototext.Format(w.Policy))
		}
		switch developer := w.explainable(c.Page); {
		case got.Runs != want.Runs:
			fail("the handler gets the call with or without WithExplain only")
		case (want.Runs || !developer) && !reflect.DeepEqual(gotLog, wantLog):
			fail("a response that WithExplain must not change")
		case want.Runs || want.Reads || !developer || c.Mode != corsbrowser.CORS:
		case got.Reads:
			readable++
			fallthrough
		default:
			refused++
		}
	}
	return refused, readable
}

// explainable reports whether refusals may be readable for pages of an origin: those on loopback,
// and those that the policy names other than by patterns that pages of unrelated owners match. It counts
// values that another level replaces too.
func (w *world) explainable(page string) bool {
	if scheme, host, _ := split(page); (scheme == "http" || scheme == "https") && isLoopback(host) {
		return true
	}
	policy := proto.CloneOf(w.Policy.Policy)
	levels := append(policy.GetRules(), policy.GetDefaults())
	profile := policy.GetProfiles()[w.Profile]
	levels = append(append(levels, profile.GetRules()...), profile.GetDefaults())
	patterns := w.expand(profile.GetAddOrigins())
	for _, l := range levels {
		patterns = append(patterns, w.expand(l.GetAllowOrigins())...)
	}
	for _, o := range w.Options {
		patterns = append(patterns, w.expand(o.GetAllowOrigins())...)
	}
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		_, host, _ := split(pattern)
		label, suffix, _ := strings.Cut(host, ".")
		suffix = strings.TrimSuffix(suffix, ".")
		public := strings.Contains(label, "*") && (suffix == "github.io" || !strings.Contains(suffix, ".") && suffix != "localhost")
		return !isUnrelated(pattern) && !public && Covers(pattern, page)
	})
}
