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
					blocks = append(blocks, literalBlock(files, n)...)
					return false
				}
			case *ast.BasicLit:
				blocks = append(blocks, literalBlock(files, n)...)
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

// literalBlock returns the text of a string literal, or of literals that are added up, as a block,
// and no block if it is not prose. An operand that is not a literal stands in the text as "…".
func literalBlock(files *token.FileSet, expr ast.Expr) []block {
	var b block
	var found []block // literals within operands that are calls
	var add func(ast.Expr)
	add = func(e ast.Expr) {
		switch e := e.(type) {
		case *ast.BinaryExpr:
			add(e.X)
			add(e.Y)
		case *ast.BasicLit:
			if e.Kind != token.STRING {
				return
			}
			at := files.Position(e.Pos())
			text, err := strconv.Unquote(e.Value)
			if err != nil {
				return
			}
			if strings.HasPrefix(e.Value, "`") || !strings.Contains(text, "\n") {
				for i, l := range strings.Split(text, "\n") {
					column := 1
					if i == 0 {
						column = at.Column + 1
					}
					b.add(l, at.Line+i, column)
				}
				return
			}
			b.add(strings.ReplaceAll(text, "\n", " "), at.Line, at.Column+1)
		default:
			at := files.Position(e.Pos())
			b.add("…", at.Line, at.Column)
			ast.Inspect(e, func(n ast.Node) bool {
				if inner, ok := n.(*ast.BasicLit); ok {
					found = append(found, literalBlock(files, inner)...)
				}
				return true
			})
		}
	}
	add(expr)
	if isProse(b.text) {
		found = append(found, b)
	}
	return found
}
