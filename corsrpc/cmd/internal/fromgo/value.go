package fromgo

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"net/http"
	"strings"
	"time"
)

// The bounds of what is evaluated. They are far above what a configuration has.
const (
	maxSteps = 200_000
	maxDepth = 1000
	maxText  = 10_000
	maxItems = 10_000
)

// kind is the kind of a value.
type kind int

const (
	unknown  kind = iota // not written in the file
	text                 // a string
	number               // an integer, or a duration in nanoseconds
	truth                // true or false
	list                 // a slice
	variable             // an environment variable, as one string
	split                // an environment variable, cut at commas
	function             // a function literal, or a function of the file
	nothing              // nil
	struc                // a configuration struct of a library
	option               // an option of gorilla/handlers
)

// value is the value of an expression.
type value struct {
	kind  kind
	text  string // of text; the name of a variable; the name of an option
	extra string // the fallback of a variable
	n     int64
	yes   bool
	items []value // of a list, or the arguments of an option
	// library and fields are those of a struct.
	library string
	fields  map[string]value
	// pos is where the value is written.
	pos token.Pos
	// why says what an unknown value is, as the object of a sentence.
	why string
	// body is the function.
	body ast.Node
}

// reader reads one file.
type reader struct {
	files   *token.FileSet
	file    *ast.File
	source  []byte
	imports map[string]string
	// changes are the statements that change each variable after its declaration.
	changes map[any][]change
	// shared are the variables whose items a variable may share.
	shared map[any][]any
	// jumps is true if the file has a goto: the order of statements then says little.
	jumps bool
	// used are the struct literals that a call of a library takes.
	used map[ast.Node]bool
	// blocks are the blocks around declarations, as far as they are known.
	blocks map[ast.Node]ast.Node
	// known are the values of the expressions that were evaluated. One that is being evaluated has an unknown value.
	known        map[ast.Expr]value
	steps, depth int
}

// line returns the line of a place in the file itself, whatever //line comments say.
func (r *reader) line(pos token.Pos) int { return r.files.PositionFor(pos, false).Line }

// place returns the file and the line of a place, as far as it is known.
func (r *reader) place(pos token.Pos) string {
	name := r.files.File(r.file.Package).Name()
	if !pos.IsValid() {
		return name
	}
	return fmt.Sprintf("%s:%d", name, r.line(pos))
}

// quoted returns the source text of a node in one line, shortened if it is long.
func (r *reader) quoted(n ast.Node) string {
	from, to := r.files.PositionFor(n.Pos(), false).Offset, r.files.PositionFor(n.End(), false).Offset
	if from < 0 || to > len(r.source) || from > to {
		return "an expression"
	}
	words := strings.Join(strings.Fields(string(r.source[from:to])), " ")
	if runes := []rune(words); len(runes) > 60 {
		words = string(runes[:57]) + "..."
	}
	return words
}

// notKnown is the value of an expression that the file does not tell.
func (r *reader) notKnown(e ast.Node, why string) value {
	return value{kind: unknown, pos: e.Pos(), why: r.quoted(e) + ", " + why}
}

// eval evaluates an expression as far as the file tells its value.
func (r *reader) eval(e ast.Expr) value {
	if v, ok := r.known[e]; ok {
		return v
	}
	r.steps++
	r.depth++
	defer func() { r.depth-- }()
	if r.steps > maxSteps || r.depth > maxDepth {
		return r.notKnown(e, "which takes too many steps to evaluate")
	}
	r.known[e] = r.notKnown(e, "which depends on itself")
	v := r.evalAny(e)
	if len(v.text) > maxText || len(v.items) > maxItems {
		v = r.notKnown(e, "which is too long")
	}
	v.pos = e.Pos()
	r.known[e] = v
	return v
}

func (r *reader) evalAny(e ast.Expr) value {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return r.eval(e.X)
	case *ast.BasicLit:
		return r.evalLiteral(e)
	case *ast.Ident:
		return r.evalIdent(e)
	case *ast.StarExpr:
		if v := r.eval(e.X); v.kind == struc {
			return v
		}
		return r.notKnown(e, "an expression that is not constant")
	case *ast.UnaryExpr:
		switch v := r.eval(e.X); {
		case e.Op == token.AND && v.kind == struc:
			return v
		case e.Op == token.SUB && v.kind == number:
			v.n = -v.n
			return v
		case e.Op == token.NOT && v.kind == truth:
			v.yes = !v.yes
			return v
		}
		return r.notKnown(e, "an expression that is not constant")
	case *ast.BinaryExpr:
		return r.evalBinary(e)
	case *ast.CompositeLit:
		return r.evalComposite(e)
	case *ast.FuncLit:
		return value{kind: function, body: e}
	case *ast.SelectorExpr:
		return r.evalSelector(e)
	case *ast.CallExpr:
		return r.evalCall(e)
	}
	return r.notKnown(e, "an expression that is not constant")
}

