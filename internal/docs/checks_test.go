package docs

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
)

// madeUp returns a tree of files that exist in memory only.
func madeUp(files map[string]string) *tree {
	t := &tree{root: "/nowhere", files: map[string]bool{}, dirs: map[string]bool{".": true}, texts: files}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		t.add(name)
	}
	return t
}

// smallTree is a repository with a little of everything that pages refer to.
func smallTree() *tree {
	return madeUp(map[string]string{
		"Makefile":                          "test:\n\ngo-things: x\n",
		"LICENSE":                           "",
		"examples/a/main.go":                "package main\n\nfunc main() {\n\tif true {\n\t\trun()\n\t\tstop()\n\t}\n}\n\nfunc run() {}\n",
		"examples/a/cors.yaml":              "defaults:\n  allow_origins: [https://app.example.com]\n",
		"examples/a/page.ts":                "const page = 1;\n",
		"examples/go.mod":                   "module m\n\ngo 1.26.0\n",
		"examples/a/editors/settings.json":  "{\n  \"a\": 1\n}\n",
		"corsrpc/a_test.go":                 "package corsrpc\n\nfunc TestOne(t *testing.T) {}\n",
		"corsrpc/reason.go":                 "package corsrpc\n\nconst r = \"ORIGIN_MISSING\"\n\ntype Plan struct{}\n\nfunc Load() {}\n\nfunc (l *Layer) Wrap() {}\n",
		"corsrpc/testdata/face/corsrpc.txt": "func Load(name string)\nfunc (*Layer) Wrap(h)\nfunc (*Plan) Decide(r)\n",
		"corsrpc/docs/other.md":             "# Other page\n\n## A `code` heading, with (signs)\n\n## Twice\n\n## Twice\n",
		"internal/bench/RESULTS.md":         "| 182 (1) | 1.27 |\n",
		"internal/tools/setup.sh":           "node_needed=20\n",
		scratchScript:                       "\npage=" + scratchPage + "\nblock buf.yaml >x\nblock a.proto >x\n",
		"internal/vectors/testdata/requests/everyone.yaml": "",
	})
}

// allProblems runs every check on one page.
func allProblems(ctx context.Context, t *tree, p *page) []problem {
	u := usage{commands: map[string]bool{}, constants: map[string]bool{}}
	figures := map[string]string{"cells": "1,164", "row": "41 bytes", "million": "1,000,000", "ten": "10", "late": "0.1 ms", "same": "1,164", "browser.chromium": "156", "browser.webkit": "2.50"}
	constants := []constant{{"7200 s", "corsrpc/a_test.go", "TestOne", ""}, {"64 names", "corsrpc/a_test.go", "TestOne", "corsrpc/docs/other.md"}}
	problems := p.problems
	for _, more := range [][]problem{
		checkBlocks(ctx, t, p, u), checkCode(t, p), checkVersions(t, p), checkBrowserVersions(p, figures), checkGenerated(p), checkLinks(t, p),
		checkNumbers(t, p, figures, constants, u.constants), checkWords(p, 40),
	} {
		problems = append(problems, more...)
	}
	return problems
}

