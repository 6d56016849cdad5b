package fromgo

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"sync"
)

// declarationOf returns the declaration of a name within the file, and nil for other names. The parser resolves names
// by the scopes of the file. That is deprecated because it is not correct for fields, which this package does not resolve; it
// is for variables.
func declarationOf(id *ast.Ident) any {
	if id.Obj == nil {
		return nil
	}
	return id.Obj.Decl
}

// variableOf returns the identity of a variable; nil for other names.
func variableOf(e ast.Expr) any {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok || id.Obj == nil {
		return nil
	}
	return id.Obj
}

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

// evalIdent evaluates a name.
func (r *reader) evalIdent(id *ast.Ident) value {
	declaration := declarationOf(id)
	if declaration == nil {
		switch id.Name {
		case "true", "false":
			return value{kind: truth, yes: id.Name == "true"}
		case "nil":
			return value{kind: nothing}
		}
		return r.notKnown(id, "which is not declared in this file")
	}
	return r.evalVariable(id, id.Pos())
}

// evalVariable evaluates a variable or constant as it is at a place.
func (r *reader) evalVariable(id *ast.Ident, at token.Pos) value {
	v, block := r.evalDeclaration(id)
	v.fields = maps.Clone(v.fields)
	changes := r.changes[variableOf(id)]
	// A straight change has always happened at the place. The last one of the whole variable replaces those before it.
	straight := func(c change) bool {
		return c.block == block && block != nil && c.statement != nil && c.end <= at && !r.jumps
	}
	last := 0
	for i, c := range changes {
		if straight(c) && c.field == "" {
			last = i
		}
	}
	inBlock := sync.OnceValue(func() bool { return block != nil && !r.jumps && r.sameBlock(block, at) })
	for i, c := range changes {
		switch {
		case straight(c) && i < last:
			continue
		case c.end > at && !c.element && inBlock():
			continue // it changes later
		case c.end <= at && c.guardBlock == block && r.isFallbackFor(c, id, v):
			v.extra = r.eval(c.value).text
		case straight(c):
			v = r.applied(v, c)
		case len(c.adds) > 0 && c.end <= at && block != nil && !r.jumps && !inClosure(block, c.pos) && r.mayAdd(&v, c):
		case c.field != "" && v.kind == struc:
			v.fields[c.field] = value{kind: unknown, pos: c.pos, why: "the value of a statement that does not always run"}
		default:
			return value{kind: unknown, pos: id.Pos(), why: id.Name + ", a variable that changes in more than one place"}
		}
	}
	return v
}

// mayAdd adds the items of a change that does not always happen to a value, as items that are not known. It reports
// whether the value is a list.
func (r *reader) mayAdd(v *value, c change) bool {
	before := *v
	if c.field != "" {
		if v.kind != struc {
			return false
		}
		before = v.fields[c.field]
	}
	isUnset := before.kind == unknown && before.why == ""
	if before.kind != list && before.kind != nothing && !isUnset {
		return false
	}
	after := value{kind: list, pos: c.pos, items: slices.Clone(before.items)}
	for _, item := range c.adds {
		after.items = append(after.items, r.notKnown(item, "which is not always added"))
	}
	if c.field == "" {
		*v = after
	} else {
		v.fields[c.field] = after
	}
	return true
}

// addedBy returns the items that an assignment adds to its target, such as b in a = append(a, b).
func (r *reader) addedBy(target, assigned ast.Expr) []ast.Expr {
	call, ok := assigned.(*ast.CallExpr)
	if !ok || len(call.Args) < 2 {
		return nil
	}
	if fun, ok := call.Fun.(*ast.Ident); !ok || fun.Name != "append" || declarationOf(fun) != nil || !sameVariable(target, call.Args[0]) {
		return nil
	}
	return call.Args[1:]
}

// sameVariable reports whether two expressions are the same variable, or the same field of one.
func sameVariable(a, b ast.Expr) bool {
	x, isField := a.(*ast.SelectorExpr)
	y, isToo := b.(*ast.SelectorExpr)
	if isField && isToo {
		return x.Sel.Name == y.Sel.Name && sameVariable(x.X, y.X)
	}
	return !isField && !isToo && variableOf(a) != nil && variableOf(a) == variableOf(b)
}

// inClosure reports whether a place is in a function literal within a block.
func inClosure(block ast.Node, at token.Pos) bool {
	found := false
	ast.Inspect(block, func(n ast.Node) bool {
		if n == nil || n.Pos() > at || n.End() <= at {
			return false
		}
		_, isFunction := n.(*ast.FuncLit)
		found = found || isFunction
		return true
	})
	return found
}

