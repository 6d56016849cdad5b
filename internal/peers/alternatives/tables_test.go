package alternatives

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	envoyName = "Envoy's filter"
	// envoyFile has the row of Envoy, which TestEnvoy compares and writes.
	envoyFile = "envoy.json"
	page      = "../../../corsrpc/docs/alternatives.md"
	classes   = "../MISCONFIGURATIONS.md"
	results   = "../../bench/RESULTS.md"
	command   = "cd internal/peers/alternatives && go test -run TestTables -update ."
)

var update = flag.Bool("update", false, "write the tables of "+page+", and with the tag fleet "+envoyFile+", anew")

// A table is a table of the page: its name there, and its columns.
type table struct {
	name    string
	columns []column
}

// A column is a column of a table: its head, and its key in rows.
type column struct{ head, key string }

var tables = []table{
	{"reads", []column{
		{"Message, code", "message and error"}, {"Response metadata", "response metadata"}, {"Trailers", "trailers"}, {"Metadata of an error", "metadata of an error"},
	}},
	{"preflights", []column{
		{"Connect and gRPC-Web in turn", "two protocols"}, {"gRPC-Web, half with a timeout", "timeouts"},
		{"New header of the protocols", "protocol header"}, {"A setting for all headers", "star"},
	}},
	{"refusals", []column{
		{"Handler runs", "simple call"}, {"Preflight", "preflight"}, {"Log", "log"}, {"Page is told why", "told"},
	}},
	{"others", []column{
		{"Origins for each path", "paths"}, {"Change without restart", "change"}, {"`Vary: Origin`", "vary"}, {"Other OPTIONS", "options"},
		{"Private Network Access", "private"}, {"Native gRPC passes", "native"}, {"Rebound call runs", "rebound"},
	}},
}

// TestTables compares the tables of the page with what the contestants do.
func TestTables(t *testing.T) {
	rows := map[string]row{}
	for _, c := range contestants {
		rows[c.name] = rowOf(t, c)
	}
	envoy := row{}
	text, err := os.ReadFile(envoyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &envoy); err != nil {
		t.Fatal(err)
	}
	rows[envoyName] = envoy
	document, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	got := string(document)
	for _, tb := range tables {
		got = replaced(t, got, tb.name, tb.markdown(t, rows))
	}
	got = replaced(t, got, "classes", classTable(t))
	got = replaced(t, got, "cost", costTable(t))
	got = replaced(t, got, "versions", versions(t, envoy))
	if *update {
		if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != string(document) {
		t.Errorf("%s differs; with -update its tables are written anew. Got:\n%s", page, got)
	}
}

// replaced returns a page with a new part between the comments of that name.
func replaced(t *testing.T, text, name, part string) string {
	t.Helper()
	begin := "<!-- this part is written by " + command + " -->\n<!-- " + name + " -->\n\n"
	const end = "\n<!-- end of the part -->"
	i := strings.Index(text, begin)
	if i < 0 {
		t.Fatalf("%s has no part %q", page, begin)
	}
	i += len(begin)
	j := strings.Index(text[i:], end)
	if j < 0 {
		t.Fatalf("%s: the part %q has no end", page, name)
	}
	return text[:i] + part + text[i+j:]
}

// markdown returns the table.
func (tb table) markdown(t *testing.T, rows map[string]row) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| |")
	for _, c := range tb.columns {
		b.WriteString(" " + c.head + " |")
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(tb.columns)) + "\n")
	var cells, groups []string // groups[i] are the contestants whose cells are cells[i]
	for _, name := range names() {
		text := ""
		for _, c := range tb.columns {
			cell := rows[name][c.key]
			if cell == "" {
				t.Errorf("%s has no cell %q", name, c.key)
			}
			text += " " + cell + " |"
		}
		if i := slices.Index(cells, text); i >= 0 {
			groups[i] += ", " + name
		} else {
			cells, groups = append(cells, text), append(groups, name)
		}
	}
	for i, group := range groups {
		b.WriteString("| " + group + " |" + cells[i] + "\n")
	}
	return b.String()
}

// classTable returns the table of MISCONFIGURATIONS.md without its column in words, and with the most dangerous verdict of
// each cell only.
func classTable(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(classes)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "|") {
			if b.Len() > 0 {
				return b.String()
			}
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | ")
		for i, cell := range cells {
			cell, _, _ = strings.Cut(cell, ";")
			cells[i] = strings.NewReplacer("accepted in silence (by a function)", "silent, by a function", "accepted in silence", "silent", "accepted by name", "by name", "refused at load", "refused").Replace(cell)
		}
		b.WriteString("| " + strings.Join(slices.Delete(cells, 1, 2), " | ") + " |\n")
	}
	t.Fatalf("%s has no table", classes)
	return ""
}

// costs are the rows of the page's table of costs: their names there, and those of the sections and rows of RESULTS.md.
var costs = []struct{ name, unit, section, row string }{
	{"preflights of 50 calls by mixed clients", "", "The view of a page", "preflights"},
	{"those calls, 50 ms from the server", "", "The view of a page", "50 calls take"},
	{"allowed call, the layer alone", " ns", "The layer alone", "call, allowed, credentials"},
	{"refused call, the layer alone", " ns", "The layer alone", "call, refused origin"},
	{"allowed call with its handler", " µs", "Whole calls around a handler of connect-go", "call, allowed"},
	{"refused call with its handler", " µs", "Whole calls around a handler of connect-go", "call, refused origin"},
}

// costTable returns a part of RESULTS.md.
func costTable(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	columns := []string{"corsrpc", "rs/cors", "gorilla/handlers"}
	b.WriteString("| | " + strings.Join(columns, " | ") + " |\n| --- | --- | --- | --- |\n")
	for _, cost := range costs {
		_, section, found := strings.Cut(string(text), "\n## "+cost.section+"\n")
		if !found {
			t.Fatalf("%s has no section %q", results, cost.section)
		}
		section, _, _ = strings.Cut(section, "\n## ")
		var head []string
		b.WriteString("| " + cost.name + " |")
		written := false
		for line := range strings.Lines(section) {
			if !strings.HasPrefix(line, "|") {
				continue
			}
			cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "|"), "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			if head == nil {
				head = cells
			}
			if cells[0] != cost.row || written {
				continue
			}
			written = true
			for _, name := range columns {
				i := slices.Index(head, name)
				if i < 0 {
					t.Fatalf("%s, %s: no column %q", results, cost.section, name)
				}
				value, _, _ := strings.Cut(cells[i], " [")
				value, _, _ = strings.Cut(value, " (")
				b.WriteString(" " + value + cost.unit + " |")
			}
		}
		if !written {
			t.Fatalf("%s, %s: no row %q", results, cost.section, cost.row)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// versions returns the sentence with the versions.
func versions(t *testing.T, envoy row) string {
	t.Helper()
	var all []string
	for _, c := range contestants {
		if c.module != "" {
			all = append(all, strings.TrimPrefix(c.module, "github.com/")+" "+version(t, c.module))
		}
	}
	all = append(all, "connectrpc.com/cors "+version(t, "connectrpc.com/cors"), "Envoy "+envoy["version"])
	if !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(envoy["version"]) {
		t.Errorf("the version of Envoy is %q", envoy["version"])
	}
	return fmt.Sprintf("Versions: %s.\n", strings.Join(all, ", "))
}

// version returns the version of a module that the tests are built with.
func version(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", module).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