// TestChecks: each check finds what is wrong with a made-up page, and passes one
// that is right.
func TestChecks(t *testing.T) {
	t.Parallel()
	fence := func(lang, text string) string { return "```" + lang + "\n" + text + "\n```\n" }
	policy := "defaults:\n  allow_origins: [https://app.example.com]"
	for _, c := range []struct {
		name, page string // the page's path is corsrpc/docs/page.md, unless at is set
		want       string // the only problem has this in it; none if empty
		at         string
	}{
		{name: "a block without a language", page: fence("", "x"), want: "without a language"},
		{name: "an indented block", page: "Text:\n\n    make test\n", want: "indented code block"},
		{name: "an unknown language", page: fence("mermaid", "x"), want: `no test checks blocks in "mermaid"`},
		{name: "a block that a test writes", at: "corsrpc/docs/coming-from-servers.md", page: "<!-- this part is written by " + generatedBy["corsrpc/docs/coming-from-servers.md"] + " -->\n\n" + fence("php", "exit;") + "\n<!-- end of the part -->\n"},
		{name: "a block after the part that a test writes", at: "corsrpc/docs/coming-from-servers.md", page: "<!-- this part is written by " + generatedBy["corsrpc/docs/coming-from-servers.md"] + " -->\n\n<!-- end of the part -->\n\n" + fence("php", "exit;"), want: `no test checks blocks in "php"`},
		{name: "HTML", page: "<b>x</b>\n", want: "HTML"},
		{name: "an HTML block", page: "<table>\n</table>\n", want: "HTML"},
		{name: "a comment", page: "<!-- x -->\n\nText. <!-- y -->\n"},

		{name: "Go pieces", page: fence("go", "func main() {\n\t// ...\n}"), want: ""},
		{name: "Go pieces of another indentation", page: fence("go", "run()\nstop()")},
		{name: "Go pieces with their own indentation", page: fence("go", "\tif true {\n\t\trun()\n\t\tstop()\n\t}")},
		{name: "Go with a line that is nowhere", page: fence("go", "if true {\n\trun()\n\tgo()\n}"), want: `has the piece "if true {\n\trun()\n\tgo()\n}": the nearest is examples/a/main.go, with 2 lines`},
		{name: "Go with a line left out", page: fence("go", "if true {\n\tstop()\n}"), want: "no file that a test compiles"},
		{name: "Go with a wrong indentation", page: fence("go", "if true {\nrun()"), want: "no file that a test compiles"},
		{name: "TypeScript", page: fence("ts", "const page = 1;")},
		{name: "TypeScript that is nowhere", page: fence("ts", "const page = 2;"), want: "no file that a test compiles"},

		{name: "JSON", page: fence("json", "{\n  \"a\": 1\n}")},
		{name: "JSON that is nowhere", page: fence("json", "{\n  \"a\": 2\n}"), want: "no file that a test"},

		{name: "a policy", page: fence("yaml", policy)},
		{name: "a policy that does not load", page: fence("yaml", "defaults:\n  allow_origin: x"), want: "does not load"},
		{name: "a policy with a wrong profile", page: fence("yaml", policy+"\nprofiles:\n  dev:\n    add_origins: [HTTP://localhost]"), want: "does not load"},
		{name: "an unknown service", page: fence("yaml", "rules:\n  - selector: acme.catalog.v1.Nothing\n    disabled: true"), want: "selects nothing"},
		{name: "a source", page: fence("yaml", "defaults:\n  allow_origins_from: [tenants]")},
		{name: "a variable with a fallback", page: fence("yaml", "defaults:\n  allow_origins: [\"${A:-https://a.example.com}\"]")},
		{name: "a variable with a wrong fallback", page: fence("yaml", "defaults:\n  allow_origins: [\"${A:-nothing}\"]"), want: "does not load"},
		{name: "a variable without a fallback", page: fence("yaml", "defaults:\n  allow_origins: [\"${A}\"]")},
		{name: "a refused policy", page: fence("yaml", "defaults:\n  max_age: 7200s\n  allow_origins: [https://App.example.com]") + fence("text", "corsrpc: the policy has 1 problem:\n\tcors.yaml:3:19: x"), want: "loading this policy says"},
		{name: "findings that differ", page: fence("yaml", policy) + fence("text", "cors.yaml:1:1: rules[0]: x [RULE_CHANGES_NOTHING]"), want: "the findings about the policy are"},
		{name: "findings", page: fence("yaml", "defaults:\n  allow_origins: [https://app.example.com]\n  deny_headers: [cookie, cookie]") + fence("text", "cors.yaml:3:18: defaults.deny_headers[0]: \"cookie\" changes nothing, because no script can send this header (https://fetch.spec.whatwg.org/#forbidden-request-header): leave it out [HEADER_CHANGES_NOTHING]\ncors.yaml:3:26: defaults.deny_headers[1]: \"cookie\" is listed twice (defaults.deny_headers[0] at cors.yaml:3:18): leave one out [DUPLICATE_VALUE]")},
		{name: "findings after no policy", page: fence("text", "cors.yaml:1:1: rules[0]: x [RULE_CHANGES_NOTHING]"), want: "no test compares this text"},
		{name: "a refused policy that loads", page: fence("yaml", policy) + fence("text", "corsrpc: the policy has 1 problem:"), want: "the policy loads"},
		{name: "a file as it stands", page: fence("yaml", "# examples/a/cors.yaml\n"+policy)},
		{name: "a file that is not as it stands", page: fence("yaml", "# a/cors.yaml\n"+policy+"\n  max_age: 1s"), want: "is not examples/a/cors.yaml as it stands"},
		{name: "a file that a comment names", page: "<!-- examples/a/cors.yaml -->\n" + fence("yaml", "defaults: {}"), want: "is not examples/a/cors.yaml as it stands"},
		{name: "YAML of nothing", page: fence("yaml", "a: b"), want: "neither a policy nor a file"},
		{name: "no YAML", page: fence("yaml", "a: ["), want: "not valid YAML"},
		{name: "a ConfigMap", page: fence("yaml", "apiVersion: v1\nkind: ConfigMap\ndata:\n  cors.yaml: |\n    defaults:\n      allow_origin: []"), want: "does not load"},
		{name: "a Deployment", page: fence("yaml", "apiVersion: v1\nkind: Deployment"), want: "without a ConfigMap"},
		{name: "buf.yaml elsewhere", page: fence("yaml", "# buf.yaml\nversion: v2"), want: "neither a policy nor a file"},
		{name: "buf.yaml", page: fence("yaml", "# buf.yaml\nversion: v2"), at: scratchPage},
		{name: "proto elsewhere", page: fence("proto", "// a.proto\n"), want: "no test compiles this block"},
		{name: "proto", page: fence("proto", "// a.proto\n"), at: scratchPage},
		{name: "proto that the script does not take", page: fence("proto", "// b.proto\n"), at: scratchPage, want: "no test compiles this block"},

		{name: "a target", page: fence("sh", "# first\nmake test # everything\nmake go-things \\\n  A=1")},
		{name: "a test", page: fence("sh", "go test ./corsrpc -run TestOne")},
		{name: "no test in a block", page: fence("sh", "go test ./corsrpc -run TestTwo"), want: "no test in corsrpc matches TestTwo"},
		{name: "no target", page: fence("sh", "make nothing"), want: `no test runs "make nothing"`},
		{name: "a command of no test", page: fence("sh", "rm -r x"), want: `no test runs "rm -r x"`},
		{name: "text of no command", page: fence("text", "x"), want: "no test compares this text"},
		{name: "a diagram", page: fence("text", "request ─▶ Layer.Wrap ─▶ *Plan ─▶ corsrpc.Load ─▶ gRPC")},
		{name: "a diagram with no such method", page: fence("text", "a ─▶ Layer.Unwrap"), want: "has Layer.Unwrap"},
		{name: "a diagram with no such type", page: fence("text", "a ─▶ *Plane"), want: "has Plane"},
		{name: "a diagram with no such function", page: "Text:\n\n    a ─▶ corsrpc.Lode\n", want: "has corsrpc.Lode"},
		{name: "an answer of no request", page: fence("http", "A: b"), want: "no test makes this answer"},
		{name: "another answer", page: fence("http", "Corsrpc-Reason: DISABLED"), at: exchanges[0].page, want: "the answer has"},

		{name: "links", page: "[a](other.md) [b](other.md#a-code-heading-with-signs) [c](../../LICENSE) [d](../) [e](https://example.com/x) [f](#here) ![g](../../LICENSE) [h](other.md#twice-1)\n\n# Here\n"},
		{name: "a link to no file", page: "[a](none.md)\n", want: "there is no corsrpc/docs/none.md"},
		{name: "an image that is not there", page: "![a](none.svg)\n", want: "there is no corsrpc/docs/none.svg"},
		{name: "a link by reference", page: "[a][b]\n\n[b]: none.md\n", want: "there is no corsrpc/docs/none.md"},
		{name: "a link to no heading", page: "[a](other.md#twice-2)\n", want: "has no heading #twice-2"},
		{name: "a link to no heading of the page", page: "[a](#none)\n", want: "has no heading #none"},
		{name: "a link to a line", page: "[a](../reason.go#L3)\n", want: "names a line"},
		{name: "a fragment of a file", page: "[a](../reason.go#x)\n", want: "is not a page"},
		{name: "a link by http", page: "[a](http://example.com)\n", want: "neither relative nor an https URL"},
		{name: "a link from the root", page: "[a](/LICENSE)\n", want: "begins at the root"},
		{name: "a link by the repository's address", page: "[a](https://github.com/corsrpc/corsrpc-go/blob/main/LICENSE)\n", want: "write a relative link"},
		{name: "a bare address", page: "See http://example.com/x here.\n", want: "neither relative nor an https URL"},

		{name: "a figure", page: "1,164 cells. <!-- figure: cells -->\n"},
		{name: "two figures of one value", page: "1,164 of 1,164 cells. <!-- figure: cells, same -->\n"},
		{name: "two figures", page: "1,164 cells of 41 bytes each. <!-- figure: cells, row -->\n"},
		{name: "a figure with another unit", page: "It takes 41 ms. <!-- figure: row -->\n", want: `"41 ms" has no source`},
		{name: "a figure without its unit's plural", page: "A 41-byte row <!-- figure: row -->\n"},
		{name: "a number without a source", page: "It has 1,165 things.\n", want: `"1,165" has no source`},
		{name: "a factor without a source", page: "It is 3× as fast.\n", want: `"3 ×" has no source`},
		{name: "a share without a source", page: "It is 30% of all.\n", want: `"30 %" has no source`},
		{name: "a count without a source", page: "It has 12 long cases.\n", want: `"12 cases" has no source`},
		{name: "a part without a source", page: "It passes 7 of 7.\n", want: `"7" has no source`},
		{name: "words without a source", page: "It takes six hundred.\n", want: `"six hundred" has no source`},
		{name: "a number in words", page: "It takes a million. <!-- figure: million -->\n"},
		{name: "a small number in words", page: "It takes ten slow calls. <!-- figure: ten -->\n"},
		{name: "a small number in words, without a source", page: "It takes ten calls.\n", want: `"ten calls" has no source`},
		{name: "a number in code", page: "It takes `20s`.\n", want: `"20 s" has no source`},
		{name: "a constant", page: "It lasts 7200 s, or `7200s`.\n"},
		{name: "a constant of another page", page: "It has 64 names.\n", want: `"64 names" has no source`},
		{name: "no numbers that need a source", page: "HTTP/1.1 answers 403 on port 8080 (version 1.21.1, RFC 9110, 2026-01-02), see section 3.\n"},
		{name: "a figure of another value", page: "1,165 cells. <!-- figure: cells -->\n", want: `"1,165 cells" has no source`},
		{name: "a figure that is not there", page: "Text. <!-- figure: none -->\n", want: "there is no such figure"},
		{name: "a figure for nothing", page: "Text. <!-- figure: cells -->\n", want: "no number beside it has this value, which is 1,164"},
		{name: "a report", page: "It takes 182 ns. <!-- figure: internal/bench/RESULTS.md -->\n"},
		{name: "a number that the report does not have", page: "It takes 18 ns. <!-- figure: internal/bench/RESULTS.md -->\n", want: `"18 ns" has no source`},
		{name: "a file that is not a report", page: "It takes 182 ns. <!-- figure: LICENSE -->\n", want: `"182 ns" has no source`},
		{name: "a figure in a row", page: "| a | b |\n| --- | --- |\n| 1,164 cells | x <!-- figure: cells --> |\n"},
		{name: "a figure in another row", page: "| a | b |\n| --- | --- |\n| 1,164 cells | x |\n| 0.1 ms | x <!-- figure: cells, late --> |\n", want: `"1,164 cells" has no source`},
		{name: "a figure after a table", page: "| a |\n| --- |\n| 1,164 cells |\n\n<!-- figure: cells -->\n"},
		{name: "a part that make bench writes", page: "<!-- the table is written by make bench -->\n\n| a |\n| --- |\n| 3 ns |\n\n<!-- end of the table -->\n", at: "corsrpc/docs/cost.md"},
		{name: "a part that something else writes", page: "<!-- the table is written by hand -->\n\n| a |\n| --- |\n| 3 ns |\n\n<!-- end of the table -->\n", want: "no test compares"},
		{name: "after the part that make bench writes", page: "<!-- the table is written by make bench -->\n\nx\n\n<!-- end of the table -->\n\n3 ns\n", at: "corsrpc/docs/cost.md", want: `"3 ns" has no source`},

		{name: "code", page: "`make test`, `go test ./corsrpc -run 'TestOne|One/sub'`, `cd corsrpc && go test -run TestOne -v .`, `TestOne`, `-run TestOne`, `corsrpc.Load`, `layer.Wrap(h)`, `layer.Plan().Decide(r)`, `ORIGIN_MISSING`, `corsrpc/reason.go`, `examples/a`, `TestOne/x`\n"},
		{name: "no target in text", page: "`make nothing`\n", want: "no target nothing"},
		{name: "no test", page: "`TestTwo`\n", want: "no test in . matches TestTwo"},
		{name: "no test of the folder", page: "`cd examples && go test -run TestOne .`\n", want: "no test in examples matches TestOne"},
		{name: "one of two tests", page: "`go test ./... -run 'TestOne|TestTwo'`\n", want: "no test in . matches TestTwo"},
		{name: "no folder", page: "`go run ./internal/nothing`\n", want: "there is no folder internal/nothing"},
		{name: "no folder to change to", page: "`cd nothing && go test .`\n", want: "there is no folder nothing"},
		{name: "no suite", page: "`TestVectors/nothing`\n", want: "no suite nothing"},
		{name: "no such function", page: "`corsrpc.Lode`\n", want: "does not export Lode"},
		{name: "no such method", page: "`layer.Plan().Wrap(h)`\n", want: "no method (*Plan).Wrap"},
		{name: "no such reason", page: "`ORIGIN_LOST`\n", want: "neither the library nor its schema"},
		{name: "no such file", page: "`corsrpc/lost.go`\n", want: "no such file or folder"},

		{name: "versions", page: "Go 1.26 or newer, Node.js 20.\n"},
		{name: "no version of a go.mod", page: "Go 1.24 or newer.\n", want: "Go 1.24 is not the version"},
		{name: "no version of the set-up", page: "Node.js 18.\n", want: "Node.js 18 is not the version"},
		{name: "versions of browsers", page: "Chromium 156 and WebKitGTK 2.50.\n"},
		{name: "another version of a browser", page: "Chromium 157.\n", want: "Chromium 157 is not the version"},
		{name: "a browser without a run", page: "Firefox ESR 153.\n", want: "Firefox ESR 153 is not the version"},
		{name: "too many words", page: strings.Repeat("word ", 41), want: "41 words"},
		{name: "code and comments are not words", page: strings.Repeat("word ", 39) + "`code` <!-- " + strings.Repeat("word ", 9) + "-->\n\n" + fence("sh", "make test")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.at == "" {
				c.at = "corsrpc/docs/page.md"
			}
			problems := allProblems(t.Context(), smallTree(), parse(c.at, []byte(c.page)))
			switch {
			case c.want == "" && len(problems) > 0:
				t.Errorf("a right page has problems: %v", problems)
			case c.want != "" && len(problems) == 0:
				t.Errorf("nothing is wrong, want %q", c.want)
			case c.want != "" && !strings.Contains(problems[0].text, c.want):
				t.Errorf("got %v, want %q", problems, c.want)
			}
		})
	}
}