// sameBlock reports whether a place is directly in a block, and not in a block within it.
func (r *reader) sameBlock(block ast.Node, at token.Pos) bool {
	if at >= block.End() {
		return true // the end of the block
	}
	if at < block.Pos() {
		return false
	}
	direct := true
	ast.Inspect(block, func(n ast.Node) bool {
		if n == nil || n.Pos() > at || n.End() <= at {
			return false
		}
		switch n.(type) {
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
			direct = direct && n == block
		}
		return true
	})
	return direct
}

// isFallbackFor reports whether a change sets a variable that was read from the environment if that is empty.
func (r *reader) isFallbackFor(c change, id *ast.Ident, v value) bool {
	condition, ok := c.guard.(*ast.BinaryExpr)
	if !ok || v.kind != variable || v.extra != "" || c.field != "" || condition.Op != token.EQL || variableOf(condition.X) != variableOf(id) {
		return false
	}
	empty, ok := condition.Y.(*ast.BasicLit)
	return ok && empty.Value == `""` && isFallback(r.eval(c.value))
}

// evalDeclaration evaluates the declaration of a name, and returns the block around it; nil for a declaration
// outside functions.
func (r *reader) evalDeclaration(id *ast.Ident) (value, ast.Node) {
	declaration := declarationOf(id)
	block := r.blockAround(declaration)
	switch d := declaration.(type) {
	case *ast.ValueSpec:
		for i, name := range d.Names {
			if variableOf(name) != variableOf(id) {
				continue
			}
			switch {
			case len(d.Values) == len(d.Names):
				return r.eval(d.Values[i]), block
			case len(d.Values) == 0 && d.Type != nil && block == nil:
				return r.notKnown(id, "a variable of the package, which gets its value elsewhere"), block
			case len(d.Values) == 0 && d.Type != nil:
				return r.zero(id, d.Type), block
			}
		}
	case *ast.AssignStmt:
		for i, target := range d.Lhs {
			if variableOf(target) == variableOf(id) && len(d.Lhs) == len(d.Rhs) {
				return r.eval(d.Rhs[i]), block
			}
		}
	case *ast.FuncDecl:
		return value{kind: function, body: d}, block
	case *ast.Field:
		return r.notKnown(id, "a parameter"), block
	}
	return r.notKnown(id, "which is not a value of this file"), block
}

// zero returns the zero value of a type.
func (r *reader) zero(id *ast.Ident, t ast.Expr) value {
	library, name := r.imported(t)
	_, isList := t.(*ast.ArrayType)
	named, _ := t.(*ast.Ident)
	switch {
	case name != "" && structs[library] == name:
		r.used[t] = true
		return value{kind: struc, library: library, fields: map[string]value{}}
	case isList:
		return value{kind: list}
	case named != nil && named.Name == "string":
		return value{kind: text}
	case named != nil && named.Name == "bool":
		return value{kind: truth}
	case named != nil && named.Name == "int":
		return value{kind: number}
	}
	return r.notKnown(id, "a value of another type")
}

// blockAround returns the innermost block around a declaration within a function.
func (r *reader) blockAround(declaration any) ast.Node {
	node, ok := declaration.(ast.Node)
	if !ok {
		return nil
	}
	if block, ok := r.blocks[node]; ok {
		return block
	}
	var block ast.Node
	ast.Inspect(r.file, func(n ast.Node) bool {
		if n == nil || n.Pos() > node.Pos() || n.End() < node.End() {
			return false
		}
		switch n.(type) {
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
			block = n
		}
		return true
	})
	r.blocks[node] = block
	return block
}

// applied returns the value of a variable after a change.
func (r *reader) applied(v value, c change) value {
	if call, ok := c.statement.(*ast.CallExpr); ok { // a method of gin's configuration
		if v.kind != struc {
			return v
		}
		items := slices.Clone(v.fields[c.field].items)
		if before, ok := v.fields[c.field]; ok && before.kind != list && before.kind != nothing {
			items = append(items, before)
		}
		if call.Ellipsis.IsValid() {
			items = append(items, r.evalConcatenation(call, false).items...)
		} else {
			for _, argument := range call.Args {
				items = append(items, r.eval(argument))
			}
		}
		v.fields[c.field] = value{kind: list, items: items, pos: c.pos}
		return v
	}
	if c.field == "" {
		v = r.eval(c.value)
		v.fields = maps.Clone(v.fields)
		return v
	}
	if v.kind == struc {
		v.fields[c.field] = r.eval(c.value)
	}
	return v
}
