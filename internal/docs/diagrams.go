package docs

import (
	"path"
	"regexp"
	"strings"
)

// A diagram is an indented block, or a text block, with arrows. It shows functions
// of the sources and the calls between them.
const (
	diagram = "diagram" // the language of an indented block
	arrow   = "─▶"
)

var (
	nameInDiagramRE = regexp.MustCompile(`[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?`)
	// otherNames may occur in a diagram without being declared in the sources.
	otherNames = map[string]bool{"gRPC": true, "Web": true, "grpc.Server": true, "HTTP": true, "YAML": true, "JSON": true}
)

// checkDiagram returns the names in a diagram that the sources do not declare: a
// function or type of a package (rules.Parse), a method (Layer.Wrap), and a name
// on its own that has a capital letter. Other words are not names.
func checkDiagram(t *tree, b block) (problems []problem) {
	sources := t.matching(`^(corsrpc|internal)/.*\.go$`)
	for _, name := range nameInDiagramRE.FindAllString(b.text, -1) {
		first, second, dotted := strings.Cut(name, ".")
		if otherNames[name] || !dotted && strings.ToLower(name) == name {
			continue
		}
		var expression, in string
		switch {
		case !dotted:
			expression = `(?m)^(func (\(\w+ \*?\w+(\[\w+\])?\) )?|type )` + name + `\b`
		case t.isPackage(first):
			expression, in = `(?m)^(func (\(\w+ \*?\w+\) )?|type )`+second+`\b`, first
		default:
			expression = `(?m)^func \(\w+ \*?` + first + `(\[\w+\])?\) ` + second + `\b`
		}
		re, found := regexp.MustCompile(expression), false
		for _, file := range sources {
			if in != "" && path.Base(pathDir(file)) != in || strings.HasSuffix(file, "_test.go") {
				continue
			}
			if found = re.MatchString(t.text(file)); found {
				break
			}
		}
		if !found {
			problems = append(problems, b.problem("the diagram has %s, which the sources do not declare", name))
		}
	}
	return problems
}

// isPackage reports whether a folder of this name holds Go files.
func (t *tree) isPackage(name string) bool {
	return len(t.matching(`^(corsrpc|internal)/(.*/)?`+regexp.QuoteMeta(name)+`/[^/]*\.go$`)) > 0 || name == "corsrpc"
}
