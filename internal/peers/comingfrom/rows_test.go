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
	return sidebyside.Defaults(sidebyside.Lines(r.policy, l.base)...) + r.rules
}

// TestRows compares each option with the policy that takes its place, and the tables of the page with the rows.
func TestRows(t *testing.T) {
	var changes sidebyside.Changes
	t.Run("rows", func(t *testing.T) {
		for _, l := range libraries {
			changes.AddEvery(l.name, l.every)
			for i, r := range l.rows {
				changes.Add(r.names)
				t.Run(fmt.Sprintf("%s/%d_%s", l.name, i, r.option), func(t *testing.T) {
					t.Parallel()
					l.try(t, r, i == 0)
				})
			}
		}
	})
	changes.AddEvery("grpcwebproxy", proxyEvery)
	for _, r := range proxyRows {
		changes.Add(r.names)
	}
	texts := []string{changes.String(), wire(t).String()}
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
		sidebyside.CheckOccurs(t, diffs, l.every, l.name)
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
		table.Rows = append(table.Rows, []string{first, sidebyside.Cell(lines, r.note), sidebyside.Codes(r.names)})
	}
	return table
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
