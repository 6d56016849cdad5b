package fromgo

import (
	"go/ast"
	"go/token"
	"slices"
)

// recordSharing records the variables whose items other variables share after an assignment.
func (r *reader) recordSharing(names, values []ast.Expr) {
	if len(names) != len(values) {
		return
	}
	for i, name := range names {
		for {
			if selector, ok := ast.Unparen(name).(*ast.SelectorExpr); ok {
				name = selector.X
				continue
			}
			break
		}
		if v := variableOf(name); v != nil {
			r.shared[v] = append(r.shared[v], variablesIn(values[i])...)
		}
	}
}

// variablesIn returns the variables whose items an expression may share.
func variablesIn(e ast.Expr) []any {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if v := variableOf(e); v != nil {
			return []any{v}
		}
	case *ast.SelectorExpr:
		return variablesIn(e.X)
	case *ast.SliceExpr:
		return variablesIn(e.X)
	case *ast.IndexExpr:
		return variablesIn(e.X)
	case *ast.StarExpr:
		return variablesIn(e.X)
	case *ast.UnaryExpr:
		return variablesIn(e.X)
	case *ast.KeyValueExpr:
		return variablesIn(e.Value)
	case *ast.CompositeLit:
		return variablesInAll(e.Elts)
	case *ast.CallExpr:
		return variablesInAll(e.Args)
	}
	return nil
}

func variablesInAll(list []ast.Expr) (all []any) {
	for _, e := range list {
		all = append(all, variablesIn(e)...)
	}
	return all
}

// shareElementChanges adds each change of an item to the variables that share it.
func (r *reader) shareElementChanges() {
	var changed []any
	for v, changes := range r.changes {
		if slices.ContainsFunc(changes, func(c change) bool { return c.element }) {
			changed = append(changed, v)
		}
	}
	seen := map[any]bool{}
	for len(changed) > 0 {
		v := changed[0]
		changed = changed[1:]
		for _, other := range r.shared[v] {
			if !seen[other] {
				seen[other] = true
				r.changes[other] = append(r.changes[other], change{element: true})
				changed = append(changed, other)
			}
		}
	}
}

// isPointer reports whether an expression is a variable that is declared as a pointer to a value of this file.
func isPointer(e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return false
	}
	switch d := declarationOf(id).(type) {
	case *ast.AssignStmt:
		for i, target := range d.Lhs {
			if variableOf(target) == variableOf(id) && len(d.Lhs) == len(d.Rhs) {
				return makesPointer(d.Rhs[i])
			}
		}
	case *ast.ValueSpec:
		if _, ok := d.Type.(*ast.StarExpr); ok {
			return true
		}
		for i, name := range d.Names {
			if variableOf(name) == variableOf(id) && len(d.Values) == len(d.Names) {
				return makesPointer(d.Values[i])
			}
		}
	}
	return false
}

// makesPointer reports whether an expression is the address of something.
func makesPointer(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		return e.Op == token.AND
	case *ast.CallExpr:
		id, ok := e.Fun.(*ast.Ident)
		return ok && id.Name == "new"
	}
	return false
}

// changesItems reports whether a call may change the items of the list that is its argument i: a function or method of this
// file, or one of the standard library that sorts, reverses, replaces or copies in place. append writes over the items after
// the part of a list that it gets.
func (r *reader) changesItems(call *ast.CallExpr, i int) bool {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		if declarationOf(fun) != nil {
			return true
		}
		_, isPart := ast.Unparen(call.Args[i]).(*ast.SliceExpr)
		return i == 0 && (fun.Name == "copy" || fun.Name == "clear" || fun.Name == "append" && isPart)
	case *ast.SelectorExpr:
		switch imported, name := r.imported(fun); imported {
		case "":
			return r.hasMethod(fun.Sel.Name)
		case "sort":
			return i == 0
		case "slices":
			return i == 0 && slices.Contains(inPlace, name)
		}
	case *ast.FuncLit:
		return true
	}
	return false
}

// hasMethod reports whether the file declares a method of this name.
func (r *reader) hasMethod(name string) bool {
	return slices.ContainsFunc(r.file.Decls, func(d ast.Decl) bool {
		f, ok := d.(*ast.FuncDecl)
		return ok && f.Recv != nil && f.Name.Name == name
	})
}

// inPlace are the functions of package slices that change their first argument.
var inPlace = []string{"Compact", "CompactFunc", "Delete", "DeleteFunc", "Insert", "Replace", "Reverse", "Sort", "SortFunc", "SortStableFunc"}
