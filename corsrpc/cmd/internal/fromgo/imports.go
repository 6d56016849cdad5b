package fromgo

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The import paths of the libraries, without a major version.
const (
	rsCORS   = "github.com/rs/cors"
	jub0bs   = "github.com/jub0bs/cors"
	gorilla  = "github.com/gorilla/handlers"
	chiCORS  = "github.com/go-chi/cors"
	ginCORS  = "github.com/gin-contrib/cors"
	connects = "connectrpc.com/cors" // lists of the headers that the protocols need
)

// Libraries are the libraries whose configurations Read finds.
var Libraries = []string{rsCORS, jub0bs, gorilla, chiCORS, ginCORS}

// majorVersion matches the end of the import path of a later major version.
var majorVersion = regexp.MustCompile(`/v[0-9]+$`)

// readImports reads the names under which the file knows its imports.
func (r *reader) readImports() error {
	r.imports = map[string]string{}
	var all []string
	known := false
	for _, spec := range r.file.Imports {
		full, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has checked it
		}
		all = append(all, full)
		imported := majorVersion.ReplaceAllString(full, "")
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		library := slices.Contains(Libraries, imported)
		if library && name == "." {
			return fmt.Errorf("the import of %s has a dot in place of a name, so it is not known which names are its own: give it a name", full)
		}
		known = known || library && name != "_"
		r.imports[name] = imported
	}
	switch {
	case known:
		return nil
	case len(all) == 0:
		return fmt.Errorf("the file imports nothing, and none of the known CORS libraries: %s", strings.Join(Libraries, ", "))
	}
	return fmt.Errorf("the file imports none of the known CORS libraries, which are %s: its imports are %s", strings.Join(Libraries, ", "), strings.Join(all, ", "))
}

// importedLibraries returns the known libraries that the file imports.
func (r *reader) importedLibraries() string {
	var names []string
	for _, l := range Libraries {
		for _, imported := range r.imports {
			if imported == l {
				names = append(names, l)
			}
		}
	}
	return strings.Join(names, " and ")
}

// imported returns the import path and the name of an expression such as cors.New; "" if it is something else. A
// variable of the same name hides an import.
func (r *reader) imported(e ast.Expr) (importPath, name string) {
	selector, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	id, ok := selector.X.(*ast.Ident)
	if !ok || declarationOf(id) != nil {
		return "", ""
	}
	return r.imports[id.Name], selector.Sel.Name
}
