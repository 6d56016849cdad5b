// Command prose holds the project's texts against its word list: documents, comments and the
// texts that programs print. It prints each finding with its place and fails if there is one.
//
//	go run . [-counts] [FILE...]
//
// The rules are vale's, in styles/corsrpc. vale reads Markdown and HTML itself. Of other files it
// gets the prose alone, one paragraph on each line, and prose translates the places.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

func main() {
	counts := flag.Bool("counts", false, "print how often each rule is broken, instead of where")
	flag.Parse()
	findings, err := run(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "prose:", err)
		os.Exit(2)
	}
	if *counts {
		printCounts(findings)
	} else {
		for _, f := range findings {
			fmt.Println(f)
		}
	}
	if len(findings) > 0 {
		fmt.Fprintf(os.Stderr, "prose: %d findings; the rules and their reasons are in internal/tools/prose/styles/corsrpc\n", len(findings))
		os.Exit(1)
	}
}

// finding is a place where a text breaks a rule.
type finding struct {
	path          string
	line, column  int
	rule, message string
}

func (f finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s (%s)", f.path, f.line, f.column, f.message, f.rule)
}

// printCounts prints how many findings each rule has.
func printCounts(findings []finding) {
	counts := map[string]int{}
	for _, f := range findings {
		counts[f.rule]++
	}
	for _, rule := range slices.Sorted(maps.Keys(counts)) {
		fmt.Printf("%5d %s\n", counts[rule], rule)
	}
}

// run checks files, named from the repository's root, or all files of the repository if none is
// named.
func run(paths []string) ([]finding, error) {
	top, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return nil, fmt.Errorf("find the repository: %w", err)
	}
	root := strings.TrimSpace(string(top))
	if len(paths) == 0 {
		if paths, err = repositoryFiles(root); err != nil {
			return nil, err
		}
	}
	vale, err := valePath()
	if err != nil {
		return nil, err
	}
	return check(vale, root, paths)
}

// valePath returns the path of vale's program, which it builds if that is not done yet.
func valePath() (string, error) {
	out, err := exec.Command("go", "tool", "-n", "vale").Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = errors.New(string(exit.Stderr))
		}
		return "", fmt.Errorf("build vale: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// repositoryFiles returns the files that git has or would add.
func repositoryFiles(root string) ([]string, error) {
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list the repository's files: %w", err)
	}
	var files []string
	for path := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if _, err := os.Stat(filepath.Join(root, path)); err == nil && !quotesBadExamples(path) {
			files = append(files, path)
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// quotesBadExamples reports whether a file has to quote texts that break the rules: the rules
// themselves and their tests.
func quotesBadExamples(path string) bool {
	return strings.HasPrefix(path, "internal/tools/prose/styles/") || strings.HasPrefix(path, "internal/tools/prose/testdata/")
}

// check runs vale over the prose of files and returns its findings, ordered by place.
func check(vale, root string, paths []string) ([]finding, error) {
	dir, err := os.MkdirTemp("", "prose")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	type extract struct {
		path   string
		blocks []block
	}
	extracts := map[string]extract{} // by the path that vale reads
	var args []string
	for _, path := range paths {
		extractProse := extractor(path)
		if extractProse == nil {
			if ext := filepath.Ext(path); ext == ".md" || ext == ".html" {
				args = append(args, path)
			}
			continue
		}
		source, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return nil, err
		}
		blocks, err := extractProse(path, string(source))
		if err != nil {
			return nil, fmt.Errorf("read the prose of %s: %w", path, err)
		}
		if len(blocks) == 0 {
			continue
		}
		name := filepath.Join(dir, fmt.Sprintf("%04d.md", len(extracts)))
		if err := os.WriteFile(name, valeText(blocks), 0o600); err != nil {
			return nil, err
		}
		extracts[name] = extract{path, blocks}
		args = append(args, name)
	}
	alerts, err := runVale(vale, root, args)
	if err != nil {
		return nil, err
	}
	var findings []finding
	for name, found := range alerts {
		for _, a := range found {
			f := finding{path: name, line: a.Line, column: a.Span[0], rule: a.Check, message: a.Message}
			if from, ok := extracts[name]; ok {
				b := &from.blocks[(a.Line-1)/2]
				f.path = from.path
				f.line, f.column = b.at(byteOffset(b.text, a.Span[0]-1))
			}
			findings = append(findings, f)
		}
	}
	slices.SortFunc(findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column), cmp.Compare(a.rule, b.rule))
	})
	return slices.Compact(findings), nil
}

// valeText returns blocks as vale reads them: each is a paragraph on one line, and ends a sentence.
func valeText(blocks []block) []byte {
	var text bytes.Buffer
	for _, b := range blocks {
		text.WriteString(b.text)
		if !strings.HasSuffix(b.text, ".") && !strings.HasSuffix(b.text, "?") && !strings.HasSuffix(b.text, "!") {
			text.WriteByte('.')
		}
		text.WriteString("\n\n")
	}
	return text.Bytes()
}

// byteOffset returns the offset in bytes of a character.
func byteOffset(text string, character int) int {
	offset := 0
	for range character {
		_, size := utf8.DecodeRuneInString(text[offset:])
		offset += size
	}
	return offset
}

// alert is what vale prints about a place.
type alert struct {
	Check   string
	Message string
	Line    int
	Span    [2]int // of the first and the last character, counted from 1
}

// runVale runs vale over files and returns its alerts by file.
func runVale(vale, root string, files []string) (map[string][]alert, error) {
	if len(files) == 0 {
		return nil, nil
	}
	command := exec.Command(vale, append([]string{"--no-exit", "--output=JSON", "--config=.vale.ini"}, files...)...)
	command.Dir = root
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("vale: %w: %s%s", err, out, stderr.Bytes())
	}
	var alerts map[string][]alert
	if err := json.Unmarshal(out, &alerts); err != nil {
		return nil, fmt.Errorf("read what vale printed: %w: %s", err, out)
	}
	return alerts, nil
}
