package comingfrom

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	gincors "github.com/gin-contrib/cors"
	chicors "github.com/go-chi/cors"
	"github.com/rs/cors"

	jubcors "github.com/jub0bs/cors"
)

// TestEveryOption: each option of a library has a row, and each row is of an option.
func TestEveryOption(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		library library
		options []string
	}{
		{rs, fields(cors.Options{})},
		{chi, fields(chicors.Options{})},
		{ginLibrary, fields(gincors.Config{})},
		{jub, fields(jubcors.Config{})},
		{gorilla, functions(t, "github.com/gorilla/handlers", "CORSOption")},
		{web, functions(t, "github.com/improbable-eng/grpc-web/go/grpcweb", "Option")},
		{connect, functions(t, "connectrpc.com/cors", "")},
	} {
		var rows []string
		for _, r := range test.library.rows {
			if r.option != "" {
				rows = append(rows, r.option)
			}
		}
		slices.Sort(rows)
		slices.Sort(test.options)
		if rows = slices.Compact(rows); !slices.Equal(rows, test.options) {
			t.Errorf("%s has the options\n%q\nand rows for\n%q", test.library.name, test.options, rows)
		}
	}
}

func fields(config any) (names []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeOf(config)) {
		if f.Name != "_" {
			names = append(names, f.Name)
		}
	}
	return names
}

// functions returns the exported functions of a package whose result has the type, or all if it is "".
func functions(t *testing.T, path, result string) (names []string) {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil {
				continue
			}
			if id, ok := f.Type.Results.List[0].Type.(*ast.Ident); result == "" || ok && id.Name == result {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}
