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
