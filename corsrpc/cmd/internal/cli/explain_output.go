package cli

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
)

// explainDocument is the JSON document of explain. docs/command.md documents it. Its outcomes are
// those of the inspector's page.
type explainDocument struct {
	report.Header
	File      string         `json:"file"`
	Digest    string         `json:"digest"`
	Profile   string         `json:"profile,omitempty"`
	Call      shownCall      `json:"call"`
	Rule      *shownRule     `json:"rule,omitempty"`
	Outcomes  []shownOutcome `json:"outcomes"`
	DependsOn []dependence   `json:"depends_on"`
	Unknown   []string       `json:"unknown"`
}

type shownCall struct {
	From        string   `json:"from,omitempty"`
	Server      string   `json:"server"`
	Target      string   `json:"target"`
	Method      string   `json:"method"`
	Header      []string `json:"header"`
	Credentials bool     `json:"credentials"`
	Answer      []string `json:"answer_header"`
}

type shownOutcome struct {
	Engines   []string        `json:"engines,omitempty"`
	Verdict   string          `json:"verdict"`
	Readable  bool            `json:"readable"`
	Headers   []string        `json:"headers,omitempty"`
	Dropped   []string        `json:"dropped,omitempty"`
	Console   []shownSentence `json:"console,omitempty"`
	Exchanges []shownExchange `json:"exchanges,omitempty"`
}

// shownSentence is the sentence in the console of an engine.
type shownSentence struct {
	Engine string `json:"engine"`
	Text   string `json:"text"`
}

type shownExchange struct {
	Name    string      `json:"name"`
	Curl    string      `json:"curl"`
	Steps   []shownStep `json:"steps"`
	Status  int         `json:"status"`
	Header  []string    `json:"header"`
	Body    string      `json:"body,omitempty"`
	Remedy  string      `json:"remedy,omitempty"`
	Verdict string      `json:"verdict"`
}

type shownStep struct {
	Code     string `json:"code"`
	Question string `json:"question"`
	Found    string `json:"found"`
	From     string `json:"from,omitempty"`
}

func (e *explanation) document() *explainDocument {
	d := &explainDocument{
		File: e.policy.Name, Digest: e.policy.Plan.Digest(), Profile: e.policy.Plan.Profile(),
		Call: shownCall{
			e.call.Origin, e.call.Server, e.call.Target, e.call.Method, fieldLines(e.call.Header), e.call.Credentials, fieldLines(e.call.Response),
		},
		Outcomes: shownOutcomes(e.trial), DependsOn: report.NotNil(e.dependences), Unknown: report.NotNil(e.notes()),
	}
	if name := e.trial.Rule.Name; name != "" {
		d.Rule = &shownRule{[]string{name}, valuesOf(e.trial.Rule)}
	}
	return d
}

// shownOutcomes returns the outcomes that differ to a script.
func shownOutcomes(t *corsinspect.Trial) []shownOutcome {
	all := []shownOutcome{}
	for _, d := range t.Distinct() {
		o := shownOutcome{Verdict: d.Verdict, Readable: d.Blocked == nil, Headers: lowerNames(d.Readable), Dropped: lowerNames(d.Dropped)}
		for _, engine := range d.Engines {
			o.Engines = append(o.Engines, engine.String())
		}
		for _, c := range d.Console {
			o.Console = append(o.Console, shownSentence{c.Engine.String(), c.Text})
		}
		for _, e := range d.Exchanges {
			o.Exchanges = append(o.Exchanges, showExchange(e))
		}
		all = append(all, o)
	}
	return all
}

func showExchange(e corsinspect.Exchange) shownExchange {
	shown := shownExchange{Name: "call", Curl: e.Curl, Remedy: e.Decision.Remedy(), Verdict: e.Verdict, Header: fieldLines(e.Answer)}
	if e.Preflight {
		shown.Name = "preflight"
	}
	for _, s := range e.Steps {
		from := ""
		if s.From.Field != "" {
			from = s.From.String()
		}
		shown.Steps = append(shown.Steps, shownStep{string(s.Code), s.Question, s.Found, from})
	}
	if status, body, ok := e.Decision.Answer(); ok {
		shown.Status, shown.Body = status, strings.TrimSpace(body)
	}
	return shown
}

// fieldLines returns the fields of a header, one a line, sorted.
func fieldLines(header http.Header) []string {
	lines := []string{}
	for name, values := range header {
		for _, value := range values {
			lines = append(lines, name+": "+value)
		}
	}
	slices.Sort(lines)
	return lines
}

