package corsrpc

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// A parsedRule is one layer: a rule of the policy, its values read once.
type parsedRule struct {
	field    string // defaults, rules[3]
	selector string // selector or path; "defaults"
	message  *corsrpcv1.Rule

	items     int         // how many allow_origins has
	origins   *origin.Set // the patterns that they make; nil for none
	originRun []originRun // where these are written
	sources   []string    // that its origins come from
	withAdded *parsedRule // the same with the profile's, once a grant needs it
	request   []mention
	response  []mention
	methods   []string
	protocols rpc.Protocols

	added   bool   // a profile's add_origins, no rule
	element string // the service or method whose option in the schema it is; empty for the policy's own
	shapes  bool   // such an option that may only narrow
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

// originRun is where patterns are written that follow one another: each in an item of
// a list, or all in one item, which names the environment variable that holds them.
type originRun struct {
	first    int    // the index of the first pattern
	list     string // the field
	item     int    // the index of the first item
	one      bool   // all are in that item
	variable string // which holds them; empty for none
}

// originPlace returns the field of the item that a pattern is written in, and the
// environment variable that holds it, empty for none.
func (p *parsedRule) originPlace(pattern int) (field, variable string) {
	n, _ := slices.BinarySearchFunc(p.originRun, pattern+1, func(run originRun, i int) int { return run.first - i })
	run := p.originRun[n-1]
	if !run.one {
		run.item += pattern - run.first
	}
	return fmt.Sprintf("%s[%d]", run.list, run.item), run.variable
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
	items, field := p.message.GetAllowOrigins(), p.field+".allow_origins"
	if list := c.lists[p.message]; list != nil {
		p.items = list.texts.Len()
		c.parseLongList(p, field, list)
	} else {
		p.items = len(items)
		c.parseOriginItems(p, field, slices.All(items))
	}
	for i, name := range p.message.GetAllowOriginsFrom() {
		at := fmt.Sprintf("%s.allow_origins_from[%d]", p.field, i)
		switch {
		case !route.IsIdentifier(strings.ReplaceAll(name, "-", "_")):
			c.fail(CheckOriginSource, at, name, "is no name of a source: letters, digits, - and _", "")
		case slices.Contains(p.sources, name):
			c.fail(CheckOriginSource, at, name, "is there twice", "")
		default:
			p.sources = append(p.sources, name)
		}
	}
}

// parseLongList makes a set of a list as it stands. Where it finds anything, item by
// item says what.
func (c *compiler) parseLongList(p *parsedRule, field string, list *originList) {
	if list.set == nil {
		list.set, _ = origin.NewSetOf(list.texts, func(problems []origin.Problem) bool {
			return !slices.ContainsFunc(problems, func(problem origin.Problem) bool {
				risk, canAccept := riskOf[problem.Code]
				return !canAccept || !p.accepts(risk)
			})
		})
	}
	if list.set == nil {
		c.parseOriginItems(p, field, list.texts.All)
		return
	}
	p.origins, p.originRun = list.set, []originRun{{list: field}}
}

// parseOriginItems reads a list of origins.
func (c *compiler) parseOriginItems(p *parsedRule, field string, items iter.Seq2[int, string]) {
	var patterns []origin.Pattern
	for i, item := range items {
		run := originRun{first: len(patterns), list: field, item: i}
		patterns = append(patterns, c.parseOriginItem(p, &run, item)...)
		if run.first < len(patterns) && (run.one || len(p.originRun) == 0 || !p.originRun[len(p.originRun)-1].goesOn(run)) {
			p.originRun = append(p.originRun, run)
		}
	}
	if len(patterns) > 0 {
		p.origins = origin.NewSet(patterns)
	}
}

// goesOn reports whether the next run says nothing that this one does not.
func (run originRun) goesOn(next originRun) bool {
	return !run.one && !next.one && next.item-run.item == next.first-run.first
}

// parseOriginItem reads one item of a list of origins, which may stand for what
// the environment holds.
func (c *compiler) parseOriginItem(p *parsedRule, run *originRun, item string) (patterns []origin.Pattern) {
	at := fmt.Sprintf("%s[%d]", run.list, run.item)
	if !strings.Contains(item, "${") {
		return c.parseOrigin(p, at, item, "")
	}
	name, fallback, ok := parseVariable(item)
	if !ok {
		c.fail(CheckEnvironment, at, item, "is no ${NAME} or ${NAME:-fallback}, and nothing else may stand beside it: a variable holds whole origins, separated by commas", "")
		return nil
	}
	value, set := c.config.lookupEnv(name)
	run.one, run.variable = true, name
	holds := "is what the environment variable " + name + " holds"
	if !set || value == "" {
		run.variable = ""
		holds = "is what stands in for the environment variable " + name
		if value = fallback; value == "" {
			if !c.otherProfile {
				c.fail(CheckEnvironment, at, item, "asks for the environment variable "+name+", which is not set or empty: set it, or give a fallback", fmt.Sprintf("%q", "${"+name+":-https://app.example.com}"))
			}
			return nil
		}
	}
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		switch part {
		case "":
			c.fail(CheckEnvironment, at, value, holds+", and an item of it is blank", "")
		case "*":
			c.fail(CheckEnvironment, at, value, holds+", and everyone is nothing that the environment says: the policy does", `"*"`)
		default:
			patterns = append(patterns, c.parseOrigin(p, at, part, holds)...)
		}
	}
	return patterns
}

// parseVariable takes ${NAME} and ${NAME:-fallback} apart.
func parseVariable(item string) (name, fallback string, ok bool) {
	inner, opens := strings.CutPrefix(item, "${")
	inner, closes := strings.CutSuffix(inner, "}")
	name, fallback, _ = strings.Cut(inner, ":-")
	return name, fallback, opens && closes && route.IsIdentifier(name) && !strings.ContainsAny(fallback, "${}")
}

// parseOrigin reads an origin's pattern; holds says what it is where the environment or
// a fallback says it, and is empty for the policy itself. Risks are accepted by the rule
// that says the origin: the environment is none, nor is add_origins.
func (c *compiler) parseOrigin(p *parsedRule, at, item, holds string) []origin.Pattern {
	pattern, problems := origin.ParsePattern(item)
	refused := false
	for _, problem := range problems {
		risk, canAccept := riskOf[problem.Code]
		canAccept = canAccept && holds == "" && !p.added
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
		if holds != "" {
			reason += " (it " + holds + ")"
		}
		c.fail(Check(problem.Code), at, item, reason, fix)
	}
	if refused {
		return nil
	}
	return []origin.Pattern{pattern}
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

func durationText(d *durationpb.Duration) string {
	if d.CheckValid() != nil {
		return fmt.Sprintf("%ds %dns", d.GetSeconds(), d.GetNanos())
	}
	return d.AsDuration().String()
}
