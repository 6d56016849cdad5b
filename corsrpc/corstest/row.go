package corstest

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
)

// site is the place of a call of Run.
type site struct {
	file string
	line int
}

// callSite returns the place of a caller; skip is 1 for the caller of the function that calls it.
func callSite(skip int) site {
	_, file, line, _ := runtime.Caller(skip + 1)
	return site{file, line}
}

// row returns the file and the line of the case with this index, as the package testing writes them.
// Run's documentation says which line that is. The file is parsed only here, after a failure.
func (s site) row(cases []Case, i int) string {
	name := filepath.Base(s.file)
	files, line := token.NewFileSet(), s.line
	source, err := parser.ParseFile(files, s.file, nil, parser.SkipObjectResolution)
	if err != nil { // with -trimpath, the name of the file does not have its folder
		source, err = parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
	}
	if err == nil {
		if node := (rows{files, source, s.line}).of(cases, i); node != nil {
			line = files.Position(node.Pos()).Line
		}
	}
	if full := flag.Lookup("test.fullpath"); full != nil && full.Value.String() == "true" {
		name = s.file
	}
	return name + ":" + strconv.Itoa(line)
}

// rows finds the cases of a call of Run in a source file.
type rows struct {
	files  *token.FileSet
	source *ast.File
	line   int // of the call
}

// of returns the node of the case with this index; nil if it is not found.
func (r rows) of(cases []Case, i int) ast.Node {
	var literal ast.Node
	if list := r.list(); list != nil && len(list.Elts) == len(cases) {
		switch fits, certain := fitting(list.Elts[i], cases[i]); {
		case fits && certain:
			return list.Elts[i]
		case fits:
			literal = list.Elts[i]
		}
	}
	if named := r.named(cases[i].Name); named != nil {
		return named
	}
	return literal
}

// list returns the literal of the cases that the call of Run gets; nil if it is not found.
func (r rows) list() *ast.CompositeLit {
	var call *ast.CallExpr
	ast.Inspect(r.source, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if ok && len(c.Args) >= 2 && r.files.Position(c.Lparen).Line == r.line && calledName(c) == "Run" {
			call = c // the innermost, since Inspect visits a call before its arguments
		}
		return true
	})
	if call == nil {
		return nil
	}
	switch cases := call.Args[1].(type) {
	case *ast.CompositeLit:
		return cases
	case *ast.Ident:
		return r.assigned(cases.Name, call.Pos())
	}
	return nil
}

// calledName returns the name of the called function without its package; empty if it has no name.
func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

// assigned returns the literal that a variable is last assigned before a position, or else the first
// one after it; nil if there is none.
func (r rows) assigned(name string, before token.Pos) (literal *ast.CompositeLit) {
	take := func(variable ast.Expr, value ast.Expr) {
		id, ok := variable.(*ast.Ident)
		found, isLiteral := value.(*ast.CompositeLit)
		if ok && isLiteral && id.Name == name && (literal == nil || found.Pos() < before) {
			literal = found
		}
	}
	ast.Inspect(r.source, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i := range min(len(n.Lhs), len(n.Rhs)) {
				take(n.Lhs[i], n.Rhs[i])
			}
		case *ast.ValueSpec:
			for i := range min(len(n.Names), len(n.Values)) {
				take(n.Names[i], n.Values[i])
			}
		}
		return true
	})
	return literal
}

// named returns the only element or field of a literal that is this name, as in a table of the
// caller's own type; nil if there is none or several.
func (r rows) named(name string) (only ast.Node) {
	count := 0
	ast.Inspect(r.source, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		for _, element := range literal.Elts {
			if field, ok := element.(*ast.KeyValueExpr); ok {
				element = field.Value
			}
			if value, ok := stringOf(element); ok && value == name {
				only = literal
				count++
			}
		}
		return true
	})
	if name == "" || count != 1 {
		return nil
	}
	return only
}

// fitting reports whether an element may be the literal of a case: its Name and From, where they are
// written as strings, are those of the case. certain is false if the name is not written as a string.
func fitting(element ast.Expr, c Case) (fits, certain bool) {
	literal, ok := element.(*ast.CompositeLit)
	if !ok {
		return true, false
	}
	isKeyed := len(literal.Elts) > 0 && slices.ContainsFunc(literal.Elts, func(e ast.Expr) bool { _, ok := e.(*ast.KeyValueExpr); return ok })
	if !isKeyed {
		return true, false
	}
	certain = c.Name == ""
	for _, field := range literal.Elts {
		field, ok := field.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, _ := field.Key.(*ast.Ident)
		value, isString := stringOf(field.Value)
		switch {
		case key == nil || !isString:
		case key.Name == "Name" && value != c.Name, key.Name == "From" && value != c.From:
			return false, false
		case key.Name == "Name":
			certain = true
		}
	}
	return true, certain
}

// stringOf returns the value of a string literal.
func stringOf(expr ast.Expr) (value string, ok bool) {
	literal, ok := expr.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	value, err := strconv.Unquote(literal.Value)
	return value, err == nil
}