// lowerNames returns the names of the fields of a header in lower case, sorted.
func lowerNames(header http.Header) (names []string) {
	for name := range maps.Keys(header) {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	return names
}

// writeText writes the explanation for people.
func (e *explanation) writeText(w io.Writer) error {
	var b strings.Builder
	caller := "A program"
	if e.call.Origin != "" {
		caller = "A page of " + e.call.Origin
	}
	credentials := ""
	if e.call.Credentials {
		credentials = ", with credentials"
	}
	fmt.Fprintln(&b, report.Printable(fmt.Sprintf("%s calls %s at %s by %s%s.", caller, e.call.Target, e.call.Server, e.call.Method, credentials)))
	for _, line := range fieldLines(e.call.Header) {
		fmt.Fprintln(&b, "  "+report.Printable(line))
	}
	if name := e.trial.Rule.Name; name != "" {
		fmt.Fprintf(&b, "\nRule of %s\n", report.Printable(name))
		l := limitsOf(false)
		l.flag = "corsrpc show --all"
		writeRule(&b, "  ", e.trial.Rule, l)
	} else {
		b.WriteString("\nNo rule governs the path, or its readings have different rules.\n")
	}
	outcomes := shownOutcomes(e.trial)
	for _, o := range outcomes {
		writeOutcome(&b, o, len(outcomes))
	}
	for _, d := range e.dependences {
		fmt.Fprintf(&b, "\nThis depends on origins that are not known. If %s has the origin (%s):\n", report.Printable(d.String()), report.Printable(d.flag(e.origin())))
		for _, o := range d.Outcomes {
			fmt.Fprintln(&b, "  "+report.Printable(enginesText(o, len(d.Outcomes))+o.Verdict))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// enginesText names the engines of an outcome, among a number of outcomes.
func enginesText(o shownOutcome, outcomes int) string {
	switch {
	case len(o.Engines) == 0:
		return ""
	case outcomes == 1 && len(o.Engines) > 1:
		return "The same in " + strings.Join(o.Engines, ", ") + ": "
	}
	return "In " + strings.Join(o.Engines, ", ") + ": "
}

func writeOutcome(b *strings.Builder, o shownOutcome, outcomes int) {
	fmt.Fprintf(b, "\n%s\n", report.Printable(enginesText(o, outcomes)+o.Verdict))
	if o.Readable {
		reader := "script"
		if len(o.Engines) == 0 {
			reader = "program"
		}
		names := "none"
		if len(o.Headers) > 0 {
			names = strings.Join(o.Headers, ", ")
		}
		fmt.Fprintf(b, "  Response headers that the %s can read: %s\n", reader, report.Printable(names))
	}
	if len(o.Dropped) > 0 {
		fmt.Fprintf(b, "  Headers that the browser does not send, since scripts may not set them: %s\n", report.Printable(strings.Join(o.Dropped, ", ")))
	}
	writeSentences(b, "  ", o.Console)
	for _, e := range o.Exchanges {
		writeExchange(b, e)
	}
}

// writeSentences writes what the engines' consoles say.
func writeSentences(b *strings.Builder, indent string, sentences []shownSentence) {
	for _, c := range sentences {
		fmt.Fprintln(b, indent+report.Printable("The console of "+c.Engine+" says: "+c.Text))
	}
}

func writeExchange(b *strings.Builder, e shownExchange) {
	answer := "the handler answers"
	if e.Status != 0 {
		answer = fmt.Sprintf("the layer answers with status %d", e.Status)
	}
	fmt.Fprintf(b, "\n  The %s: %s\n", e.Name, answer)
	for _, line := range []string{e.Verdict, prefixed("Remedy: ", e.Remedy)} {
		if line != "" {
			fmt.Fprintln(b, "    "+report.Printable(line))
		}
	}
	var rows [][]string
	for _, s := range e.Steps {
		rows = append(rows, []string{s.Question, s.Found, s.From})
	}
	report.WriteTable(b, "    ", rows)
	fmt.Fprint(b, "    Response header:\n")
	for _, line := range e.Header {
		fmt.Fprintln(b, "      "+report.Printable(line))
	}
	if len(e.Header) == 0 {
		fmt.Fprint(b, "      (none)\n")
	}
	if e.Body != "" {
		fmt.Fprintf(b, "    Body: %s\n", report.Printable(e.Body))
	}
	fmt.Fprintf(b, "    %s\n", report.Printable(e.Curl))
}

// prefixed returns a text with a prefix, and an empty text as it is.
func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
