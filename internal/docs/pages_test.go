package docs

import (
	"regexp"
	"strings"
	"testing"
)

// withNumbers matches the pages whose numbers have to have a source.
var withNumbers = regexp.MustCompile(`^(README|SECURITY|examples/README|corsrpc/docs/[^/]+)\.md$`)

// maxReadmeWords bounds README.md, outside of code.
const maxReadmeWords = 1000

func repository(t *testing.T) *tree {
	t.Helper()
	tree, err := openTree(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func report(t *testing.T, problems []problem) {
	t.Helper()
	for _, p := range problems {
		t.Error(p)
	}
}

// TestPages: every block, link, number and command of the documents is true.
func TestPages(t *testing.T) {
	t.Parallel()
	tree := repository(t)
	u := usage{commands: map[string]bool{}, constants: map[string]bool{}, figures: figuresOf(tree.text("internal/figures/figures.txt"))}
	pages := tree.pages(checkedPages)
	for _, p := range pages {
		report(t, p.problems)
		report(t, checkBlocks(t.Context(), tree, p, u))
		report(t, checkCode(tree, p))
		report(t, checkVersions(tree, p))
		report(t, checkBrowserVersions(p, u.figures))
		report(t, checkGenerated(p))
		if withNumbers.MatchString(p.path) && !isReference(p.path) {
			report(t, checkNumbers(tree, p, u.figures, constants, u.constants))
		}
		if p.path == "README.md" {
			report(t, checkWords(p, maxReadmeWords))
		}
	}
	report(t, checkShellTable(tree, shellTable, u.commands))
	report(t, checkConstants(tree, constants, u.constants))
	for _, e := range exchanges {
		if !u.commands["http "+e.page] {
			t.Errorf("%s has no block that shows the answer of its row in the table of exchanges: delete the row", e.page)
		}
	}
	if len(pages) < 14 {
		t.Errorf("%d pages", len(pages))
	}
}

// TestLinks: every link of every Markdown file resolves, and every page that a
// comment in the sources names exists.
func TestLinks(t *testing.T) {
	t.Parallel()
	tree := repository(t)
	links := 0
	for _, p := range tree.pages(`\.md$`) {
		links += len(p.links)
		report(t, checkLinks(tree, p))
	}
	if links < 50 {
		t.Errorf("%d links", links)
	}
	for _, file := range tree.matching(`(\.(go|proto|sh|yaml)|Makefile)$`) {
		if pathDir(file) != "internal/docs" { // which has made-up names
			report(t, checkMentions(tree, file))
		}
	}
}

// TestClientVersions: the page about clients has the versions of the browser
// tests.
func TestClientVersions(t *testing.T) {
	t.Parallel()
	tree := repository(t)
	report(t, checkClientVersions(tree))
	tree.texts[clientsPage] = strings.Replace(tree.text(clientsPage), "| grpc-web ", "| grpc-web 1.", 1)
	if problems := checkClientVersions(tree); len(problems) != 1 || !strings.Contains(problems[0].text, "grpc-web") {
		t.Errorf("another version: %v", problems)
	}
}
