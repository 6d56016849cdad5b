package corsrpc

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// Remedy says what to write into the policy, and where, so that this very request is
// granted; where the policy has no say in it, it is the reason's remedy. It is
// empty where nothing is refused. It holds names from the request, made safe to log:
// it is for whoever develops a page, not for the log of a public server, where it
// would advise to let an attacker in.
func (d Decision) Remedy() string {
	if !d.Refused() {
		return ""
	}
	g := d.target.grant
	switch d.reason {
	case reasonOriginNotAllowed:
		return d.remedyOfOrigin()
	case reasonHeadersNotGranted:
		return d.write("allow_headers: ["+yamlList(strings.Split(d.missing, ", "))+"]", "", "")
	case reasonMethodNotGranted:
		if d.target.kind == targetPath {
			return d.write("allow_methods: ["+yamlList(append(slices.Clone(g.methods), d.missing))+"]", "allow_methods", "")
		}
	case reasonMethodNotAllowed:
		return d.write("allow_methods: ["+yamlList(append(slices.Clone(g.methods), d.method))+"]", "allow_methods", "")
	case reasonDisabled:
		if d.target.kind != targetAmbiguous {
			return d.write("disabled: false", "", "")
		}
	case reasonCredentialsNotAllowed:
		return d.remedyOfCredentials()
	case reasonOperationalNotNamed:
		return d.remedyOfOperational()
	case reasonPathNotCanonical:
		return d.remedyOfPath()
	}
	return d.reason.remedy()
}

// remedyOfOperational says how to name an operational service, so that the origin may call it.
func (d Decision) remedyOfOperational() string {
	risk, impossible := d.riskOfOrigin()
	if impossible != "" {
		return "no policy can allow it, since it " + impossible
	}
	unknown := ""
	if !d.target.known {
		unknown = "UNKNOWN_SELECTORS"
	}
	return "write allow_origins: [" + yamlList([]string{d.origin}) + "] in a rule with selector: " +
		yamlList([]string{route.ParentName(d.target.name)}) + withRisks(unknown, risk)
}

// remedyOfPath says how to spell a path that has several readings, or which rule covers
// them all.
func (d Decision) remedyOfPath() string {
	u := d.target.ambiguity
	if u == nil {
		return d.reason.remedy()
	}
	for _, m := range []route.Match[*target]{u.first, u.other} {
		if wide, ok := widened(m); ok && u.routes.Widened(m.Name, wide, u.path, u.escaped, u.calls) {
			return "write path: " + strconv.Quote(wide) + " in place of " + strconv.Quote(m.Name) + ", so that one rule covers every reading of the path; or request the path as that rule spells it"
		}
	}
	for _, m := range []route.Match[*target]{u.other, u.first} {
		switch {
		case m.Kind == route.Path:
			return "request the path as its rule spells it: " + strconv.Quote(m.Name)
		case m.Kind != route.None && m.Known:
			name := cmp.Or(m.Value.name, m.Name) // a name of the schema has its letter case there
			service := route.ParentName(name)
			return "request the path as RPC clients spell it: /" + service + "/" + strings.TrimPrefix(name, service+".")
		}
	}
	return d.reason.remedy()
}

// widened returns the pattern that covers the rest of a path where one ends in a wildcard for
// a segment.
func widened(m route.Match[*target]) (pattern string, ok bool) {
	last := m.Name[strings.LastIndexByte(m.Name, '/')+1:]
	if m.Kind != route.Path || !strings.HasPrefix(last, "{") || strings.HasSuffix(last, "...}") || last == "{$}" {
		return "", false
	}
	return strings.TrimSuffix(m.Name, "}") + "...}", true
}

