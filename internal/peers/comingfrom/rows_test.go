package comingfrom

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"net/http"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
)

const (
	page    = "../../../corsrpc/docs/coming-from-go.md"
	command = "cd internal/peers/comingfrom && go test -run TestRows -update ."
)

var update = flag.Bool("update", false, "write the tables of corsrpc/docs/coming-from-go.md anew")

// library is a library, with the rows of its table.
type library struct {
	name string
	// column is the heading of the first column; the name of the library if it is empty.
	column string
	// base are the lines of the policy that every row has, unless the row has a line with the same field.
	base []string
	// every are the differences of each configuration. All of them occur in the first row.
	every []sidebyside.Named
	rows  []row
	// init is true if corsrpc init --from-go reads the library.
	init bool
}

// row is a row of a table.
type row struct {
	// option is the name of the field or option. Without one, words describe the row.
	option, words string
	// wrap configures the library.
	wrap func(http.Handler) http.Handler
	// policy are the lines of defaults that take the option's place. A line that is not indented may be followed by
	// indented ones. rules are further rules.
	policy []string
	rules  string
	// layer is a Go option of the layer, with its text on the page.
	layer     []corsrpc.Option
	layerText string
	// note follows the policy on the page, or stands alone where nothing takes the option's place.
	note string
	// names are the differences that this row adds.
	names []sidebyside.Named
	// origins are further origins to try, and prefix is a prefix of all paths.
	origins []string
	prefix  string
	// init is how the policy of corsrpc init --from-go differs from the row's: "" if both grant the same.
	init initDifference
}

// text returns the policy of a row.
func (l library) text(r row) string {
	lines := slices.Clone(r.policy)
	field := func(line string) string { name, _, _ := strings.Cut(line, ":"); return name }
	for _, b := range l.base {
		if !slices.ContainsFunc(r.policy, func(line string) bool { return field(line) == field(b) }) {
			lines = append(lines, b)
		}
	}
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasSuffix(line, ": none") })
	return sidebyside.Defaults(lines...) + r.rules
}

// TestRows compares each option with the policy that takes its place, and the tables of the page with the rows.
func TestRows(t *testing.T) {
	var mutex sync.Mutex
	used := map[string]sidebyside.Named{}
	note := func(names []sidebyside.Named) {
		mutex.Lock()
		defer mutex.Unlock()
		for _, n := range names {
			used[n.Code] = n
		}
	}
	t.Run("rows", func(t *testing.T) {
		for _, l := range libraries {
			note(l.every)
			for i, r := range l.rows {
				note(r.names)
				t.Run(fmt.Sprintf("%s/%d_%s", l.name, i, r.option), func(t *testing.T) {
					t.Parallel()
					l.try(t, r, i == 0)
				})
			}
		}
	})
	note(proxyEvery)
	for _, r := range proxyRows {
		note(r.names)
	}
	texts := []string{changes(used), wire(t).String()}
	for _, l := range libraries {
		texts = append(texts, l.table(t).String())
	}
	sidebyside.WriteTables(t, page, command, *update, append(texts, proxyTable().String())...)
}

// try compares the option of a row with its policy.
func (l library) try(t *testing.T, r row, first bool) {
	t.Helper()
	policy := l.text(r)
	before := sidebyside.Handler(r.wrap(sidebyside.API()))
	after := sidebyside.Handler(sidebyside.Layer(t, policy, r.layer...)(sidebyside.API()))
	calls := sidebyside.Calls(r.origins...)
	for i := range calls {
		calls[i].Path = r.prefix + calls[i].Path
	}
	diffs := sidebyside.Compare(t, before, after, calls)
	for i := range diffs {
		diffs[i].Call.Path = strings.TrimPrefix(diffs[i].Call.Path, r.prefix)
	}
	every := l.every
	if r.rules == filesRule { // the differences of other paths are those that the rule removes
		every = slices.DeleteFunc(slices.Clone(every), func(n sidebyside.Named) bool {
			return n.Code == sidebyside.OtherPaths.Code || n.Code == sidebyside.OtherPathsRun.Code
		})
	}
	sidebyside.Check(t, diffs, every, r.names)
	if first {
		occurred := sidebyside.Occurred(diffs, l.every)
		for _, n := range l.every {
			if !occurred[n.Code] {
				t.Errorf("%s does not occur with %s", n.Code, l.name)
			}
		}
	}
	if t.Failed() {
		t.Log("\n" + policy)
	}
}

