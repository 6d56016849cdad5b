package rules

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

// A level is one rule of a policy, of a profile or of a schema, its values read once. What
// holds for a procedure is put together from several levels.
type level struct {
	id       int    // tells it from the other levels of a compilation
	field    string // defaults, rules[3]
	selector string // selector or path; "defaults"
	element  string // the service or method whose option in the schema it is; empty for the policy's own
	shapes   bool   // such an option that may only narrow
	added    bool   // a profile's add_origins, which is not a rule
	isRule   bool   // of the policy or a profile, and not their defaults

	items         int         // how many allow_origins has
	origins       *origin.Set // the patterns that they make; nil for none
	originRun     []originRun // where these are written
	withAdded     *level      // the same with the profile's, once an effective rule needs it
	sources       []string    // the names in allow_origins_from
	credentials   *bool
	disabled      *bool
	headers       [2]headerLists // by rpc.Direction
	maxAge        *time.Duration
	expose        corsrpcv1.Exposure
	risks         map[corsrpcv1.Risk]bool // that it accepts, of its own origins
	anybodysItems []anybodysOrigin        // what anybodys has found; nil before
	methods       []string
	methodItems   []int         // the index of each in allow_methods
	protocols     rpc.Protocols // 0 where it names none
}

// headerLists is what a level says of the headers of one direction.
type headerLists struct {
	items []headerItem
	level *headerLevel // nil for no items
}

