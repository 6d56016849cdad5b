package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// goSources matches the Go files that a block may be taken from: tests compile
// them.
const goSources = `^(examples/.*|corsrpc/.*_test|internal/e2e/[^/]*_test)\.go$`

// generatedRE matches files that are never shown.
var generatedRE = regexp.MustCompile(`\.(pb|connect)\.go$`)

// checkGo returns a problem unless go vet accepts the block as a whole file, or one
// file that matches goSources contains every piece of the block. The indentation of
// a whole piece may differ. A piece ends at a line that is only "// ...", or at an
// empty line before a line that is not indented.
func checkGo(ctx context.Context, t *tree, b block) []problem {
	if strings.HasPrefix(b.text, "package ") || strings.Contains(b.text, "\npackage ") {
		return vetProgram(ctx, t, b)
	}
	return checkPieces(t, b, goSources)
}

// checkPieces returns a problem unless at least one file whose path matches sources
// contains every piece of the block. piecesOf defines a piece.
func checkPieces(t *tree, b block, sources string) []problem {
	pieces := piecesOf(b.text)
	if len(pieces) == 0 {
		return []problem{b.problem("an empty block")}
	}
	files := t.matching(sources)
	nearest, most, missing := "", 0, pieces[0]
	for _, file := range files {
		if generatedRE.MatchString(file) {
			continue
		}
		lines := strings.Split(t.text(file), "\n")
		found, first := 0, ""
		for _, piece := range pieces {
			n := holds(lines, piece)
			found += n
			if n < len(piece) && first == "" {
				first = strings.Join(piece, "\n")
			}
		}
		if first == "" {
			return nil
		}
		if found > most {
			nearest, most, missing = file, found, strings.Split(first, "\n")
		}
	}
	text := fmt.Sprintf("no file that a test compiles has the piece %q", strings.Join(missing, "\n"))
	if nearest != "" {
		text += fmt.Sprintf(": the nearest is %s, with %d lines of the block: copy from it, or mend it", nearest, most)
	}
	return []problem{b.problem("%s", text)}
}

// piecesOf cuts a block at its "// ..." lines and between declarations, and takes
// off the indentation that all lines of a piece share.
func piecesOf(text string) (pieces [][]string) {
	var piece []string
	end := func() {
		for len(piece) > 0 && piece[0] == "" {
			piece = piece[1:]
		}
		for len(piece) > 0 && piece[len(piece)-1] == "" {
			piece = piece[:len(piece)-1]
		}
		if len(piece) > 0 {
			pieces = append(pieces, dedent(piece))
		}
		piece = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t")
		if n := len(piece); n > 0 && piece[n-1] == "" && line != "" && line[0] != '\t' && line[0] != ' ' {
			end() // a declaration of its own
		}
		if trimmed := strings.TrimSpace(line); trimmed == "// ..." || trimmed == "// …" {
			end()
			continue
		}
		piece = append(piece, line)
	}
	end()
	return pieces
}

func dedent(lines []string) []string {
	indent := strings.Repeat("\t", 99)
	for _, line := range lines {
		if line != "" {
			for !strings.HasPrefix(line, indent) {
				indent = indent[1:]
			}
		}
	}
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = strings.TrimPrefix(line, indent)
	}
	return out
}

// holds returns the length of the longest run of a piece's lines in a file: the
// length of the piece if the file has it.
func holds(lines, piece []string) (most int) {
	for i := range lines {
		indent, ok := strings.CutSuffix(lines[i], piece[0])
		if !ok || strings.Trim(indent, "\t") != "" {
			continue
		}
		n := 1
		for n < len(piece) && i+n < len(lines) {
			line := lines[i+n]
			if piece[n] == "" && line != "" || piece[n] != "" && line != indent+piece[n] {
				break
			}
			n++
		}
		most = max(most, n)
	}
	return most
}

// vetProgram runs go vet on a block that is a whole file, in a module of its own
// that has the work tree's modules and the requirements of examples.
func vetProgram(ctx context.Context, t *tree, b block) []problem {
	dir, err := os.MkdirTemp("", "corsrpc-docs-")
	if err != nil {
		return []problem{b.problem("%v", err)}
	}
	defer os.RemoveAll(dir)
	name := "main.go"
	if strings.Contains(b.text, "\"testing\"") {
		name = "main_test.go"
	}
	mod := strings.Replace(t.text("examples/go.mod"), "module github.com/corsrpc/corsrpc-go/examples\n", "module example.com/page\n", 1)
	mod = strings.Replace(mod, "=> ../", "=> "+t.root, 1)
	mod += fmt.Sprintf("\nrequire github.com/corsrpc/corsrpc-go/examples v0.0.0\n\nreplace github.com/corsrpc/corsrpc-go/examples => %s\n", filepath.Join(t.root, "examples"))
	for file, text := range map[string]string{name: b.text, "go.mod": mod, "go.sum": t.text("examples/go.sum")} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			return []problem{b.problem("%v", err)}
		}
	}
	cmd := exec.CommandContext(ctx, "go", "vet", "-mod=mod", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return []problem{b.problem("go vet of this program: %v\n%s", err, out)}
	}
	return nil
}