// table returns the table of a library.
func (l library) table(t *testing.T) sidebyside.Table {
	t.Helper()
	table := sidebyside.Table{Header: []string{l.name, "What takes its place", "Differences"}}
	if l.column != "" {
		table.Header[0] = l.column
	}
	for _, r := range l.rows {
		first := r.words
		if first == "" {
			first = "`" + optionText(t, r) + "`"
		}
		lines := slices.Clone(r.policy)
		if r.layerText != "" {
			lines = append(lines, r.layerText)
		}
		table.Rows = append(table.Rows, []string{first, cell(lines, r.note), codes(r.names)})
	}
	return table
}

// cell returns the lines of a policy, and a note.
func cell(lines []string, note string) string {
	var spans []string
	for _, line := range lines {
		if !strings.HasSuffix(line, ": none") {
			spans = append(spans, "`"+line+"`")
		}
	}
	text := strings.Join(spans, ", ")
	if text != "" && note != "" {
		text += ". "
	}
	return text + note
}

// codes returns the codes of names. They are plain text, since internal/docs looks for names of the library in code spans.
func codes(names []sidebyside.Named) string {
	var spans []string
	for _, n := range names {
		spans = append(spans, n.Code)
	}
	return strings.Join(spans, ", ")
}

// changes returns the table of the differences.
func changes(used map[string]sidebyside.Named) string {
	table := sidebyside.Table{Header: []string{"Code", "What changes", "Not repeated in the rows of"}}
	var of = map[string][]string{}
	var order []string
	for _, l := range libraries {
		for _, n := range l.every {
			if len(of[n.Code]) == 0 {
				order = append(order, n.Code)
			}
			of[n.Code] = append(of[n.Code], l.name)
		}
	}
	for _, n := range proxyEvery {
		of[n.Code] = append(of[n.Code], "grpcwebproxy")
	}
	var rest []string
	for code := range used {
		if len(of[code]) == 0 {
			rest = append(rest, code)
		}
	}
	slices.Sort(rest)
	for _, code := range slices.Concat(order, rest) {
		libraries := strings.Join(of[code], ", ")
		if libraries == "" {
			libraries = "none"
		}
		table.Rows = append(table.Rows, []string{code, used[code].Words, libraries})
	}
	return table.String()
}

// source is a parsed file of this package.
type source struct {
	files *token.FileSet
	file  *ast.File
}

var parsed sync.Map // of source by file

// function returns the file, the name and the declaration of the function that configures the library.
func (r row) function(t *testing.T) (string, source, *ast.FuncDecl) {
	t.Helper()
	f := runtime.FuncForPC(reflect.ValueOf(r.wrap).Pointer())
	file, _ := f.FileLine(f.Entry())
	file = filepath.Base(file)
	s, ok := parsed.Load(file)
	if !ok {
		files := token.NewFileSet()
		parsedFile, err := parser.ParseFile(files, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		s, _ = parsed.LoadOrStore(file, source{files, parsedFile})
	}
	name := f.Name()[strings.LastIndexByte(f.Name(), '.')+1:]
	for _, d := range s.(source).file.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && d.Name.Name == name {
			return file, s.(source), d
		}
	}
	t.Fatalf("no function %s in %s", name, file)
	return "", source{}, nil
}

// optionText returns the text of the option in the function of a row.
func optionText(t *testing.T, r row) string {
	t.Helper()
	_, s, function := r.function(t)
	var found ast.Node
	ast.Inspect(function, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == r.option {
				found = n
			}
		case *ast.CallExpr:
			if callee, ok := n.Fun.(*ast.SelectorExpr); ok && callee.Sel.Name == r.option {
				found = &ast.CallExpr{Fun: callee.Sel, Args: n.Args}
			}
		}
		return found == nil
	})
	if found == nil {
		t.Fatalf("%s does not set %s", function.Name.Name, r.option)
	}
	var b bytes.Buffer
	if err := printer.Fprint(&b, s.files, found); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	return strings.ReplaceAll(text, "`", "\"")
}