// parseRule checks what can be said of a rule by itself.
func (c *compiler) parseRule(field string, r *corsrpcv1.Rule, place rulePlace) *level {
	c.levels++
	l := &level{
		id: c.levels, field: field, selector: r.GetSelector() + r.GetPath(), isRule: place != inDefaults,
		credentials: r.AllowCredentials, disabled: r.Disabled, expose: r.GetExpose(),
	}
	if place == inDefaults {
		l.selector = "defaults"
	}
	c.parseRisks(l, r)
	c.parseOrigins(l, r)
	for _, lists := range []headerFields{requestHeaders, responseHeaders} {
		items := c.parseHeaders(field, r, lists)
		l.headers[lists.direction] = headerLists{items, newHeaderLevel(items)}
	}
	c.parseProtocols(l, r)
	c.parseMethods(l, r, place)
	c.parseMaxAge(l, r)
	c.checkEnum(field+".expose", r.GetExpose())
	if place == forPath && len(r.GetProtocols()) > 0 {
		c.fail(CodeFieldMisplaced, field+".protocols", "", "has no meaning for a path, which no RPC protocol serves: leave it out", "")
	}
	return l
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
func (l *level) originPlace(pattern int) (field, variable string) {
	n, _ := slices.BinarySearchFunc(l.originRun, pattern+1, func(run originRun, i int) int { return run.first - i })
	run := l.originRun[n-1]
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

func (c *compiler) parseRisks(l *level, r *corsrpcv1.Rule) {
	for i, risk := range r.GetAcceptRisks() {
		at := fmt.Sprintf("%s.accept_risks[%d]", l.field, i)
		if risk == corsrpcv1.Risk_RISK_UNSPECIFIED {
			c.fail(CodeUnknownEnumValue, at, "", "names no risk", "")
		}
		c.checkEnum(at, risk)
		if l.risks == nil {
			l.risks = map[corsrpcv1.Risk]bool{}
		}
		l.risks[risk] = true
	}
}

// riskOf is the risk that accepts a problem of an origin.
var riskOf = map[origin.Code]corsrpcv1.Risk{
	origin.CodeNull:         corsrpcv1.Risk_RISK_NULL_ORIGIN,
	origin.CodePlainHTTP:    corsrpcv1.Risk_RISK_PLAIN_HTTP,
	origin.CodePublicSuffix: corsrpcv1.Risk_RISK_PUBLIC_SUFFIX,
}

// IsSourceName reports whether a rule can name an origin source so.
func IsSourceName(name string) bool { return route.IsIdentifier(strings.ReplaceAll(name, "-", "_")) }

func (c *compiler) parseOrigins(l *level, r *corsrpcv1.Rule) {
	items, field := r.GetAllowOrigins(), l.field+".allow_origins"
	if list := c.lists[r]; list != nil {
		l.items = list.texts.Len()
		c.parseLongList(l, field, list)
	} else {
		l.items = len(items)
		c.parseOriginItems(l, field, slices.All(items))
	}
	seen := map[string]bool{}
	for i, name := range r.GetAllowOriginsFrom() {
		at := fmt.Sprintf("%s.allow_origins_from[%d]", l.field, i)
		switch {
		case !IsSourceName(name):
			c.fail(CodeOriginSource, at, name, "is no name of a source: letters, digits, - and _", "")
		case seen[name]:
			c.fail(CodeOriginSource, at, name, "is there twice", "")
		default:
			seen[name] = true
			l.sources = append(l.sources, name)
		}
	}
}

// parseLongList makes a set of a list as it stands. Where it finds anything, item by
// item says what.
func (c *compiler) parseLongList(l *level, field string, list *originList) {
	if list.set == nil {
		list.set, _ = origin.NewSetOf(list.texts, func(problems []origin.Problem) bool {
			return !slices.ContainsFunc(problems, func(problem origin.Problem) bool {
				risk, canAccept := riskOf[problem.Code]
				return !canAccept || !l.risks[risk]
			})
		})
	}
	if list.set == nil {
		c.parseOriginItems(l, field, list.texts.All)
		return
	}
	l.origins, l.originRun = list.set, []originRun{{list: field}}
}

// parseOriginItems reads a list of origins.
func (c *compiler) parseOriginItems(l *level, field string, items iter.Seq2[int, string]) {
	var patterns []origin.Pattern
	for i, item := range items {
		run := originRun{first: len(patterns), list: field, item: i}
		patterns = append(patterns, c.parseOriginItem(l, &run, item)...)
		if run.first < len(patterns) && (run.one || len(l.originRun) == 0 || !l.originRun[len(l.originRun)-1].goesOn(run)) {
			l.originRun = append(l.originRun, run)
		}
	}
	if len(patterns) > 0 {
		l.origins = origin.NewSet(patterns)
	}
}

// goesOn reports whether the next run says nothing that this one does not.
func (run originRun) goesOn(next originRun) bool {
	return !run.one && !next.one && next.item-run.item == next.first-run.first
}

// parseOriginItem reads one item of a list of origins, which may stand for what
// the environment holds.
func (c *compiler) parseOriginItem(l *level, run *originRun, item string) (patterns []origin.Pattern) {
	at := fmt.Sprintf("%s[%d]", run.list, run.item)
	if !strings.Contains(item, "${") {
		return c.parseOrigin(l, at, item, "")
	}
	name, fallback, ok := parseVariable(item)
	if !ok {
		c.fail(CodeEnvironment, at, item, "is no ${NAME} or ${NAME:-fallback}, and nothing else may stand beside it: a variable holds whole origins, separated by commas", "")
		return nil
	}
	value, set := c.config.LookupEnv(name)
	run.one, run.variable = true, name
	holds := "is what the environment variable " + name + " holds"
	if !set || value == "" {
		run.variable = ""
		holds = "is what stands in for the environment variable " + name
		if value = fallback; value == "" {
			if !c.envMayBeUnset {
				c.fail(CodeEnvironment, at, item, "asks for the environment variable "+name+", which is not set or empty: set it, or give a fallback", fmt.Sprintf("%q", "${"+name+":-https://app.example.com}"))
			}
			return nil
		}
	}
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		switch part {
		case "":
			c.fail(CodeEnvironment, at, value, holds+", and an item of it is blank", "")
		case "*":
			c.fail(CodeEnvironment, at, value, holds+", and everyone is nothing that the environment says: the policy does", `"*"`)
		default:
			patterns = append(patterns, c.parseOrigin(l, at, part, holds)...)
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
func (c *compiler) parseOrigin(l *level, at, item, holds string) []origin.Pattern {
	pattern, problems := origin.ParsePattern(item)
	refused := false
	for _, problem := range problems {
		risk, canAccept := riskOf[problem.Code]
		canAccept = canAccept && holds == "" && !l.added
		if canAccept && l.risks[risk] {
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
		c.fail(Code(problem.Code), at, item, reason, fix)
	}
	if refused {
		return nil
	}
	return []origin.Pattern{pattern}
}

// headerFields is one of the two pairs of header lists that a rule has.
type headerFields struct {
	grant, withhold string // field names
	values          func(r *corsrpcv1.Rule) (grant, withhold []string)
	direction       rpc.Direction
}

var (
	requestHeaders = headerFields{"allow_headers", "deny_headers", func(r *corsrpcv1.Rule) ([]string, []string) {
		return r.GetAllowHeaders(), r.GetDenyHeaders()
	}, rpc.Request}
	responseHeaders = headerFields{"expose_headers", "hide_headers", func(r *corsrpcv1.Rule) ([]string, []string) {
		return r.GetExposeHeaders(), r.GetHideHeaders()
	}, rpc.Response}
)

// tracingHeaders are W3C Trace Context's and Baggage's.
var tracingHeaders = []string{"traceparent", "tracestate", "baggage"}

// parseHeaders reads a pair of header lists, and tracing.
func (c *compiler) parseHeaders(field string, r *corsrpcv1.Rule, lists headerFields) (items []headerItem) {
	grant, withhold := lists.values(r)
	seen := map[headerRule]bool{}
	add := func(rule headerRule, list string, i int, text string) {
		if !seen[rule] {
			seen[rule] = true
			items = append(items, headerItem{rule, list, i, text})
		}
	}
	for i, text := range grant {
		if rule, ok := c.parseHeader(field, lists, lists.grant, i, text, true); ok {
			add(rule, lists.grant, i, text)
		}
	}
	for i, text := range withhold {
		rule, ok := c.parseHeader(field, lists, lists.withhold, i, text, false)
		if !ok {
			continue
		}
		twin := rule
		twin.grants = true
		if seen[twin] {
			c.fail(CodeHeaderContradiction, fmt.Sprintf("%s.%s[%d]", field, lists.withhold, i), text,
				"is in "+lists.grant+" of the same rule too: leave it out of one", "")
		}
		add(rule, lists.withhold, i, text)
	}
	if lists.direction == rpc.Request && r.Tracing != nil {
		for _, name := range tracingHeaders {
			if !slices.ContainsFunc(items, func(i headerItem) bool { return i.kind == headerName && i.name == name }) {
				items = append(items, headerItem{headerRule{name: name, grants: r.GetTracing()}, "tracing", -1, fmt.Sprint(r.GetTracing())})
			}
		}
	}
	sortHeaderItems(items)
	return items
}

func (c *compiler) parseHeader(field string, lists headerFields, list string, i int, item string, grants bool) (headerRule, bool) {
	at := fmt.Sprintf("%s.%s[%d]", field, list, i)
	h, reason, fix := parseHeaderRule(item, grants)
	if reason != "" {
		c.fail(CodeHeaderSyntax, at, item, reason, fix)
		return h, false
	}
	if reason := withheldFromScripts(h, lists.direction); grants && reason != "" {
		c.fail(CodeHeaderForbidden, at, item, reason, "")
		return h, false
	}
	if grants && lists.direction == rpc.Response && h.kind != headerName {
		c.fail(CodeHeaderSyntax, at, item, "is no header name: expose: PRESENT exposes what each response carries, and names are for the rest", "")
		return h, false
	}
	if !grants && isProtocolHeader(h, lists.direction) {
		c.fail(CodeProtocolHeader, at, item, "is what the protocols' clients need, which is always granted: protocols says which are served", "")
		return h, false
	}
	return h, true
}

// withheldFromScripts says why granting a header would be without effect.
func withheldFromScripts(h headerRule, d rpc.Direction) string {
	switch {
	case h.kind == headerAll:
		return ""
	case d == rpc.Request && h.name == "cookie":
		return "is never set by a script: cookies are what allow_credentials grants"
	case d == rpc.Request && fetch.ForbiddenRequestHeader(h.name):
		return "is never set by a script (https://fetch.spec.whatwg.org/#forbidden-request-header): leave it out"
	case d == rpc.Response && fetch.ForbiddenResponseHeader(h.name):
		return "is never shown to a script (https://fetch.spec.whatwg.org/#forbidden-response-header-name): leave it out"
	case d == rpc.Response && fetch.IsAccessControl(h.name):
		return "belongs to the layer itself: leave it out"
	}
	return ""
}

// isProtocolHeader reports whether the item is about what the protocols' own
// clients need. A wide prefix such as x-* may cover some of it: the
// protocols' headers are granted all the same.
func isProtocolHeader(h headerRule, d rpc.Direction) bool {
	switch {
	case h.kind == headerAll:
		return false
	case d == rpc.Request && rpc.InFamily(rpc.Connect|rpc.GRPCWeb, h.name):
		return true
	case d == rpc.Response && h.kind == headerPrefix:
		return slices.ContainsFunc(rpc.Names(rpc.Connect|rpc.GRPCWeb, d), func(name string) bool { return strings.HasPrefix(name, h.name) })
	}
	return slices.Contains(rpc.Names(rpc.Connect|rpc.GRPCWeb, d), h.name)
}

func (c *compiler) parseProtocols(l *level, r *corsrpcv1.Rule) {
	for i, protocol := range r.GetProtocols() {
		at := fmt.Sprintf("%s.protocols[%d]", l.field, i)
		switch protocol {
		case corsrpcv1.Protocol_PROTOCOL_CONNECT:
			l.protocols |= rpc.Connect
		case corsrpcv1.Protocol_PROTOCOL_GRPC_WEB:
			l.protocols |= rpc.GRPCWeb
		case corsrpcv1.Protocol_PROTOCOL_UNSPECIFIED:
			c.fail(CodeUnknownEnumValue, at, "", "names no protocol", "")
		default:
			c.checkEnum(at, protocol)
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
			c.fail(CodeMethodSyntax, at, method, "is no HTTP method (RFC 9110, section 9.1)", "")
		case fetch.ForbiddenMethod(method):
			c.fail(CodeMethodSyntax, at, method, "is a method that no script can use: leave it out", "")
		case method != upper:
			c.fail(CodeMethodSyntax, at, method, "is not in upper case, and methods are compared as they are", upper)
		case !seen[method]:
			seen[method] = true
			l.methods, l.methodItems = append(l.methods, method), append(l.methodItems, i)
		}
	}
	if place != forPath && len(r.GetAllowMethods()) > 0 {
		c.fail(CodeFieldMisplaced, l.field+".allow_methods", "", "is for rules with a path: a procedure's methods follow from its schema", "")
	}
}

// maxMaxAge is the longest time that any browser remembers a preflight.
const maxMaxAge = 86400 * time.Second

func (c *compiler) parseMaxAge(l *level, r *corsrpcv1.Rule) {
	d := r.GetMaxAge()
	if d == nil {
		return
	}
	at, age := l.field+".max_age", d.AsDuration()
	l.maxAge = &age
	switch {
	case d.CheckValid() != nil || age < 0:
		c.fail(CodeMaxAgeRange, at, durationText(d), "is no time to remember a preflight: 0s switches remembering off", "0s")
	case age%time.Second != 0:
		c.fail(CodeMaxAgeRange, at, durationText(d), "has a fraction of a second, which Access-Control-Max-Age cannot say", fmt.Sprintf("%ds", (age+time.Second-1)/time.Second))
	case age > maxMaxAge:
		c.fail(CodeMaxAgeRange, at, durationText(d), "is longer than any browser remembers a preflight", "86400s")
	}
}

func durationText(d *durationpb.Duration) string {
	if d.CheckValid() != nil {
		return fmt.Sprintf("%ds %dns", d.GetSeconds(), d.GetNanos())
	}
	return d.AsDuration().String()
}