func (r *reader) evalLiteral(e *ast.BasicLit) value {
	c := constant.MakeFromLiteral(e.Value, e.Kind, 0)
	switch c.Kind() {
	case constant.String:
		return value{kind: text, text: constant.StringVal(c)}
	case constant.Int, constant.Float:
		if n, ok := constant.Int64Val(constant.ToInt(c)); ok {
			return value{kind: number, n: n}
		}
	}
	return r.notKnown(e, "a literal of another type")
}

func (r *reader) evalBinary(e *ast.BinaryExpr) value {
	x, y := r.eval(e.X), r.eval(e.Y)
	switch {
	case x.kind == text && y.kind == text && e.Op == token.ADD:
		return value{kind: text, text: x.text + y.text}
	case x.kind == number && y.kind == number:
		var result constant.Value
		switch e.Op {
		case token.ADD, token.SUB, token.MUL:
			result = constant.BinaryOp(constant.MakeInt64(x.n), e.Op, constant.MakeInt64(y.n))
		case token.QUO:
			if y.n == 0 {
				return r.notKnown(e, "a division by zero")
			}
			result = constant.BinaryOp(constant.MakeInt64(x.n), token.QUO_ASSIGN, constant.MakeInt64(y.n)) // of integers
		default:
			return r.notKnown(e, "an expression that is not constant")
		}
		if n, ok := constant.Int64Val(result); ok {
			return value{kind: number, n: n}
		}
	}
	for _, v := range []value{x, y} {
		if v.kind == unknown {
			return v
		}
	}
	return r.notKnown(e, "an expression that is not constant")
}

// evalComposite evaluates a list, or a configuration struct.
func (r *reader) evalComposite(e *ast.CompositeLit) value {
	if array, ok := e.Type.(*ast.ArrayType); ok {
		v := value{kind: list}
		for _, item := range e.Elts {
			if pair, ok := item.(*ast.KeyValueExpr); ok {
				return r.notKnown(pair, "an item with an index")
			}
			if literal, ok := item.(*ast.CompositeLit); ok && literal.Type == nil {
				return r.notKnown(array, "a list of another type")
			}
			v.items = append(v.items, r.eval(item))
		}
		return v
	}
	if e.Type == nil { // a type that is left out belongs to a list or map around the value
		return r.notKnown(e, "a value of another type")
	}
	library, name := r.imported(e.Type)
	if name == "" || structs[library] != name && (library != jub0bs || name != jub0bsExtra) {
		return r.notKnown(e.Type, "a value of another type")
	}
	r.used[e] = true
	v := value{kind: struc, library: library, fields: map[string]value{}}
	for _, item := range e.Elts {
		pair, ok := item.(*ast.KeyValueExpr)
		if !ok {
			return r.notKnown(e.Type, "whose values have no names")
		}
		if key, ok := pair.Key.(*ast.Ident); ok {
			v.fields[key.Name] = r.eval(pair.Value)
		}
	}
	return v
}

// httpMethods are the constants of net/http for methods.
var httpMethods = map[string]string{
	"MethodGet": http.MethodGet, "MethodHead": http.MethodHead, "MethodPost": http.MethodPost, "MethodPut": http.MethodPut, "MethodPatch": http.MethodPatch,
	"MethodDelete": http.MethodDelete, "MethodConnect": http.MethodConnect, "MethodOptions": http.MethodOptions, "MethodTrace": http.MethodTrace,
}

// statuses are the constants of net/http for statuses that middlewares answer preflights with.
var statuses = map[string]int64{
	"StatusOK": http.StatusOK, "StatusCreated": http.StatusCreated, "StatusAccepted": http.StatusAccepted, "StatusNoContent": http.StatusNoContent,
}

// durations are the constants of time.
var durations = map[string]time.Duration{
	"Nanosecond": time.Nanosecond, "Microsecond": time.Microsecond, "Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour,
}

func (r *reader) evalSelector(e *ast.SelectorExpr) value {
	imported, name := r.imported(e)
	switch imported {
	case "net/http":
		if method, ok := httpMethods[name]; ok {
			return value{kind: text, text: method}
		}
		if status, ok := statuses[name]; ok {
			return value{kind: number, n: status}
		}
	case "time":
		if d, ok := durations[name]; ok {
			return value{kind: number, n: int64(d)}
		}
	case "":
		if v := r.eval(e.X); v.kind == struc {
			if field, ok := v.fields[e.Sel.Name]; ok {
				return field
			}
		}
		return r.notKnown(e, "which is not written in this file")
	}
	return r.notKnown(e, "a value of another package")
}
