package corsrpc_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportedIsDocumented checks that every exported symbol has a comment, including fields and
// methods.
func TestExportedIsDocumented(t *testing.T) {
	t.Parallel()
	fset := token.NewFileSet()
	for _, root := range []string{".", "../internal/origin", "../internal/policyfile", "../internal/fetch", "../internal/rpc", "../internal/route", "../internal/rules", "../internal/vectors", "../internal/responsewriter", "../internal/filewatch", "../internal/boundedlog", "../internal/clockcache", "../internal/safetext", "../internal/intent"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") ||
				strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".pb.go") {
				return err
			}
			f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			for _, name := range undocumented(f) {
				t.Errorf("%s: %s has no comment", path, name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// undocumented returns the exported names of a file that have neither a comment of their own nor one
// of their group.
func undocumented(f *ast.File) (names []string) {
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() {
						if d.Doc == nil && s.Doc == nil {
							names = append(names, s.Name.Name)
						}
						names = append(names, undocumentedFields(s, d.Doc != nil || s.Doc != nil)...)
					}
				case *ast.ValueSpec:
					for _, n := range s.Names {
						if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
							names = append(names, n.Name)
						}
					}
				}
			}
		}
	}
	return names
}

// exportedReceiver reports whether a function is not a method, or is a method of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

// undocumentedFields returns the exported fields of a struct that have no comment. A comment at the
// end of the line, or above several fields, counts.
func undocumentedFields(s *ast.TypeSpec, typeIsDocumented bool) (names []string) {
	typ, ok := s.Type.(*ast.StructType)
	if !ok {
		return nil
	}
	documented := typeIsDocumented && len(typ.Fields.List) <= 2 // the comment of a small type covers its fields
	for _, field := range typ.Fields.List {
		documented = documented || field.Doc != nil || field.Comment != nil
		for _, n := range field.Names {
			if n.IsExported() && !documented {
				names = append(names, s.Name.Name+"."+n.Name)
			}
		}
	}
	return names
}
