package docs

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// page is a parsed Markdown document.
type page struct {
	path     string // from the root of the repository, with slashes
	blocks   []block
	links    []link
	anchors  map[string]bool // GitHub's names of the headings
	passages []passage
	words    int // outside of code blocks and comments
	problems []problem
}

// block is a fenced code block.
type block struct {
	page   string
	line   int // of the first line of code
	lang   string
	text   string
	marker string // the comment on the line before it, without <!-- and -->

	generated string // the command that writes this part of the page, or ""
}

// link is the destination of a link or an image.
type link struct {
	line int
	to   string
}

// passage is a paragraph, a heading, a list item or a table cell.
type passage struct {
	line      int
	text      string // code spans are left out, unless they are a number with its unit
	code      []string
	figures   []string // the names in its comments, or in those of its row or table
	generated string   // the command that writes this part of the page, or ""
}

// problem is a false or unproven statement of a page.
type problem struct {
	page string
	line int
	text string
}

func (p problem) String() string { return fmt.Sprintf("%s:%d: %s", p.page, p.line, p.text) }

func (b block) problem(format string, args ...any) problem {
	return problem{b.page, b.line, fmt.Sprintf(format, args...)}
}

var (
	markdown  = goldmark.New(goldmark.WithExtensions(extension.GFM))
	figureRE  = regexp.MustCompile(`^figure: *(.+)$`)
	writtenRE = regexp.MustCompile(`is written by (.+)$`)
	endRE     = regexp.MustCompile(`^end of the `)
	amountRE  = regexp.MustCompile(`^` + number + `[ \x{a0}-]?` + units + `$`)
)

// parse reads a page as GitHub does.
func parse(name string, source []byte) *page {
	r := &reader{page: &page{path: name, anchors: map[string]bool{}}, source: source}
	root := markdown.Parser().Parse(text.NewReader(source))
	r.children(root, nil)
	return r.page
}

// reader collects the parts of a page.
type reader struct {
	*page
	source    []byte
	generated string
}

func (r *reader) line(offset int) int { return 1 + bytes.Count(r.source[:offset], []byte("\n")) }

// lineOf returns the line on which a node, or the first of its descendants that
// has a position, begins.
func (r *reader) lineOf(n ast.Node) int {
	line := 1
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if offset := n.Pos(); entering && offset >= 0 {
			line = r.line(offset)
			return ast.WalkStop, nil
		}
		return ast.WalkContinue, nil
	})
	return line
}

func (r *reader) fail(n ast.Node, format string, args ...any) {
	r.problems = append(r.problems, problem{r.path, r.lineOf(n), fmt.Sprintf(format, args...)})
}

// children reads the blocks below a node. The figures are those that comments
// after an enclosing block name.
func (r *reader) children(parent ast.Node, figures []string) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		with := figures
		if next := n.NextSibling(); next != nil {
			with = append(with[:len(with):len(with)], namesOf(r.comment(next))...)
		}
		r.block(n, with)
	}
}

func (r *reader) block(n ast.Node, figures []string) {
	switch n := n.(type) {
	case *ast.FencedCodeBlock:
		r.code(n)
	case *ast.CodeBlock:
		b := block{page: r.path, line: r.lineOf(n), lang: diagram, text: string(n.Lines().Value(r.source))}
		if !strings.Contains(b.text, arrow) {
			r.problems = append(r.problems, b.problem("an indented code block has no language, and is not a diagram: put it between lines of ```"))
			return
		}
		r.blocks = append(r.blocks, b)
	case *ast.HTMLBlock:
		comment := r.comment(n)
		if comment == "" {
			r.fail(n, "HTML: write Markdown, or a comment in a paragraph of its own, since nothing else is checked")
		}
		if m := writtenRE.FindStringSubmatch(comment); m != nil {
			r.generated = m[1]
		} else if endRE.MatchString(comment) {
			r.generated = ""
		}
	case *east.TableRow, *east.TableHeader:
		r.row(n, figures)
	case *ast.Heading:
		r.anchor(n)
		r.passage(n, figures)
	case *ast.Paragraph, *ast.TextBlock:
		r.passage(n, figures)
	default:
		r.children(n, figures)
	}
}

// row reads the cells of a row; each may have the figures that comments of the
// others name.
func (r *reader) row(n ast.Node, figures []string) {
	first := len(r.passages)
	for cell := n.FirstChild(); cell != nil; cell = cell.NextSibling() {
		r.passage(cell, figures)
	}
	cells := r.passages[first:]
	all := figures
	for _, cell := range cells {
		all = append(all[:len(all):len(all)], cell.figures[len(figures):]...)
	}
	for i := range cells {
		cells[i].figures = all
	}
}

