package corsrpc

import (
	"context"
	"iter"
	"strings"
	"testing"
	"time"
)

// TestAgesIgnoreTheWallClock checks that the times of a set have a monotonic reading, so that a change of
// the wall clock neither revives an expired set nor expires a current one.
func TestAgesIgnoreTheWallClock(t *testing.T) {
	t.Parallel()
	c := newLayerConfig([]LayerOption{WithOriginSource("tenants", OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) { yield("https://shop.example.com", nil) }
	}), SourceMaxAge(time.Hour))})
	set, report := c.sources["tenants"].load(t.Context())
	if report.Err != nil {
		t.Fatal(report.Err)
	}
	for _, at := range []time.Time{set.loaded, set.expires} {
		if !strings.Contains(at.String(), " m=") {
			t.Errorf("%v has no monotonic reading", at)
		}
	}
}

// TestOlderSets checks that a set does not replace one that was requested later.
func TestOlderSets(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p, have := &livePlan{}, &sourceSet{loaded: now}
	p.keepNewer("tenants", have)
	for _, test := range []struct {
		name   string
		loaded time.Time
		stays  bool
	}{
		{"older", now.Add(-time.Nanosecond), true},
		{"as old", now, false},
		{"younger", now.Add(time.Nanosecond), false},
	} {
		p.keepNewer("tenants", &sourceSet{loaded: test.loaded})
		if stays := p.sets["tenants"] == have; stays != test.stays {
			t.Errorf("%s: the one in force stays: %v", test.name, stays)
		}
		have = p.sets["tenants"]
	}
}

// TestMustLoad checks that a source is loaded before a plan that names it is put in force, unless the plan
// in force already uses its set or works without one.
func TestMustLoad(t *testing.T) {
	t.Parallel()
	const name = "tenants"
	names := func(own, shadow bool) *Plan {
		plan := &Plan{}
		if own {
			plan.sourceNames = []string{name}
		}
		if shadow {
			plan.shadow = &Plan{sourceNames: []string{name}}
		}
		return plan
	}
	for _, test := range []struct {
		name                 string
		have, next           *Plan
		wantWithout, wantHas bool // without a set in force, and with one
	}{
		{"named anew", names(false, false), names(true, false), true, true},
		{"named anew by the shadow", names(false, false), names(false, true), true, true},
		{"named before", names(true, false), names(true, false), false, false},
		{"named before, and now by the shadow", names(true, false), names(false, true), false, false},
		{"named before by the shadow", names(false, true), names(false, true), false, false},
		{"named before by the shadow, and now by the policy", names(false, true), names(true, false), true, false},
		{"named before by both", names(true, true), names(true, true), false, false},
	} {
		for has, want := range map[bool]bool{false: test.wantWithout, true: test.wantHas} {
			live := &livePlan{}
			live.replace(test.have, nil)
			if has {
				live.putSet(name, &sourceSet{})
			}
			if got := live.mustLoad(name, test.next); got != want {
				t.Errorf("%s, with a set in force %v: %v, want %v", test.name, has, got, want)
			}
		}
	}
}
