package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/probe"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// probeDocument is the JSON document of probe. docs/command.md documents it.
type probeDocument struct {
	report.Header
	Server   string          `json:"server"`
	Requests probedRequests  `json:"requests"`
	Calls    []probedOutcome `json:"calls"`
	Notes    []string        `json:"notes"`
}

// probedRequests are the requests of a run: the numbers that were announced, and how many were sent.
type probedRequests struct {
	Preflights int `json:"preflights"`
	SimpleGets int `json:"simple_gets"`
	Calls      int `json:"calls"`
	Sent       int `json:"sent"`
}

// probedOutcome is a call, or calls of several procedures that end alike.
type probedOutcome struct {
	Targets     []string     `json:"targets"`
	From        string       `json:"from"`
	Kind        string       `json:"kind,omitempty"`
	Method      string       `json:"method"`
	Header      []string     `json:"header"`
	Credentials bool         `json:"credentials"`
	Views       []probedView `json:"outcomes"`
	Caching     string       `json:"caching,omitempty"`
	Notes       []string     `json:"notes,omitempty"`
}

// probedView is the outcome in engines that agree.
type probedView struct {
	Engines   []string         `json:"engines"`
	Result    probe.Result     `json:"result"`
	Verdict   string           `json:"verdict"`
	Check     string           `json:"check,omitempty"`
	AtFault   *probedField     `json:"at_fault,omitempty"`
	Fix       string           `json:"fix,omitempty"`
	Causes    []string         `json:"causes,omitempty"`
	Console   []shownSentence  `json:"console,omitempty"`
	Headers   []string         `json:"headers,omitempty"`
	Hidden    []string         `json:"hidden,omitempty"`
	Dropped   []string         `json:"dropped,omitempty"`
	Exchanges []probedExchange `json:"exchanges"`
}

// probedField is a field of a response with all its values, one for each line.
type probedField struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// probedExchange is a request that was sent, and its response.
type probedExchange struct {
	Name    string   `json:"name"`
	Method  string   `json:"method"`
	URL     string   `json:"url"`
	Request []string `json:"request"`
	Status  int      `json:"status"`
	HTTP    string   `json:"http,omitempty"`
	Millis  int64    `json:"elapsed_ms"`
	Header  []string `json:"header"`
}

// document returns the results as JSON.
func (p *probing) document(trials []*probe.Trial) *probeDocument {
	return &probeDocument{
		Server:   p.server.URL.String(),
		Requests: probedRequests{p.requests.Preflights, p.requests.SimpleGets, p.requests.Calls, p.wire.Sent()},
		Calls:    p.folded(trials), Notes: report.NotNil(p.notes),
	}
}

// folded returns the outcomes of all calls. Calls of procedures that end alike are one.
func (p *probing) folded(trials []*probe.Trial) []probedOutcome {
	all := []probedOutcome{}
	at := map[string]int{}
	for i, t := range trials {
		c := p.calls[i]
		o := p.outcome(c, t)
		key := ""
		if c.procedure != "" {
			key = p.keyOf(c, o)
		}
		if have, ok := at[key]; ok && key != "" {
			all[have].Targets = append(all[have].Targets, o.Targets...)
			continue
		}
		at[key] = len(all)
		all = append(all, o)
	}
	return all
}

// keyOf returns a text that is the same for calls of procedures that end alike.
func (p *probing) keyOf(c probedCall, o probedOutcome) string {
	o.Targets, o.Notes = nil, nil
	o.Views = slices.Clone(o.Views)
	for i := range o.Views {
		o.Views[i].Exchanges = nil
	}
	text, err := json.Marshal(o)
	if err != nil {
		return "" // texts and numbers can be marshalled
	}
	service, method, _ := cutLast(c.procedure, ".")
	return strings.ReplaceAll(string(text), "/"+service+"/"+method, "/SERVICE/METHOD")
}

