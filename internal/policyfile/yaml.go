package policyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
)

func (f *File) parseYAML(text []byte, msg proto.Message) {
	if pos, ok := tooDeepYAML(text); ok {
		f.fail(CodeTooDeep, pos, "", "is nested deeper than any policy is", "")
		return
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := decodeYAML(d, &doc); err != nil {
		if errors.Is(err, io.EOF) {
			f.fail(CodeEmptyFile, Position{}, "", "the file holds comments only", "defaults: with allow_origins")
			return
		}
		f.yamlError(err)
		return
	}
	var next yaml.Node
	switch err := decodeYAML(d, &next); {
	case err == nil:
		f.fail(CodeMultipleDocuments, Position{next.Line, max(next.Column, 1)}, "", "a second document begins here, and a file holds one policy", "")
		return
	case !errors.Is(err, io.EOF):
		f.yamlError(err)
		return
	}
	c := yamlConverter{file: f}
	root := c.convert(doc.Content[0], 0)
	f.decode(root, msg)
}

// decodeYAML turns a panic of the library into an error.
func decodeYAML(d *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	return d.Decode(n)
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func (f *File) yamlError(err error) {
	m := yamlLine.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n", " "))
	if m == nil {
		f.fail(CodeSyntax, Position{}, "", "is no YAML: "+err.Error(), "")
		return
	}
	var pos Position
	if line, err := strconv.Atoi(m[1]); err == nil {
		pos = Position{line, 1}
	}
	f.fail(CodeSyntax, pos, "", "is no YAML: "+m[2], "")
}

// tooDeepYAML looks for nesting that no policy has before the library, which
// recurses, sees the text. It errs on the side of the text: brackets in
// quotes and comments are not told apart, but a line of them is no policy.
func tooDeepYAML(text []byte) (Position, bool) {
	const most = 4 * maxDepth
	flow := 0
	for n, line := 1, 0; line < len(text); n++ {
		end := bytes.IndexByte(text[line:], '\n')
		if end < 0 {
			end = len(text) - line
		}
		dashes := 0
		rest := text[line : line+end]
		for i := 0; i < len(rest); i++ {
			switch rest[i] {
			case '[', '{':
				if flow++; flow > most {
					return Position{n, i + 1}, true
				}
			case ']', '}':
				flow = max(flow-1, 0)
			case '-', '?':
				if i+1 < len(rest) && (rest[i+1] == ' ' || rest[i+1] == '\t') {
					if dashes++; dashes > most {
						return Position{n, i + 1}, true
					}
				}
			}
		}
		line += end + 1
	}
	return Position{}, false
}

// yamlConverter makes nodes of the library's.
type yamlConverter struct{ file *File }

func (c *yamlConverter) problem(n *yaml.Node, code, reason, fix string) *node {
	c.file.Problems = append(c.file.Problems, Problem{Code: code, Pos: Position{n.Line, n.Column}, Value: shorten(n.Value), Reason: reason, Fix: fix})
	return &node{kind: badNode, pos: Position{n.Line, n.Column}}
}

func (c *yamlConverter) convert(n *yaml.Node, depth int) *node {
	if depth > maxDepth {
		return c.problem(n, CodeTooDeep, "is nested deeper than any policy is", "")
	}
	out := &node{pos: Position{n.Line, n.Column}, text: n.Value}
	switch n.Kind {
	case yaml.AliasNode:
		return c.problem(n, CodeAlias, "is an alias, and a policy says each value where it holds: write the value out", "")
	case yaml.SequenceNode:
		out.kind = listNode
		if tag := n.ShortTag(); tag != "!!seq" {
			return c.problem(n, CodeWrongType, "has the tag "+tag+": leave it out", "")
		}
		for _, item := range n.Content {
			out.items = append(out.items, c.convert(item, depth+1))
		}
	case yaml.MappingNode:
		out.kind = mappingNode
		if tag := n.ShortTag(); tag != "!!map" {
			return c.problem(n, CodeWrongType, "has the tag "+tag+": leave it out", "")
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			switch {
			case key.Kind == yaml.AliasNode || key.ShortTag() == "!!merge":
				c.problem(key, CodeAlias, "merges another mapping, and a policy says each value where it holds: write the fields out", "")
			case key.Kind != yaml.ScalarNode:
				c.problem(key, CodeWrongType, "the key is no name", "")
			default:
				out.pairs = append(out.pairs, pair{key.Value, Position{key.Line, key.Column}, c.convert(n.Content[i+1], depth+1)})
			}
		}
	default:
		switch tag := n.ShortTag(); tag {
		case "!!str", "!!timestamp":
			out.kind = stringNode
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
