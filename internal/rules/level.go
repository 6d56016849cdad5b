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

// level is one rule of a policy, a profile or a schema, parsed. The effective rule of a
// procedure is merged from several levels.
type level struct {
	id          int    // unique within a compilation
	field       string // its path: defaults, rules[3]
	selector    string // the selector or path; "defaults" for defaults
	element     string // the service or method whose option in the schema this is; empty for a rule of the policy
	narrowsOnly bool   // this is an option of a schema that is only trusted to narrow (SHAPE)
	added       bool   // this is a profile's add_origins, which are not a rule
	isRule      bool   // this is an item of rules or an option of a schema, not defaults

	items       int         // the number of items in allow_origins
	origins     *origin.Set // the patterns of these items; nil if there are none
	originRun   []originRun // where these patterns are written
	withAdded   [2]*level   // the results of withOrigins, without and with credentials; nil until an effective rule needs them
	sources     []string    // the names in allow_origins_from
	credentials *bool
	disabled    *bool
	timing      *bool
	headers     [2]headerLists // by rpc.Direction
	maxAge      *time.Duration
	expose      corsrpcv1.Exposure
	risks       map[corsrpcv1.Risk]bool // in accept_risks, for the level's own origins
	shared      []sharedOrigin          // the result of sharedOrigins; nil before
	methods     []string
	methodItems []int         // the index of each in allow_methods
	protocols   rpc.Protocols // 0 if the level names none
}

// headerLists holds the header items of a level for one direction.
type headerLists struct {
	items []headerItem
	level *headerLevel // nil if there are no items
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
	for _, lists := range []headerFields{requestHeaders, responseHeaders} {
		items := c.parseHeaders(field, r, lists, place)
		l.headers[lists.direction] = headerLists{items, newHeaderLevel(items)}
	}
	c.parseProtocols(l, r)
	c.parseMethods(l, r, place)
	c.parseMaxAge(l, r)
	c.checkEnum(field+".expose", r.GetExpose())
	if place == forPath && len(r.GetProtocols()) > 0 {
		c.fail(CodeFieldMisplaced, field+".protocols", "", "does not apply to a path rule: leave it out", "")
	}
	return l
}

// originRun is where consecutive patterns are written: each in an item of its own, or all in
// one item, which names the environment variable that holds them.
type originRun struct {
	first     int    // the index of the first pattern
	list      string // the field of the list
	item      int    // the index of the first pattern's item
	inOneItem bool   // all patterns are in that item
	variable  string // the environment variable that holds them; empty if there is none
}

// originRunOf returns the run of the pattern with an index alone.
func (l *level) originRunOf(pattern int) originRun {
	n, _ := slices.BinarySearchFunc(l.originRun, pattern+1, func(run originRun, i int) int { return run.first - i })
	run := l.originRun[n-1]
	if !run.inOneItem {
		run.item += pattern - run.first
	}
	run.first = pattern
	return run
}

// originPlace returns the field of the item in which the pattern with an index is written, and
// the environment variable that holds it, if any.
func (l *level) originPlace(pattern int) (field, variable string) {
	run := l.originRunOf(pattern)
	return fmt.Sprintf("%s[%d]", run.list, run.item), run.variable
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

// riskOf maps the code of an origin's problem to the risk that a rule may accept.
var riskOf = map[origin.Code]corsrpcv1.Risk{
	origin.CodeNull:            corsrpcv1.Risk_RISK_NULL_ORIGIN,
	origin.CodePlainHTTP:       corsrpcv1.Risk_RISK_PLAIN_HTTP,
	origin.CodePublicSuffix:    corsrpcv1.Risk_RISK_PUBLIC_SUFFIX,
	origin.CodeAnyInstallation: corsrpcv1.Risk_RISK_ANY_INSTALLATION,
}

// IsSourceName reports whether name is a valid name of an origin source.
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
			c.fail(CodeOriginSource, at, name, "is not a valid name of an origin source: it consists of letters, digits, - and _, and does not begin with a digit", "")
		case seen[name]:
			c.fail(CodeOriginSource, at, name, "is listed twice: leave one out", "")
		default:
			seen[name] = true
			l.sources = append(l.sources, name)
		}
	}
}

// parseLongList makes the set of a long list without a copy of its items. If there is a
// problem, parseOriginItems reports it for each item.
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

// parseOriginItems parses a list of origins.
func (c *compiler) parseOriginItems(l *level, field string, items iter.Seq2[int, string]) {
	var patterns []origin.Pattern
	for i, item := range items {
		run := originRun{first: len(patterns), list: field, item: i}
		patterns = append(patterns, c.parseOriginItem(l, &run, item)...)
		if run.first < len(patterns) && (run.inOneItem || len(l.originRun) == 0 || !l.originRun[len(l.originRun)-1].extends(run)) {
			l.originRun = append(l.originRun, run)
		}
	}
	if len(patterns) > 0 {
		l.origins = origin.NewSet(patterns)
	}
}

