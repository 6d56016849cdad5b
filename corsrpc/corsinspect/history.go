package corsinspect

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// Bounds on a history.
const (
	maxGroups  = 256
	maxSamples = 5 // distinct origins of a group
	maxReloads = 50
	maxError   = 16 << 10 // bytes of an error's text
	maxRemedy  = 2 << 10  // bytes of a remedy
)

// history holds the past events that an inspector shows. It is safe for concurrent use, and
// its memory is bounded. Requests are grouped by names in the schema and the policy. If
// there are too many groups, the group with the oldest last request is evicted.
type history struct {
	since time.Time

	mu          sync.Mutex
	refusals    map[groupKey]*group
	differences map[groupKey]*group
	ungoverned  map[pageKey]*pageGroup // requests that no rule governs
	missing     map[pageKey]*pageGroup // calls that did not follow their preflight
	forgotten   int                    // requests of evicted groups
	reloads     []reloadRecord
	policies    int // the number of successful reloads
}

// groupKey holds the properties that all requests of a group have in common.
type groupKey struct {
	preflight              bool
	observed               bool // the decision was not enforced
	shadowObserved         bool // the shadow policy's decision would not be enforced
	reason, shadowReason   corsrpc.Reason
	target                 string // the known procedure or path rule; empty for other targets
	field, shadowField     string // without list indexes, since each origin of a list has its own
	outcome, shadowOutcome corsrpc.Outcome
}

// tally counts the requests of a group.
type tally struct {
	count int
	last  time.Time
}

// tallied returns the tally of a group.
func (t *tally) tallied() *tally { return t }

// group counts requests, and keeps samples of them that are safe to show.
type group struct {
	tally
	from, shadowFrom corsrpc.Provenance // of the latest request
	first            time.Time
	origins          []string // distinct, the latest last
	path, missing    string   // of the latest request

	sample   sample // the latest request
	remedy   string // of the latest request with another missing name or under another policy than the previous one
	policies int    // history.policies at the latest request
}

// pageKey holds the properties that all requests of a pageGroup have in common. The layer reports a
// bounded number of origins and paths.
type pageKey struct{ origin, method, target, field string }

// pageGroup counts requests of a page, and keeps what is to show of the latest.
type pageGroup struct {
	tally
	remedy   string
	from     corsrpc.Provenance // of the rule; the zero Provenance if there is none
	answered bool               // the handler or another middleware has written CORS fields
	sample   sample
}

// reloadRecord is the result of one reload.
type reloadRecord struct {
	at     time.Time
	failed string // the text of the error; empty for a successful reload
	digest string // the digest of the new plan; empty for a failed reload
}

func newHistory() *history {
	return &history{
		since: time.Now(), refusals: map[groupKey]*group{}, differences: map[groupKey]*group{},
		ungoverned: map[pageKey]*pageGroup{}, missing: map[pageKey]*pageGroup{},
	}
}

// keyOf returns the key of a decision's group. from is d.From().
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

// refused counts a request that was refused, or would have been if the policy were enforced.
func (h *history) refused(r corsrpc.Request, d corsrpc.Decision) {
	from := d.From()
	key := keyOf(d, from)
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.groupOf(h.refusals, key)
	g.from = from
	if missing := safetext.Sample(d.Missing()); g.count == 0 || g.missing != missing || g.policies != h.policies {
		g.missing, g.policies = missing, h.policies
		g.remedy = cutText(d.Remedy(), maxRemedy)
	}
	g.add(r)
	g.sample.keep(r)
}

