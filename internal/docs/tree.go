package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// tree is the repository's work tree: the files that git tracks or would add.
type tree struct {
	root  string
	names []string // relative to the root, with slashes, sorted
	files map[string]bool
	dirs  map[string]bool

	mu      sync.Mutex
	texts   map[string]string
	testsOf map[string][]string // by file
}

// openTree lists the files of the work tree at root.
func openTree(ctx context.Context, root string) (*tree, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, "git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	t := &tree{root: root, files: map[string]bool{}, dirs: map[string]bool{".": true}, texts: map[string]string{}}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if info, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil || info.IsDir() {
			continue // deleted, and not yet in the index
		}
		t.add(name)
	}
	slices.Sort(t.names)
	t.names = slices.Compact(t.names)
	return t, nil
}

func (t *tree) add(name string) {
	t.names = append(t.names, name)
	t.files[name] = true
	for i := len(name) - 1; i > 0; i-- {
		if name[i] == '/' {
			t.dirs[name[:i]] = true
		}
	}
}

// text returns the content of a file, or "" if there is none.
func (t *tree) text(name string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text, known := t.texts[name]
	if !known && t.files[name] {
		content, _ := os.ReadFile(filepath.Join(t.root, filepath.FromSlash(name)))
		text = string(content)
		t.texts[name] = text
	}
	return text
}

// matching returns the names of the files whose path matches the expression.
func (t *tree) matching(expression string) (names []string) {
	re := regexp.MustCompile(expression)
	for _, name := range t.names {
		if re.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}

// checkedPages matches the pages that every check reads. The links of all other
// Markdown files are checked as well.
const checkedPages = `^(README|CONTRIBUTING|SECURITY|examples/README|corsrpc/docs/[^/]+)\.md$`

// pages parses the files whose path matches.
func (t *tree) pages(expression string) (pages []*page) {
	for _, name := range t.matching(expression) {
		pages = append(pages, parse(name, []byte(t.text(name))))
	}
	return pages
}

// targets returns the targets of the Makefile.
func (t *tree) targets() map[string]bool {
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`).FindAllStringSubmatch(t.text("Makefile"), -1) {
		targets[m[1]] = true
	}
	return targets
}

var testRE = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)\w*)\(`)

// tests returns the names of the tests, fuzz targets, benchmarks and examples
// in a folder, and below it if deep.
func (t *tree) tests(folder string, deep bool) (names []string) {
	for _, file := range t.names {
		dir := pathDir(file)
		in := dir == folder || deep && (folder == "." || strings.HasPrefix(dir, folder+"/"))
		if !in || !strings.HasSuffix(file, "_test.go") {
			continue
		}
		names = append(names, t.testsIn(file)...)
	}
	return names
}

func (t *tree) testsIn(file string) []string {
	text := t.text(file)
	t.mu.Lock()
	defer t.mu.Unlock()
	names, known := t.testsOf[file]
	if !known {
		for _, m := range testRE.FindAllStringSubmatch(text, -1) {
			names = append(names, m[1])
		}
		if t.testsOf == nil {
			t.testsOf = map[string][]string{}
		}
		t.testsOf[file] = names
	}
	return names
}

func pathDir(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return "."
}
