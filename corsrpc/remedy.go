package corsrpc

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// Remedy returns the change of the policy that grants this request, with the place of that change. The
// changed policy loads, and grants the request or refuses it for another reason. If no change of the
// policy helps, Remedy returns the change of the request that does. It is empty if the request is not
// refused. The text is one line. It holds names from the request, made safe to log. It is for the
// developers of a page: in the log of a public server it would advise to grant the requests of
// attackers.
func (d Decision) Remedy() string {
	if !d.Refused() {
		return ""
	}
	remedy := ""
	switch d.reason {
	case reasonOriginNotAllowed:
		remedy = d.remedyOfOrigin("; if it is this server's own origin, make the proxy in front keep the Host header")
	case reasonOwnOriginNotAllowed:
		remedy = d.remedyOfOrigin("; only if it is this server's own public origin, or one whose pages may call")
	case reasonHeadersNotGranted:
		remedy = d.remedyOfHeaders()
	case reasonMethodNotGranted:
		remedy = d.remedyOfMethod(d.missing)
	case reasonMethodNotAllowed:
		remedy = d.remedyOfMethod(d.method)
	case reasonDisabled:
		remedy = d.remedyOfDisabled()
	case reasonCredentialsNotAllowed:
		remedy = d.remedyOfCredentials()
	case reasonOperationalNotNamed:
		remedy = d.remedyOfOperational()
	case reasonPathNotCanonical:
		remedy = d.remedyOfPath()
	}
	return cmp.Or(remedy, d.reason.remedy())
}

// cause returns a clause that says why this request is refused. It is more specific than the text of
// the reason, and may hold names from the request, made safe to log.
func (d *Decision) cause() string {
	switch names := safetext.Sample(d.missing); {
	case d.reason == reasonHeadersNotGranted && strings.Contains(names, ","):
		return names + " are not granted"
	case d.reason == reasonHeadersNotGranted:
		return names + " is not granted"
	case d.reason == reasonMethodNotGranted:
		return "the method " + names + " is not granted"
	case d.reason == reasonOwnOriginNotAllowed && d.origin != "":
		return "the path serves MCP, and the policy does not allow the origin " + safetext.Sample(d.origin) + " there; the Host header does not prove that it is this server's own (DNS rebinding)"
	case d.reason == reasonOriginNotAllowed:
		return "the policy does not allow the origin " + safetext.Sample(d.origin)
	}
	return d.reason.text()
}

// remedyOfMethod returns how to grant the HTTP method, or empty if it is too long to be written.
func (d Decision) remedyOfMethod(method string) string {
	upper := strings.ToUpper(method)
	switch {
	case d.target.kind != targetPath:
		return "call procedures by POST, or by GET if they are declared NO_SIDE_EFFECTS: no policy can grant another method"
	case !isShort(method):
		return ""
	case fetch.ForbiddenMethod(method), !fetch.IsToken(method), method == "*":
		return "call with another method: no policy can grant " + yamlItem(method)
	}
	var clauses []string
	if !slices.Contains(d.target.grant.methods, upper) {
		rule := d.rule()
		if l, ok := d.target.rule.LevelOf("allow_methods"); ok {
			rule.use(l)
			rule.add("allow_methods", upper)
		} else {
			rule.add("allow_methods", append(slices.Clone(d.target.grant.methods), upper)...)
		}
		clauses = append(clauses, rule.String())
	}
	if method != upper {
		clauses = append(clauses, "write the method as "+yamlItem(upper)+" in the page's request: methods are case-sensitive, and no policy can grant "+yamlItem(method))
	}
	return strings.Join(clauses, "; ")
}

// remedyOfHeaders returns how to grant the missing headers, or empty if a name is too long to be written.
// A page that sets the header of a response in its request, such as Access-Control-Allow-Origin, has to
// leave it out.
func (d Decision) remedyOfHeaders() string {
	names := strings.Split(d.missing, ", ")
	if !isShort(names...) {
		return ""
	}
	impossible := slices.DeleteFunc(slices.Clone(names), rules.CanAllowHeader)
	names = slices.DeleteFunc(names, func(name string) bool { return !rules.CanAllowHeader(name) })
	var clauses []string
	if len(names) > 0 {
		clauses = append(clauses, d.allowHeaders(names))
	}
	if len(impossible) > 0 {
		clauses = append(clauses, "leave "+yamlList(impossible)+" out of the page's request, which no rule can name")
	}
	return strings.Join(clauses, "; ")
}