// TestPrograms: a block that is a whole program is vetted.
func TestPrograms(t *testing.T) {
	t.Parallel()
	tree := repository(t)
	program := "package main\n\nimport \"github.com/corsrpc/corsrpc-go/corsrpc\"\n\nfunc main() {\n\t_, _ = corsrpc.Load(\"cors.yaml\")\n}\n"
	report(t, checkGo(t.Context(), tree, block{page: "p.md", lang: "go", text: program}))
	wrong := strings.Replace(program, "Load", "Lode", 1)
	if problems := checkGo(t.Context(), tree, block{page: "p.md", lang: "go", text: wrong}); len(problems) != 1 || !strings.Contains(problems[0].text, "undefined: corsrpc.Lode") {
		t.Errorf("a program that does not compile: %v", problems)
	}
}

// TestTables: rows that nothing uses, and rows whose proof is not there, are
// found.
func TestTables(t *testing.T) {
	t.Parallel()
	tree := smallTree()
	one := func(what, want string, problems []problem) {
		t.Helper()
		if want == "" && len(problems) == 0 {
			return
		}
		if len(problems) != 1 || want == "" || !strings.Contains(problems[0].text, want) {
			t.Errorf("%s: got %v, want %q", what, problems, want)
		}
	}
	row := shellRow{"run it", "TestOne in corsrpc", "corsrpc/a_test.go", "TestOne"}
	used := map[string]bool{"run it": true}
	one("a command", "", checkShellTable(tree, []shellRow{row}, used))
	one("a command that no page has", "no page has", checkShellTable(tree, []shellRow{row}, nil))
	for want, change := range map[string]func(*shellRow){
		"there is no test":    func(r *shellRow) { r.by = "TestTwo in corsrpc" },
		"no make target":      func(r *shellRow) { r.by = "make nothing" },
		"is neither":          func(r *shellRow) { r.by = "by hand" },
		"does not contain":    func(r *shellRow) { r.holds = "something else" },
		`does not contain ""`: func(r *shellRow) { r.holds = "" },
	} {
		changed := row
		change(&changed)
		one(want, want, checkShellTable(tree, []shellRow{changed}, used))
	}

	c := constant{"7200 s", "corsrpc/a_test.go", "TestOne", ""}
	one("a constant", "", checkConstants(tree, []constant{c}, map[string]bool{"7200 s": true}))
	one("a constant that no page has", "no page has", checkConstants(tree, []constant{c}, nil))
	c.holds = "7201"
	one("a constant of another value", "does not contain", checkConstants(tree, []constant{c}, map[string]bool{"7200 s": true}))
}