// reported counts a request that no rule governs, or a call that did not follow its preflight.
func (h *history) reported(groups map[pageKey]*pageGroup, e corsrpc.Event) {
	from := e.Decision.From()
	key := pageKey{
		origin: safetext.Sample(e.Request.Header.Get("Origin")), method: safetext.Sample(methodOf(e.Request)),
		target: safetext.Sample(e.Request.Path), field: from.FieldWithoutIndex(),
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	g := groups[key]
	if g == nil {
		if len(groups) >= maxGroups {
			h.forgotten += evictOldest(groups)
		}
		g = &pageGroup{}
		groups[key] = g
	}
	g.count++
	g.last, g.from, g.answered, g.remedy = time.Now(), from, e.Answered, cutText(e.Remedy, maxRemedy)
	g.sample.keep(e.Request)
}

// evictOldest removes the group with the oldest last request, and returns the number of its requests.
func evictOldest[K comparable, G interface{ tallied() *tally }](groups map[K]G) int {
	// The loop does not look up keys, since hashing a groupKey is slow and clients can make every
	// refusal reach this point.
	var oldest K
	var quietest *tally
	for key, g := range groups {
		if t := g.tallied(); quietest == nil || t.last.Before(quietest.last) {
			oldest, quietest = key, t
		}
	}
	delete(groups, oldest)
	return quietest.count
}

// methodOf returns the method of a call, or the method that a preflight asks for.
func methodOf(r corsrpc.Request) string {
	if asked := r.Header.Get("Access-Control-Request-Method"); r.Method == http.MethodOptions && asked != "" {
		return asked
	}
	return r.Method
}

// differed counts a request on which the shadow policy decides differently.
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

// groupOf returns the group of a key. For a new group it evicts one if there are maxGroups.
// The caller holds h.mu.
func (h *history) groupOf(groups map[groupKey]*group, key groupKey) *group {
	if g := groups[key]; g != nil {
		return g
	}
	if len(groups) >= maxGroups {
		h.forgotten += evictOldest(groups)
	}
	g := &group{first: time.Now()}
	groups[key] = g
	return g
}

// add counts a request, and keeps its origin and path.
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

// reloaded records the result of a reload. It keeps the first maxError bytes of an error's
// text, not the error, which may hold a problem for each of a million origins. It computes
// the text and the digest before it locks h.mu, since every refusal locks it too.
func (h *history) reloaded(err error, plan *corsrpc.Plan) {
	record := reloadRecord{at: time.Now()}
	if err != nil {
		record.failed = cmp.Or(cutText(err.Error(), maxError), "an error with an empty text")
	} else {
		record.digest = plan.Digest()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.reloads) >= maxReloads {
		h.reloads = slices.Delete(h.reloads, 0, 1)
	}
	h.reloads = append(h.reloads, record)
	if err == nil {
		h.policies++
	}
}

// cutText returns the first maxBytes bytes of a text, followed by "..." if it was longer.
// A text that was cut is copied, so that the result does not keep the whole text in memory.
func cutText(s string, maxBytes int) string {
	if len(s) <= maxBytes {
		return s
	}
	return strings.ToValidUTF8(s[:maxBytes], "") + "..."
}

// keyedGroup is a group and its key.
type keyedGroup struct {
	groupKey
	group
}

// sorted returns copies of the groups, the one with the latest request first. The caller
// holds h.mu.
func sorted(groups map[groupKey]*group) []keyedGroup {
	all := make([]keyedGroup, 0, len(groups))
	for key, g := range groups {
		c := *g
		c.origins, c.sample = slices.Clone(g.origins), g.sample.clone()
		all = append(all, keyedGroup{key, c})
	}
	slices.SortFunc(all, func(a, b keyedGroup) int {
		return cmp.Or(b.last.Compare(a.last), cmp.Compare(a.target, b.target), cmp.Compare(a.reason, b.reason))
	})
	return all
}

// keyedPageGroup is a pageGroup and its key.
type keyedPageGroup struct {
	pageKey
	pageGroup
}

// sortedPages returns copies of the groups, the one with the latest request first. The caller holds
// h.mu.
func sortedPages(groups map[pageKey]*pageGroup) []keyedPageGroup {
	all := make([]keyedPageGroup, 0, len(groups))
	for key, g := range groups {
		c := *g
		c.sample = g.sample.clone()
		all = append(all, keyedPageGroup{key, c})
	}
	slices.SortFunc(all, func(a, b keyedPageGroup) int {
		return cmp.Or(b.last.Compare(a.last), cmp.Compare(a.target, b.target), cmp.Compare(a.origin, b.origin))
	})
	return all
}
