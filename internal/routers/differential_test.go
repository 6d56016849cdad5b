package routers

import (
	"flag"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/figures"
)

var onlySeed = flag.Int64("seed", -1, "the only round of TestDifferential to try")

// Numbers for the policy of a round.
const (
	stacksPerRound = 8
	pathsPerRound  = 250
)

// TestDifferential: none of 200,000 paths runs the handler of a rule that the layer did not
// apply.
func TestDifferential(t *testing.T) {
	t.Parallel()
	if *onlySeed >= 0 {
		result := round(uint64(*onlySeed))
		result.report(t)
		return
	}
	const rounds = 200_000 / pathsPerRound
	var all tally
	var adding sync.Mutex
	var wait sync.WaitGroup
	seeds := make(chan uint64)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for seed := range seeds {
				result := round(seed)
				adding.Lock()
				all.add(result)
				adding.Unlock()
			}
		})
	}
	for seed := range uint64(rounds) {
		seeds <- seed
	}
	close(seeds)
	wait.Wait()
	all.report(t)
	figures.Check(t, "differential.paths", figures.Count(rounds*pathsPerRound))
	// The test is meaningful only if many requests reach a handler.
	if all.ran < rounds*20 || all.granted < rounds*20 {
		t.Errorf("%d requests of %d reached a handler, %d were granted", all.ran, all.sent, all.granted)
	}
}

// FuzzDifferential is TestDifferential for other seeds. A seed gives a policy, servers and
// paths.
func FuzzDifferential(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		var all tally
		all.add(round(seed))
		all.report(t)
	})
}

// round tests one policy with some servers.
func round(seed uint64) (result tally) {
	d := newDraws(seed)
	p := d.policy()
	stacks := make([]*stack, stacksPerRound)
	for i := range stacks {
		stacks[i] = d.stack(p, int(seed%1024)*stacksPerRound+i)
	}
	for range pathsPerRound {
		s, raw := pick(d, stacks), d.path(p)
		if s.inside != "" {
			raw = s.inside + d.one(raw, raw, raw, raw[1:])
		}
		for _, c := range d.calls(p) {
			result.try(seed, p, s, raw, c)
		}
	}
	return result
}

// check returns the fault of a visit, or "".
func (s *stack) check(p *policy, c call, v visit) string {
	if v.route == nil {
		return ""
	}
	name := decidedBy(v.decision)
	decided := p.grantOf(v.decision)
	if s.orphans[name] && name != "" {
		return "" // the server has no handler for the rule, so another one may run
	}
	own := v.route.grant
	if !v.route.isLiteral() { // rules of procedures take precedence over path rules
		switch g := p.procedureGrant(v.seen); {
		case g.kind == kindProcedure:
			own = g
		case decided.isOfProcedure() && (g.governsAs(decided) || strings.EqualFold(v.seen, procedurePath(name))):
			own = decided
		}
	}
	switch {
	case !own.allows(c):
		return "a handler ran although its rule does not allow the call"
	case v.decision.Outcome() == corsrpc.OutcomeGrant && !own.governsAs(decided):
		return "a handler ran because another rule allows the call"
	}
	return ""
}

// decidedBy returns the rule of a decision: a path pattern or a procedure.
func decidedBy(d corsrpc.Decision) string {
	if pattern := d.PathPattern(); pattern != "" {
		return pattern
	}
	name, _ := d.Procedure()
	return name
}

// grantOf returns the grant of the rule of a decision.
func (p *policy) grantOf(d corsrpc.Decision) grant {
	if pattern := d.PathPattern(); pattern != "" {
		for _, r := range p.paths {
			if r.name == pattern {
				return r.as(kindPath)
			}
		}
	}
	if name, _ := d.Procedure(); name != "" {
		g, _ := p.resolve(name)
		return g
	}
	return grant{}
}
