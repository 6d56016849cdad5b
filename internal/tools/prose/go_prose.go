package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// directive matches a comment that a tool reads.
var directive = regexp.MustCompile(`^//[a-z0-9]+(:|$)|^//nolint|^//line `)

// goProse returns the comments of a Go file and, unless it is a test, its string literals.
func goProse(path, source string) ([]block, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	if ast.IsGenerated(file) {
		return nil, nil
	}
	var blocks []block
	for _, group := range file.Comments {
		blocks = append(blocks, paragraphs(commentLines(files, group))...)
	}
	if !quotesSource(path) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.BinaryExpr:
				if n.Op == token.ADD {
					blocks = append(blocks, literalBlocks(files, n)...)
					return false
				}
			case *ast.BasicLit:
				blocks = append(blocks, literalBlocks(files, n)...)
			}
			return true
		})
	}
	return blocks, nil
}

// quotesSource reports whether the strings of a Go file quote source text or input, and not texts
// for users: those of tests, and of the faults that internal/mutate puts into the source.
func quotesSource(path string) bool {
	name := filepath.Base(path)
	return strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "faults_")
}

// commentLines returns the lines of a comment without its marks, up to the output of an example.
func commentLines(files *token.FileSet, group *ast.CommentGroup) []line {
	var lines []line
	for _, comment := range group.List {
		if directive.MatchString(comment.Text) {
			continue
		}
		at := files.Position(comment.Pos())
		if text, ok := strings.CutPrefix(comment.Text, "//"); ok {
			if strings.HasPrefix(text, " Output:") || strings.HasPrefix(text, " Unordered output:") {
				break
			}
			lines = append(lines, line{text, at.Line, at.Column + 2})
			continue
		}
		lines = append(lines, blockCommentLines(comment.Text, at.Line, at.Column)...)
	}
	return lines
}

// literalBlocks returns the prose of a string literal, or of literals that are added up. An operand
// that is not a literal is replaced by "…". The end of a line in an interpreted literal ends a
// block. An empty line and a line of a table end one in a raw literal.
func literalBlocks(files *token.FileSet, expr ast.Expr) []block {
	var b block
	var found []block
	flush := func() {
		if isProse(b.text) {
			found = append(found, b)
		}
		b = block{}
	}
	var add func(ast.Expr)
	add = func(e ast.Expr) {
		at := files.Position(e.Pos())
		switch e := e.(type) {
		case *ast.BinaryExpr:
			add(e.X)
			add(e.Y)
		case *ast.BasicLit:
			if e.Kind != token.STRING {
				return
			}
			text, err := strconv.Unquote(e.Value)
			if err != nil {
				return
			}
			raw := strings.HasPrefix(e.Value, "`")
			for i, l := range strings.Split(text, "\n") {
				separate := !raw || strings.TrimSpace(l) == "" || isTableLine(l)
				if i > 0 && separate {
					flush()
				}
				if raw && i > 0 {
					b.add(l, at.Line+i, 1)
				} else {
					b.add(l, at.Line, at.Column+1)
				}
				if raw && isTableLine(l) {
					flush()
				}
			}
		default:
			b.add("…", at.Line, at.Column)
			ast.Inspect(e, func(n ast.Node) bool {
				if inner, ok := n.(*ast.BasicLit); ok {
					found = append(found, literalBlocks(files, inner)...)
				}
				return true
			})
		}
	}
	add(expr)
	flush()
	return found
}

// isTableLine reports whether a line of a text is one of a table: its columns are separated by bars
// or by spaces.
func isTableLine(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "|") || strings.Contains(text, "   ")
}
