package editors

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// root is the folder of the repository.
const root = "../.."

// maxText is the maximum size of a text of the corpora. A larger one is not a policy.
const maxText = 100_000

// corpora returns all texts in the repository that may be a policy or a test of one, each as both kinds. These are
// YAML and JSON files, the parts of txtar files, the blocks of documents, the seeds of fuzz targets, the strings of Go
// files, and the policies of internal/vectors.
func corpora(t *testing.T) []text {
	t.Helper()
	var all []text
	add := func(from, format, content string) {
		if len(content) <= maxText {
			for k := range kinds {
				all = append(all, text{k, format, content, from})
			}
		}
	}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && name != root):
			return filepath.SkipDir
		case d.IsDir() || !readable(name):
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		collect(t, strings.TrimPrefix(filepath.ToSlash(name), root+"/"), string(content), add)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	addVectors(t, add)
	return all
}

// addVectors adds the policies of internal/vectors.
func addVectors(t *testing.T, add func(from, format, text string)) {
	t.Helper()
	policies, err := vectors.Policies()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range policies {
		switch format, _ := policyfile.FormatOf(cmp.Or(p.File, "cors.yaml")); format {
		case policyfile.FormatYAML:
			add("vectors/policies/"+p.Name, "yaml", p.Text)
		case policyfile.FormatJSON:
			add("vectors/policies/"+p.Name, "json", p.Text)
		}
	}
	suites, err := vectors.Suites()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suites {
		add("vectors/requests/"+s.File, "yaml", s.Policy)
	}
}

func readable(name string) bool {
	switch filepath.Ext(name) {
	case ".yaml", ".yml", ".json", ".md", ".txt", ".go":
		return true
	}
	return isSeed(name)
}

// isSeed reports whether a file is a seed of a fuzz target.
func isSeed(name string) bool { return strings.Contains(filepath.ToSlash(name), "/testdata/fuzz/") }

var (
	fence     = regexp.MustCompile("(?ms)^ *```(yaml|json)\\n(.*?)^ *```$")
	txtarPart = regexp.MustCompile(`(?m)^-- (\S+)\.(yaml|yml|json) --\n`)
	seedValue = regexp.MustCompile(`(?m)^(?:string|\[\]byte)\((.*)\)$`)
)

// collect adds the texts of a file.
func collect(t *testing.T, name, content string, add func(from, format, text string)) {
	t.Helper()
	switch ext := filepath.Ext(name); {
	case isSeed(name):
		for _, m := range seedValue.FindAllStringSubmatch(content, -1) {
			if s, err := strconv.Unquote(m[1]); err == nil {
				add(name, formatOf(s), s)
			}
		}
	case ext == ".md":
		for _, m := range fence.FindAllStringSubmatch(content, -1) {
			add(name, m[1], m[2])
		}
	case ext == ".txt":
		for i, m := range txtarPart.FindAllStringSubmatchIndex(content, -1) {
			part, _, _ := strings.Cut(content[m[1]:], "\n-- ")
			add(name+" part "+strconv.Itoa(i), strings.Replace(content[m[4]:m[5]], "yml", "yaml", 1), part+"\n")
		}
	case ext == ".go":
		for _, s := range stringsOf(t, name, content) {
			if strings.Contains(s, ":") && strings.ContainsAny(s, "\n{[") {
				add(name, formatOf(s), s)
			}
		}
	default:
		add(name, strings.Replace(ext[1:], "yml", "yaml", 1), content)
	}
}

func formatOf(s string) string {
	if strings.HasPrefix(s, "{\"") {
		return "json"
	}
	return "yaml"
}

// stringsOf returns the string literals of a Go file.
func stringsOf(t *testing.T, name, content string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, content, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				all = append(all, s)
			}
		}
		return true
	})
	return all
}
