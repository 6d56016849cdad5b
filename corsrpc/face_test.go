package corsrpc_test

import (
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestFace checks that the exported declarations of each public package are those in testdata/face, so
// that a review shows every change. -update rewrites the files.
func TestFace(t *testing.T) {
	t.Parallel()
	const folder = "testdata/face"
	faces := map[string]string{}
	for _, pkg := range publicPackages(t) {
		name := strings.ReplaceAll(filepath.ToSlash(filepath.Join("corsrpc", pkg)), "/", ".")
		faces[name+".txt"] = faceOf(t, pkg)
	}
	if *update {
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, face := range faces {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(face), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	recorded, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range recorded {
		if _, ok := faces[entry.Name()]; !ok {
			t.Errorf("%s records the exported API of a package that does not exist", entry.Name())
		}
	}
	for name, face := range faces {
		want, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Errorf("%s: the exported API of this package is not recorded: run go test ./corsrpc -run TestFace -update", name)
			continue
		}
		for _, d := range missingDeclarations(string(want), face) {
			t.Errorf("%s: this declaration was removed or changed:\n%s", name, d)
		}
		for _, d := range missingDeclarations(face, string(want)) {
			t.Errorf("%s: not recorded (read it, then run go test ./corsrpc -run TestFace -update):\n%s", name, d)
		}
	}
}

// missingDeclarations returns the declarations in one list that the other does not have.
func missingDeclarations(of, in string) (missing []string) {
	have := declarations(in)
	for _, d := range declarations(of) {
		if !slices.Contains(have, d) {
			missing = append(missing, d)
		}
	}
	return missing
}

// declarations splits the list of a package's exported declarations into single declarations. A
// declaration continues on lines that begin with a tab or a closing brace.
func declarations(face string) (all []string) {
	for line := range strings.Lines(face) {
		if line[0] == '\t' || line[0] == '}' {
			all[len(all)-1] += line
			continue
		}
		all = append(all, line)
	}
	return all
}

// faceFiles holds the positions of the parsed files.
var faceFiles = token.NewFileSet()

// publicPackages returns the folders, here and below, of packages that other modules can import.
func publicPackages(t *testing.T) (folders []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); name == "internal" || name == "testdata" || len(name) > 1 && (name[0] == '.' || name[0] == '_') {
			return fs.SkipDir
		}
		if files := packageFiles(t, path); len(files) > 0 && files[0].Name.Name != "main" {
			folders = append(folders, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

// packageFiles returns the parsed files of a folder's package, without tests.
func packageFiles(t *testing.T, folder string) (files []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(faceFiles, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// faceOf returns the exported declarations of a package, without comments, bodies and unexported
// parts. For generated files it returns the names of types only.
func faceOf(t *testing.T, folder string) string {
	t.Helper()
	declared := map[string]string{} // by sort key
	for _, file := range packageFiles(t, folder) {
		generated, values := ast.IsGenerated(file), declaredValues(t, file)
		ast.FileExports(file)
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if generated || !exportedReceiver(d) {
					continue
				}
				key := "2 " + d.Name.Name
				if d.Recv != nil {
					key = "3 " + receiverOf(d) + " " + d.Name.Name
					d.Recv.List[0].Names = nil
				}
				d.Doc, d.Body = nil, nil
				declared[key] = printed(t, d)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						face := "type " + s.Name.Name
						if !generated {
							face = printed(t, &ast.GenDecl{TokPos: s.Pos(), Tok: token.TYPE, Specs: []ast.Spec{withoutComments(s)}})
						}
						declared["3 "+s.Name.Name] = face
					case *ast.ValueSpec:
						for _, name := range s.Names {
							if !generated {
								declared[values[name].kind+name.Name] = values[name].text
							}
						}
					}
				}
			}
		}
	}
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(declared)) {
		b.WriteString(declared[key] + "\n")
	}
	return b.String()
}

// declaredValue is one constant or variable. kind sorts constants before variables; text is its
// declaration, with the type if one is written, and with the value if it consists of literals.
type declaredValue struct{ kind, text string }

// declaredValues returns the constants and variables of a file.
func declaredValues(t *testing.T, file *ast.File) map[*ast.Ident]declaredValue {
	t.Helper()
	all := map[*ast.Ident]declaredValue{}
	for _, decl := range file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.CONST && d.Tok != token.VAR {
			continue
		}
		kind := map[token.Token]string{token.CONST: "0 ", token.VAR: "1 "}[d.Tok]
		var typ ast.Expr
		var exprs []ast.Expr
		for iota, spec := range d.Specs {
			s := spec.(*ast.ValueSpec)
			if d.Tok == token.VAR || len(s.Values) > 0 { // a constant without a value repeats the previous one
				typ, exprs = s.Type, s.Values
			}
			for i, name := range s.Names {
				text := d.Tok.String() + " " + name.Name
				if typ != nil {
					text += " " + printed(t, typ)
				}
				if i < len(exprs) && isWrittenOut(exprs[i]) {
					text += " = " + strings.ReplaceAll(printed(t, exprs[i]), "iota", strconv.Itoa(iota))
				}
				all[name] = declaredValue{kind, text}
			}
		}
	}
	return all
}

// isWrittenOut reports whether a value consists of literals.
func isWrittenOut(value ast.Expr) bool {
	literal := true
	ast.Inspect(value, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			literal = literal && n.Name == "iota"
		case *ast.FuncLit, *ast.CompositeLit, *ast.CallExpr:
			literal = false
		}
		return literal
	})
	return literal
}

// receiverOf returns the name of a method's type.
func receiverOf(method *ast.FuncDecl) string {
	typ := method.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if index, ok := typ.(*ast.IndexExpr); ok {
		typ = index.X
	}
	return typ.(*ast.Ident).Name
}

// withoutComments returns a type without its comments.
func withoutComments(s *ast.TypeSpec) *ast.TypeSpec {
	s.Doc, s.Comment = nil, nil
	ast.Inspect(s, func(n ast.Node) bool {
		if field, ok := n.(*ast.Field); ok {
			field.Doc, field.Comment = nil, nil
		}
		return true
	})
	return s
}

// spaces matches the alignment of gofmt, which depends on comments.
var spaces = regexp.MustCompile(` +`)

// printed returns a node as gofmt writes it, without empty lines and alignment.
func printed(t *testing.T, node ast.Node) string {
	t.Helper()
	var b strings.Builder
	if err := format.Node(&b, faceFiles, node); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(spaces.ReplaceAllString(b.String(), " "), "\n")
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return strings.TrimSpace(line) == "" }), "\n")
}