// remedyOfOrigin says how to allow the origin: where the rule that governs says its
// own, or where none does yet.
func (d Decision) remedyOfOrigin() string {
	const own = "; if it is this server's own, a proxy in front changes Host: keep Host"
	origins := yamlList([]string{d.origin})
	risk, impossible := d.riskOfOrigin()
	switch fromSource := d.target.rule.OnlySources(); {
	case impossible != "":
		return "no policy can allow it, since it " + impossible
	case fromSource && risk != "":
		return "no origin source can allow it, since it is a risk that only a rule can accept: " + risk
	case fromSource:
		return "add " + origins + " to the origin source " + strings.Join(d.target.rule.Sources(), " or ") + own
	case !d.target.rule.SaysOrigins():
		return d.write("allow_origins: ["+origins+"]", "", risk) + own
	}
	return "add " + origins + " to " + d.From().String() + withRisks(risk) + own
}

// remedyOfCredentials says how to allow them: to an origin that is named, and never to
// null.
func (d Decision) remedyOfCredentials() string {
	const without = ", or call without credentials"
	if d.unnamedAuthorization {
		if rule, ok := d.target.rule.DenyingRule("authorization"); ok {
			return "if a proxy adds Authorization, take authorization out of " + d.fromField(rule+".deny_headers").String() + " and write it in allow_headers there; otherwise call without credentials"
		}
		return "if a proxy adds Authorization, " + d.write("allow_headers: [authorization]", "", "") + "; otherwise call without credentials"
	}
	risk, impossible := d.riskOfOrigin()
	switch anyOrigin := d.target.grant.anyOrigin; {
	case d.origin == "null", anyOrigin && impossible != "":
		return "call without credentials: no rule can allow them to this origin"
	case anyOrigin:
		return d.write("allow_origins: ["+yamlList([]string{d.origin})+"] and allow_credentials: true", "", risk) + without
	}
	return d.write("allow_credentials: true", "", "") + without
}

// riskOfOrigin says which risk a rule has to accept that allows the origin, or why none
// can.
func (d Decision) riskOfOrigin() (risk, impossible string) {
	_, problems := origin.ParsePattern(d.origin)
	for _, p := range problems {
		switch p.Code {
		case origin.CodeNull:
			risk = "NULL_ORIGIN"
		case origin.CodePlainHTTP:
			risk = "PLAIN_HTTP"
		default:
			return "", p.Reason
		}
	}
	return risk, ""
}

// withRisks says which risks the rule has to accept.
func withRisks(risks ...string) string {
	risks = slices.DeleteFunc(risks, func(r string) bool { return r == "" })
	if len(risks) == 0 {
		return ""
	}
	return ", with accept_risks: [" + strings.Join(risks, ", ") + "]"
}

// write says to write a line into the rule that says the field already; otherwise
// into one for the procedure or the path.
func (d Decision) write(line, field, risk string) string {
	rule, said := d.target.rule.SayingRule(field)
	switch {
	case said:
		return "write " + line + " in " + d.fromField(rule).String()
	case d.target.kind == targetNone:
		return "write " + line + " in a rule with path: " + strconv.Quote("/...") + withRisks(risk)
	case d.target.kind == targetPath:
		return "write " + line + " in the rule with path: " + yamlList([]string{d.target.name}) + withRisks(risk)
	case !d.target.known:
		return "write " + line + " in a rule with selector: " + yamlList([]string{d.target.name}) + withRisks("UNKNOWN_SELECTORS", risk)
	}
	return "write " + line + " in a rule with selector: " + yamlList([]string{d.target.name}) + withRisks(risk)
}

// maxListBytes bounds a list, and each of its items: no origin is as long.
const maxListBytes = 300

// yamlList joins the items of a list as a line of YAML may hold them.
func yamlList(items []string) string {
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		if len(item) > maxListBytes {
			item = item[:maxListBytes] + "..."
		}
		if !isPlainScalar(item) {
			item = strconv.QuoteToASCII(item)
		}
		b.WriteString(item)
		if b.Len() > maxListBytes && i < len(items)-1 {
			b.WriteString(", ...")
			break
		}
	}
	return b.String()
}

// isPlainScalar reports whether YAML reads the text, without quotes, as a string.
func isPlainScalar(s string) bool {
	switch strings.ToLower(s) {
	case "", "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return false
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return strings.Trim(s[:1], letters+"/_") == "" && strings.Trim(s, letters+"0123456789-_./") == ""
}