// allowHeaders returns how to grant header names that allow_headers may name. The rule to change is the
// narrowest one, so that its items win over those of all others. It is the rule of the service, unless
// that withholds a name by deny_headers: then it is one for the procedure alone.
func (d Decision) allowHeaders(names []string) string {
	rule := d.rule()
	if l, ok := d.target.rule.NarrowestRule(); ok && l.Name() == route.ParentName(d.target.name) && !slices.ContainsFunc(names, l.Denies) {
		rule.use(l)
	}
	var denied, named []string
	tracing := false
	missing := rpc.Protocols(0)
	asksForMCP := d.target.kind == targetPath && slices.ContainsFunc(names, isOfMCP) && !(rule.exists && rule.level.DeniesNeeded(rpc.MCP))
	for _, name := range names {
		switch protocol := d.protocolOf(name); {
		case asksForMCP && rpc.Needs(rpc.MCP, rpc.Request, name):
			missing |= rpc.MCP
		case rule.exists && rule.level.Denies(name):
			denied = append(denied, name)
		case protocol != 0:
			missing |= protocol
		case rpc.IsTracing(name):
			tracing = true
		default:
			named = append(named, name)
		}
	}
	switch from := d.fieldAt(rule.field("deny_headers")); {
	case len(denied) > 0 && len(named) == 0:
		rule.clause("move " + yamlList(denied) + " from " + from + " to allow_headers of the same rule")
	case len(denied) > 0:
		rule.clause("remove " + yamlList(denied) + " from " + from)
	}
	if len(named) > 0 {
		rule.add("allow_headers", append(denied, named...)...)
	}
	if tracing {
		rule.set("tracing", "true")
	}
	if missing != 0 {
		rule.set("protocols", "["+strings.Join(protocolNames(missing|d.target.grant.protocols), ", ")+"]")
	}
	return rule.String()
}

// protocolOf returns the protocol that the rule of the procedure does not serve and whose clients send
// the header; 0 if there is none.
func (d Decision) protocolOf(name string) rpc.Protocols {
	if d.target.kind != targetProcedure {
		return 0
	}
	for _, p := range []rpc.Protocols{rpc.Connect, rpc.GRPCWeb} {
		if d.target.grant.protocols&p == 0 && (rpc.InFamily(p, name) || slices.Contains(rpc.Names(p, rpc.Request), name)) {
			return p
		}
	}
	return 0
}

// isOfMCP reports whether a request header with this lower-case name is one that only clients of MCP send.
func isOfMCP(name string) bool { return rpc.InFamily(rpc.MCP, name) }

// protocolNames returns the names of protocols as a policy has them.
func protocolNames(p rpc.Protocols) (names []string) {
	if p&rpc.Connect != 0 {
		names = append(names, "CONNECT")
	}
	if p&rpc.GRPCWeb != 0 {
		names = append(names, "GRPC_WEB")
	}
	if p&rpc.MCP != 0 {
		names = append(names, "MCP")
	}
	return names
}

// remedyOfDisabled returns how to enable the procedure or the path alone, and to allow the origin if no
// rule has origins, as in a policy whose defaults are disabled.
func (d Decision) remedyOfDisabled() string {
	if d.target.kind == targetAmbiguous {
		return ""
	}
	rule := d.rule()
	if !d.target.rule.SetsOrigins() && d.origin != "" {
		risk, impossible := d.riskOfOrigin()
		if impossible != "" {
			return impossible
		}
		rule.allowOrigin(risk)
	}
	if rule.exists && rule.level.IsDisabled() && !d.target.rule.DisabledWithout(rule.level) {
		rule.clause("remove disabled: true at " + d.placeOf(rule.field("disabled")) + " from " + rule.name())
	} else {
		rule.set("disabled", "false")
	}
	return rule.String()
}

