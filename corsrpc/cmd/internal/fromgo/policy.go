package fromgo

import (
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Policy is a policy that grants what a configuration grants, apart from the changes.
type Policy struct {
	// Text is the policy in YAML.
	Text []byte
	// Changes are the differences, in the order in which they stand in the text.
	Changes []Change
}

// Policy returns the policy. It fails if the library does not accept the configuration.
func (c *Configuration) Policy() (*Policy, error) {
	g, err := c.settings.grants()
	if err != nil {
		return nil, err
	}
	w := &policyWriter{grants: g, reader: c.settings.reader, file: filepath.Base(c.file)}
	w.origins()
	w.disabled = !w.hasActive() || !g.post
	_, unsure := g.unknowns["AllowedMethods"]
	w.nothing = !w.everAllowed() || !g.post && !g.get && len(g.methods) == 0 && !unsure
	w.comment("", fmt.Sprintf("This policy stands for the configuration of %s at %s:%d. A code in brackets marks each change.", c.Library, w.file, c.Line))
	w.changes(w.general())
	w.line("defaults:")
	w.writeOrigins()
	w.writeCredentials()
	w.writeHeaders()
	w.writeExposure()
	w.writeMaxAge()
	w.writeRules()
	return &Policy{[]byte(w.text.String()), w.all}, nil
}

// policyWriter writes the policy of one configuration.
type policyWriter struct {
	*grants
	*reader
	file string
	text strings.Builder
	all  []Change
	// entries are what becomes of the origins, and risks are those that the commented ones need accepted.
	entries []listed
	risks   []string
	// disabled is true if the policy allows no page, and nothing is true if the configuration does not either.
	disabled, nothing bool
}

// listed is what becomes of an origin of the configuration: items of the policy, items as comments, and the changes
// that concern it.
type listed struct {
	items, comments []string
	pos             token.Pos
	changes         []Change
}

// ofGrants are the kinds of changes to calls that are granted. A configuration that grants none has none of them.
var ofGrants = []Kind{
	Methods, Get, PreflightsAnswered, OperationalServices, OtherPaths, ProtocolHeaders, HeaderStar, HeaderLeftOut, ExposeStar, StatusHeaders, Trailers, MaxAge,
}

// width is the length of a line of a comment.
const width = 110

// line writes a line.
func (w *policyWriter) line(format string, args ...any) {
	fmt.Fprintf(&w.text, format+"\n", args...)
}

// comment writes a text as lines of a comment.
func (w *policyWriter) comment(indent, text string) {
	line := indent + "#"
	for word := range strings.FieldsSeq(report.Printable(text)) {
		if len(line)+1+len(word) > width && line != indent+"#" {
			w.line("%s", line)
			line = indent + "#"
		}
		line += " " + word
	}
	w.line("%s", line)
}

// at returns the place of a change in the Go file; "" if it has none.
func (w *policyWriter) at(line int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", w.file, line)
}

// changesAt writes changes as comments, and records them.
func (w *policyWriter) changesAt(indent string, changes []Change) {
	for _, c := range changes {
		if w.nothing && slices.Contains(ofGrants, c.Kind) {
			continue
		}
		w.comment(indent, w.at(c.Line)+c.Message+" ["+string(c.Kind)+"]")
		w.all = append(w.all, c)
	}
}

func (w *policyWriter) changes(changes []Change) { w.changesAt("", changes) }

// lineOf returns the line of a place; 0 if there is none.
func (w *policyWriter) lineOf(pos token.Pos) int {
	if !pos.IsValid() {
		return 0
	}
	return w.reader.line(pos)
}

// takeUnknown returns the changes for the settings that are not known, and takes them out.
func (w *policyWriter) takeUnknown(message string, settings ...string) (changes []Change) {
	for _, name := range settings {
		v, ok := w.unknowns[name]
		if !ok {
			continue
		}
		delete(w.unknowns, name)
		changes = append(changes, Change{Kind: UnknownValue, Effect: Stricter, Line: w.lineOf(v.pos), Setting: name, Message: name + " has " + w.described(v) + ". " + message})
	}
	return changes
}

// described says what a value is that the policy leaves out.
func (w *policyWriter) described(v value) string {
	switch {
	case v.why != "":
		return v.why
	case v.kind == variable || v.kind == split:
		return "the environment variable " + v.text
	case v.kind == function:
		return "a function"
	case v.kind == text:
		return fmt.Sprintf("%q", v.text)
	}
	return "a value of another type"
}

// general returns the changes that concern the whole policy.
func (w *policyWriter) general() (changes []Change) {
	allows := w.everyone || slices.ContainsFunc(w.unknownOrigins, func(i item) bool { return w.alwaysTrue(i.value) })
	if !w.refuses && !allows {
		changes = append(changes, Change{Kind: RefusedBeforeHandler, Effect: Stricter,
			Message: "A call from an origin that is not allowed no longer reaches the handler. Before, a call without a preflight ran, and the page could not read the answer."})
	}
	if w.get || len(w.methods) > 0 {
		message := "Procedures have the method POST, and GET if they are declared NO_SIDE_EFFECTS."
		if len(w.methods) > 0 {
			message += " Calls by " + joined(w.methods) + " are for other paths."
		}
		changes = append(changes, Change{Kind: Methods, Effect: Stricter, Line: w.lineOf(w.methodsAt), Values: w.methods, Message: message})
	}
	if !w.everyGet {
		changes = append(changes, Change{Kind: Get, Effect: Wider, Line: w.lineOf(w.methodsAt),
			Message: "The configuration does not allow GET and HEAD in every call. The policy does, for procedures that are declared NO_SIDE_EFFECTS."})
	}
	if w.preflightByHandler != "" {
		changes = append(changes, Change{Kind: PreflightsAnswered, Effect: Wider, Line: w.lineOf(w.preflightAt), Setting: w.preflightByHandler,
			Message: w.preflightByHandler + " lets something else decide about preflights: the handler, or a status that browsers refuse. The layer answers them itself."})
	}
	changes = append(changes, Change{Kind: OperationalServices, Effect: Stricter,
		Message: "Health checks, reflection and other operational services need a rule of their own. The defaults do not cover them."})
	isGeneral := func(c Change) bool { return c.Kind == SettingWithoutEffect }
	for _, c := range w.notes {
		if isGeneral(c) {
			changes = append(changes, c)
		}
	}
	w.notes = slices.DeleteFunc(w.notes, isGeneral)
	return append(changes, w.takeUnknown("The policy is written as if it were not set.", "OptionsSuccessStatus", "OptionStatusCode", "OptionsResponseStatusCode", "CustomSchemas",
		"AllowBrowserExtensions", "AllowWebSockets", "AllowFiles", "DangerouslyTolerateInsecureOrigins", "DangerouslyTolerateSubdomainsOfPublicSuffixes")...)
}

// origins translates the origins.
func (w *policyWriter) origins() {
	if w.everyone {
		w.entries = []listed{{items: []string{"*"}, pos: w.everyoneAt}}
		return
	}
	seen := map[string]bool{}
	var loopback listed
	for _, o := range w.grants.origins {
		l := w.translated(o)
		var items []string
		for _, i := range l.items {
			if !seen[i] {
				items = append(items, i)
			}
			seen[i] = true
		}
		l.items = items
		w.entries = append(w.entries, l)
		for _, i := range items {
			if origin.IsLoopback(i) {
				loopback.items = append(loopback.items, i)
				loopback.pos = o.pos
			}
		}
	}
	if len(loopback.items) > 0 {
		w.entries = append(w.entries, listed{changes: []Change{{Kind: Loopback, Effect: Same, Line: w.lineOf(loopback.pos), Values: loopback.items,
			Message: "Any program on the visitor's machine can serve a page of " + joined(loopback.items) + ", in production too. If only developers need it, write it in add_origins of a profile."}}})
	}
	for _, u := range w.unknownOrigins {
		w.entries = append(w.entries, w.leftOut(u))
	}
	for _, i := range w.ignored {
		w.entries = append(w.entries, listed{pos: i.pos, changes: []Change{{Kind: OriginNeverMatched, Effect: Same, Line: w.lineOf(i.pos), Setting: i.setting, Values: []string{w.described(i.value)},
			Message: i.setting + " has " + w.described(i.value) + ", and the library ignores it, because a function decides."}}})
	}
}

// translated translates an origin.
func (w *policyWriter) translated(o originItem) listed {
	l := listed{pos: o.pos}
	line := w.lineOf(o.pos)
	if o.kind != text {
		l.items, l.changes = w.fromEnvironment(o)
		return l
	}
	t := translate(o)
	if w.library == jub0bs {
		t = translateJub0bs(o)
	}
	l.items = t.active
	instead := "The policy leaves it out."
	if len(t.active) > 0 {
		instead = "The policy allows " + joined(t.active) + " instead."
	}
	for _, kind := range t.kinds {
		c := Change{Kind: kind, Effect: Stricter, Line: line, Setting: o.setting, Values: []string{o.text}}
		switch kind {
		case OriginRisk:
			c.Message = fmt.Sprintf("%q %s. %s", o.text, t.why, instead)
			if w.credentials && origin.NeverWithCredentials(t.risk) {
				c.Message += fmt.Sprintf(" It never goes with credentials, so that it needs a rule without them, which accepts the risk %s.", t.riskName)
				break
			}
			c.Message += fmt.Sprintf(" To accept the risk %s, remove the # before the origin and before accept_risks.", t.riskName)
			l.comments = append(l.comments, t.risk)
			for _, name := range strings.Split(t.riskName, ", ") {
				if !slices.Contains(w.risks, name) {
					w.risks = append(w.risks, name)
				}
			}
		case OriginNarrowed:
			c.Message = fmt.Sprintf("The star of %q stands for any text, dots included. %s", o.text, instead)
			if slices.Equal(t.active, []string{strings.ToLower(o.text)}) {
				c.Message = fmt.Sprintf("The star of %q stood for any text. In the policy it stands for characters of one label, and for no dot.", o.text)
			}
		case OriginUnsupported:
			c.Message = fmt.Sprintf("%q allows origins of unrelated owners, or ones that a policy cannot name. %s List the origins that may call.", o.text, instead)
		case OriginNeverMatched:
			c.Effect = Same
			c.Message = fmt.Sprintf("%q never allowed an origin: it %s.", o.text, t.why)
			if t.fix != "" {
				c.Message += " Write " + t.fix + " if that is meant."
			}
		case WithoutPort:
			c.Effect = Wider
			c.Message = fmt.Sprintf("%q needed a port in the origin. In the policy, :* stands for any port or none.", o.text)
		}
		l.changes = append(l.changes, c)
	}
	return l
}

// fromEnvironment translates an environment variable.
func (w *policyWriter) fromEnvironment(o originItem) (items []string, changes []Change) {
	reference := "${" + o.text + "}"
	if o.extra != "" {
		fallback := translate(originItem{item: item{o.setting, value{kind: text, text: o.extra}}, written: o.extra})
		if len(fallback.kinds) == 0 && len(fallback.active) == 1 {
			reference = "${" + o.text + ":-" + fallback.active[0] + "}"
		}
	}
	c := Change{Kind: Environment, Effect: Stricter, Line: w.lineOf(o.pos), Setting: o.setting, Values: []string{o.text},
		Message: "The policy reads the environment variable " + o.text + " when it loads. An empty value, * and an origin with a risk, such as plain http, are errors."}
	more := c
	more.Kind, more.Effect = EnvironmentList, Wider
	more.Message = "The policy cuts " + o.text + " at commas, without the spaces around them, and reads patterns such as https://*.example.com. Such a value may allow more than before."
	return []string{reference}, []Change{c, more}
}

// leftOut describes a value that allows origins and is not known, and what to write instead.
func (w *policyWriter) leftOut(u item) listed {
	l := listed{pos: u.pos}
	message := u.setting + " has " + w.described(u.value) + ", and the policy leaves it out."
	effect := Stricter
	switch {
	case u.kind == function || u.kind == unknown && strings.Contains(u.setting, "Func") || u.setting == "AllowedOriginValidator":
		what, suggestions := w.describeFunction(u.value)
		message = u.setting + " decides in the program, and the policy leaves it out. " + what
		l.comments = suggestions
	case u.kind == text && !isGinExpression(u.text):
		message = fmt.Sprintf("Whether the star of %q is read depends on AllowWildcard, and the policy leaves it out. List the origins that may call.", u.text)
	case u.kind == text:
		message = fmt.Sprintf("%q is a regular expression, and the policy leaves it out. Write the origins, a pattern such as https://*.example.com, or an origin source.", u.text)
	default:
		message += " Write the origins, or an origin source."
	}
	l.changes = []Change{{Kind: UnknownValue, Effect: effect, Line: w.lineOf(u.pos), Setting: u.setting, Message: message}}
	if u.kind == text {
		l.changes[0].Values = []string{u.text}
	}
	return l
}

// writeOrigins writes the origins.
func (w *policyWriter) writeOrigins() {
	var reason []Change
	if !w.post {
		reason = w.takeUnknown("Remove the line disabled: true if it has POST.", "AllowedMethods", "AllowMethods")
		if len(reason) == 0 {
			reason = []Change{{Kind: PostNotAllowed, Effect: Stricter, Line: w.lineOf(w.methodsAt), Message: "The configuration does not allow POST, which every procedure has. Remove the line disabled: true if pages may call procedures."}}
			if w.nothing {
				reason[0].Effect = Same
			}
		}
	}
	reason = append(reason, w.takeUnknown("The policy is written without it.", "AllowAllOrigins", "AllowWildcard", "AllowedMethods", "AllowMethods", "Methods")...)
	w.changesAt("  ", reason)
	if w.disabled {
		c := Change{Kind: Disabled, Effect: Stricter, Message: "No page on another origin may call until an origin is written: remove this line then."}
		switch {
		case w.nothing:
			c.Effect, c.Message = Same, "The configuration allows no call, and neither does the policy. Remove this line to allow some."
		case w.hasActive():
			c.Message = "No page on another origin may call procedures until this line is removed."
		}
		w.changesAt("  ", []Change{c})
		w.line("  disabled: true")
	}
	if w.hasActive() {
		w.line("  allow_origins:")
	} else {
		w.line("  # allow_origins:")
	}
	for _, l := range w.entries {
		w.changesAt("    ", l.changes)
		for _, i := range l.comments {
			w.line("    # - %s", scalar(i))
		}
		for _, i := range l.items {
			w.line("    - %s%s", scalar(i), w.from(l.pos))
		}
	}
	if len(w.risks) > 0 {
		w.line("  # accept_risks: %s", flow(w.risks))
	}
}

// hasActive reports whether the policy has an origin.
func (w *policyWriter) hasActive() bool {
	return slices.ContainsFunc(w.entries, func(l listed) bool { return len(l.items) > 0 })
}

// everAllowed reports whether the configuration allows any origin.
func (w *policyWriter) everAllowed() bool {
	return w.everyone || slices.ContainsFunc(w.entries, func(l listed) bool {
		return len(l.items) > 0 || slices.ContainsFunc(l.changes, func(c Change) bool { return c.Kind != OriginNeverMatched && c.Kind != Loopback })
	})
}

// from returns a comment with a place in the Go file.
func (w *policyWriter) from(pos token.Pos) string {
	if !pos.IsValid() {
		return ""
	}
	return fmt.Sprintf(" # %s:%d", w.file, w.reader.line(pos))
}

// writeCredentials writes whether credentials are allowed.
func (w *policyWriter) writeCredentials() {
	switch {
	case w.credentials && w.everyone:
		w.changesAt("  ", []Change{{Kind: CredentialsWithStar, Effect: Same, Line: w.lineOf(w.credentialsAt),
			Message: "Credentials never worked here: browsers refuse them where every origin is allowed. List the origins that need cookies, then allow credentials."}})
		w.line("  # allow_credentials: true")
	case w.credentials:
		w.line("  allow_credentials: true%s", w.from(w.credentialsAt))
	default:
		if changes := w.takeUnknown("The policy allows no credentials.", "AllowCredentials", "Credentialed"); len(changes) > 0 {
			w.changesAt("  ", changes)
			w.line("  # allow_credentials: true")
		}
	}
}

// writeHeaders writes the request headers.
func (w *policyWriter) writeHeaders() {
	var changes []Change
	change := func(kind Kind, effect Effect, pos token.Pos, values []string, message string) {
		changes = append(changes, Change{Kind: kind, Effect: effect, Line: w.lineOf(pos), Values: values, Message: message})
	}
	var allowed, protocol, browsers, names []string
	var first token.Pos
	for _, h := range w.headers {
		allowed = append(allowed, h.name)
		switch {
		case isProtocolHeader(h.name):
			if h.pos.IsValid() {
				protocol = append(protocol, h.name)
			}
		case rules.CanAllowHeader(h.name):
			names = append(names, h.name)
		case fetch.IsToken(h.name) && !fetch.ForbiddenRequestHeader(h.name):
			change(HeaderLeftOut, Stricter, h.pos, []string{h.name}, fmt.Sprintf("%q is a header of responses, and a policy does not grant it. Scripts that send it have to stop.", h.name))
		case h.pos.IsValid():
			browsers = append(browsers, h.name)
		}
		if !first.IsValid() {
			first = h.pos
		}
	}
	if len(protocol) > 0 {
		change(HeaderNotNeeded, Same, w.headersAt, protocol, "The layer grants the headers of the protocols itself, so that "+joined(protocol)+" "+isAre(protocol)+" not needed.")
	}
	if len(browsers) > 0 {
		change(HeaderNotNeeded, Same, w.headersAt, browsers, "No script can send "+quotedJoined(browsers)+", so that no grant is needed.")
	}
	if w.allHeaders {
		var missing []string
		for _, name := range fetch.RewritingHeaders() {
			if !slices.Contains(allowed, name) {
				missing = append(missing, name)
			}
		}
		message := "A star grants no header by which servers take another method or URL for the request's, such as x-http-method-override, and none that begins with grpc-metadata-. Write their names if scripts send them."
		change(HeaderStar, Stricter, w.headersAt, append(missing, rpc.GatewayPrefix), message)
	} else {
		var more []string
		for _, name := range rpc.Names(rpc.Connect|rpc.GRPCWeb, rpc.Request) {
			if !slices.Contains(allowed, name) {
				more = append(more, name)
			}
		}
		if len(more) > 0 {
			change(ProtocolHeaders, Wider, w.headersAt, more, "Clients of Connect and gRPC-Web need the headers "+joined(more)+" and others of their protocols. The layer grants them.")
		}
	}
	if w.starIgnored {
		change(HeaderStar, Stricter, w.headersAt, []string{"*"}, "A star stands for all headers in calls without credentials only, and the policy does not tell these calls apart. List the headers that scripts send.")
	}
	changes = append(changes, w.takeUnknown("Write the headers that scripts send in allow_headers.", "AllowedHeaders", "AllowHeaders", "RequestHeaders")...)
	for _, c := range w.notes {
		if c.Kind == HeaderNotNeeded {
			changes = append(changes, c)
		}
	}
	w.changesAt("  ", changes)
	if w.allHeaders {
		if w.authorization && !slices.Contains(names, "authorization") {
			names = append(names, "authorization")
		}
		names = slices.DeleteFunc(names, func(n string) bool {
			return n != "authorization" && !fetch.RewritesRequest(n) && !strings.HasPrefix(n, rpc.GatewayPrefix)
		})
		names = append([]string{"*"}, names...)
	}
	if len(names) > 0 {
		w.line("  allow_headers: %s%s", flow(names), w.from(w.headersAt))
	}
}

// isProtocolHeader reports whether the layer grants a request header to every caller.
func isProtocolHeader(name string) bool {
	const both = rpc.Connect | rpc.GRPCWeb
	return slices.Contains(rpc.Names(both, rpc.Request), name) || rpc.InFamily(both, name)
}

// writeExposure writes which response headers scripts may read.
func (w *policyWriter) writeExposure() {
	var changes []Change
	change := func(kind Kind, effect Effect, values []string, message string) {
		changes = append(changes, Change{Kind: kind, Effect: effect, Line: w.lineOf(w.exposedAt), Values: values, Message: message})
	}
	for _, c := range w.notes {
		if c.Kind == ExposeNotNeeded {
			changes = append(changes, c)
		}
	}
	changes = append(changes, w.takeUnknown("Write the names in expose_headers.", "ExposedHeaders", "ExposeHeaders", "ResponseHeaders")...)
	if w.allExposed && !w.credentials || w.allExposed && w.everyone {
		change(ExposeStar, Stricter, []string{"server", "date", "via", "vary"}, "A star exposed all headers. The policy leaves out those of CORS, of the transport and of the server's operation, such as server, date, via and vary, unless expose_headers names them.")
		w.changesAt("  ", changes)
		w.line("  expose: PRESENT%s", w.from(w.exposedAt))
		return
	}
	if w.allExposed {
		change(ExposeStar, Stricter, []string{"*"}, "A star stands for all headers in calls without credentials only. The policy exposes none by it; expose: PRESENT exposes the headers that each answer carries.")
	}
	status := rpc.Names(rpc.Connect|rpc.GRPCWeb, rpc.Response)
	var names, unneeded, missing []string
	has := map[string]bool{}
	for _, h := range w.exposed {
		has[h.name] = true
		switch {
		case slices.Contains(status, h.name):
		case !rules.CanExposeHeader(h.name) || fetch.SafelistedResponseHeader(h.name):
			unneeded = append(unneeded, h.name)
		default:
			names = append(names, h.name)
		}
	}
	for _, s := range status {
		if !has[s] {
			missing = append(missing, s)
		}
	}
	if len(unneeded) > 0 {
		change(ExposeNotNeeded, Same, unneeded, "Scripts can read "+joined(unneeded)+" always or never, so that the list does not need "+itThem(unneeded)+".")
	}
	if len(missing) > 0 {
		change(StatusHeaders, Wider, missing, "Clients of gRPC-Web need the headers "+joined(missing)+", and the layer exposes them.")
	}
	var trailers []string
	for _, n := range names {
		if !strings.HasPrefix(n, rpc.TrailerPrefix) && !has[rpc.TrailerPrefix+n] {
			trailers = append(trailers, rpc.TrailerPrefix+n)
		}
	}
	if len(trailers) > 0 {
		change(Trailers, Wider, trailers, "Connect sends trailers as headers, so that "+joined(trailers)+" can be read too.")
	}
	w.changesAt("  ", changes)
	w.comment("  ", "DECLARED exposes what the configuration exposes. Without the line, scripts read each header of the application that an answer carries.")
	w.line("  expose: DECLARED")
	if len(names) > 0 {
		w.line("  expose_headers: %s%s", flow(names), w.from(w.exposedAt))
	}
}

// maxMaxAge is the largest max_age of a policy, in seconds.
const maxMaxAge = 86400

// writeMaxAge writes how long browsers keep a preflight.
func (w *policyWriter) writeMaxAge() {
	w.changesAt("  ", w.takeUnknown("The policy lets browsers keep no preflight.", "MaxAge", "MaxAgeInSeconds"))
	seconds := w.maxAge
	switch {
	case seconds > maxMaxAge:
		w.changesAt("  ", []Change{{Kind: MaxAge, Effect: Stricter, Line: w.lineOf(w.maxAgeAt), Message: fmt.Sprintf("The maximum age is %d seconds. A policy has at most %d, and no browser keeps a preflight for longer.", seconds, maxMaxAge)}})
		seconds = maxMaxAge
	case seconds == browserMaxAge && !w.maxAgeAt.IsValid():
		w.comment("  ", "The configuration sets no maximum age, and browsers then keep a preflight for 5 seconds. Without the line, they keep it for 7200.")
	}
	w.line("  max_age: %ds%s", seconds, w.from(w.maxAgeAt))
}

// writeRules writes examples of rules for what the defaults do not cover.
func (w *policyWriter) writeRules() {
	w.changes([]Change{{Kind: OtherPaths, Effect: Stricter,
		Message: "The defaults cover procedures. Pages cannot read the answers of other paths until a rule names the path, as in these lines."}})
	if w.refuses && !w.everyone {
		w.changes([]Change{{Kind: OtherPathsRun, Effect: Wider,
			Message: "Before, a call from an origin that is not allowed was refused on every path. The layer leaves other paths alone, so that their handlers run, and pages cannot read the answers."}})
	}
	w.line("# rules:")
	w.line("#   - path: /files/{name}")
	w.line("#     allow_methods: %s", flow(append([]string{"GET", "POST"}, w.methods...)))
	w.line("#   - selector: grpc.health.v1.Health")
	w.line("#     accept_risks: [UNKNOWN_SELECTORS] # not needed if the schema of the server has the service")
}

// flow returns a list in one line.
func flow(items []string) string {
	var scalars []string
	for _, i := range items {
		scalars = append(scalars, scalar(i))
	}
	return "[" + strings.Join(scalars, ", ") + "]"
}

// scalar returns a text as YAML. A text that YAML may read as something else is quoted.
func scalar(s string) string {
	plain := s != ""
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		plain = plain && (letter || i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.' || c == '/' || c == ':' && i < len(s)-1))
	}
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		plain = false
	}
	if plain {
		return s
	}
	return fmt.Sprintf("%q", s)
}

// joined returns words as a list in a sentence.
func joined(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// quotedJoined is like joined, with each word in quotes.
func quotedJoined(words []string) string {
	var quoted []string
	for _, w := range words {
		quoted = append(quoted, fmt.Sprintf("%q", w))
	}
	return joined(quoted)
}

func isAre(words []string) string {
	if len(words) == 1 {
		return "is"
	}
	return "are"
}

func itThem(words []string) string {
	if len(words) == 1 {
		return "it"
	}
	return "them"
}