// extends reports whether the next run's places follow from this run's, so that the next one
// need not be recorded.
func (run originRun) extends(next originRun) bool {
	return run.list == next.list && !run.inOneItem && !next.inOneItem && next.item-run.item == next.first-run.first
}

// parseOriginItem parses one item of a list of origins, which may name an environment variable.
// It records in run how the item's patterns are written.
func (c *compiler) parseOriginItem(l *level, run *originRun, item string) (patterns []origin.Pattern) {
	at := fmt.Sprintf("%s[%d]", run.list, run.item)
	if !strings.Contains(item, "${") {
		return c.parseOrigin(l, at, item, "")
	}
	name, fallback, ok := parseVariable(item)
	if !ok {
		c.fail(CodeEnvironment, at, item, "is not of the form ${NAME} or ${NAME:-fallback}: a variable stands for the whole item, and holds whole origins separated by commas", "")
		return nil
	}
	value, set := c.config.LookupEnv(name)
	run.inOneItem, run.variable = true, name
	source := "is the value of the environment variable " + name
	if !set || value == "" {
		run.variable = ""
		source = "is the fallback for the environment variable " + name
		if value = fallback; value == "" {
			if !c.allowUnsetEnv {
				c.fail(CodeEnvironment, at, item, "needs the environment variable "+name+", which is empty or not set: set it, or give a fallback", fmt.Sprintf("%q", "${"+name+":-https://app.example.com}"))
			}
			return nil
		}
	}
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		switch part {
		case "":
			c.fail(CodeEnvironment, at, value, source+", and contains an empty item", "")
		case "*":
			c.fail(CodeEnvironment, at, value, source+", but only the policy itself may allow every origin", `"*"`)
		default:
			patterns = append(patterns, c.parseOrigin(l, at, part, source)...)
		}
	}
	return patterns
}

// parseVariable splits ${NAME} or ${NAME:-fallback}. It returns false if item is neither.
func parseVariable(item string) (name, fallback string, ok bool) {
	inner, opens := strings.CutPrefix(item, "${")
	inner, closes := strings.CutSuffix(inner, "}")
	name, fallback, _ = strings.Cut(inner, ":-")
	return name, fallback, opens && closes && route.IsIdentifier(name) && !strings.ContainsAny(fallback, "${}")
}

// parseOrigin parses the pattern of an origin. The source describes where the pattern comes
// from if it is not written in the policy itself; otherwise it is empty. A rule accepts risks only for
// origins that are written in it, not for those of the environment. A profile accepts risks for
// its add_origins likewise.
func (c *compiler) parseOrigin(l *level, at, item, source string) []origin.Pattern {
	pattern, problems := origin.ParsePattern(item)
	refused := false
	for _, problem := range problems {
		risk, canAccept := riskOf[problem.Code]
		canAccept = canAccept && source == ""
		if canAccept && l.risks[risk] {
			continue
		}
		refused = true
		reason, fix := problem.Reason, problem.Fix
		if fix != "" {
			fix = fmt.Sprintf("%q", fix)
		}
		if canAccept {
			where := "in this rule"
			if l.added {
				where = "beside add_origins"
			}
			reason += fmt.Sprintf(" (accept_risks: [%s] %s accepts it)", strings.TrimPrefix(risk.String(), "RISK_"), where)
		}
		if source != "" {
			reason += " (it " + source + ")"
		}
		c.fail(Code(problem.Code), at, item, reason, fix)
	}
	if refused {
		return nil
	}
	return []origin.Pattern{pattern}
}

// headerFields describes one of the two pairs of header lists of a rule.
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

// parseHeaders parses a pair of header lists, and tracing for request headers.
func (c *compiler) parseHeaders(field string, r *corsrpcv1.Rule, lists headerFields, place rulePlace) (items []headerItem) {
	grant, withhold := lists.values(r)
	seen := map[headerRule]bool{}
	add := func(rule headerRule, list string, i int, text string) {
		if !seen[rule] {
			seen[rule] = true
			items = append(items, headerItem{rule, list, i, text})
		}
	}
	for i, text := range grant {
		if rule, ok := c.parseHeader(field, lists, place, i, text, true); ok {
			add(rule, lists.grant, i, text)
		}
	}
	for i, text := range withhold {
		rule, ok := c.parseHeader(field, lists, place, i, text, false)
		if !ok {
			continue
		}
		twin := rule
		twin.grants = true
		if seen[twin] {
			c.fail(CodeHeaderContradiction, fmt.Sprintf("%s.%s[%d]", field, lists.withhold, i), text,
				"is also in "+lists.grant+" of this rule: leave it out of one of the two", "")
		}
		add(rule, lists.withhold, i, text)
	}
	if lists.direction == rpc.Request && r.Tracing != nil {
		items = append(items, headerItem{headerRule{kind: headerTracing, grants: r.GetTracing()}, "tracing", -1, fmt.Sprint(r.GetTracing())})
	}
	sortHeaderItems(items)
	return items
}