// remedyOfOperational returns the rule that names the operational service and allows the origin.
func (d Decision) remedyOfOperational() string {
	risk, impossible := d.riskOfOrigin()
	if impossible != "" {
		return impossible
	}
	rule := d.rule()
	rule.exists, rule.selector = false, route.ParentName(d.target.name)
	rule.add("allow_origins", d.origin)
	rule.accept(risk)
	return rule.String()
}

// remedyOfPath returns one rule that covers all readings of the path, or else the spelling of the
// path that has one reading.
func (d Decision) remedyOfPath() string {
	u := d.target.ambiguity
	if u == nil {
		return ""
	}
	for _, m := range []route.Match[*target]{u.first, u.other} {
		if wide, ok := widened(m); ok && m.Value.rule.RulesOf(m.Name) == 1 && u.routes.Widened(m.Name, wide, u.path, u.escaped, u.calls) {
			return "write path: " + strconv.QuoteToASCII(wide) + " in place of " + strconv.QuoteToASCII(m.Name) + ", so that one rule covers every reading of the path; or request the path as that rule spells it"
		}
	}
	for _, m := range []route.Match[*target]{u.other, u.first} {
		switch {
		case m.Kind == route.Path:
			return "request the path as its rule spells it: " + strconv.QuoteToASCII(m.Name)
		case m.Kind != route.None && m.Known:
			if path, ok := u.clearPath(cmp.Or(m.Value.name, m.Name)); ok { // m.Value.name is spelled as in the schema
				return "request the path as RPC clients spell it: " + path
			}
		}
	}
	return ""
}

// clearPath returns the path of a procedure, below the same prefix if there is one. ok is false if that
// path has several readings too.
func (u *ambiguousPath) clearPath(procedure string) (path string, ok bool) {
	service := route.ParentName(procedure)
	path = "/" + service + "/" + strings.TrimPrefix(procedure, service+".")
	prefix := u.path
	for range 2 {
		prefix = prefix[:max(strings.LastIndexByte(prefix, '/'), 0)]
	}
	for _, candidate := range []string{prefix + path, path} {
		m, _, verdict := u.routes.Find(candidate, "", u.calls)
		if verdict == route.Clear && m.Kind == route.Procedure {
			return candidate, true
		}
	}
	return "", false
}

// widened returns a path pattern with its last wildcard, {name}, widened to the rest of the path,
// {name...}. ok is false if the pattern does not end in such a wildcard.
func widened(m route.Match[*target]) (pattern string, ok bool) {
	last := m.Name[strings.LastIndexByte(m.Name, '/')+1:]
	if m.Kind != route.Path || !strings.HasPrefix(last, "{") || strings.HasSuffix(last, "...}") || last == "{$}" {
		return "", false
	}
	return strings.TrimSuffix(m.Name, "}") + "...}", true
}

// remedyOfOrigin returns how to allow the origin: in the allow_origins or the origin source that
// applies, or in a rule for the procedure or the path if there is neither. The clause own is about an
// origin that may be the server's own.
func (d Decision) remedyOfOrigin(own string) string {
	if d.origin == "" { // the Host header of a same-origin GET names none
		return "if the page is this server's own, make the proxy in front pass on the Host header that the browser sends"
	}
	risk, impossible := d.riskOfOrigin()
	if impossible != "" {
		return impossible
	}
	rule := d.rule()
	l, sets := d.target.rule.LevelOf("allow_origins")
	fromSource := d.target.rule.OnlySources()
	switch {
	case sets && l.WithCredentials() && origin.NeverWithCredentials(d.origin):
		// Another rule allows credentials to the origins of the same list.
		if rule.exists && rule.level == l {
			return neverWithCredentials
		}
		rule.add("allow_origins", d.origin)
		rule.set("allow_credentials", "false")
		rule.accept(risk)
		return rule.String() + "; repeat the origins of " + d.From().Field + " there to keep them"
	case fromSource && origin.IsTenant(d.origin):
		return "add " + yamlItem(d.origin) + " to the origin source " + strings.Join(d.target.rule.Sources(), " or ") + own
	case sets:
		rule.use(l)
		rule.add("allow_origins", d.origin)
		rule.accept(risk)
	default:
		rule.allowOrigin(risk)
	}
	if fromSource {
		return rule.String() + "; an origin source allows exact https origins only" + own
	}
	return rule.String() + own
}

