package corsrpc

import (
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/origin"
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
	case ReasonOriginNotAllowed:
		return d.remedyOfOrigin()
	case ReasonHeadersNotGranted:
		return d.write("allow_headers: ["+yamlList(strings.Split(d.missing, ", "))+"]", nil)
	case ReasonMethodNotGranted:
		if d.target.kind == targetPath {
			return d.write("allow_methods: ["+yamlList(append(slices.Clone(g.methods), d.missing))+"]", g.methodsFrom)
		}
	case ReasonMethodNotAllowed:
		return d.write("allow_methods: ["+yamlList(append(slices.Clone(g.methods), d.method))+"]", g.methodsFrom)
	case ReasonDisabled:
		if d.target.kind != targetUnclear {
			return d.write("disabled: false", nil)
		}
	case ReasonCredentialsNotAllowed:
		if g.anyOrigin {
			return d.write("allow_origins: ["+yamlList([]string{d.origin})+"] and allow_credentials: true", nil) + ", or call without credentials"
		}
		return d.write("allow_credentials: true", nil) + ", or call without credentials"
	}
	return d.reason.Remedy()
}

// remedyOfOrigin says how to allow the origin: where the rule that governs says its
// own, or where none does yet.
func (d Decision) remedyOfOrigin() string {
	item := "allow_origins: [" + yamlList([]string{d.origin}) + "]"
	remedy := ""
	switch l := d.target.grant.originRule; {
	case l == nil:
		remedy = d.write(item, nil)
	case len(l.message.GetAllowOrigins()) == 0 && len(l.sources) > 0:
		remedy = "add " + yamlList([]string{d.origin}) + " to the origin source " + yamlList(l.sources)
	default:
		remedy = "add " + yamlList([]string{d.origin}) + " to " + d.From().String()
	}
	if _, problems := origin.ParsePattern(d.origin); len(problems) > 0 {
		remedy += " (" + sample(d.origin) + " " + problems[0].Reason + ": see accept_risks)"
	}
	return remedy + "; if it is this server's own, a proxy in front changes Host: keep Host"
}

// write says to write a line into the rule that has the field already; otherwise
// into one for the procedure or the path.
func (d Decision) write(line string, has *parsedRule) string {
	if has != nil && has.element == "" {
		return "write " + line + " in " + d.target.grant.places.of(has.field).String()
	}
	switch {
	case d.target.kind == targetNone:
		return "write " + line + " in a rule with path: " + strconv.Quote("/...")
	case d.target.kind == targetPath:
		return "write " + line + " in the rule with path: " + yamlList([]string{d.target.name})
	}
	return "write " + line + " in a rule with selector: " + yamlList([]string{d.target.name})
}

// yamlList joins the items of a list as a line of YAML may hold them.
func yamlList(items []string) string {
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		if !isPlainScalar(item) {
			item = strconv.Quote(sample(item))
		}
		b.WriteString(item)
		if b.Len() > logMostBytes*3 && i < len(items)-1 {
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
