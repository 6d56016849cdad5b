package corsrpc

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/clockcache"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// target is what a request path resolves to: a procedure, a path rule, or neither.
type target struct {
	kind  targetKind
	name  string // the procedure's full name, or the pattern of the path rule
	known bool   // the schema or the policy has this name; the number of such names is bounded
	id    uint64 // unique for a known target; 0 otherwise
	grant *grant
	rule  *rules.Effective // where each value of the grant comes from

	exposures *clockcache.Cache[exposure] // that of a known target is its own; others share the grant's
	ambiguity *ambiguousPath              // nil unless the readings of the path differ
}

// ambiguousPath holds two readings of a path for which the policy grants different access. A
// reading is one way in which a server or a proxy may interpret the path, for example after it
// decodes escapes or merges slashes.
type ambiguousPath struct {
	first, other route.Match[*target]
	vary         string // the request fields that the response to a GET or HEAD depends on

	// The arguments of the lookup, for the remedy.
	routes        *route.Table[*target]
	path, escaped string
	calls         bool
}

var lastID atomic.Uint64

// newID returns an id that is unique in the process.
func newID() uint64 { return lastID.Add(1) }

// ungoverned is the target of every path that no rule applies to.
var ungoverned = &target{}

// targetKind is the kind of a target.
type targetKind uint8

const (
	targetNone      targetKind = iota // no rule applies to the path
	targetProcedure                   // the path of a procedure, or a path of the same shape
	targetPath                        // a path that a path rule matches
	targetAmbiguous                   // a path whose readings differ, or that is too long to be resolved
)

// Bounds on a cached exposure, and on a cached preflight (maxCachedBytes only).
const (
	maxCachedBytes = 1 << 10
	maxCachedNames = 32
)

// exposure is the cached list of exposed names for responses with the given field names, of a
// gRPC-Web content type or of another.
type exposure struct {
	names       []string // the response's field names, as the header spells them
	contentType int      // the index of Content-Type in names; -1 if the response has none
	grpcWeb     bool     // the result of listsStatusOf for the response
	value       string   // the value of Access-Control-Expose-Headers
}

// grant holds the response fields that one effective rule leads to, already formatted. Procedures
// with the same rule share one. Apart from its caches it is immutable; it is safe for concurrent
// use.
type grant struct {
	id          uint64
	exposures   clockcache.Cache[exposure] // for procedures that are not known
	preflights  clockcache.Cache[string]   // values of Access-Control-Request-Headers that the fixed grant covers
	origins     *origin.Set
	sources     []string // names of origin sources, whose origins are allowed too
	anyOrigin   bool
	credentials bool
	disabled    bool
	unnamed     bool // the service is operational and no rule names it
	common      bool // the rule leaves only the origin, the mode and the cookies of a call to check: see grantsCommonCall
	protocols   rpc.Protocols
	mcp         bool // the rule is that of a path with protocols: [MCP]

	allowMethods string   // Access-Control-Allow-Methods
	methods      []string // the items of allowMethods
	allowHeaders string   // Access-Control-Allow-Headers: the fixed list, without names that a preflight adds
	granted      rules.GrantedHeaders
	request      rules.HeaderRules
	maxAge       string // Access-Control-Max-Age

	exposeHeaders string // Access-Control-Expose-Headers under DECLARED
	exposed       rules.ExposedHeaders
	response      rules.HeaderRules
	present       bool
	timing        bool // responses carry Timing-Allow-Origin

	vary string // the value of Vary on GET and HEAD; empty if there is none

	canonical func() string // describe, computed once: only shadow policies need it
}

// newGrant builds the grant of an effective rule.
func newGrant(rule *rules.Effective) *grant {
	g := &grant{
		id:          newID(),
		origins:     rule.Origins(),
		sources:     rule.Sources(),
		anyOrigin:   rule.Origins().Any() != 0,
		credentials: rule.Credentials(),
		disabled:    rule.Disabled(),
		unnamed:     rule.Kind().Unnamed && !rule.SetsOrigins(),
		protocols:   rule.Protocols(),
		mcp:         rule.ServesMCP(),
		methods:     rule.Methods(),
		granted:     rule.GrantedHeaders(),
		request:     rule.RequestHeaders(),
		exposed:     rule.ExposedHeaders(),
		response:    rule.ResponseHeaders(),
		present:     rule.Present(),
		timing:      rule.Timing(),
		maxAge:      fmt.Sprint(int64(rule.MaxAge() / time.Second)),
	}
	g.common = !g.disabled && !g.origins.HasShared()
	g.allowMethods = strings.Join(g.methods, ", ")
	g.allowHeaders = strings.Join(g.granted.Names(), ", ")
	g.exposeHeaders = strings.Join(g.exposed.Names(), ", ")
	g.setVary(rule.Kind().Path && !g.mcp)
	g.canonical = sync.OnceValue(g.describe)
	return g
}

// setVary computes the value of Vary for GET and HEAD. It is empty if the response carries the
// same fields for every request. images is true if GET requests without an Origin header may pass although
// not everyone is allowed: those for a path that does not serve MCP.
func (g *grant) setVary(images bool) {
	switch {
	case g.constant():
	case !images:
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

// constant reports whether GET and HEAD responses carry the same Access-Control fields for every
// request, so that a shared cache may serve them to any origin.
func (g *grant) constant() bool { return g.anyOrigin && !g.credentials && !g.disabled }

// equivalent reports whether two grants, possibly of different plans, lead to the same response
// fields. It does not compare the allowed origins.
func (g *grant) equivalent(other *grant) bool {
	return g == other || g.canonical() == other.canonical()
}

// describe returns a text of everything that the response fields depend on, apart from the
// origins. Grants that lead to the same fields have the same text.
func (g *grant) describe() string {
	exposes := ""
	if g.present {
		exposes = g.response.Canonical(false)
	}
	asked := ""
	if g.granted.Open() {
		asked = g.request.Canonical(true)
	}
	return fmt.Sprint(g.anyOrigin, g.credentials, g.maxAge, g.protocols, g.vary,
		slices.Sorted(slices.Values(g.methods)), slices.Sorted(slices.Values(g.granted.Names())), asked,
		g.present, g.exposed.Names(), exposes, g.timing)
}
