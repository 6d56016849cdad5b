package fromgo

import (
	"go/ast"
	"go/token"
	"slices"
)

// change is a statement that changes a variable after its declaration.
type change struct {
	pos, end token.Pos
	// block is the innermost block or clause around the statement.
	block ast.Node
	// statement is the assignment or call; nil if the variable may change in a way that is not understood.
	statement ast.Node
	// field is the field that changes; "" for the whole variable.
	field string
	// value is the new value, in an assignment.
	value ast.Expr
	// guard is the condition, if the statement is all that depends on it, and guardBlock is the block around that.
	guard      ast.Expr
	guardBlock ast.Node
	// adds are the items that are added to a list, if nothing else changes.
	adds []ast.Expr
	// element is true if an item of a list changes, which values that were made from the list share.
	element bool
}

// recordChanges finds the statements that change variables.
func (r *reader) recordChanges() {
	r.changes, r.shared = map[any][]change{}, map[any][]any{}
	var path []ast.Node
	ast.Inspect(r.file, func(n ast.Node) bool {
		if n == nil {
			path = path[:len(path)-1]
			return true
		}
		path = append(path, n)
		r.recordChange(n, path)
		return true
	})
	r.shareElementChanges()
}

// recordChange records what a node changes.
func (r *reader) recordChange(n ast.Node, path []ast.Node) {
	add := func(target ast.Expr, c change) {
		target = ast.Unparen(target)
		for {
			switch t := target.(type) {
			case *ast.SelectorExpr:
				c.field, target = t.Sel.Name, ast.Unparen(t.X)
				continue
			case *ast.IndexExpr:
				c.statement, c.element, target = nil, true, ast.Unparen(t.X)
				continue
			case *ast.StarExpr:
				c.statement, target = nil, ast.Unparen(t.X)
				continue
			}
			break
		}
		if v := variableOf(target); v != nil {
			c.pos, c.end, c.block = n.Pos(), n.End(), blockOf(path)
			r.changes[v] = append(r.changes[v], c)
		}
	}
	switch n := n.(type) {
	case *ast.BranchStmt:
		r.jumps = r.jumps || n.Tok == token.GOTO
	case *ast.Ident:
		if isPointer(n) && r.isOtherName(n, path) {
			add(n, change{})
		}
	case *ast.AssignStmt:
		r.recordSharing(n.Lhs, n.Rhs)
		for i, target := range n.Lhs {
			if v := variableOf(target); n.Tok == token.DEFINE && v != nil && declarationOf(target.(*ast.Ident)) == any(n) {
				continue // the declaration
			}
			c := change{}
			if n.Tok != token.DEFINE && n.Tok != token.ASSIGN || len(n.Lhs) != len(n.Rhs) {
				add(target, c)
				continue
			}
			c.statement, c.value = n, n.Rhs[i]
			c.guard, c.guardBlock = guardOf(path)
			c.adds = r.addedBy(target, n.Rhs[i])
			add(target, c)
		}
	case *ast.ValueSpec:
		names := make([]ast.Expr, len(n.Names))
		for i, name := range n.Names {
			names[i] = name
		}
		r.recordSharing(names, n.Values)
	case *ast.IncDecStmt:
		add(n.X, change{})
	case *ast.RangeStmt:
		for _, target := range []ast.Expr{n.Key, n.Value} {
			if target != nil && n.Tok == token.ASSIGN {
				add(target, change{})
			}
		}
	case *ast.UnaryExpr:
		if call, ok := parentOf(path).(*ast.CallExpr); n.Op == token.AND && (!ok || !r.isLibraryCall(call)) {
			add(n.X, change{})
		}
	case *ast.CallExpr:
		if selector, ok := n.Fun.(*ast.SelectorExpr); ok && ginMethods[selector.Sel.Name] != "" {
			add(selector.X, change{statement: n, field: ginMethods[selector.Sel.Name], adds: n.Args})
		}
		if r.isLibraryCall(n) {
			return
		}
		for i, argument := range n.Args {
			if r.changesItems(n, i) {
				if part, ok := ast.Unparen(argument).(*ast.SliceExpr); ok {
					argument = part.X
				}
				add(argument, change{element: true})
			}
		}
	}
}

// isOtherName reports whether the last node of a path, a pointer, gets another name: a variable, a field, an item or a
// parameter. Code that has the other name may change the value. A function does not change a value any more that it returns.
func (r *reader) isOtherName(id *ast.Ident, path []ast.Node) bool {
	switch parent := parentOf(path).(type) {
	case *ast.SelectorExpr, *ast.StarExpr, *ast.BinaryExpr, *ast.ReturnStmt:
		return false
	case *ast.AssignStmt:
		return !slices.Contains(parent.Lhs, ast.Expr(id))
	case *ast.ValueSpec:
		return !slices.Contains(parent.Names, id)
	case *ast.CallExpr:
		return !r.isLibraryCall(parent)
	case *ast.KeyValueExpr:
		return parent.Value == ast.Expr(id)
	}
	return true
}

// parentOf returns the node around the last one of a path.
func parentOf(path []ast.Node) ast.Node {
	if len(path) < 2 {
		return nil
	}
	return path[len(path)-2]
}

// blockOf returns the innermost node of a path whose statements do not always run: a block or clause, the end of each turn of
// a loop, or an if statement after else.
func blockOf(path []ast.Node) ast.Node {
	for i, n := range slices.Backward(path) {
		switch n := n.(type) {
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
			return n
		case *ast.ForStmt:
			if i+1 < len(path) && n.Post != nil && path[i+1] == ast.Node(n.Post) {
				return n
			}
		case *ast.IfStmt:
			if before, ok := parentOf(path[:i+1]).(*ast.IfStmt); ok && before.Else == ast.Stmt(n) {
				return n
			}
		}
	}
	return nil
}

// guardOf returns the condition of the if statement whose body is only the last node of a path, and the node around
// that statement.
func guardOf(path []ast.Node) (ast.Expr, ast.Node) {
	if len(path) < 4 {
		return nil, nil
	}
	block, ok := path[len(path)-2].(*ast.BlockStmt)
	if !ok || len(block.List) != 1 {
		return nil, nil
	}
	branch, ok := path[len(path)-3].(*ast.IfStmt)
	if !ok || branch.Else != nil || branch.Init != nil || branch.Body != block {
		return nil, nil
	}
	return branch.Cond, path[len(path)-4]
}
