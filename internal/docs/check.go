package docs

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// walkthroughPage is the page whose blocks are steps, one after another, in an
// empty folder.
const walkthroughPage = "corsrpc/docs/getting-started.md"

// commandPage is the page about the program corsrpc, whose blocks are steps too, and the others are those about parts of
// it. withoutGoPage is for teams whose servers are not in Go.
const (
	commandPage     = "corsrpc/docs/command.md"
	policyTestsPage = "corsrpc/docs/policy-tests.md"
	probePage       = "corsrpc/docs/probe.md"
	auditingPage    = "corsrpc/docs/auditing.md"
	comingFromPage  = "corsrpc/docs/coming-from.md"
	exportsPage     = "corsrpc/docs/exports.md"
	withoutGoPage   = "corsrpc/docs/without-go.md"
	gatewayPage     = "corsrpc/docs/gateway.md"
	situationsPage  = "corsrpc/docs/situations.md"
	corsPage        = "corsrpc/docs/cors.md"
)

// usage notes which rows of the tables the pages use, and which figures exist.
type usage struct {
	commands, constants map[string]bool
	figures             map[string]string // values by name
}

// executed are the pages whose blocks are checked by running them.
var executed = []string{walkthroughPage, commandPage, policyTestsPage, probePage, auditingPage, comingFromPage, exportsPage, withoutGoPage, gatewayPage, situationsPage, corsPage}

// checkBlocks checks each code block of a page by its language, but for the executed pages.
func checkBlocks(ctx context.Context, t *tree, p *page, u usage) (problems []problem) {
	if slices.Contains(executed, p.path) || isReference(p.path) {
		return nil
	}
	if test := runBy[p.path]; test != "" {
		if why := t.missingProof(test); why != "" {
			problems = append(problems, problem{p.path, 1, why})
		}
	}
	for i, b := range p.blocks {
		if runBy[p.path] != "" && (b.lang == "sh" || b.lang == "text") {
			continue
		}
		if b.generated != "" && b.generated == generatedBy[p.path] {
			continue // the test that writes the block compares it
		}
		switch b.lang {
		case "": // reported when the page is read
		case "go":
			problems = append(problems, checkGo(ctx, t, b)...)
		case "yaml":
			problems = append(problems, checkYAML(t, p, i)...)
		case "proto":
			problems = append(problems, checkProto(t, b)...)
		case "sh":
			problems = append(problems, checkShell(t, b, shellTable, u.commands)...)
		case diagram:
			problems = append(problems, checkDiagram(t, b)...)
		case "text":
			problems = append(problems, checkText(t, p, i)...)
		case "http":
			problems = append(problems, checkHTTP(b, exchanges, u.commands)...)
		case "json":
			problems = append(problems, checkPieces(t, b, `^examples/.*/editors/.*\.json$`)...)
		case "ts":
			problems = append(problems, checkPieces(t, b, `^examples/.*\.ts$`)...)
		default:
			problems = append(problems, b.problem("no test checks blocks in %q: add a checker to internal/docs", b.lang))
		}
	}
	return problems
}

// isReference reports whether a page is written as a whole by internal/reference, which checks the examples: the text
// is that of the comments in the .proto files, and `make check-generate` compares the page.
func isReference(path string) bool { return strings.HasSuffix(path, "-reference.md") }

// runBy are the pages whose commands a test runs, with the test, which compares their output too.
var runBy = map[string]string{
	"corsrpc/docs/buf.md":       "TestPage in corsrpc/buf-plugin-corsrpc",
	"corsrpc/docs/comparing.md": "TestComparingPage in corsrpc/cmd/internal/cli",
}

// checkText returns a problem unless the block is the error of the policy in the
// block before it, or the findings about it, with which it is compared, or a diagram
// whose names exist.
func checkText(t *tree, p *page, i int) []problem {
	if strings.Contains(p.blocks[i].text, arrow) {
		return checkDiagram(t, p.blocks[i])
	}
	if (strings.HasPrefix(p.blocks[i].text, errorPrefix) || areFindings(p.blocks[i])) && i > 0 && p.blocks[i-1].lang == "yaml" {
		return nil
	}
	return []problem{p.blocks[i].problem("no test compares this text with what a program prints: only %s and %s show what commands print, and other pages the error of the policy in the block before, or the findings about it, or a diagram, with \"─▶\"", walkthroughPage, commandPage)}
}

// checkWords returns a problem if a page has more words than max outside of code
// blocks and comments.
func checkWords(p *page, maxWords int) []problem {
	if p.words > maxWords {
		return []problem{{p.path, 1, fmt.Sprintf("%d words outside of code, of at most %d: move a part to corsrpc/docs", p.words, maxWords)}}
	}
	return nil
}

// figuresOf reads the lines of internal/figures/figures.txt: name, value and
// command, separated by tabs.
func figuresOf(text string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		if columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(columns) == 3 {
			values[columns[0]] = columns[1]
		}
	}
	return values
}

// checkGenerated returns the parts of a page that are marked as written by a
// command without a test that compares them.
func checkGenerated(p *page) (problems []problem) {
	for _, passage := range p.passages {
		if passage.generated != "" && generatedBy[p.path] != passage.generated {
			return []problem{{p.path, passage.line, fmt.Sprintf("the comment says that this part is written by %q, which no test compares: see generatedBy in %s", passage.generated, filepath.Join("internal", "docs", "check.go"))}}
		}
	}
	return nil
}

// generatedBy are the pages that have a part between comment lines, which a
// command writes and a test compares, with the command.
var generatedBy = map[string]string{
	"corsrpc/docs/alternatives.md":        "cd internal/peers/alternatives && go test -run TestTables -update .", // TestTables itself
	"corsrpc/docs/cost.md":                "make bench",                                                          // TestCostPageShowsTheResults in internal/bench/report
	"corsrpc/docs/mounting.md":            "cd internal/routers && go test -run TestMountings -update .",         // TestMountings itself
	"corsrpc/docs/coming-from-go.md":      "cd internal/peers/comingfrom && go test -run TestRows -update .",     // TestRows itself
	"corsrpc/docs/coming-from-servers.md": "cd internal/peers/servers && go test -run TestRows -update .",        // TestRows itself
}
