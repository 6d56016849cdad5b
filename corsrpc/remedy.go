package corsrpc

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rules"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// Remedy returns what to write into the policy, and where, so that this request is granted. If no
// change of the policy helps, it returns the remedy of the reason. It is empty if the request is
// not refused. The text holds names from the request, made safe to log. It is for the developers
// of a page: in the log of a public server it would advise to grant the requests of attackers.
func (d Decision) Remedy() string {
	if !d.Refused() {
		return ""
	}
	g := d.target.grant
	switch d.reason {
	case reasonOriginNotAllowed:
		return d.remedyOfOrigin()
	case reasonHeadersNotGranted:
		return d.remedyOfHeaders()
	case reasonMethodNotGranted:
		if d.target.kind == targetPath {
			return d.write("allow_methods: ["+yamlList(append(slices.Clone(g.methods), d.missing))+"]", "allow_methods", "")
		}
	case reasonMethodNotAllowed:
		return d.write("allow_methods: ["+yamlList(append(slices.Clone(g.methods), d.method))+"]", "allow_methods", "")
	case reasonDisabled:
		if d.target.kind != targetAmbiguous {
			return d.remedyOfDisabled()
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
	case d.reason == reasonOriginNotAllowed:
		return "the policy does not allow the origin " + safetext.Sample(d.origin)
	}
	return d.reason.text()
}

// remedyOfHeaders returns how to grant the missing headers. A page that sets the header of a response
// in its request, such as Access-Control-Allow-Origin, has to leave it out.
func (d Decision) remedyOfHeaders() string {
	names := strings.Split(d.missing, ", ")
	impossible := slices.DeleteFunc(slices.Clone(names), rules.CanAllowHeader)
	if len(impossible) == 0 {
		return d.write("allow_headers: ["+yamlList(names)+"]", "", "")
	}
	leaveOut := "leave " + yamlList(impossible) + " out of the page's request, which no policy can grant"
	if names = slices.DeleteFunc(names, func(name string) bool { return !rules.CanAllowHeader(name) }); len(names) == 0 {
		return leaveOut
	}
	return d.write("allow_headers: ["+yamlList(names)+"]", "", "") + "; " + leaveOut
}

// remedyOfDisabled returns how to enable the procedure or the path, and to allow the origin if no
// rule has origins, as in a policy whose defaults are disabled.
func (d Decision) remedyOfDisabled() string {
	if d.target.rule.SetsOrigins() || d.origin == "" {
		return d.write("disabled: false", "", "")
	}
	risk, impossible := d.riskOfOrigin()
	switch {
	case impossible != "":
		return "no policy can allow the origin, since it " + impossible
	case d.target.grant.credentials && origin.NeverWithCredentials(d.origin):
		return "no rule with credentials can allow the origin, since pages of unrelated owners have it"
	}
	return d.write("disabled: false and allow_origins: ["+yamlList([]string{d.origin})+"]", "", risk)
}

// remedyOfOperational returns the rule that names the operational service and allows the origin.
func (d Decision) remedyOfOperational() string {
	risk, impossible := d.riskOfOrigin()
	if impossible != "" {
		return "no policy can allow the origin, since it " + impossible
	}
	unknown := ""
	if !d.target.known {
		unknown = "UNKNOWN_SELECTORS"
	}
	return "write allow_origins: [" + yamlList([]string{d.origin}) + "] in a rule with selector: " +
		yamlList([]string{route.ParentName(d.target.name)}) + withRisks(unknown, risk)
}

// remedyOfPath returns one rule that covers all readings of the path, or else the spelling of the
// path that has one reading.
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
			name := cmp.Or(m.Value.name, m.Name) // m.Value.name is spelled as in the schema
			service := route.ParentName(name)
			return "request the path as RPC clients spell it: /" + service + "/" + strings.TrimPrefix(name, service+".")
		}
	}
	return d.reason.remedy()
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
// applies, or in a new rule if there is neither.
func (d Decision) remedyOfOrigin() string {
	const own = "; if it is this server's own origin, make the proxy in front keep the Host header"
	origins := yamlList([]string{d.origin})
	risk, impossible := d.riskOfOrigin()
	switch fromSource := d.target.rule.OnlySources(); {
	case impossible != "":
		return "no policy can allow the origin, since it " + impossible
	case d.target.grant.credentials && origin.NeverWithCredentials(d.origin):
		return "no rule with credentials can allow the origin, since pages of unrelated owners have it"
	case fromSource && !isTenantOrigin(d.origin):
		return d.write("allow_origins: ["+origins+"]", "allow_origins", risk) + "; an origin source allows exact https origins only" + own
	case fromSource:
		return "add " + origins + " to the origin source " + strings.Join(d.target.rule.Sources(), " or ") + own
	case !d.target.rule.SetsOrigins():
		return d.write("allow_origins: ["+origins+"]", "", risk) + own
	}
	return "add " + origins + " to " + d.From().String() + withRisks(risk) + own
}

