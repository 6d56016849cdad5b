package comingfrom

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// A row is an option of another implementation, and what it becomes.
type row struct {
	// option is the text of the option, as its author writes it.
	option string
	// becomes are lines of the policy's defaults, of which a line may set allow_methods: that of the path rule. It is
	// empty if nothing has to be written.
	becomes string
	// note says why, or what to know; empty if the rest is clear.
	note string
	// differs are the differences that a script or the server sees, as differences returns them, beyond those that
	// hold for the whole table.
	differs []string
	// server returns the other implementation with the option. If it is nil, start returns it for the option's text.
	server func(t *testing.T) http.Handler
	start  func(option string) func(t *testing.T) http.Handler
}

// common are the lines of the policies of most tables.
var common = []string{"allow_origins: [https://app.example.com]", "expose: DECLARED", "max_age: 5s"}

// usualMethods is the line of the path rule in most tables.
const usualMethods = "allow_methods: [GET, PUT]"

// policy returns the policy of a row.
func (tb table) policy(r row) string {
	lines, methods := []string{}, tb.methods
	for line := range strings.Lines(r.becomes) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "allow_methods:") {
			methods = line
			continue
		}
		lines = append(lines, line)
	}
	for _, line := range tb.common {
		field, _, _ := strings.Cut(line, ":")
		if !strings.Contains("\n"+strings.Join(lines, "\n"), "\n"+field+":") {
			lines = append(lines, line)
		}
	}
	return "defaults:\n  " + strings.Join(lines, "\n  ") + "\nrules:\n  - path: /v1/orders/{id}\n    " + methods + "\n"
}

// layer returns the server behind the layer of a row's policy.
func (tb table) layer(t *testing.T, r row) http.Handler {
	t.Helper()
	policy := tb.policy(r)
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(policy))
	if err != nil {
		t.Fatalf("%s:\n%s%v", r.option, policy, err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatalf("%s:\n%s%v", r.option, policy, err)
	}
	return plan.Wrap(http.HandlerFunc(application))
}

// differences returns what differs for scripts and servers, in a fixed order. These are calls that no longer work
// ("stricter") and calls that work now ("wider"). These are also fields that scripts read now or no longer, and how long
// answers to preflights are kept. The last is whether the server still executes calls whose responses no script reads.
func differences(t *testing.T, kinds []kind, before, after http.Handler) (all []string) {
	t.Helper()
	var stricter, wider byPage
	var more, fewer, keeps []string
	notRun := false
	for _, page := range pages {
		var lost, gained []string
		for _, k := range kinds {
			b, a := callFrom(t, before, page, k), callFrom(t, after, page, k)
			switch {
			case b.readable && !a.readable:
				lost = append(lost, k.name)
			case !b.readable && a.readable:
				gained = append(gained, k.name)
			case b.readable:
				more = append(more, without(a.exposed, b.exposed)...)
				fewer = append(fewer, without(b.exposed, a.exposed)...)
				if b.keeps != a.keeps && b.keeps >= 0 && a.keeps >= 0 {
					keeps = append(keeps, fmt.Sprintf("preflights are kept %d s instead of %d s", a.keeps, b.keeps))
				}
			case b.ran && !a.ran:
				notRun = true
			case !b.ran && a.ran:
				t.Errorf("%s from %s: the server executes a call behind the layer that it did not execute before", k.name, page)
			}
		}
		stricter, wider = append(stricter, lost), append(wider, gained)
	}
	for _, group := range []struct {
		name  string
		items []string
	}{{"stricter", stricter.texts(len(kinds))}, {"wider", wider.texts(len(kinds))}, {"scripts also read", sorted(more)}, {"scripts no longer read", sorted(fewer)}} {
		if len(group.items) > 0 {
			all = append(all, group.name+": "+strings.Join(group.items, "; "))
		}
	}
	all = append(all, sorted(keeps)...)
	if notRun {
		all = append(all, notRunDifference)
	}
	return all
}

// notRunDifference is the difference that holds for almost every option.
const notRunDifference = "refused calls no longer run"

// byPage are the names of calls, for each of pages.
type byPage [][]string

// texts returns the calls of each page as a text, or one text if they are the same for every page. all is the number of
// calls that a page makes.
func (c byPage) texts(all int) (texts []string) {
	same := !slices.ContainsFunc(c, func(calls []string) bool { return !slices.Equal(calls, c[0]) })
	for i, calls := range c {
		text := strings.Join(calls, ", ")
		if len(calls) == all {
			text = "all calls"
		}
		switch {
		case len(calls) == 0:
		case same:
			return []string{text + " of every page"}
		default:
			texts = append(texts, text+" of "+pages[i])
		}
	}
	return texts
}

func without(all, some []string) (rest []string) {
	for _, name := range all {
		if !slices.Contains(some, name) {
			rest = append(rest, name)
		}
	}
	return rest
}

func sorted(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

// A table is the options of one implementation.
type table struct {
	name string
	// kinds are the calls that each page makes.
	kinds []kind
	// common are lines of the policy that the rows share, unless a row sets the field itself: what the other
	// implementation does without the option. methods is the line of the path rule, likewise.
	common  []string
	methods string
	rows    []row
}

// check compares each row of a table with its policy, and returns the table as Markdown.
func (tb table) check(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| Option | Policy | Difference |\n| --- | --- | --- |\n")
	for _, r := range tb.rows {
		server := r.server
		if server == nil {
			server = r.start(r.option)
		}
		got := differences(t, tb.kinds, server(t), tb.layer(t, r))
		if i := slices.Index(got, notRunDifference); i >= 0 {
			got = slices.Delete(got, i, i+1)
		}
		if !slices.Equal(got, r.differs) {
			t.Errorf("%s: %s\n%s  differs in %q, and the row says %q", tb.name, r.option, tb.policy(r), got, r.differs)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", codes(r.option), r.shown(), r.remarks())
	}
	return b.String()
}

// shown returns the cell with the lines of the policy.
func (r row) shown() string {
	if r.becomes == "" {
		return "nothing"
	}
	return codes(r.becomes)
}

// codes returns lines as code in a cell.
func codes(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, "`"+strings.ReplaceAll(strings.TrimSpace(line), "|", `\|`)+"`")
	}
	return strings.Join(lines, ", ")
}

// remarks returns the cell with the differences and the note.
func (r row) remarks() string {
	all := slices.Clone(r.differs)
	for i, d := range all {
		for _, page := range pages {
			d = strings.ReplaceAll(d, " of "+page, " of `"+page+"`")
		}
		all[i] = d + "."
	}
	if r.note != "" {
		all = append(all, r.note)
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, " ")
}
