package corsrpc

import (
	"errors"
	"testing"
	"time"
)

// TestFollowState checks the steps of Watch for a source. They depend on whether the plan names the
// source now and did before, and on the age of the set.
func TestFollowState(t *testing.T) {
	t.Parallel()
	now := time.Now()
	aged := func(age time.Duration) *sourceSet { return &sourceSet{loaded: now.Add(-age)} }
	for _, test := range []struct {
		name          string
		period        time.Duration
		before, named bool
		set           *sourceSet
		want          followStep
	}{
		{"never named", time.Hour, false, false, nil, followStep{}},
		{"named anew, without a set", time.Hour, false, true, nil, followStep{begins: true, load: true}},
		{"named anew, without a period, without a set", 0, false, true, nil, followStep{begins: true, load: true}},
		{"named anew, without a period, with a set", 0, false, true, aged(24 * time.Hour), followStep{begins: true}},
		{"named anew, with a young set", time.Hour, false, true, aged(20 * time.Minute), followStep{begins: true, wait: 40 * time.Minute}},
		{"named anew, with a set as old as the period", time.Hour, false, true, aged(time.Hour), followStep{begins: true, load: true}},
		{"named anew, with an old set", time.Hour, false, true, aged(2 * time.Hour), followStep{begins: true, load: true}},
		{"still named, a timer or a notice", time.Hour, true, true, aged(time.Minute), followStep{load: true}},
		{"still named, a notice, without a period", 0, true, true, aged(time.Minute), followStep{load: true}},
		{"still named, after a failure", 0, true, true, nil, followStep{load: true}},
		{"named no longer", time.Hour, true, false, aged(time.Minute), followStep{ends: true}},
	} {
		state := followState{period: test.period, named: test.before, pause: time.Second}
		if got := state.next(now, test.named, test.set); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
		if state.named != test.named {
			t.Errorf("%s: named %v", test.name, state.named)
		}
		if want := map[bool]time.Duration{true: firstPause, false: time.Second}[test.want.begins]; state.pause != want {
			t.Errorf("%s: the next failure's pause is %v, want %v", test.name, state.pause, want)
		}
	}
}

// TestFollowPauses checks that the pause after a failure doubles and is at most the period, and that a
// success is followed by the whole period.
func TestFollowPauses(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	down := errors.New("down")
	for name, test := range map[string]struct {
		period time.Duration
		errs   []error
		want   []time.Duration
	}{
		"answers":                   {time.Minute, []error{nil, nil}, []time.Duration{time.Minute, time.Minute}},
		"answers, without a period": {0, []error{nil}, []time.Duration{0}},
		"fails":                     {0, []error{down, down, down, nil, down}, []time.Duration{100 * ms, 200 * ms, 400 * ms, 0, 100 * ms}},
		"fails for long": {0, []error{down, down, down, down, down, down, down, down, down, down, down},
			[]time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 6400 * ms, 12800 * ms, 25600 * ms, 30 * time.Second, 30 * time.Second}},
		"fails, with a short period": {300 * ms, []error{down, down, down, nil}, []time.Duration{100 * ms, 200 * ms, 300 * ms, 300 * ms}},
	} {
		state := followState{period: test.period}
		state.next(time.Now(), true, nil)
		for i, err := range test.errs {
			if got := state.loaded(err); got != test.want[i] {
				t.Errorf("%s: time %d: %v, want %v", name, i, got, test.want[i])
			}
		}
	}
}