// remedyOfCredentials returns how to grant credentials to the origin. A rule for that has to name
// the origin, and to allow none that never goes with credentials.
func (d Decision) remedyOfCredentials() string {
	const without = ", or call without credentials"
	if d.unnamedAuthorization {
		if rule, ok := d.target.rule.DenyingRule("authorization"); ok {
			return "if a proxy adds Authorization, move authorization from " + d.fromField(rule+".deny_headers").String() + " to allow_headers of the same rule; otherwise call without credentials"
		}
		return "if a proxy adds Authorization, " + d.write("allow_headers: [authorization]", "", "") + "; otherwise call without credentials"
	}
	risk, impossible := d.riskOfOrigin()
	switch shared := d.target.grant.origins.HasShared(); {
	case origin.NeverWithCredentials(d.origin), shared && impossible != "":
		return "call without credentials: no rule can grant them to this origin"
	case shared:
		return d.write("allow_origins: ["+yamlList([]string{d.origin})+"] and allow_credentials: true", "", risk) + without
	}
	return d.write("allow_credentials: true", "", "") + without
}

// riskOfOrigin returns the risk that a rule has to accept to allow the origin; empty if there is none. If
// no rule can allow the origin, impossible says why.
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

// withRisks returns the accept_risks that the rule needs, as a clause; empty if there is none.
func withRisks(risks ...string) string {
	risks = slices.DeleteFunc(risks, func(r string) bool { return r == "" })
	if len(risks) == 0 {
		return ""
	}
	return ", with accept_risks: [" + strings.Join(risks, ", ") + "]"
}

// write returns the advice to write a line into the rule that sets the field, or else into a rule
// for the procedure or the path.
func (d Decision) write(line, field, risk string) string {
	rule, said := d.target.rule.ValueRule(field)
	switch {
	case said:
		return "write " + line + " in " + d.fromField(rule).String() + withRisks(risk)
	case d.target.kind == targetNone:
		return "write " + line + " in a rule with path: " + strconv.Quote("/...") + withRisks(risk)
	case d.target.kind == targetPath:
		return "write " + line + " in the rule with path: " + yamlList([]string{d.target.name}) + withRisks(risk)
	case !d.target.known:
		return "write " + line + " in a rule with selector: " + yamlList([]string{d.target.name}) + withRisks("UNKNOWN_SELECTORS", risk)
	}
	return "write " + line + " in a rule with selector: " + yamlList([]string{d.target.name}) + withRisks(risk)
}

// maxListBytes bounds the length of a list in a remedy, and of each item.
const maxListBytes = 300

// yamlList returns the items as the content of a YAML flow sequence, shortened to maxListBytes.
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

// isPlainScalar reports whether YAML reads the text as a string without quotes.
func isPlainScalar(s string) bool {
	switch strings.ToLower(s) {
	case "", "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return false
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return strings.Trim(s[:1], letters+"/_") == "" && strings.Trim(s, letters+"0123456789-_./") == ""
}
