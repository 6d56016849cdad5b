package rules

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// level is one rule of a policy, a profile or a schema, parsed. The effective rule of a
// procedure is merged from several levels.
type level struct {
	id          int             // unique within a compilation
	field       string          // its path: defaults, rules[3]
	selector    string          // the selector or path; "defaults" for defaults
	element     string          // the service or method whose option in the schema this is; empty for a rule of the policy
	option      *corsrpcv1.Rule // the option of element; nil for a rule of the policy
	narrowsOnly bool            // this is an option of a schema that is only trusted to narrow (SHAPE)
	added       bool            // this is a profile's add_origins, which are not a rule
	isRule      bool            // this is an item of rules or an option of a schema, not defaults

	items       int             // the number of items in allow_origins
	origins     *origin.Set     // the patterns of these items; nil if there are none
	originRun   []originRun     // where these patterns are written
	withAdded   [2]*level       // the results of withOrigins, without and with credentials; nil until an effective rule needs them
	sources     []string        // the names in allow_origins_from
	unset       []UnsetVariable // the environment variables in allow_origins that are not set (Config.UnsetVariables)
	credentials *bool
	disabled    *bool
	timing      *bool
	headers     [2]headerLists // by rpc.Direction
	maxAge      *time.Duration
	expose      corsrpcv1.Exposure
	risks       map[corsrpcv1.Risk]bool // in accept_risks, for the level's own origins
	shared      []sharedOrigin          // the result of sharedOrigins; nil before
	// withCredentials is true if a rule that takes this level's origins allows credentials, under
	// any profile.
	withCredentials bool
	methods         []string
	methodItems     []int         // the index of each in allow_methods
	protocols       rpc.Protocols // 0 if the level names none
}

// parseRule parses a rule, and checks all that can be checked without other rules.
func (c *compiler) parseRule(field string, r *corsrpcv1.Rule, place rulePlace) *level {
	c.levels++
	l := &level{
		id: c.levels, field: field, selector: r.GetSelector() + r.GetPath(), isRule: place != inDefaults,
		credentials: r.AllowCredentials, disabled: r.Disabled, timing: r.Timing, expose: r.GetExpose(),
	}
	if place == inDefaults {
		l.selector = "defaults"
	}
	c.parseRisks(l, field+".accept_risks", r.GetAcceptRisks())
	c.parseOrigins(l, r)
	c.parseProtocols(l, r, place)
	for _, lists := range []headerFields{requestHeaders, responseHeaders} {
		items := c.parseHeaders(field, r, lists, neededBy(place == forPath, l.protocols))
		l.headers[lists.direction] = headerLists{items, newHeaderLevel(items)}
	}
	c.parseMethods(l, r, place)
	c.parseMaxAge(l, r)
	c.checkEnum(field+".expose", r.GetExpose())
	return l
}

// rulePlace is the kind of place in a policy where a rule is written.
type rulePlace uint8

const (
	inDefaults rulePlace = iota
	forSelector
	forPath
)

// parseRisks reads the risks that a rule or a profile accepts.
func (c *compiler) parseRisks(l *level, field string, risks []corsrpcv1.Risk) {
	for i, risk := range risks {
		at := fmt.Sprintf("%s[%d]", field, i)
		if risk == corsrpcv1.Risk_RISK_UNSPECIFIED {
			c.fail(CodeUnknownEnumValue, at, "", "is RISK_UNSPECIFIED, which is not a risk: leave it out", "")
		}
		c.checkEnum(at, risk)
		if l.risks == nil {
			l.risks = map[corsrpcv1.Risk]bool{}
		}
		l.risks[risk] = true
	}
}