func (p *probing) outcome(c probedCall, t *probe.Trial) probedOutcome {
	target := c.procedure
	if target == "" {
		target = c.Target
	}
	o := probedOutcome{
		Targets: []string{target}, From: c.Origin, Kind: c.kind, Method: c.Method, Header: fieldLines(c.Header), Credentials: c.Credentials,
		Caching: t.Caching(), Notes: t.Notes(p.server),
	}
	for _, v := range t.Views(p.server) {
		o.Views = append(o.Views, showView(v))
	}
	return o
}

func showView(v probe.View) probedView {
	shown := probedView{
		Result: v.Result, Verdict: v.Verdict, Causes: v.Causes, Headers: v.ReadableNames(), Hidden: v.Hidden, Dropped: v.DroppedNames(),
		Exchanges: []probedExchange{},
	}
	for _, engine := range v.Engines {
		shown.Engines = append(shown.Engines, engine.String())
	}
	for _, s := range v.Console {
		shown.Console = append(shown.Console, shownSentence{s.Engine.String(), s.Text})
	}
	if v.Blocked != nil {
		shown.Check, shown.Fix = string(v.Blocked.Check), v.Blocked.Fix
		if v.Blocked.Header != "" {
			shown.AtFault = &probedField{v.Blocked.Header, report.NotNil(v.AtFault())}
		}
	}
	for _, e := range v.Exchanges {
		name := "call"
		if e.Preflight {
			name = "preflight"
		}
		if e.Status == 0 && v.Err == nil {
			continue // it was not sent
		}
		shown.Exchanges = append(shown.Exchanges, probedExchange{name, e.Method, e.URL, fieldLines(e.Header), e.Status, e.Proto, e.Elapsed.Milliseconds(), fieldLines(e.Answer)})
	}
	return shown
}