// parseHeader parses an item of a header list: one that grants, or one that withholds.
func (c *compiler) parseHeader(field string, lists headerFields, place rulePlace, i int, item string, grants bool) (headerRule, bool) {
	list := lists.withhold
	if grants {
		list = lists.grant
	}
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
		c.fail(CodeHeaderSyntax, at, item, "is not a header name: expose_headers takes names only, and expose: PRESENT exposes every header that a response carries", "")
		return h, false
	}
	if !grants && place != forPath && isProtocolHeader(h, lists.direction) { // a path rule serves no protocol
		c.fail(CodeProtocolHeader, at, item, "is needed by the clients of the RPC protocols, and always granted: leave it out (protocols sets which protocols are served)", "")
		return h, false
	}
	return h, true
}

// CanAllowHeader reports whether allow_headers of a rule may name a request header.
func CanAllowHeader(name string) bool {
	h, reason, _ := parseHeaderRule(name, true)
	return reason == "" && h.kind == headerName && withheldFromScripts(h, rpc.Request) == ""
}

// withheldFromScripts returns the reason why granting a header would have no effect, with what to
// write instead, or "" if it would have one.
func withheldFromScripts(h headerRule, d rpc.Direction) string {
	switch {
	case h.kind == headerAll:
		return ""
	case d == rpc.Request:
		return cannotBeSent(h.name)
	}
	return cannotBeShown(h.name)
}

// cannotBeSent returns the reason why no script can set a request header with this lower-case
// name, or any header with this prefix; "" if one can.
func cannotBeSent(name string) string {
	switch {
	case name == "cookie", name == "cookie2":
		return "cannot be set by a script: allow_credentials allows cookies"
	case fetch.SentByBrowser(name):
		return "cannot be set by a script (https://fetch.spec.whatwg.org/#forbidden-request-header), and the browser sends it without a grant: leave it out"
	case fetch.IsAccessControl(name), fetch.ForbiddenResponseHeader(name):
		return "is a response header" + setByLayer(name) + ": leave it out"
	case fetch.ForbiddenRequestHeader(name):
		return "cannot be set by a script (https://fetch.spec.whatwg.org/#forbidden-request-header): leave it out"
	}
	return ""
}

// cannotBeShown returns the reason why no script can read a response header with this lower-case
// name; "" if one can.
func cannotBeShown(name string) string {
	switch {
	case fetch.ForbiddenResponseHeader(name):
		return "cannot be read by a script (https://fetch.spec.whatwg.org/#forbidden-response-header-name): leave it out"
	case name == "cookie", name == "cookie2":
		return "is a request header, which no response has: leave it out (allow_credentials allows cookies)"
	case fetch.RequestOnly(name) && (fetch.ForbiddenRequestHeader(name) || fetch.IsAccessControl(name)):
		return "is a request header, which no response has: leave it out"
	case fetch.RequestOnly(name):
		return "is a request header, which no response has: write it in allow_headers if scripts send it"
	case fetch.IsAccessControl(name):
		return "is set by corsrpc itself: leave it out"
	}
	return ""
}

// setByLayer returns the clause that says that the layer sets a header of the CORS protocol; ""
// for other names.
func setByLayer(name string) string {
	if fetch.IsAccessControl(name) {
		return ", and corsrpc sets it"
	}
	return ""
}

// isProtocolHeader reports whether an item is for a header that the clients of the RPC
// protocols need. A wider prefix such as x-* covers some of these headers too; they are granted
// nevertheless.
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
			c.fail(CodeUnknownEnumValue, at, "", "is PROTOCOL_UNSPECIFIED, which is not a protocol: leave it out", "")
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

// maxMaxAge is the longest time that any browser caches a preflight.
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
		c.fail(CodeMaxAgeRange, at, durationText(d), "is not a valid time to cache a preflight: 0s turns caching off", "0s")
	case age%time.Second != 0:
		c.fail(CodeMaxAgeRange, at, durationText(d), "has a fraction of a second, which Access-Control-Max-Age cannot express", fmt.Sprintf("%ds", (age+time.Second-1)/time.Second))
	case age > maxMaxAge:
		c.fail(CodeMaxAgeRange, at, durationText(d), "is longer than any browser caches a preflight", "86400s")
	}
}

func durationText(d *durationpb.Duration) string {
	if d.CheckValid() != nil {
		return fmt.Sprintf("%ds %dns", d.GetSeconds(), d.GetNanos())
	}
	return d.AsDuration().String()
}
