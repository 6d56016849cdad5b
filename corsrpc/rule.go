package corsrpc

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// A parsedRule is one layer: a rule of the policy, its values read once.
type parsedRule struct {
	field    string // defaults, rules[3]
	selector string // selector or path; "defaults"
	message  *corsrpcv1.Rule

	origins   []origin.Pattern
	originAt  []int       // the index of each pattern in allow_origins
	set       *origin.Set // of the origins, once a grant needs it
	request   []mention
	response  []mention
	methods   []string
	protocols rpc.Protocols
}

// parseRule checks what can be said of a rule by itself.
func (c *compiler) parseRule(field string, r *corsrpcv1.Rule, place rulePlace) *parsedRule {
	p := &parsedRule{field: field, message: r, selector: r.GetSelector() + r.GetPath()}
	if place == inDefaults {
		p.selector = "defaults"
	}
	c.checkRisks(p)
	c.parseOrigins(p)
	p.request = c.parseMentions(p, requestHeaders)
	p.response = c.parseMentions(p, responseHeaders)
	c.parseProtocols(p)
	c.parseMethods(p, place)
	c.checkMaxAge(p)
	c.checkEnum(field+".expose", r.GetExpose())
	if place == forPath && len(r.GetProtocols()) > 0 {
		c.fail(CheckFieldMisplaced, field+".protocols", "", "has no meaning for a path, which no RPC protocol serves: leave it out", "")
	}
	return p
}

// originField returns the path of the field that says the pattern of this
// index.
func (p *parsedRule) originField(i int) string {
	return fmt.Sprintf("%s.allow_origins[%d]", p.field, p.originAt[i])
}

// rulePlace is where a rule stands.
type rulePlace uint8

const (
	inDefaults rulePlace = iota
	forSelector
	forPath
)

func (p *parsedRule) accepts(risk corsrpcv1.Risk) bool {
	return slices.Contains(p.message.GetAcceptRisks(), risk)
}

func (c *compiler) checkRisks(p *parsedRule) {
	for i, risk := range p.message.GetAcceptRisks() {
		at := fmt.Sprintf("%s.accept_risks[%d]", p.field, i)
		if risk == corsrpcv1.Risk_RISK_UNSPECIFIED {
			c.fail(CheckUnknownEnumValue, at, "", "names no risk", "")
		}
		c.checkEnum(at, risk)
	}
}

// riskOf is the risk that accepts a problem of an origin.
var riskOf = map[origin.Code]corsrpcv1.Risk{
	origin.CodeNull:         corsrpcv1.Risk_RISK_NULL_ORIGIN,
	origin.CodePlainHTTP:    corsrpcv1.Risk_RISK_PLAIN_HTTP,
	origin.CodePublicSuffix: corsrpcv1.Risk_RISK_PUBLIC_SUFFIX,
}

func (c *compiler) parseOrigins(p *parsedRule) {
	for i, item := range p.message.GetAllowOrigins() {
		at := fmt.Sprintf("%s.allow_origins[%d]", p.field, i)
		if strings.HasPrefix(item, "${") {
			c.unsupported(at, item, "origins from the environment are")
			continue
		}
		pattern, problems := origin.ParsePattern(item)
		refused := false
		for _, problem := range problems {
			risk, canAccept := riskOf[problem.Code]
			if canAccept && p.accepts(risk) {
				continue
			}
			refused = true
			reason, fix := problem.Reason, problem.Fix
			if fix != "" {
				fix = fmt.Sprintf("%q", fix)
			}
			if canAccept {
				reason += fmt.Sprintf(" (accept_risks: [%s] in this rule accepts it)", strings.TrimPrefix(risk.String(), "RISK_"))
			}
			c.fail(Check(problem.Code), at, item, reason, fix)
		}
		if !refused {
			p.origins, p.originAt = append(p.origins, pattern), append(p.originAt, i)
		}
	}
	if len(p.message.GetAllowOriginsFrom()) > 0 {
		c.unsupported(p.field+".allow_origins_from", "", "origin sources are")
	}
}

// headerLists is one of the two pairs of lists that a rule has.
type headerLists struct {
	grant, withhold string // field names
	values          func(r *corsrpcv1.Rule) (grant, withhold []string)
	direction       rpc.Direction
}

var (
	requestHeaders = headerLists{"allow_headers", "deny_headers", func(r *corsrpcv1.Rule) ([]string, []string) {
		return r.GetAllowHeaders(), r.GetDenyHeaders()
	}, rpc.Request}
	responseHeaders = headerLists{"expose_headers", "hide_headers", func(r *corsrpcv1.Rule) ([]string, []string) {
		return r.GetExposeHeaders(), r.GetHideHeaders()
	}, rpc.Response}
)

// tracingHeaders are W3C Trace Context's and Baggage's.
var tracingHeaders = []string{"traceparent", "tracestate", "baggage"}

// parseMentions reads a pair of header lists, and tracing, into one layer.
func (c *compiler) parseMentions(p *parsedRule, lists headerLists) []mention {
	grant, withhold := lists.values(p.message)
	var ms []mention
	for i, item := range grant {
		if m, ok := c.parseHeader(p, lists, lists.grant, i, item, true); ok {
			ms = append(ms, m)
		}
	}
	for i, item := range withhold {
		m, ok := c.parseHeader(p, lists, lists.withhold, i, item, false)
		if !ok {
			continue
		}
		twin := m
		twin.yes = true
		if slices.Contains(ms, twin) {
			c.fail(CheckHeaderContradiction, fmt.Sprintf("%s.%s[%d]", p.field, lists.withhold, i), item,
				"is in "+lists.grant+" of the same rule too: leave it out of one", "")
		}
		ms = append(ms, m)
	}
	if lists.direction == rpc.Request && p.message.Tracing != nil {
		for _, name := range tracingHeaders {
			if !slices.ContainsFunc(ms, func(m mention) bool { return m.kind == mentionName && m.name == name }) {
				ms = append(ms, mention{name: name, yes: p.message.GetTracing()})
			}
		}
	}
	sortMentions(ms)
	return ms
}

