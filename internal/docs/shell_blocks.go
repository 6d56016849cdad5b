package docs

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// commandsOf returns the commands of a shell block: its lines, with continued
// lines joined and comments left out.
func commandsOf(text string) (commands []string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, " # ")
		if line = strings.Join(strings.Fields(line), " "); line != "" && !strings.HasPrefix(line, "#") {
			commands = append(commands, line)
		}
	}
	return commands
}

// checkShell returns the commands of a block that are neither a target of the
// Makefile, nor go test, nor in the table. It notes those that are in used.
func checkShell(t *tree, b block, table []shellRow, used map[string]bool) (problems []problem) {
	targets := t.targets()
next:
	for _, command := range commandsOf(b.text) {
		words := strings.Fields(command)
		if words[0] == "make" && len(words) > 1 && targets[words[1]] || strings.HasPrefix(command, "go test ") {
			continue // checkCode finds targets and tests that do not exist
		}
		for _, row := range table {
			if row.command == command {
				used[command] = true
				continue next
			}
		}
		problems = append(problems, b.problem("no test runs %q: run it in a test, and add it to the table in internal/docs/shell_table.go", command))
	}
	return problems
}

// checkShellTable returns the rows that no page has, and those whose test, make
// target or proof does not exist.
func checkShellTable(t *tree, table []shellRow, used map[string]bool) (problems []problem) {
	fail := func(row shellRow, format string, args ...any) {
		problems = append(problems, problem{"internal/docs/shell_table.go", 1, fmt.Sprintf("%q: ", row.command) + fmt.Sprintf(format, args...)})
	}
	for _, row := range table {
		if !used[row.command] {
			fail(row, "no page has this command: delete the row")
		}
		if why := t.missingProof(row.by); why != "" {
			fail(row, "%s", why)
		}
		if !strings.Contains(t.text(row.file), row.holds) || row.holds == "" {
			fail(row, "%s does not contain %q", row.file, row.holds)
		}
	}
	return problems
}

var testInRE = regexp.MustCompile(`^(\w+) in (\S+)$`)

// missingProof returns why "make TARGET" or "TestName in folder" does not exist.
func (t *tree) missingProof(by string) string {
	if target, ok := strings.CutPrefix(by, "make "); ok {
		if !t.targets()[target] {
			return "there is no make target " + target
		}
		return ""
	}
	m := testInRE.FindStringSubmatch(by)
	if m == nil {
		return by + " is neither \"make TARGET\" nor \"TestName in folder\""
	}
	for _, name := range t.tests(m[2], false) {
		if name == m[1] {
			return ""
		}
	}
	return "there is no test " + by
}

var (
	makeRE       = regexp.MustCompile(`\bmake ([a-z][a-z0-9-]*)`)
	testNameRE   = regexp.MustCompile(`^(Test|Fuzz|Benchmark|Example)[A-Z]\w*(/\S*)?$`)
	fragmentRE   = regexp.MustCompile(`^-(run|fuzz|bench) (\S+)$`)
	identifierRE = regexp.MustCompile(`^(cors[a-z0-9]+)\.([A-Z]\w*)`)
	methodRE     = regexp.MustCompile(`^layer\.(Plan\(\)\.)?([A-Z]\w*)`)
	codeRE       = regexp.MustCompile(`^[A-Z]+(_[A-Z]+)+$`)
	pathRE       = regexp.MustCompile(`^(\./)?(corsrpc|internal|examples|proto)(/[\w.-]+)+/?$`)
)

// checkCode returns the commands, tests, paths and names in the code spans of a
// page, and in its shell blocks, that do not exist in the tree.
func checkCode(t *tree, p *page) (problems []problem) {
	files := map[string]bool{} // that blocks of the page name, so that the reader has them
	for _, b := range p.blocks {
		files[nameOf(b)] = true
	}
	for _, passage := range p.passages {
		for _, span := range passage.code {
			if files[span] {
				continue
			}
			if why := t.missing(span, pathDir(p.path)); why != "" {
				problems = append(problems, problem{p.path, passage.line, "`" + span + "`: " + why})
			}
		}
	}
	for _, b := range p.blocks {
		if b.lang != "sh" {
			continue
		}
		for _, command := range commandsOf(b.text) {
			if why := t.missing(command, pathDir(p.path)); why != "" {
				problems = append(problems, b.problem("`%s`: %s", command, why))
			}
		}
	}
	return problems
}