// writeText writes the results for people.
func (p *probing) writeText(w io.Writer, trials []*probe.Trial) error {
	var b strings.Builder
	outcomes := p.folded(trials)
	totals := p.totals()
	for i, o := range outcomes {
		if i > 0 {
			b.WriteString("\n")
		}
		p.writeOutcome(&b, o, totals)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// totals returns the number of procedures of each service that --all calls.
func (p *probing) totals() map[string]int {
	seen, totals := map[string]bool{}, map[string]int{}
	for _, c := range p.calls {
		if c.procedure != "" && !seen[c.procedure] {
			seen[c.procedure] = true
			totals[serviceOf(c.procedure)]++
		}
	}
	return totals
}

func (p *probing) writeOutcome(b *strings.Builder, o probedOutcome, totals map[string]int) {
	with := ""
	if o.Credentials {
		with = ", with credentials"
	}
	if o.Kind == "" {
		fmt.Fprintln(b, report.Printable(fmt.Sprintf("A page of %s calls %s at %s by %s%s.", o.From, o.Targets[0], p.server.URL, o.Method, with)))
	} else {
		fmt.Fprintln(b, report.Printable(fmt.Sprintf("A page of %s calls at %s by %s%s:", o.From, p.server.URL, o.Kind, with)))
		l := limitsOf(true)
		for _, line := range servicesText(o.Targets, totals, l) {
			fmt.Fprintln(b, "  "+report.Printable(line))
		}
	}
	for _, line := range o.Header {
		fmt.Fprintln(b, "  "+report.Printable(line))
	}
	for _, v := range o.Views {
		writeView(b, v, len(o.Views))
	}
	for _, line := range append(o.Notes, o.Caching) {
		if line != "" {
			fmt.Fprintf(b, "\n%s\n", report.Printable(line))
		}
	}
}

func writeView(b *strings.Builder, v probedView, views int) {
	engines := "In " + strings.Join(v.Engines, ", ")
	if views == 1 && len(v.Engines) > 1 {
		engines = "The same in " + strings.Join(v.Engines, ", ")
	}
	fmt.Fprintf(b, "\n%s: %s\n", engines, report.Printable(v.Verdict))
	line := func(format string, args ...any) {
		fmt.Fprintln(b, "  "+report.Printable(fmt.Sprintf(format, args...)))
	}
	if v.AtFault != nil {
		if len(v.AtFault.Values) == 0 {
			line("Header at fault: %s, which is missing", v.AtFault.Name)
		}
		for _, value := range v.AtFault.Values {
			line("Header at fault: %s: %s", v.AtFault.Name, value)
		}
	}
	if v.Fix != "" {
		line("The server needs to send: %s", v.Fix)
	}
	for _, cause := range v.Causes {
		line("Cause: %s", cause)
	}
	if v.Result == probe.Readable {
		line("Response headers that the script can read: %s", strings.Join(orNone(v.Headers), ", "))
		line("Response headers that the script cannot read: %s", strings.Join(orNone(v.Hidden), ", "))
	}
	if len(v.Dropped) > 0 {
		line("Headers that the browser does not send, since scripts may not set them: %s", strings.Join(v.Dropped, ", "))
	}
	writeSentences(b, "  ", v.Console)
	for _, e := range v.Exchanges {
		if e.Status == 0 {
			line("The %s got no response: %s %s", e.Name, e.Method, e.URL)
			continue
		}
		line("The %s got status %d %s: %s %s", e.Name, e.Status, http.StatusText(e.Status), e.Method, e.URL)
		for _, field := range e.Header {
			if isAboutCORS(field) {
				line("  %s", field)
			}
		}
	}
}

// isAboutCORS reports whether a line of a response's header is about which pages may read it, or where the
// response comes from.
func isAboutCORS(line string) bool {
	name, _, _ := strings.Cut(strings.ToLower(line), ":")
	return strings.HasPrefix(name, "access-control-") || slices.Contains([]string{"vary", "location", "server", "via", "corsrpc-reason", "allow"}, name)
}

func orNone(list []string) []string {
	if len(list) == 0 {
		return []string{"none"}
	}
	return list
}

// announcement says what a run sends, and allows just that.
func (p *probing) announcement(flags *probeFlags) string {
	var b strings.Builder
	limited := p.limited(flags, p.requests)
	switch {
	case p.requests.Total() > 0:
		b.WriteString("corsrpc probe sends " + limited)
	case p.withheld > 0:
		fmt.Fprintf(&b, "corsrpc probe sends nothing to %s: browsers send these calls without a preflight.", p.server.URL)
	default:
		return report.Printable(fmt.Sprintf("corsrpc probe sends nothing to %s: no browser sends these calls.", p.server.URL))
	}
	switch {
	case p.requests.Calls > 0:
		b.WriteString(" The server executes the calls.")
	case !flags.send:
		b.WriteString(" Other calls are not sent (--send sends them, and the server executes them).")
	}
	if p.requests.Calls == 0 && slices.ContainsFunc(p.calls, func(c probedCall) bool { return c.IsGetOfProcedure() }) {
		b.WriteString(" The server executes GETs of procedures that are declared NO_SIDE_EFFECTS.")
	}
	if flags.call.credentials {
		b.WriteString(" The cookie of the calls is made up.")
	}
	return report.Printable(b.String())
}

// limited sets how many requests the wire sends: these, those after redirects that the probe allows, and no more
// than --max-requests. It returns the end of the sentence that announces them.
func (p *probing) limited(flags *probeFlags, requests probe.Requests) string {
	total := requests.Total()
	p.wire.MaxRequests = min(flags.maxRequests, total+probe.MaxRedirected)
	text := fmt.Sprintf("%s to %s, one at a time", requests, p.server.URL)
	if flags.maxRequests < total {
		return text + fmt.Sprintf(", of these %d at most (--max-requests).", flags.maxRequests)
	}
	text += "."
	if extra := p.wire.MaxRequests - total; extra > 0 {
		text += fmt.Sprintf(" Redirects to the same server add %d at most.", extra)
	}
	return text
}
