package servers

import (
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

const (
	page    = "../../../corsrpc/docs/coming-from-servers.md"
	command = "cd internal/peers/servers && go test -run TestRows -update ."
)

var update = flag.Bool("update", false, "write the tables of corsrpc/docs/coming-from-servers.md anew")

// program is a program with CORS configuration, with the rows of its table.
type program struct {
	// name is the heading of the table's first column, and id is the word for it in host names.
	name, id string
	// language is that of the block with the text of the first row.
	language string
	// base are the lines of the policy that every row has, unless the row has a line with the same field.
	base []string
	// every are the differences of each configuration. All of them occur in the first row.
	every []sidebyside.Named
	rows  []row
	// target is the export of the program, or "".
	target export.Target
	// start starts the program with all rows, and another server without CORS.
	start func(t *testing.T, p program) running
}

// running is a program that runs.
type running struct {
	// transport reaches the program. The host of a request chooses the row: see program.host.
	transport http.RoundTripper
	// upstream is the URL of the server without CORS, for the gateway.
	upstream string
}

// row is a row of a table.
type row struct {
	// text is what the program is configured with, and outer what stands outside of the place for it (nginx).
	text, outer string
	// show are the parts of both that the page shows, and words stand before them or alone.
	show  []string
	words string
	// policy are the lines of defaults that take the place, and rules are further rules.
	policy []string
	rules  string
	// note follows the policy on the page, or stands alone.
	note string
	// names are the differences that this row adds.
	names []sidebyside.Named
	// origins are further origins to try, and calls are further calls. With every, the row makes all calls.
	origins []string
	calls   []sidebyside.Call
	every   bool
}

// host is the host name of a row.
func (p program) host(i int) string { return fmt.Sprintf("%s-%d.test", p.id, i) }

// behind is the host name of a row at the gateway. The program behind it does not know the name, and has no CORS then.
func (p program) behind(i int) string { return fmt.Sprintf("gateway-%s-%d.test", p.id, i) }

// policy returns the policy of a row.
func (p program) policy(r row) string {
	lines := sidebyside.Lines(r.policy, p.base)
	if len(lines) == 0 {
		return r.rules
	}
	return sidebyside.Defaults(lines...) + r.rules
}

// programs are those of the page that `make test` runs, in the order of the page.
var programs = []program{nginxProgram, apache, express, flask, php}

// TestRows compares each line of configuration with the policy that takes its place, and the page with the rows.
func TestRows(t *testing.T) {
	starts := make([]running, len(programs))
	var started sync.WaitGroup
	for i, p := range programs {
		started.Go(func() { starts[i] = p.start(t, p) })
	}
	started.Wait()
	if t.Failed() {
		t.FailNow()
	}
	gateway := startGateway(t, programs, starts)
	t.Run("rows", func(t *testing.T) {
		for i, p := range programs {
			for j, r := range p.rows {
				t.Run(fmt.Sprintf("%s/%d", p.id, j), func(t *testing.T) {
					t.Parallel()
					p.try(t, starts[i].transport, gateway, j, r)
				})
			}
		}
	})
	t.Run("kept", func(t *testing.T) {
		for i, p := range programs {
			if p.id == express.id || p.id == flask.id || p.id == php.id {
				p.tryKept(t, starts[i].transport, gateway)
			}
		}
	})
	sidebyside.WriteTables(t, page, command, *update, texts(t, starts, gateway)...)
}

// texts returns the parts of the page.
func texts(t *testing.T, starts []running, gateway http.RoundTripper) []string {
	all := append(slices.Clone(programs), envoy)
	parts := []string{changes(all), wire(t, starts, gateway).String()}
	for _, p := range all {
		table := p.table(t)
		text := ""
		if p.target != "" {
			text = p.addLosses(t, &table)
		}
		parts = append(parts, fmt.Sprintf("```%s\n%s\n```", p.language, p.block()), text+table.String())
	}
	return parts
}

// try compares a row with its policy.
func (p program) try(t *testing.T, program, gateway http.RoundTripper, i int, r row) {
	t.Helper()
	before := sidebyside.Through(virtual{program, p.host(i)})
	after := sidebyside.Through(virtual{gateway, p.behind(i)})
	diffs := sidebyside.Compare(t, before, after, r.allCalls(i == 0 || r.every || r.rules != ""))
	every := p.every
	if r.rules != "" { // which are for paths other than those of procedures
		every = slices.DeleteFunc(slices.Clone(every), func(n sidebyside.Named) bool { return n.Code == sidebyside.OtherPaths.Code })
	}
	sidebyside.Check(t, diffs, every, r.names)
	if i == 0 {
		sidebyside.CheckOccurs(t, diffs, p.every, p.name)
	}
	if t.Failed() {
		t.Logf("\n%s\n%s\n%s", r.outer, r.text, p.policy(r))
	}
}

// tryKept compares the first row with the gateway in front of the program that keeps its configuration.
func (p program) tryKept(t *testing.T, program, gateway http.RoundTripper) {
	t.Helper()
	before, after := sidebyside.Through(virtual{program, p.host(0)}), sidebyside.Through(virtual{gateway, p.host(0)})
	diffs := sidebyside.Compare(t, before, after, p.rows[0].allCalls(false))
	sidebyside.Check(t, diffs, p.every, nil)
	if sidebyside.Occurred(diffs, p.every)[sidebyside.OtherPaths.Code] {
		t.Errorf("%s: pages do not read paths without a rule, for which the program keeps its configuration", p.name)
	}
}

// allCalls returns the calls of a row: those from all origins if every is true, or if the row is about origins.
func (r row) allCalls(every bool) (all []sidebyside.Call) {
	origins := slices.Concat(sidebyside.Origins, r.origins)
	aboutOrigins := slices.ContainsFunc(r.policy, func(line string) bool { return strings.HasPrefix(line, "allow_origins:") })
	switch {
	case every:
		all = sidebyside.Calls()
	case aboutOrigins:
		for _, o := range origins {
			all = append(all, few(o)...)
		}
	default:
		all = append(most(sidebyside.App), few(otherDomain)...)
	}
	return slices.Concat(all, r.calls, failing())
}

// most returns the calls of a page but for those whose outcomes only the first row of a table has to tell.
func most(origin string) []sidebyside.Call {
	return slices.DeleteFunc(sidebyside.From(origin), func(c sidebyside.Call) bool {
		return c.Path == sidebyside.Health || c.Method == http.MethodPatch || c.Method == http.MethodDelete || strings.HasPrefix(c.Name, "GET of a file with ") || strings.HasPrefix(c.Name, "gRPC-Web with ") ||
			strings.HasPrefix(c.Name, "Connect, ") || strings.HasPrefix(c.Name, "HEAD")
	})
}

// few returns calls of a page whose outcomes are those of all calls, if only the origin matters.
func few(origin string) []sidebyside.Call {
	return slices.DeleteFunc(sidebyside.Usual(origin), func(c sidebyside.Call) bool {
		return c.Name != "GET" && c.Name != "GET with credentials" && c.Name != "POST of text with credentials" && c.Name != "POST of JSON with credentials"
	})
}

// failing returns calls that end with an error of the application.
func failing() (all []sidebyside.Call) {
	for _, credentials := range []bool{false, true} {
		all = append(all, sidebyside.Call{Name: "GET that fails", Origin: sidebyside.App, Method: http.MethodGet, Path: failed, Credentials: credentials})
	}
	return all
}

// failed is a path whose answer is an error.
const failed = sidebyside.Me + "?status=503"

// virtual sends requests to a virtual host of a program.
type virtual struct {
	next http.RoundTripper
	host string
}

// RoundTrip sends a request.
func (v virtual) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	sent.Host = v.host
	response, err := v.next.RoundTrip(sent)
	if err == nil {
		response.Request = r
	}
	return response, err
}

// block returns the text of the first row.
func (p program) block() string {
	return strings.TrimSpace(p.rows[0].outer + "\n\n" + p.rows[0].text)
}

// table returns the table of a program.
func (p program) table(t *testing.T) sidebyside.Table {
	t.Helper()
	table := sidebyside.Table{Header: []string{p.name, "What takes its place", "Differences"}}
	for _, r := range p.rows {
		var spans []string
		text := strings.Join(strings.Fields(r.outer+" "+r.text), " ")
		for _, s := range r.show {
			if !strings.Contains(text, s) {
				t.Errorf("%s: the configuration of a row has no %q", p.name, s)
			}
			spans = append(spans, "`"+s+"`")
		}
		first := strings.TrimSpace(r.words + " " + strings.Join(spans, ", "))
		table.Rows = append(table.Rows, []string{first, sidebyside.Cell(r.policy, r.note), sidebyside.Codes(r.names)})
	}
	return table
}

// changes returns the table of the differences.
func changes(all []program) string {
	var c sidebyside.Changes
	for _, p := range all {
		c.AddEvery(p.name, p.every)
		for _, r := range p.rows {
			c.Add(r.names)
		}
	}
	return c.String()
}
