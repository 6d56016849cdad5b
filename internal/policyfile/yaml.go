package policyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
)

func (f *File) parseYAML(text []byte, msg proto.Message) {
	if code, pos := scanYAML(text); code != "" {
		f.fail(code, pos, "", scanReasons[code], "")
		return
	}
	if i, name := oddBreak(text); i >= 0 {
		f.fail(CodeSyntax, positionAt(text, i), "", "the line contains "+name+", which ends a line of YAML but not in most editors: replace it by a line break or a space", "")
		return
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := decodeYAML(d, &doc); err != nil {
		if errors.Is(err, io.EOF) {
			f.fail(CodeEmptyFile, Position{}, "", "the file contains only comments", f.example())
			return
		}
		f.yamlError(text, err, msg)
		return
	}
	var next yaml.Node
	switch err := decodeYAML(d, &next); {
	case err == nil:
		f.fail(CodeMultipleDocuments, Position{next.Line, max(next.Column, 1)}, "", "a second document begins here, but a file may contain one {policy} only", "")
		return
	case !errors.Is(err, io.EOF):
		f.yamlError(text, err, msg)
		return
	}
	c := yamlConverter{file: f, text: text}
	root := c.convert(doc.Content[0], 0)
	if c.complexKey || root.kind == stringNode {
		if m, ok := foreignText(text, maxExplained, yamlPatterns); ok {
			f.Problems = nil
			f.reject(text, m)
			return
		}
	}
	f.decode(root, msg)
}

// decodeYAML decodes a document. It returns a panic of the library as an error.
func decodeYAML(d *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	return d.Decode(n)
}

// yamlError reports the error of an invalid text: as explainYAML describes it, or as the library
// does if the text is too large for that.
func (f *File) yamlError(text []byte, err error, msg proto.Message) {
	if f.trial {
		f.fail(CodeSyntax, Position{}, "", err.Error(), "")
		return
	}
	if m, ok := explained(func() (mistake, bool) { return explainYAML(text, msg) }); ok {
		f.reject(text, m)
		return
	}
	f.fail(CodeSyntax, Position{}, "", "is not valid YAML: "+strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), "yaml: "), "")
}

// scanReasons are the messages for the problems that scanYAML finds.
var scanReasons = map[string]string{
	CodeTooDeep: "is nested too deeply for a {policy}",
	CodeAlias:   "is one of more than 1000 aliases, which a {policy} must not contain: write the values out",
}

// scanYAML looks for input that would cost the library much time or memory: deep nesting, since
// the library is recursive, and large numbers of aliases. It does not parse quotes and
// comments, so it also counts what they contain, but no policy contains so much of it.
func scanYAML(text []byte) (code string, at Position) {
	const maxScanDepth, maxAliases = 4 * maxDepth, 1000
	flow, aliases, line := 0, 0, 0
	for rest := range bytes.Lines(text) {
		line++
		dashes := 0
		for i, c := range rest {
			switch here := (Position{line, i + 1}); c {
			case '[', '{':
				if flow++; flow > maxScanDepth {
					return CodeTooDeep, here
				}
			case ']', '}':
				flow = max(flow-1, 0)
			case '-', '?':
				if i+1 < len(rest) && (rest[i+1] == ' ' || rest[i+1] == '\t') {
					if dashes++; dashes > maxScanDepth {
						return CodeTooDeep, here
					}
				}
			case '*':
				if i > 0 && bytes.IndexByte([]byte(" \t[{,"), rest[i-1]) >= 0 && i+1 < len(rest) && rest[i+1] > ' ' {
					if aliases++; aliases > maxAliases {
						return CodeAlias, here
					}
				}
			}
		}
	}
	return "", Position{}
}

// yamlConverter converts the nodes of the library.
type yamlConverter struct {
	file       *File
	text       []byte
	lines      [][]byte // those of text; nil before readAsOneItem needs them
	complexKey bool     // whether a key is not a scalar
}

