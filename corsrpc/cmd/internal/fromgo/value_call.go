package fromgo

import (
	"go/ast"
	"slices"
	"strconv"
	"strings"
	"time"
)

// protocolLists are the functions of connectrpc.com/cors, and what they return in version 0.1.0.
var protocolLists = map[string][]string{
	"AllowedMethods": {"GET", "POST"},
	"AllowedHeaders": {"Content-Type", "Connect-Protocol-Version", "Connect-Timeout-Ms", "Grpc-Timeout", "X-Grpc-Web", "X-User-Agent"},
	"ExposedHeaders": {"Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin"},
}

func (r *reader) evalCall(e *ast.CallExpr) value {
	if id, ok := ast.Unparen(e.Fun).(*ast.Ident); ok && declarationOf(id) == nil {
		switch id.Name {
		case "append":
			return r.evalConcatenation(e, true)
		case "int", "int32", "int64", "string":
			if len(e.Args) == 1 {
				return r.eval(e.Args[0])
			}
		}
	}
	if id, ok := ast.Unparen(e.Fun).(*ast.Ident); ok {
		if declared, ok := declarationOf(id).(*ast.FuncDecl); ok {
			return r.evalResult(e, declared)
		}
	}
	if slice, ok := e.Fun.(*ast.ArrayType); ok && slice.Len == nil && len(e.Args) == 1 { // a conversion
		return r.eval(e.Args[0])
	}
	imported, name := r.imported(e.Fun)
	switch imported + " " + name {
	case "os Getenv":
		if len(e.Args) == 1 {
			if v := r.eval(e.Args[0]); v.kind == text && isVariableName(v.text) {
				return value{kind: variable, text: v.text}
			}
		}
	case "strings Split":
		if len(e.Args) == 2 {
			v, separator := r.eval(e.Args[0]), r.eval(e.Args[1])
			switch {
			case v.kind == variable && separator.kind == text && separator.text == ",":
				v.kind = split
				return v
			case v.kind == text && separator.kind == text && separator.text != "":
				parts := value{kind: list}
				for part := range strings.SplitSeq(v.text, separator.text) {
					parts.items = append(parts.items, value{kind: text, text: part, pos: e.Pos()})
				}
				return parts
			}
		}
	case "strings TrimSpace":
		if len(e.Args) == 1 {
			if v := r.eval(e.Args[0]); v.kind == text {
				v.text = strings.TrimSpace(v.text)
				return v
			}
		}
	case "cmp Or":
		if len(e.Args) == 2 {
			v, fallback := r.eval(e.Args[0]), r.eval(e.Args[1])
			if v.kind == variable && v.extra == "" && isFallback(fallback) {
				v.extra = fallback.text
				return v
			}
		}
	case "slices Concat":
		return r.evalConcatenation(e, false)
	case "time Duration":
		if len(e.Args) == 1 {
			return r.eval(e.Args[0])
		}
	case ginCORS + " DefaultConfig":
		r.used[e] = true
		return ginDefaults(e.Pos())
	}
	switch {
	case imported == connects && protocolLists[name] != nil && len(e.Args) == 0:
		v := value{kind: list}
		for _, item := range protocolLists[name] {
			v.items = append(v.items, value{kind: text, text: item, pos: e.Pos()})
		}
		return v
	case imported == gorilla && gorillaOptions[name]:
		v := value{kind: option, text: name}
		for _, argument := range e.Args {
			v.items = append(v.items, r.eval(argument))
		}
		return v
	case imported == "":
		if selector, ok := e.Fun.(*ast.SelectorExpr); ok && selector.Sel.Name == "Seconds" && len(e.Args) == 0 {
			if v := r.eval(selector.X); v.kind == number {
				v.n /= int64(time.Second)
				return v
			}
		}
	}
	return r.notKnown(e, "the result of a call")
}

// evalConcatenation evaluates append and slices.Concat.
func (r *reader) evalConcatenation(e *ast.CallExpr, isAppend bool) value {
	v := value{kind: list}
	for i, argument := range e.Args {
		part := r.eval(argument)
		isList := !isAppend || i == 0 || e.Ellipsis.IsValid() && i == len(e.Args)-1
		switch {
		case !isList:
			v.items = append(v.items, part)
		case part.kind == list:
			v.items = append(v.items, part.items...)
		case part.kind == nothing:
		case part.kind == split:
			v.items = append(v.items, part)
		default:
			v.items = append(v.items, r.notKnown(argument, "a list that is not written in this file"))
		}
		if len(v.items) > maxItems {
			return r.notKnown(e, "which is too long")
		}
	}
	return v
}

// evalResult evaluates a call of a function of the file that has no parameters and only returns a value.
func (r *reader) evalResult(e *ast.CallExpr, f *ast.FuncDecl) value {
	if len(e.Args) > 0 || f.Body == nil || len(f.Body.List) == 0 {
		return r.notKnown(e, "the result of a call with arguments")
	}
	result, ok := f.Body.List[len(f.Body.List)-1].(*ast.ReturnStmt)
	returns := 0
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.ReturnStmt:
			returns++
		case *ast.DeferStmt: // it may change a result that has a name
			ok = ok && !hasNamedResults(f.Type)
		case *ast.FuncLit:
			return false
		}
		return true
	})
	if !ok || returns != 1 || len(result.Results) != 1 {
		return r.notKnown(e, "the result of a call")
	}
	return r.eval(result.Results[0])
}

// hasNamedResults reports whether the results of a function have names.
func hasNamedResults(f *ast.FuncType) bool {
	return f.Results != nil && slices.ContainsFunc(f.Results.List, func(result *ast.Field) bool { return len(result.Names) > 0 })
}

// isVariableName reports whether a policy can have ${NAME}.
func isVariableName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// isFallback reports whether a value can stand after ${NAME:-.
func isFallback(v value) bool {
	return v.kind == text && v.text != "" && v.text != "*" && !strings.ContainsAny(v.text, "{}$") && strconv.Quote(v.text) == `"`+v.text+`"`
}
