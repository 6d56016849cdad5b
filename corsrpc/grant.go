package corsrpc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/clockcache"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// A target is what a request path resolves to: a procedure, a path rule, or neither.
type target struct {
	kind  targetKind
	name  string // the procedure's full name, or the pattern of the path rule
	known bool   // by the schema or the policy, as it is: such names are bounded in number
	id    uint64 // of one that the plan holds; 0 otherwise
	grant *grant
	rule  *rules.Effective // where each value of the grant comes from

	exposures *clockcache.Cache[exposure] // its own where the plan holds it; the grant's otherwise
	ambiguity *ambiguousPath              // of a path whose readings differ
}

// ambiguousPath holds two readings of a path that lead to different answers.
type ambiguousPath struct {
	first, other route.Match[*target]
	vary         string // what the answer to a GET or HEAD depends on

	// These are the request's, for the remedy.
	routes        *route.Table[*target]
	path, escaped string
	calls         bool
}

var lastID atomic.Uint64

// newID tells a grant or a target from all others, those of other plans too.
func newID() uint64 { return lastID.Add(1) }

// ungoverned is the target of every path that no rule covers.
var ungoverned = &target{}

type targetKind uint8

const (
	targetNone      targetKind = iota // not governed
	targetProcedure                   // a procedure's path, or shaped like one
	targetPath                        // a path rule's
	targetAmbiguous                   // its readings lead to different answers
)

// Bounds on what is kept of an answer, or of a preflight.
const (
	maxCachedBytes = 1 << 10
	maxCachedNames = 32
)

// exposure is what is exposed of answers that carry just these names.
type exposure struct {
	names []string // as the header spells them
	value string   // of Access-Control-Expose-Headers
}

// A grant is the finished answer for the procedures or the path that one
// effective rule governs. Procedures with the same levels share one. It is immutable but for
// its caches, and safe for concurrent use.
type grant struct {
	id          uint64
	exposures   clockcache.Cache[exposure] // of procedures that are not known
	preflights  clockcache.Cache[string]   // values of Access-Control-Request-Headers of which all is granted as it is
	origins     *origin.Set
	sources     []string // whose sets count as well
	anyOrigin   bool
	credentials bool
	disabled    bool
	unnamed     bool // of operational services that no rule names
	protocols   rpc.Protocols

	allowMethods string   // Access-Control-Allow-Methods
	methods      []string // the same, one by one
	allowHeaders string   // Access-Control-Allow-Headers, without what a preflight adds
	headers      map[string]bool
	request      rules.HeaderRules
	openHeaders  bool   // names may be granted that are in neither
	maxAge       string // Access-Control-Max-Age

	exposeHeaders string   // Access-Control-Expose-Headers: all of it under DECLARED
	exposeNames   []string // the same, one by one, sorted
	response      rules.HeaderRules
	present       bool

	vary string // Vary, on GET and HEAD

	canonical func() string // what it answers, in one form, worked out once
}

// newGrant makes the answer of an effective rule.
func newGrant(rule *rules.Effective) *grant {
	g := &grant{
		id:          newID(),
		origins:     rule.Origins(),
		sources:     rule.Sources(),
		anyOrigin:   rule.Origins().Any() != 0,
		credentials: rule.Credentials(),
		disabled:    rule.Disabled(),
		unnamed:     rule.Kind().Unnamed && !rule.SaysOrigins(),
		protocols:   rule.Protocols(),
		methods:     rule.Methods(),
		request:     rule.RequestHeaders(),
		response:    rule.ResponseHeaders(),
		present:     rule.Present(),
		maxAge:      fmt.Sprint(int64(rule.MaxAge() / time.Second)),
	}
	g.allowMethods = strings.Join(g.methods, ", ")
	g.setHeaders()
	g.setVary(rule.Kind().Path)
	g.canonical = sync.OnceValue(g.describe) // most plans are never compared
	return g
}

// setHeaders spells out both lists of header names.
func (g *grant) setHeaders() {
	g.headers = map[string]bool{}
	var names []string
	for _, name := range append(rpc.Names(g.protocols, rpc.Request), g.request.Granted()...) {
		if !g.headers[name] {
			g.headers[name] = true
			names = append(names, name)
		}
	}
	g.allowHeaders, g.openHeaders = strings.Join(names, ", "), g.request.Open()

	named := slices.DeleteFunc(g.response.Granted(), fetch.SafelistedResponseHeader)
	exposed := slices.Clone(named)
	if !g.present {
		exposed = append(rpc.Names(g.protocols, rpc.Response), named...)
		if g.protocols&rpc.Connect != 0 {
			for _, name := range named {
				if yes, mentioned := g.response.Lookup(rpc.TrailerPrefix + name); yes || !mentioned {
					exposed = append(exposed, rpc.TrailerPrefix+name)
				}
			}
		}
	}
	slices.Sort(exposed)
	g.exposeNames = slices.Compact(exposed)
	g.exposeHeaders = strings.Join(g.exposeNames, ", ")
}

// setVary finds what a GET's answer differs by. Where everyone is allowed, it
// does not: each carries the same headers.
func (g *grant) setVary(ofPath bool) {
	switch {
	case g.constant():
	case !ofPath:
		g.vary = varyBySite
	case g.disabled:
		g.vary = varyBySite
	case g.credentials:
		g.vary = varyByMode
	default:
		g.vary = "Origin"
	}
}

const (
	varyBySite = "Origin, Sec-Fetch-Site"
	varyByMode = "Origin, Sec-Fetch-Site, Sec-Fetch-Mode"
)

// constant reports whether GET and HEAD answers carry the same Access-Control
// headers whoever asks, so that any cache may give them to anybody.
func (g *grant) constant() bool { return g.anyOrigin && !g.credentials && !g.disabled }

// grants reports whether a request header of this lower-case name is granted.
func (g *grant) grants(name string) bool {
	if g.headers[name] || rpc.InFamily(g.protocols, name) {
		return true
	}
	if !g.openHeaders {
		return false
	}
	yes, _ := g.request.Lookup(name)
	return yes
}

// equivalent reports whether two grants, of two plans perhaps, answer alike, whoever
// is allowed by them.
func (g *grant) equivalent(other *grant) bool {
	return g == other || g.canonical() == other.canonical()
}

// describe puts all that answers depend on into a text that is the same for grants that
// answer alike, whatever levels they were put together from.
func (g *grant) describe() string {
	exposes := ""
	if g.present {
		exposes = g.response.Canonical(false)
	}
	asked := ""
	if g.openHeaders {
		asked = g.request.Canonical(true)
	}
	return fmt.Sprint(g.anyOrigin, g.credentials, g.maxAge, g.protocols, g.vary,
		slices.Sorted(slices.Values(g.methods)), slices.Sorted(maps.Keys(g.headers)), asked,
		g.present, g.exposeNames, exposes)
}