func (c *yamlConverter) problem(n *yaml.Node, code, reason, fix string) *node {
	return c.unreadable(Problem{Code: code, Pos: Position{n.Line, n.Column}, Value: n.Value, Reason: reason, Fix: fix})
}

// unreadable reports a problem, and returns the node that replaces the value.
func (c *yamlConverter) unreadable(p Problem) *node {
	n := &node{kind: badNode}
	if c.file.add(p); !c.file.full() {
		n.problem = len(c.file.Problems)
	}
	return n
}

func (c *yamlConverter) convert(n *yaml.Node, depth int) *node {
	if depth > maxDepth {
		return c.problem(n, CodeTooDeep, "is nested too deeply for a {policy}", "")
	}
	out := &node{pos: Position{n.Line, n.Column}, text: n.Value}
	switch n.Kind {
	case yaml.AliasNode:
		return c.problem(n, CodeAlias, "is an alias, which a {policy} must not contain: write the value out", "")
	case yaml.SequenceNode:
		out.kind = listNode
		if tag := n.ShortTag(); tag != "!!seq" {
			return c.problem(n, CodeWrongType, "has the tag "+tag+": leave it out", "")
		}
		for i, item := range n.Content {
			out.items = append(out.items, c.convert(item, depth+1))
			n.Content[i] = nil // frees the item, so that no text is in memory twice
		}
	case yaml.MappingNode:
		out.kind, out.flow = mappingNode, n.Style&yaml.FlowStyle != 0
		if tag := n.ShortTag(); tag != "!!map" {
			return c.problem(n, CodeWrongType, "has the tag "+tag+": leave it out", "")
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			switch {
			case key.Kind == yaml.AliasNode || key.ShortTag() == "!!merge":
				c.problem(key, CodeAlias, "merges another mapping, which a {policy} must not do: write the fields out", "")
			case key.Kind != yaml.ScalarNode:
				c.complexKey = true
				c.problem(key, CodeWrongType, "is not a field name: a key must be a string", "")
			default:
				out.pairs = append(out.pairs, pair{key.Value, Position{key.Line, key.Column}, c.convert(n.Content[i+1], depth+1)})
			}
		}
	default:
		switch tag := n.ShortTag(); tag {
		case "!!str", "!!timestamp":
			out.kind = stringNode
			if c.file.trial && n.Style == 0 && c.overLines(n) {
				c.problem(n, CodeSyntax, "goes on in the next line", "")
			}
			if n.Style == 0 && strings.Contains(n.Value, " - ") {
				if item := c.readAsOneItem(n); item != nil {
					return item
				}
			}
		case "!!null":
			out.kind = nullNode
		case "!!int", "!!float":
			out.kind = numberNode
		case "!!bool":
			out.kind = boolNode
		default:
			return c.problem(n, CodeWrongType, "has the tag "+tag+": leave it out", "")
		}
	}
	return out
}

// readAsOneItem reports an unquoted value that contains the next item of its list, since that item is indented more.
// It returns the node that replaces the value; nil if the value is something else.
func (c *yamlConverter) readAsOneItem(n *yaml.Node) *node {
	line := c.line(n.Line + 1)
	body := bytes.TrimLeft(line, " ")
	if !bytes.HasPrefix(body, []byte("- ")) {
		return nil
	}
	return c.unreadable(Problem{Code: CodeWrongType, Pos: Position{n.Line + 1, len(line) - len(body) + 1}, Value: string(bytes.TrimSpace(body)),
		Reason: "is read as a part of the item above it, since it is indented more", Fix: "its dash below the other dashes"})
}

// overLines reports whether an unquoted value goes on in the next line. It is seldom meant, and
// a text with a mistake often has one.
func (c *yamlConverter) overLines(n *yaml.Node) bool {
	return !bytes.Contains(c.line(n.Line), []byte(n.Value))
}

// line returns a line of the text; nil if there is none.
func (c *yamlConverter) line(number int) []byte {
	if c.lines == nil {
		c.lines = bytes.Split(c.text, []byte("\n"))
	}
	if number < 1 || number > len(c.lines) {
		return nil
	}
	return c.lines[number-1]
}