// code reads a fenced block.
func (r *reader) code(n *ast.FencedCodeBlock) {
	b := block{page: r.path, lang: string(n.Language(r.source)), text: string(n.Lines().Value(r.source)), generated: r.generated}
	b.line = r.lineOf(n)
	if n.Lines().Len() > 0 {
		b.line = r.line(n.Lines().At(0).Start)
	}
	if previous := n.PreviousSibling(); previous != nil {
		b.marker = r.comment(previous)
	}
	if b.lang == "" {
		r.problems = append(r.problems, b.problem("a code block without a language: write it after ```"))
	}
	r.blocks = append(r.blocks, b)
}

// comment returns the text of a block that is an HTML comment, or "".
func (r *reader) comment(n ast.Node) string {
	html, ok := n.(*ast.HTMLBlock)
	if !ok {
		return ""
	}
	all := string(html.Lines().Value(r.source))
	if html.HasClosure() {
		all += string(html.ClosureLine.Value(r.source))
	}
	return inComment(all)
}

func inComment(html string) string {
	inner, begins := strings.CutPrefix(strings.TrimSpace(html), "<!--")
	inner, ends := strings.CutSuffix(inner, "-->")
	if !begins || !ends || strings.Contains(inner, "-->") {
		return ""
	}
	return strings.TrimSpace(inner)
}

// namesOf returns the figures that a comment names.
func namesOf(comment string) (names []string) {
	m := figureRE.FindStringSubmatch(comment)
	if m == nil {
		return nil
	}
	for name := range strings.SplitSeq(m[1], ",") {
		names = append(names, strings.TrimSpace(name))
	}
	return names
}

// anchor records the anchor that GitHub gives to a heading.
func (r *reader) anchor(n *ast.Heading) {
	slug := slugOf(r.plain(n))
	name := slug
	for i := 1; r.anchors[name]; i++ {
		name = fmt.Sprintf("%s-%d", slug, i)
	}
	r.anchors[name] = true
}

// slugOf returns GitHub's name of a heading: lower case, hyphens for spaces, no
// punctuation.
func slugOf(heading string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(strings.TrimSpace(heading)) {
		switch {
		case c == ' ':
			b.WriteByte('-')
		case c == '-' || c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c):
			b.WriteRune(c)
		}
	}
	return b.String()
}

// plain returns the text of a node, code spans included.
func (r *reader) plain(n ast.Node) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Value(r.source))
			if t.SoftLineBreak() || t.HardLineBreak() {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// passage reads the text, the code spans, the links and the comments of a
// paragraph, a heading or a cell.
func (r *reader) passage(n ast.Node, figures []string) {
	p := passage{line: r.lineOf(n), figures: figures[:len(figures):len(figures)], generated: r.generated}
	var prose strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			prose.Write(n.Value(r.source))
			if n.SoftLineBreak() || n.HardLineBreak() {
				prose.WriteByte(' ')
			}
		case *ast.String:
			prose.Write(n.Value)
		case *ast.CodeSpan:
			span := r.plain(n)
			p.code = append(p.code, span)
			r.words += len(strings.Fields(span))
			if amountRE.MatchString(span) {
				prose.WriteString(span)
			} else {
				prose.WriteString(" … ")
			}
			return ast.WalkSkipChildren, nil
		case *ast.Link:
			r.links = append(r.links, link{r.lineOf(n), string(n.Destination)})
		case *ast.Image:
			r.links = append(r.links, link{r.lineOf(n), string(n.Destination)})
		case *ast.AutoLink:
			r.links = append(r.links, link{p.line, string(n.URL(r.source))})
			r.words++
		case *ast.RawHTML:
			comment := inComment(string(n.Segments.Value(r.source)))
			if comment == "" {
				r.problems = append(r.problems, problem{r.path, p.line, "HTML: write Markdown, since nothing else is checked"})
			}
			p.figures = append(p.figures, namesOf(comment)...)
		}
		return ast.WalkContinue, nil
	})
	p.text = strings.Join(strings.Fields(prose.String()), " ")
	r.words += len(strings.Fields(strings.ReplaceAll(p.text, "…", " ")))
	r.passages = append(r.passages, p)
}

// beside returns the path, from the root, of a path that is relative to the
// page.
func (p *page) beside(relative string) string { return path.Join(path.Dir(p.path), relative) }