func (c *compiler) parseHeader(p *parsedRule, lists headerLists, list string, i int, item string, yes bool) (mention, bool) {
	at := fmt.Sprintf("%s.%s[%d]", p.field, list, i)
	m, reason, fix := parseMention(item, yes)
	if reason != "" {
		c.fail(CheckHeaderSyntax, at, item, reason, fix)
		return m, false
	}
	if reason := withheldFromScripts(m, lists.direction); yes && reason != "" {
		c.fail(CheckHeaderForbidden, at, item, reason, "")
		return m, false
	}
	if yes && lists.direction == rpc.Response && m.kind != mentionName {
		c.fail(CheckHeaderSyntax, at, item, "is no header name: expose: PRESENT exposes what each response carries, and names are for the rest", "")
		return m, false
	}
	if !yes && isProtocolMention(m, lists.direction) {
		c.fail(CheckProtocolHeader, at, item, "is what the protocols' clients need, which is always granted: protocols says which are served", "")
		return m, false
	}
	return m, true
}

// withheldFromScripts says why granting a header would be without effect.
func withheldFromScripts(m mention, d rpc.Direction) string {
	switch {
	case m.kind == mentionAll:
		return ""
	case d == rpc.Request && m.name == "cookie":
		return "is never set by a script: cookies are what allow_credentials grants"
	case d == rpc.Request && fetch.ForbiddenRequestHeader(m.name):
		return "is never set by a script (https://fetch.spec.whatwg.org/#forbidden-request-header): leave it out"
	case d == rpc.Response && fetch.ForbiddenResponseHeader(m.name):
		return "is never shown to a script (https://fetch.spec.whatwg.org/#forbidden-response-header-name): leave it out"
	case d == rpc.Response && strings.HasPrefix(m.name, accessControl):
		return "belongs to the layer itself: leave it out"
	}
	return ""
}

// accessControl begins the names of every header of the CORS protocol.
const accessControl = "access-control-"

// isProtocolMention reports whether the mention is of what the protocols' own
// clients need. A wide prefix such as x-* may cover some of it: the
// protocols' headers are granted all the same.
func isProtocolMention(m mention, d rpc.Direction) bool {
	switch {
	case m.kind == mentionAll:
		return false
	case d == rpc.Request && rpc.InFamily(rpc.Connect|rpc.GRPCWeb, m.name):
		return true
	case d == rpc.Response && m.kind == mentionPrefix:
		return slices.ContainsFunc(rpc.Names(rpc.Connect|rpc.GRPCWeb, d), func(name string) bool { return strings.HasPrefix(name, m.name) })
	}
	return slices.Contains(rpc.Names(rpc.Connect|rpc.GRPCWeb, d), m.name)
}

func (c *compiler) parseProtocols(p *parsedRule) {
	for i, protocol := range p.message.GetProtocols() {
		at := fmt.Sprintf("%s.protocols[%d]", p.field, i)
		switch protocol {
		case corsrpcv1.Protocol_PROTOCOL_CONNECT:
			p.protocols |= rpc.Connect
		case corsrpcv1.Protocol_PROTOCOL_GRPC_WEB:
			p.protocols |= rpc.GRPCWeb
		case corsrpcv1.Protocol_PROTOCOL_UNSPECIFIED:
			c.fail(CheckUnknownEnumValue, at, "", "names no protocol", "")
		default:
			c.checkEnum(at, protocol)
		}
	}
}

func (c *compiler) parseMethods(p *parsedRule, place rulePlace) {
	for i, method := range p.message.GetAllowMethods() {
		at := fmt.Sprintf("%s.allow_methods[%d]", p.field, i)
		upper := strings.ToUpper(method)
		switch {
		case !fetch.IsToken(method) || method == "*":
			c.fail(CheckMethodSyntax, at, method, "is no HTTP method (RFC 9110, section 9.1)", "")
		case upper == "CONNECT" || upper == "TRACE" || upper == "TRACK":
			c.fail(CheckMethodSyntax, at, method, "is a method that no script can use: leave it out", "")
		case method != upper:
			c.fail(CheckMethodSyntax, at, method, "is not in upper case, and methods are compared as they are", upper)
		case !slices.Contains(p.methods, method):
			p.methods = append(p.methods, method)
		}
	}
	if place != forPath && len(p.message.GetAllowMethods()) > 0 {
		c.fail(CheckFieldMisplaced, p.field+".allow_methods", "", "is for rules with a path: a procedure's methods follow from its schema", "")
	}
}

// maxMaxAge is the longest time that any browser remembers a preflight.
const maxMaxAge = 86400 * time.Second

func (c *compiler) checkMaxAge(p *parsedRule) {
	d := p.message.GetMaxAge()
	if d == nil {
		return
	}
	at, age := p.field+".max_age", d.AsDuration()
	switch {
	case d.CheckValid() != nil || age < 0:
		c.fail(CheckMaxAgeRange, at, durationText(d), "is no time to remember a preflight: 0s switches remembering off", "0s")
	case age%time.Second != 0:
		c.fail(CheckMaxAgeRange, at, durationText(d), "has a fraction of a second, which Access-Control-Max-Age cannot say", fmt.Sprintf("%ds", (age+time.Second-1)/time.Second))
	case age > maxMaxAge:
		c.fail(CheckMaxAgeRange, at, durationText(d), "is longer than any browser remembers a preflight", "86400s")
	}
}
