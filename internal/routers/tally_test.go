package routers

import (
	"cmp"
	"slices"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// tally is the sum of the results of many requests.
type tally struct {
	sent, ran, granted int
	faults             []fault
}

// try sends a request, and records it if it is a fault.
func (t *tally) try(seed uint64, p *policy, s *stack, raw string, c call) {
	r := c.request(raw)
	if r == nil {
		return
	}
	v := s.send(r)
	t.sent++
	if v.route != nil {
		t.ran++
	}
	if v.decision.Outcome() == corsrpc.OutcomeGrant {
		t.granted++
	}
	if what := s.check(p, c, v); what != "" {
		t.faults = append(t.faults, fault{seed, p, s, raw, c, v, what})
	}
}

func (t *tally) add(other tally) {
	t.sent, t.ran, t.granted = t.sent+other.sent, t.ran+other.ran, t.granted+other.granted
	t.faults = append(t.faults, other.faults...)
}

// shown is the number of servers for which a fault is printed in full.
const shown = 3

// report reports the faults with the lowest seeds, and the number of faults by server.
func (t *tally) report(tb testing.TB) {
	tb.Helper()
	tb.Logf("%d requests: %d reached a handler, %d were allowed", t.sent, t.ran, t.granted)
	slices.SortStableFunc(t.faults, func(a, b fault) int { return cmp.Compare(a.seed, b.seed) })
	count := map[string]int{}
	for _, f := range t.faults {
		key := f.stack.name + ": " + f.what
		if count[key]++; count[key] == 1 && len(count) <= shown {
			tb.Error(f.smaller())
		}
	}
	if len(t.faults) > 0 {
		tb.Errorf("%d faults, by server: %v", len(t.faults), count)
	}
}