// parseProtocols reads the protocols of a level. MCP is only valid in a path rule, and alone.
func (c *compiler) parseProtocols(l *level, r *corsrpcv1.Rule, place rulePlace) {
	for i, protocol := range r.GetProtocols() {
		at := fmt.Sprintf("%s.protocols[%d]", l.field, i)
		switch protocol {
		case corsrpcv1.Protocol_PROTOCOL_CONNECT:
			l.protocols |= rpc.Connect
		case corsrpcv1.Protocol_PROTOCOL_GRPC_WEB:
			l.protocols |= rpc.GRPCWeb
		case corsrpcv1.Protocol_PROTOCOL_MCP:
			l.protocols |= rpc.MCP
			if place != forPath {
				c.fail(CodeFieldMisplaced, at, "MCP", "is served on a path, not by procedures: write a path rule of its own for it", "{path: /mcp, protocols: [MCP]} in rules")
			}
		case corsrpcv1.Protocol_PROTOCOL_UNSPECIFIED:
			c.fail(CodeUnknownEnumValue, at, "", "is PROTOCOL_UNSPECIFIED, which is not a protocol: leave it out", "")
		default:
			c.checkEnum(at, protocol)
		}
	}
	switch {
	case place != forPath || l.protocols&rpc.OfProcedures == 0:
	case l.protocols&rpc.MCP == 0:
		c.fail(CodeFieldMisplaced, l.field+".protocols", "", "does not apply to a path rule, except protocols: [MCP]: leave it out", "")
	default:
		for i, protocol := range r.GetProtocols() {
			if protocol != corsrpcv1.Protocol_PROTOCOL_MCP {
				c.fail(CodeFieldMisplaced, fmt.Sprintf("%s.protocols[%d]", l.field, i), strings.TrimPrefix(protocol.String(), "PROTOCOL_"), "is a protocol of procedures, and a path rule can only serve MCP: leave it out", "")
			}
		}
	}
}

func (c *compiler) parseMethods(l *level, r *corsrpcv1.Rule, place rulePlace) {
	seen := map[string]bool{}
	for i, method := range r.GetAllowMethods() {
		at := fmt.Sprintf("%s.allow_methods[%d]", l.field, i)
		upper := strings.ToUpper(method)
		switch {
		case !fetch.IsToken(method) || method == "*":
			c.fail(CodeMethodSyntax, at, method, "is not a valid HTTP method (RFC 9110, section 9.1)", "")
		case fetch.ForbiddenMethod(method):
			c.fail(CodeMethodSyntax, at, method, "cannot be used by a script (https://fetch.spec.whatwg.org/#forbidden-method): leave it out", "")
		case method != upper:
			c.fail(CodeMethodSyntax, at, method, "is not in upper case, and methods are case-sensitive", upper)
		case !seen[method]:
			seen[method] = true
			l.methods, l.methodItems = append(l.methods, method), append(l.methodItems, i)
		}
	}
	if place != forPath && len(r.GetAllowMethods()) > 0 {
		c.fail(CodeFieldMisplaced, l.field+".allow_methods", "", "applies to path rules only, since a procedure's methods follow from the schema: leave it out", "")
	}
}

// MaxMaxAge is the longest max_age of a policy: no browser caches a preflight for longer.
const MaxMaxAge = 86400 * time.Second

func (c *compiler) parseMaxAge(l *level, r *corsrpcv1.Rule) {
	d := r.GetMaxAge()
	if d == nil {
		return
	}
	at, age := l.field+".max_age", d.AsDuration()
	l.maxAge = &age
	switch {
	case d.CheckValid() != nil || age < 0:
		c.fail(CodeMaxAgeRange, at, durationText(d), "is not a valid time to cache a preflight: 0s turns caching off", "0s")
	case age%time.Second != 0:
		c.fail(CodeMaxAgeRange, at, durationText(d), "has a fraction of a second, which Access-Control-Max-Age cannot express", fmt.Sprintf("%ds", (age+time.Second-1)/time.Second))
	case age > MaxMaxAge:
		c.fail(CodeMaxAgeRange, at, durationText(d), "is longer than any browser caches a preflight", "86400s")
	}
}

func durationText(d *durationpb.Duration) string {
	if d.CheckValid() != nil {
		return fmt.Sprintf("%ds %dns", d.GetSeconds(), d.GetNanos())
	}
	return d.AsDuration().String()
}
