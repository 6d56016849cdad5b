package fromgo

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"
)

// structs are the configuration structs of the libraries. gorilla/handlers has options instead.
var structs = map[string]string{rsCORS: "Options", chiCORS: "Options", ginCORS: "Config", jub0bs: "Config"}

// makers are the functions that make a middleware. Those that take a configuration are true.
var makers = map[string]map[string]bool{
	rsCORS:  {"New": true, "Default": false, "AllowAll": false},
	chiCORS: {"New": true, "Handler": true, "AllowAll": false},
	ginCORS: {"New": true, "Default": false},
	jub0bs:  {"NewMiddleware": true},
	gorilla: {"CORS": true},
}

// isLibraryCall reports whether a call is one of a library.
func (r *reader) isLibraryCall(call *ast.CallExpr) bool {
	library, name := r.imported(call.Fun)
	_, ok := makers[library][name]
	return ok
}

// unresolved is a call whose configuration is not written in the file.
type unresolved struct {
	line               int
	library, call, why string
}

// configurations returns the configurations of the file, and the calls whose configuration is elsewhere.
func (r *reader) configurations() (found []*Configuration, elsewhere []unresolved) {
	add := func(n ast.Node, call string, s *settings) *Configuration {
		c := &Configuration{Library: s.library, Call: call, Line: r.line(n.Pos()), settings: s}
		for line := r.line(n.Pos()); line <= r.line(n.End()); line++ {
			c.lines = append(c.lines, line)
		}
		for _, v := range s.fields {
			c.lines = append(c.lines, r.line(v.pos))
		}
		found = append(found, c)
		return c
	}
	ast.Inspect(r.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		library, name := r.imported(call.Fun)
		takes, ok := makers[library][name]
		if !ok {
			return true
		}
		shown := r.quoted(call.Fun)
		s, why := r.settingsOf(call, library, name, takes)
		if why != "" {
			elsewhere = append(elsewhere, unresolved{r.line(call.Pos()), library, shown, why})
			return true
		}
		add(call, shown, s)
		return true
	})
	for n, shown := range r.leftOver() {
		if v := r.evalRoot(n); v.kind == struc {
			c := add(n, shown, &settings{reader: r, library: v.library, fields: v.fields})
			c.unused = true
			if i := slices.IndexFunc(elsewhere, func(u unresolved) bool { return u.library == c.Library }); i >= 0 {
				c.otherUse = &elsewhere[i]
			}
		}
	}
	slices.SortStableFunc(found, func(a, b *Configuration) int { return cmp.Compare(a.Line, b.Line) })
	return found, elsewhere
}

// settingsOf evaluates the configuration that a call takes. If that is not possible, it says what the call gets.
func (r *reader) settingsOf(call *ast.CallExpr, library, name string, takes bool) (*settings, string) {
	s := &settings{reader: r, library: library, fields: map[string]value{}}
	switch {
	case library == gorilla:
		return r.gorillaSettings(s, call)
	case !takes && name == "AllowAll":
		s.fields["AllowedOrigins"] = value{kind: list, pos: call.Pos(), items: []value{{kind: text, text: "*", pos: call.Pos()}}}
		s.fields["AllowedHeaders"] = value{kind: list, pos: call.Pos(), items: []value{{kind: text, text: "*", pos: call.Pos()}}}
		methods := value{kind: list, pos: call.Pos()}
		for _, m := range []string{"HEAD", "GET", "POST", "PUT", "PATCH", "DELETE"} {
			methods.items = append(methods.items, value{kind: text, text: m, pos: call.Pos()})
		}
		s.fields["AllowedMethods"] = methods
		return s, ""
	case !takes && library == ginCORS:
		s.fields = ginDefaults(call.Pos()).fields
		s.fields["AllowAllOrigins"] = value{kind: truth, yes: true, pos: call.Pos()}
		return s, ""
	case !takes:
		return s, ""
	case len(call.Args) != 1:
		return nil, "another number of arguments than one"
	}
	v := r.eval(call.Args[0])
	if v.kind != struc || v.library != library {
		if v.why == "" {
			v.why = r.quoted(call.Args[0])
		}
		return nil, v.why
	}
	s.fields = v.fields
	return s, ""
}

// itemsOf returns the items of a list, and any other value as an item.
func itemsOf(v value) []value {
	switch v.kind {
	case list:
		return v.items
	case nothing:
		return nil
	}
	return []value{v}
}

// leftOver yields the configuration structs that no call of the file takes, and how each is made.
func (r *reader) leftOver() func(yield func(ast.Node, string) bool) {
	return func(yield func(ast.Node, string) bool) {
		done := false
		ast.Inspect(r.file, func(n ast.Node) bool {
			if done || n == nil {
				return false
			}
			shown, key := "", n
			switch n := n.(type) {
			case *ast.ValueSpec:
				if library, name := r.imported(n.Type); len(n.Values) == 0 && len(n.Names) == 1 && name != "" && structs[library] == name {
					shown, key = r.quoted(n.Type), n.Type
				}
			case *ast.CompositeLit:
				if library, name := r.imported(n.Type); name != "" && structs[library] == name {
					shown = r.quoted(n.Type)
				}
			case *ast.CallExpr:
				if library, name := r.imported(n.Fun); library == ginCORS && name == "DefaultConfig" {
					shown = r.quoted(n.Fun)
				}
			}
			if shown != "" && !r.used[key] && !yield(n, shown) {
				done = true
			}
			return true
		})
	}
}

// evalRoot evaluates a configuration struct that no call takes: the variable that holds it, as it is at the end of
// its block, or the struct itself.
func (r *reader) evalRoot(n ast.Node) value {
	if declared, ok := n.(*ast.ValueSpec); ok {
		return r.evalVariable(declared.Names[0], r.file.End())
	}
	e := n.(ast.Expr)
	var holder *ast.Ident
	ast.Inspect(r.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, right := range n.Rhs {
				if id, ok := n.Lhs[min(i, len(n.Lhs)-1)].(*ast.Ident); ok && n.Tok == token.DEFINE && len(n.Lhs) == len(n.Rhs) && holds(right, e) {
					holder = id
				}
			}
		case *ast.ValueSpec:
			for i, right := range n.Values {
				if len(n.Values) == len(n.Names) && holds(right, e) {
					holder = n.Names[i]
				}
			}
		}
		return holder == nil
	})
	if holder != nil && variableOf(holder) != nil {
		return r.evalVariable(holder, r.file.End())
	}
	return r.eval(e)
}

// holds reports whether an expression is another one, or its address.
func holds(e, other ast.Expr) bool {
	if u, ok := e.(*ast.UnaryExpr); ok && u.Op == token.AND {
		e = u.X
	}
	return e == other
}