// TestMentions: a comment that names a page that does not exist is found.
func TestMentions(t *testing.T) {
	t.Parallel()
	tree := madeUp(map[string]string{
		"SECURITY.md":               "# Paths\n",
		"corsrpc/docs/policy.md":    "",
		"internal/bench/RESULTS.md": "",
		"corsrpc/a.go": "// See SECURITY.md#paths, corsrpc/docs/policy.md, (docs/policy.md), RESULTS.md, some/NAME.md.\n" +
			"// See https://example.com/doc/NONE.md and results.md.tmpl.\nvar x = \"NONE.md\"\n",
		"corsrpc/b.go": "package b\n\n\t// See SECURITY.md#path.\n",
		"corsrpc/c.go": "// See docs/none.md\n",
		"corsrpc/d.go": "// See NONE.md.\n",
	})
	report(t, checkMentions(tree, "corsrpc/a.go"))
	for file, want := range map[string]string{
		"corsrpc/b.go": "corsrpc/b.go:3: the comment names SECURITY.md#path, which does not exist",
		"corsrpc/c.go": "corsrpc/c.go:1: the comment names docs/none.md, which does not exist",
		"corsrpc/d.go": "corsrpc/d.go:1: the comment names NONE.md, which does not exist",
	} {
		if problems := checkMentions(tree, file); len(problems) != 1 || problems[0].String() != want {
			t.Errorf("got %v, want %s", problems, want)
		}
	}
}
