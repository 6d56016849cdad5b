package fromgo

import (
	"go/ast"
	"slices"
	"strings"
)

// describeFunction says what a function that decides about origins does, as far as its text tells, and which items of
// allow_origins it suggests. It is never certain, so that the items are written as comments.
func (w *policyWriter) describeFunction(v value) (what string, suggestions []string) {
	const instead = "Write the origins, a pattern such as https://*.example.com, or an origin source."
	body := bodyOf(v)
	if body == nil {
		return instead, nil
	}
	if w.alwaysTrue(v) {
		return `It allows every origin. The item "*" does that, never with credentials; better list the origins that may call.`, []string{"*"}
	}
	add := func(pattern string) {
		if problems, ok := parsed(pattern); ok && len(problems) == 0 && !slices.Contains(suggestions, pattern) {
			suggestions = append(suggestions, pattern)
		}
	}
	var texts []string
	ast.Inspect(body, func(n ast.Node) bool {
		e, ok := n.(*ast.BasicLit)
		if !ok {
			return true
		}
		literal := w.reader.eval(e)
		if literal.kind != text || literal.text == "" {
			return true
		}
		if !slices.Contains(texts, literal.text) {
			texts = append(texts, literal.text)
		}
		switch host, isSuffix := strings.CutPrefix(literal.text, "."); {
		case strings.Contains(literal.text, "://"):
			add(strings.ToLower(literal.text))
		case isSuffix:
			add("https://*." + host)
		case strings.Contains(host, "."):
			add("https://" + host)
			add("https://*." + host)
		}
		return true
	})
	if len(texts) == 0 {
		return instead, nil
	}
	what = "Its text has " + quotedJoined(texts[:min(len(texts), 5)]) + ". " + instead
	if len(suggestions) > 0 {
		what += " Perhaps these are meant:"
	}
	return what, suggestions
}

// bodyOf returns the body of a function; nil if the file does not have it.
func bodyOf(v value) *ast.BlockStmt {
	switch f := v.body.(type) {
	case *ast.FuncLit:
		return f.Body
	case *ast.FuncDecl:
		return f.Body
	}
	return nil
}

// alwaysTrue reports whether a function only returns true.
func (r *reader) alwaysTrue(v value) bool {
	body := bodyOf(v)
	if body == nil || len(body.List) != 1 {
		return false
	}
	result, ok := body.List[0].(*ast.ReturnStmt)
	if !ok || len(result.Results) == 0 {
		return false
	}
	answer := r.eval(result.Results[0])
	return answer.kind == truth && answer.yes
}