// missing returns why a code span is false, or "". Its folders are relative to the
// root, or to dir.
func (t *tree) missing(span, dir string) string {
	for _, m := range makeRE.FindAllStringSubmatch(span, -1) {
		if !t.targets()[m[1]] {
			return "the Makefile has no target " + m[1]
		}
	}
	if strings.HasPrefix(span, "go ") || strings.Contains(span, " go ") {
		why := t.missingCommand(span, ".")
		if why != "" && t.missingCommand(span, dir) == "" {
			return ""
		}
		return why
	}
	if m := fragmentRE.FindStringSubmatch(span); m != nil {
		return t.missingTests(m[2], ".", true)
	}
	if testNameRE.MatchString(span) {
		if suite, ok := strings.CutPrefix(span, "TestVectors/"); ok {
			suite, _, _ = strings.Cut(suite, "/")
			if !t.files["internal/vectors/testdata/requests/"+suite+".yaml"] {
				return "the corpus has no suite " + suite
			}
		}
		return t.missingTests(span, ".", true)
	}
	if m := identifierRE.FindStringSubmatch(span); m != nil && !t.exports(m[1], m[2]) {
		return m[1] + " does not export " + m[2]
	}
	if m := methodRE.FindStringSubmatch(span); m != nil {
		receiver := "(*Layer)"
		if m[1] != "" {
			receiver = "(*Plan)"
		}
		if !strings.Contains(t.text("corsrpc/testdata/face/corsrpc.txt"), "func "+receiver+" "+m[2]+"(") {
			return "there is no method " + receiver + "." + m[2]
		}
	}
	if codeRE.MatchString(span) && !t.anywhere(strings.TrimPrefix(span, "CORSRPC_")) { // a rule of the buf plugin is that prefix and a check
		return "neither the library nor its schema has this name"
	}
	if pathRE.MatchString(span) {
		if name := path.Clean(span); !t.files[name] && !t.dirs[name] {
			return "there is no such file or folder"
		}
	}
	return ""
}

// exports reports whether a public package has an exported name.
func (t *tree) exports(pkg, name string) bool {
	face := t.text("corsrpc/testdata/face/corsrpc." + pkg + ".txt")
	if pkg == "corsrpc" {
		face = t.text("corsrpc/testdata/face/corsrpc.txt")
	}
	return regexp.MustCompile(`(?m)^(const|var|func|type) ` + regexp.QuoteMeta(name) + `\b`).MatchString(face)
}

// codesRE matches the files of the library and its schema that declare codes.
var codesRE = regexp.MustCompile(`^(corsrpc|proto|internal/(analysis|policyfile|rules))/`)

// anywhere reports whether the library's sources or its schema contain a word.
func (t *tree) anywhere(word string) bool {
	for _, file := range t.names {
		if codesRE.MatchString(file) && (strings.HasSuffix(file, ".go") || strings.HasSuffix(file, ".proto")) {
			if strings.Contains(t.text(file), word) {
				return true
			}
		}
	}
	return false
}

var wordRE = regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`)

// missingCommand returns which folder or test a command line names that does
// not exist. The line runs in dir.
func (t *tree) missingCommand(line, dir string) string {
	for part := range strings.SplitSeq(line, "&&") {
		words := wordRE.FindAllString(part, -1)
		for i := range words {
			words[i] = strings.Trim(words[i], `'"`)
		}
		if len(words) > 1 && words[0] == "cd" {
			dir = path.Join(dir, words[1])
			if !t.dirs[dir] {
				return "there is no folder " + dir
			}
		}
		if len(words) < 2 || words[0] != "go" {
			continue
		}
		folder, deep, patterns := dir, false, []string{}
		for i, word := range words[2:] {
			switch {
			case word == "." || strings.HasPrefix(word, "./"):
				trimmed := strings.TrimSuffix(word, "...")
				deep = trimmed != word
				folder = path.Join(dir, trimmed)
				if !t.dirs[folder] {
					return "there is no folder " + folder
				}
			case i+3 < len(words) && (word == "-run" || word == "-fuzz" || word == "-bench"):
				patterns = append(patterns, words[i+3])
			}
		}
		if words[1] != "test" {
			continue
		}
		for _, pattern := range patterns {
			if why := t.missingTests(pattern, folder, deep); why != "" {
				return why
			}
		}
	}
	return ""
}

// missingTests returns which alternative of a pattern of go test matches no test
// of the folder.
func (t *tree) missingTests(pattern, folder string, deep bool) string {
	pattern = strings.Trim(pattern, `'"`)
	if pattern == "^$" || pattern == "NAME" {
		return "" // none, or the reader's choice
	}
	top, _, _ := strings.Cut(pattern, "/")
	for alternative := range strings.SplitSeq(top, "|") {
		re, err := regexp.Compile(alternative)
		if err != nil {
			return err.Error()
		}
		found := false
		for _, name := range t.tests(folder, deep) {
			found = found || re.MatchString(name)
		}
		if !found {
			return "no test in " + folder + " matches " + alternative
		}
	}
	return ""
}
