// Package firstpolicy writes a policy to begin with, from the origins of the pages and a schema.
package firstpolicy

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/yamltext"
)

// Settings are what a policy is made from.
type Settings struct {
	// Files is the schema.
	Files *protoregistry.Files
	// Origins are the origins of the pages, and patterns of them, as allow_origins has them. If there are none, no page
	// may call.
	Origins []string
	// DevProfile adds a profile for pages of the developer's machine. It needs Origins.
	DevProfile bool
	// JSONSchema is where editors find the JSON Schema of policies: a file relative to the policy, or a URL. Empty: the
	// policy does not say.
	JSONSchema string
	// Options has, for each service, what the options of its .proto file say, as Options returns it.
	Options map[string][]string
}

// Services returns the number of services of the schema.
func (s Settings) Services() int { return len(servicesOf(s.Files)) }

// ByPackage reports whether the rules are for packages, since the schema has more than MaxServices services.
func (s Settings) ByPackage() bool {
	_, ordinary := splitOperational(servicesOf(s.Files))
	return byPackage(ordinary)
}

// exampleOrigin stands in commented lines for an origin that is not known.
const exampleOrigin = "https://app.example.com"

// devOrigins are the pages of a developer's machine.
var devOrigins = []string{"http://localhost:*", "http://127.0.0.1:*"}

// Text returns the policy in YAML. A line of the policy that is turned off begins with "# ", and has the right
// indentation once that is removed.
// Each rule that is turned off grants the origins of the defaults, so turning it on changes nothing until it is edited,
// unless nothing may call the service without it.
func (s Settings) Text() []byte {
	w := &writer{origins: s.Origins}
	if w.closed = len(s.Origins) == 0; w.closed {
		w.origins = []string{exampleOrigin}
	}
	if s.JSONSchema != "" {
		w.line("# yaml-language-server: $schema=" + report.Printable(s.JSONSchema))
		w.line("")
	}
	w.prose("This policy says which pages may call the procedures of a server. corsrpc check checks it, and corsrpc show shows the rule of each procedure.")
	w.line("")
	w.defaults()
	w.line("")
	w.rules(servicesOf(s.Files), s.Options)
	if !w.closed { // a profile adds origins to rules that have some
		w.line("")
		w.profiles(s.DevProfile)
	}
	return []byte(w.text.String())
}

// writer writes a policy.
type writer struct {
	text    strings.Builder
	origins []string // of the rules
	closed  bool     // no page may call
}

func (w *writer) line(text string) { w.text.WriteString(text + "\n") }

// off writes lines of the policy that are turned off.
func (w *writer) off(lines ...string) {
	for _, line := range lines {
		w.line("# " + line)
	}
}

// prose writes a text as lines of a comment.
func (w *writer) prose(text string) { w.lines(yamltext.Comment("# ", "# ", text)) }

// item writes a text as an item of a list in a comment.
func (w *writer) item(text string) { w.lines(yamltext.Comment("# - ", "# ", text)) }

func (w *writer) lines(lines []string) {
	for _, line := range lines {
		w.line(line)
	}
}

// defaults writes the rule for every procedure.
func (w *writer) defaults() {
	w.prose("The rule of every procedure that no other rule covers. corsrpc grants the headers of the RPC protocols itself, and scripts can read each response header that a procedure sends.")
	w.line("defaults:")
	if w.closed {
		w.line("  # No page of another origin may call. Write the origins of your pages in place of this line, as below.")
		w.line("  disabled: true")
		w.off(originLines("  ", w.origins)...)
	} else {
		w.lines(originLines("  ", w.origins))
	}
	w.prose("For calls with cookies (credentials: \"include\" in the script):")
	w.off("  allow_credentials: true")
	w.prose("Request headers of the application:")
	w.off("  allow_headers: [authorization]")
}

// originLines returns the field allow_origins.
func originLines(indent string, origins []string) []string {
	return listLines(indent, "allow_origins", origins)
}

func listLines(indent, field string, items []string) []string {
	lines := []string{indent + field + ":"}
	for _, item := range items {
		lines = append(lines, indent+"  - "+yamltext.Quoted(item))
	}
	return lines
}

// rules writes a rule that is turned off for each service, or for each package of a large schema.
func (w *writer) rules(services []*service, options map[string][]string) {
	operational, ordinary := splitOperational(services)
	groups, left := groupsOf(ordinary, operational)
	w.prose("Rules for a part of the procedures. All are turned off: the defaults hold for each procedure, and the options of its .proto file. To turn one on, remove \"# \" before \"rules:\" and before the lines of the rule, and edit it.")
	if len(options) > 0 {
		w.prose("Options in .proto files apply, since schema_options is SHAPE by default: they may name headers, and otherwise only narrow what the policy grants. They allow no origin. schema_options: IGNORE at the top level of this file switches them off.")
	}
	if byPackage(ordinary) {
		w.prose(fmt.Sprintf("The schema has %d services, so the rules are for packages. A rule for one service has its name as selector.", len(services)))
	}
	w.off("rules:")
	for _, g := range groups {
		w.line("")
		w.describe(g, options)
		w.rule(g.selector, g.isDisabled())
	}
	if left > 0 {
		w.line("")
		w.prose(fmt.Sprintf("Left out, since the schema is large: %s. A rule has the name of a package as selector, such as \"acme.v1.*\", or that of a service.", report.Count(left, "more rule")))
	}
	if len(operational) > 0 {
		w.line("")
		w.prose("Services for the operation of the server. The defaults do not reach them: a page can call one only if a rule names it.")
		for _, s := range operational {
			w.rule(s.name, s.disabled)
		}
	}
	w.line("")
	w.prose("Paths that are not procedures, such as a health check by HTTP, need a rule each:")
	w.off("  - path: /healthz")
	w.off(w.granted(false)...)
	w.off("    allow_methods: [GET]")
}

// rule writes a rule that is turned off. disabled says that the .proto file turns its service off.
func (w *writer) rule(selector string, disabled bool) {
	w.off("  - selector: " + yamltext.Quoted(selector))
	w.off(w.granted(disabled)...)
}

// granted returns the lines by which a rule grants the origins of the defaults. disabled says that an option turns off
// what the rule is for: without disabled: false, the rule would be an error.
func (w *writer) granted(disabled bool) []string {
	var lines []string
	if w.closed || disabled {
		lines = append(lines, "    disabled: false")
	}
	return append(lines, originLines("    ", w.origins)...)
}

// profiles writes the profile for development.
func (w *writer) profiles(on bool) {
	lines := append([]string{"profiles:", "  dev:"}, listLines("    ", "add_origins", devOrigins)...)
	w.prose("The profile for development adds pages of the developer's own machine to each rule that has origins. A server chooses it by CORSRPC_PROFILE=dev or corsrpc.WithProfile.")
	if !on {
		w.off(lines...)
		return
	}
	w.lines(lines)
}