// neverWithCredentials is the remedy for an origin that only a rule without credentials can allow.
const neverWithCredentials = "no rule with credentials can allow the origin, since pages of unrelated owners have it"

// remedyOfCredentials returns how to grant credentials to the origin. A rule for that has to name
// the origin, and to allow none that never goes with credentials.
func (d Decision) remedyOfCredentials() string {
	if d.unnamedAuthorization {
		return "if a proxy adds Authorization, " + d.allowHeaders([]string{"authorization"}) + "; otherwise call without credentials"
	}
	without := ", or call without credentials"
	if d.upgrade { // browsers send cookies with each handshake
		without = ""
	}
	_, problems := origin.ParsePattern(d.origin)
	risk, named := riskOf(problems)
	shared := d.target.rule.HasShared()
	if origin.NeverWithCredentials(d.origin) || shared && !named {
		if d.upgrade {
			return "no rule can grant credentials to this origin, and a handshake always has them"
		}
		return "call without credentials: no rule can grant them to this origin"
	}
	rule := d.rule()
	if shared {
		rule.set("allow_origins", "["+yamlItem(d.origin)+"]")
		rule.accept(risk)
		without = ", which then allows this origin alone" + without
	}
	if l, _ := d.target.rule.LevelOf("allow_origins"); !shared {
		// Without the profile, other origins may apply, which never go with credentials.
		if profile, ok := l.Profile(); ok {
			rule.moveTo(profile)
		}
	}
	rule.set("allow_credentials", "true")
	return rule.String() + without
}

// riskOfOrigin returns the risk that a rule has to accept to allow the origin; empty if there is none. If
// the rule of the request cannot allow the origin, impossible is the remedy.
func (d Decision) riskOfOrigin() (risk, impossible string) {
	_, problems := origin.ParsePattern(d.origin)
	risk, ok := riskOf(problems)
	switch {
	case !ok:
		return "", "no rule can name the origin, since it " + problems[0].Reason
	case !isShort(d.origin):
		return "", d.reason.remedy()
	case d.target.grant.credentials && origin.NeverWithCredentials(d.origin):
		return "", neverWithCredentials
	}
	return risk, ""
}

// riskOf returns the risk that a rule has to accept because of an origin's problems; empty if there is
// none. ok is false if no rule can accept one of them.
func riskOf(problems []origin.Problem) (risk string, ok bool) {
	for _, p := range problems {
		switch p.Code {
		case origin.CodeNull:
			risk = "NULL_ORIGIN"
		case origin.CodePlainHTTP:
			risk = "PLAIN_HTTP"
		default:
			return "", false
		}
	}
	return risk, true
}

// rule returns the advice on the rule of the procedure or path alone, which the policy may not have yet.
func (d Decision) rule() *ruleChange {
	c := &ruleChange{d: d, selector: d.target.name, unknown: !d.target.known && !d.target.rule.ByName()}
	c.level, c.exists = d.target.rule.RuleOf(d.target.name)
	c.profile, _ = d.target.rule.EnabledByProfile()
	return c
}

// fieldAt returns the path of a field of the governing rule with its place, such as
// rules[1].allow_headers (cors.yaml:12).
func (d Decision) fieldAt(field string) string {
	if at := d.placeOf(field); at != field {
		return field + " (" + at + ")"
	}
	return field
}

// placeOf returns the file and the line of a field of the governing rule, or the field itself if they
// are not known.
func (d Decision) placeOf(field string) string {
	at := d.fromField(field)
	if at.File == "" || at.Position == (Position{}) {
		return field
	}
	return fmt.Sprintf("%s:%d", at.File, at.Position.Line)
}
