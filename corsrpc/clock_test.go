package corsrpc

import (
	"context"
	"iter"
	"strings"
	"testing"
	"time"
)

// TestAgesIgnoreTheWallClock: the time of a set has a monotonic reading, which
// comparisons of times go by; a wall clock that is set, forwards or backwards,
// neither revives a set that is too old nor ends one that is not.
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

// TestOlderSets: a set that was asked for before the one in force does not take its
// place, though it comes later.
func TestOlderSets(t *testing.T) {
	t.Parallel()
	now := time.Now()
	l, have := &Layer{}, &sourceSet{loaded: now}
	l.keepYounger("tenants", have)
	for _, test := range []struct {
		name   string
		loaded time.Time
		stays  bool
	}{
		{"older", now.Add(-time.Nanosecond), true},
		{"as old", now, false},
		{"younger", now.Add(time.Nanosecond), false},
	} {
		l.keepYounger("tenants", &sourceSet{loaded: test.loaded})
		if stays := l.sets["tenants"] == have; stays != test.stays {
			t.Errorf("%s: the one in force stays: %v", test.name, stays)
		}
		have = l.sets["tenants"]
	}
}
