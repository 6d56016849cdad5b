package fromgo

import (
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/yamltext"
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
	g, err := c.settings.granted()
	if err != nil {
		return nil, err
	}
	w := &policyWriter{grants: g, reader: c.settings.reader, file: report.Printable(filepath.Base(c.file))}
	w.origins()
	w.disabled = !w.hasActive() || !g.post
	_, unsure := g.unknowns["AllowedMethods"]
	w.nothing = !w.everAllowed() || !g.post && !g.get && len(g.methods) == 0 && !unsure
	w.comment("", fmt.Sprintf("This policy stands for the configuration of %s at %s:%d. A code in brackets marks each change.", c.Library, w.file, c.Line))
	if len(c.others) > 0 {
		w.comment("", "The file has other configurations, which this policy does not have: "+w.otherPlaces(c.others)+". Make sure that it is the one of production.")
	}
	w.changes(c.use())
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

// otherPlaces returns how other configurations are made, and where. It names the first few.
func (w *policyWriter) otherPlaces(others []*Configuration) string {
	const few = 5
	var places []string
	for _, o := range others[:min(len(others), few)] {
		places = append(places, fmt.Sprintf("%s at %s:%d", o.Call, w.file, o.Line))
	}
	if n := len(others) - few; n > 0 {
		places = append(places, fmt.Sprintf("%d more", n))
	}
	return joined(places)
}

// use returns the change for a configuration that other code may change before the library gets it.
func (c *Configuration) use() []Change {
	if !c.unused {
		return nil
	}
	message := "No call in this file gives " + c.Call + " to the library as it is written here"
	if u := c.otherUse; u != nil {
		message += fmt.Sprintf(", and %s in line %d gets %s", u.call, u.line, u.why)
	}
	message += ". If other code changes it, the server may grant something else: compare the policy with that code."
	return []Change{{Kind: UnknownUse, Effect: Wider, Line: c.Line, Message: message}}
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

// ofGrants are the kinds of changes to calls that are granted. A configuration that grants none has none of them.
var ofGrants = []Kind{
	CredentialsRefused, Methods, Get, PreflightsAnswered, OperationalServices, OtherPaths, ProtocolHeaders, HeaderStar, HeaderLeftOut, ExposeStar, StatusHeaders, Trailers, MaxAge,
}

// line writes a line.
func (w *policyWriter) line(format string, args ...any) {
	fmt.Fprintf(&w.text, format+"\n", args...)
}

// comment writes a text as lines of a comment.
func (w *policyWriter) comment(indent, text string) {
	for _, line := range yamltext.Comment(indent+"# ", indent+"# ", text) {
		w.line("%s", line)
	}
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
	const procedureMethods = "Procedures have the method POST, and GET if they are declared NO_SIDE_EFFECTS."
	switch {
	case len(w.methods) > 0:
		changes = append(changes, Change{Kind: Methods, Effect: Stricter, Line: w.lineOf(w.methodsAt), Values: w.methods,
			Message: procedureMethods + " Calls by " + joined(w.methods) + " are for other paths."})
	case w.allMethods:
		changes = append(changes, Change{Kind: Methods, Effect: Stricter, Line: w.lineOf(w.methodsAt), Values: []string{"*"},
			Message: procedureMethods + " Calls by other methods are for other paths."})
	case w.get: // a GET of another procedure reaches the handler as before: browsers need no grant for GET and HEAD
		changes = append(changes, Change{Kind: Methods, Effect: Same, Line: w.lineOf(w.methodsAt), Message: procedureMethods})
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
		"AllowBrowserExtensions", "AllowWebSockets", "AllowFiles", insecureOrigins, publicSuffixes)...)
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
	if !w.credentials || w.everyone {
		w.changesAt("  ", []Change{{Kind: CredentialsRefused, Effect: Stricter, Line: w.lineOf(w.credentialsAt),
			Message: "A call with cookies no longer reaches the handler, since credentials are not allowed. Before, a call without a preflight ran, and the page could not read the answer."}})
	}
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

// writeMaxAge writes how long browsers keep a preflight.
func (w *policyWriter) writeMaxAge() {
	w.changesAt("  ", w.takeUnknown("The policy lets browsers keep no preflight.", "MaxAge", "MaxAgeInSeconds"))
	const longest = int64(rules.MaxMaxAge / time.Second)
	seconds := w.maxAge
	switch {
	case seconds > longest:
		w.changesAt("  ", []Change{{Kind: MaxAge, Effect: Stricter, Line: w.lineOf(w.maxAgeAt), Message: fmt.Sprintf("The maximum age is %d seconds. A policy has at most %d, and no browser keeps a preflight for longer.", seconds, longest)}})
		seconds = longest
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
	w.line("#     allow_methods: %s", yamltext.List(append([]string{"GET", "POST"}, w.methods...)))
	w.line("#   - selector: grpc.health.v1.Health")
	w.line("#     accept_risks: [UNKNOWN_SELECTORS] # not needed if the schema of the server has the service")
}
