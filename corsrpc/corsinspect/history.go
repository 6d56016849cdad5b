package corsinspect

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// Bounds on a history, whatever is sent.
const (
	maxGroups  = 256
	maxSamples = 5 // distinct origins of a group
	maxReloads = 50
	maxReason  = 16 << 10 // bytes of why a reload failed
)

// history holds what an inspector shows of the past. It is safe for concurrent use,
// and its memory is bounded: refusals are grouped by what the schema and the policy
// name, and of a flood of groups the one that was quiet for the longest is forgotten.
type history struct {
	since time.Time

	mu          sync.Mutex
	refusals    map[groupKey]*group
	differences map[groupKey]*group
	forgotten   int // requests whose group is gone
	reloads     []reloadRecord
}

// groupKey holds what requests of a group have in common.
type groupKey struct {
	preflight              bool
	observed               bool // not enforced
	shadowObserved         bool
	reason, shadowReason   corsrpc.Reason
	target                 string // of a known procedure or path rule; empty for all others
	field, shadowField     string // without their places in lists: of a hundred thousand origins, each has its own
	outcome, shadowOutcome corsrpc.Outcome
}

// group counts requests, and keeps samples of them that are safe to show.
type group struct {
	from, shadowFrom corsrpc.Provenance // of the latest
	count            int
	first, last      time.Time
	origins          []string // distinct, the latest last
	path, missing    string   // of the latest
}

type reloadRecord struct {
	at     time.Time
	failed string // why it was not put in force; empty where it was
	digest string // of the plan that was
}

func newHistory() *history {
	return &history{since: time.Now(), refusals: map[groupKey]*group{}, differences: map[groupKey]*group{}}
}

// keyOf returns the key of a decision's group; from is where the policy says so.
func keyOf(d corsrpc.Decision, from corsrpc.Provenance) groupKey {
	target, known := d.Procedure()
	if !known {
		target = d.PathPattern()
	}
	return groupKey{
		preflight: d.Preflight(), observed: !d.Enforced(), reason: d.Reason(), outcome: d.Outcome(),
		target: target, field: from.FieldWithoutIndex(),
	}
}

// refused counts a request that was refused, or would have been.
func (h *history) refused(r corsrpc.Request, d corsrpc.Decision) {
	from := d.From()
	key := keyOf(d, from)
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.groupOf(h.refusals, key)
	g.from = from
	g.missing = safetext.Sample(d.Missing())
	g.add(r)
}

// differed counts a request that the shadow policy decides otherwise.
func (h *history) differed(r corsrpc.Request, d, shadow corsrpc.Decision) {
	from, shadowFrom := d.From(), shadow.From()
	key := keyOf(d, from)
	key.shadowReason, key.shadowOutcome, key.shadowField = shadow.Reason(), shadow.Outcome(), shadowFrom.FieldWithoutIndex()
	key.shadowObserved = !shadow.Enforced()
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.groupOf(h.differences, key)
	g.from, g.shadowFrom = from, shadowFrom
	g.add(r)
}

// groupOf returns the group of a key, and makes room for a new one. The caller holds
// h.mu.
func (h *history) groupOf(groups map[groupKey]*group, key groupKey) *group {
	if g := groups[key]; g != nil {
		return g
	}
	if len(groups) >= maxGroups {
		// Without a look-up of keys, whose hashes are slow: strangers can have each refusal come here.
		var oldest groupKey
		var quietest *group
		for key, g := range groups {
			if quietest == nil || g.last.Before(quietest.last) {
				oldest, quietest = key, g
			}
		}
		h.forgotten += quietest.count
		delete(groups, oldest)
	}
	g := &group{first: time.Now()}
	groups[key] = g
	return g
}

// add counts a request.
func (g *group) add(r corsrpc.Request) {
	g.count++
	g.last = time.Now()
	g.path = safetext.Sample(r.Path)
	from := "(none)"
	if origin := r.Header.Get("Origin"); origin != "" {
		from = safetext.Sample(origin)
	}
	if i := slices.Index(g.origins, from); i >= 0 {
		g.origins = slices.Delete(g.origins, i, i+1)
	} else if len(g.origins) >= maxSamples {
		g.origins = slices.Delete(g.origins, 0, 1)
	}
	g.origins = append(g.origins, from)
}

// reloaded keeps what became of a new policy. It keeps the text of an error, since the
// error itself may hold a problem for each of a million origins. The text and the digest
// are made before the lock is taken, which every refusal takes.
func (h *history) reloaded(err error, plan *corsrpc.Plan) {
	record := reloadRecord{at: time.Now()}
	if err != nil {
		record.failed = cmp.Or(cutText(err.Error(), maxReason), "an error that says nothing")
	} else {
		record.digest = plan.Digest()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.reloads) >= maxReloads {
		h.reloads = slices.Delete(h.reloads, 0, 1)
	}
	h.reloads = append(h.reloads, record)
}

// cutText returns the first maxBytes bytes of a text, with a mark where it was cut. The
// result does not share the memory of what was cut.
func cutText(s string, maxBytes int) string {
	if len(s) <= maxBytes {
		return s
	}
	return strings.ToValidUTF8(s[:maxBytes], "") + "..."
}

// keyedGroup is a group with its key.
type keyedGroup struct {
	groupKey
	group
}

// sorted returns copies of groups, the latest first. The caller holds h.mu.
func sorted(groups map[groupKey]*group) []keyedGroup {
	all := make([]keyedGroup, 0, len(groups))
	for key, g := range groups {
		c := *g
		c.origins = slices.Clone(g.origins)
		all = append(all, keyedGroup{key, c})
	}
	slices.SortFunc(all, func(a, b keyedGroup) int {
		return cmp.Or(b.last.Compare(a.last), cmp.Compare(a.target, b.target), cmp.Compare(a.reason, b.reason))
	})
	return all
}
