package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

func place(line, column int) report.Place {
	return report.Place{File: "cors.yaml", Line: line, Column: column, Field: "x"}
}

func text(t *testing.T, r report.Report) string {
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestExcerpt: the caret is below the column, however long the line is, and whatever it has in it.
func TestExcerpt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 300) + "X" + strings.Repeat("b", 300)
	for name, c := range map[string]struct {
		text         string
		line, column int
		want         string // the line and the caret; empty if there are none
	}{
		"first line":           {"abc\ndef\n", 1, 2, "abc|>^"},
		"last line, no end":    {"abc\ndef", 2, 3, "def|>>^"},
		"after the end":        {"abc\n", 1, 9, "abc|>>>^"},
		"column 0":             {"abc\n", 1, 0, "abc|^"},
		"line 0":               {"abc\n", 0, 1, ""},
		"line too large":       {"abc", 2, 1, ""},
		"empty line":           {"a\n\nb", 2, 1, "|^"},
		"CRLF":                 {"abc\r\ndef\r\n", 1, 4, "abc|>>>^"},
		"BOM":                  {"\ufeffabc\n", 1, 2, "abc|>^"},
		"a tab is one space":   {"\ta\tX", 1, 4, " a X|>>>^"},
		"two cells":            {"日本X", 1, 3, "日本X|>>>>^"},
		"no cell":              {"e\u0301X", 1, 3, "e\u0301X|>^"},
		"an escape is as long": {"\x1b[31mX\u202e", 1, 6, `\x1b[31mX\u202e|>>>>>>>>^`},
		"not UTF-8":            {"a\xffb", 1, 1, ""},
		"a long line":          {long, 1, 301, "..." + long[240:360] + "...|" + strings.Repeat(">", 63) + "^"},
		"start of a long line": {long, 1, 1, long[:120] + "...|^"},
		"end of a long line":   {long, 1, 602, "..." + long[481:] + "|" + strings.Repeat(">", 123) + "^"},
	} {
		r := report.Report{Problems: []report.Problem{{Severity: report.Error, Code: "C", Place: place(c.line, c.column), Message: "m"}}, Texts: map[string][]byte{"cors.yaml": []byte(c.text)}}
		lines := strings.Split(text(t, r), "\n")
		got := ""
		if len(lines) > 3 {
			_, shown, _ := strings.Cut(lines[1], " | ")
			_, caret, _ := strings.Cut(lines[2], " | ")
			got = shown + "|" + strings.ReplaceAll(caret, " ", ">")
		}
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// TestExcerptsOfManyProblems: a text of one line with as many problems as it has characters is
// written in time that is proportional to its size: a quadratic search would read 10^12 bytes.
func TestExcerptsOfManyProblems(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	for name, c := range map[string]struct {
		text string
		at   func(i int) report.Place
	}{
		"one line":   {strings.Repeat("ü", size/2), func(i int) report.Place { return place(1, i*8+1) }},
		"many lines": {strings.Repeat("x\n", size/2), func(i int) report.Place { return place(i*8+1, 1) }},
	} {
		r := report.Report{Texts: map[string][]byte{"cors.yaml": []byte(c.text)}}
		for i := range size / 16 {
			r.Problems = append(r.Problems, report.Problem{Severity: report.Error, Place: c.at(i)})
		}
		if got := strings.Count(text(t, r), "^"); got != size/16 {
			t.Errorf("%s: %d carets", name, got)
		}
	}
}

// hostile are texts that a terminal, a workflow command or a document must not take for its own.
var hostile = []string{
	"\x1b[31mred", "\x1b]0;title\x07", "\u009b31m", "a\rb", "a\nb", "::error::x", "%0A::error::y", "a,b:c=d", "\u202eabc", "\u2066x", "\x00", "\x7f", "\xff\xfe", "\u2028x", "\U000e0001", "<script>&", `"\`, "50%", "ü日本",
}

func hostileReport(s string) report.Report {
	at := report.Place{File: s, Line: 1, Column: 1, Field: s}
	return report.Report{
		Problems: []report.Problem{{Severity: report.Warning, Code: "CODE", Place: at, Value: s, Message: s, Fix: s, Related: []report.Related{{Place: at, Message: s}}}},
		Notes:    []string{s}, Failures: []string{s}, Texts: map[string][]byte{s: []byte(s)}, Rules: []report.Rule{{ID: "R", Description: s, Severity: report.Error}}, Version: "v1.0.0",
	}
}

// TestNoWriterPassesControlsOn: the output of every writer is UTF-8 and has no character but line
// ends that a terminal would execute or hide.
func TestNoWriterPassesControlsOn(t *testing.T) {
	t.Parallel()
	type document struct {
		report.Header
		Problems []report.Problem
	}
	for _, s := range hostile {
		r := hostileReport(s)
		for name, write := range map[string]func(io.Writer) error{
			"text": r.WriteText, "github": r.WriteGitHub, "sarif": r.WriteSARIF,
			"json": func(w io.Writer) error {
				return report.WriteDocument(w, "check", &document{Problems: r.Problems})
			},
			"table": func(w io.Writer) error {
				var b strings.Builder
				report.WriteTable(&b, "", [][]string{{s, s}})
				_, err := io.WriteString(w, b.String())
				return err
			},
		} {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			bad := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
			if out := b.String(); !utf8.ValidString(out) || strings.ContainsFunc(out, bad) || out == "" {
				t.Errorf("%s of %q: %q", name, s, out)
			}
		}
	}
}

// runner reads workflow commands as GitHub's runner does: a command is a line that begins with "::",
// its properties end at the next "::", and are separated by commas.
func runner(t *testing.T, line string) (command string, properties map[string]string, message string) {
	rest, ok := strings.CutPrefix(line, "::")
	head, message, ok2 := strings.Cut(rest, "::")
	if !ok || !ok2 {
		t.Fatalf("%q is not a command", line)
	}
	command, list, _ := strings.Cut(head, " ")
	properties = map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		name, value, _ := strings.Cut(pair, "=")
		properties[name] = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%").Replace(value)
	}
	return command, properties, strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(message)
}

// TestGitHubCommands: the runner reads back each value, and one command for each problem, failure and
// note.
func TestGitHubCommands(t *testing.T) {
	t.Parallel()
	for _, s := range hostile {
		r := hostileReport(s)
		r.Folder = "dir"
		var b strings.Builder
		if err := r.WriteGitHub(&b); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(lines) != 3 {
			t.Fatalf("%q: %d commands: %q", s, len(lines), lines)
		}
		p := report.Printable(s)
		command, properties, message := runner(t, lines[0])
		wantFile := "dir/" + s
		if strings.Trim(s, "\r\n") != s || report.Printable(strings.NewReplacer("\r", "", "\n", "").Replace(s)) != strings.NewReplacer("\r", "", "\n", "").Replace(s) {
			wantFile = properties["file"] // it has control characters, and is escaped
		}
		if command != "warning" || properties["file"] != wantFile || properties["line"] != "1" || properties["col"] != "1" || properties["title"] != "CODE" || len(properties) != 4 {
			t.Errorf("%q: %s %q", s, command, properties)
		}
		if want := "fix: " + p; !strings.Contains(message, want) || strings.Count(message, "\n") != 2 {
			t.Errorf("%q: the message %q", s, message)
		}
		for i, want := range []string{"error", "notice"} {
			if command, _, message := runner(t, lines[i+1]); command != want || message != p {
				t.Errorf("%q: %s %q", s, command, message)
			}
		}
	}
}

// TestWithoutCommands: nothing in the text is a workflow command, and the rest of it is as it was.
func TestWithoutCommands(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"::error::x\n":                ": :error::x\n",
		"a: ::b\n \t::add-mask::x\nc": "a: ::b\n \t: :add-mask::x\nc",
		"  3 | x # ##[set-output]y\n": "  3 | x # ## [set-output]y\n",
		"###[a] [b] :a\n:::x\n\n":     "### [a] [b] :a\n: ::x\n\n",
		"cors.yaml: no problems\n":    "cors.yaml: no problems\n",
	} {
		var b strings.Builder
		if n, err := io.WriteString(report.WithoutCommands(&b), text); n != len(text) || err != nil || b.String() != want {
			t.Errorf("%q: %q, %d, %v", text, b.String(), n, err)
		}
	}
}

// TestGitHubPlaces: a file outside of the work tree is named in the message.
func TestGitHubPlaces(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"cors.yaml": "file=api/cors.yaml,line=3,", "./a/../cors.yaml": "file=api/cors.yaml,", "../x.yaml": "file=x.yaml,", "/abs/cors.yaml": "file=/abs/cors.yaml,",
		"git:main:cors.yaml": "::git%3Amain", "stdin.yaml": "title=C::stdin.yaml:3:4: f: m", "": "title=C::f: m",
	} {
		r := report.Report{Folder: "api", Problems: []report.Problem{{Severity: report.Error, Code: "C", Message: "m", Place: report.Place{File: file, Line: 3, Column: 4, Field: "f"}}}}
		var b strings.Builder
		if err := r.WriteGitHub(&b); err != nil {
			t.Fatal(err)
		}
		if file == "git:main:cors.yaml" {
			want = "::error title=C::git:main:cors.yaml:3:4: f: m"
		}
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q: %s", file, b.String())
		}
	}
}

// TestDocument: a document begins with its version, is indented by two spaces, does not escape HTML,
// and reads back as it was.
func TestDocument(t *testing.T) {
	t.Parallel()
	type document struct {
		report.Header
		Values []string `json:"values"`
	}
	var b bytes.Buffer
	if err := report.WriteDocument(&b, "show", &document{Values: hostile}); err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"schema_version\": 1,\n  \"command\": \"show\",\n  \"values\": [\n"; !strings.HasPrefix(b.String(), want) {
		t.Errorf("%s", b.String())
	}
	if !strings.Contains(b.String(), "<script>&") {
		t.Error("HTML is escaped")
	}
	var back document
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	for i, want := range hostile {
		if back.Values[i] != strings.ToValidUTF8(want, "\ufffd\ufffd") {
			t.Errorf("%q, want %q", back.Values[i], want)
		}
	}
}

// TestFormatFlag: an unknown format is an error that lists those of the subcommand.
func TestFormatFlag(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want, problem string }{
		{"", "text", ""}, {"-o json", "json", ""}, {"--o=json", "json", ""}, {"-o sarif", "text", "write one of text, json"}, {"-o ''", "text", "write one of text, json"}, {"-o JSON", "text", "write one of text, json"},
	} {
		flags := flag.NewFlagSet("x", flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		format := report.FormatFlag(flags, report.Text, report.JSON)
		err := flags.Parse(strings.Fields(c.args))
		if string(*format) != c.want || (err != nil) != (c.problem != "") || !strings.Contains(fmt.Sprint(err), c.problem) {
			t.Errorf("%q: %s, %v", c.args, *format, err)
		}
	}
}

// TestSort: problems are in the order of their places, and files in the order in which they come.
func TestSort(t *testing.T) {
	t.Parallel()
	at := func(file string, line, column int) report.Problem {
		return report.Problem{Place: report.Place{File: file, Line: line, Column: column}}
	}
	problems := []report.Problem{at("b", 2, 1), at("a", 1, 1), at("b", 1, 2), at("b", 1, 1)}
	report.Sort(problems)
	var got []string
	for _, p := range problems {
		got = append(got, p.Place.String())
	}
	if want := "b:1:1 b:1:2 b:2:1 a:1:1"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestSARIFPlaces: names of files are relative URIs, and those with a scheme are not taken for one. A file of a
// commit, whose lines may be others, is located without a line: code scanning of GitHub takes no result without a
// file.
func TestSARIFPlaces(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"a b.yaml": "api/a%20b.yaml", "c:d.yaml": "api/c%3Ad.yaml", "100%.yaml": "api/100%25.yaml", "a?b#c": "api/a%3Fb%23c", "x/y.yaml": "api/x/y.yaml", "/abs/a b": "file:///abs/a%20b",
		"git:main:x/y.yaml": "api/x/y.yaml", "git:v1:../y.yaml": "y.yaml", "git:v1:/x/y.yaml": "x/y.yaml", "stdin.json": "api/stdin.json",
	} {
		r := report.Report{Folder: "api", Problems: []report.Problem{{Severity: report.Error, Code: "C", Message: "m", Place: report.Place{File: file, Line: 3, Column: 4, Field: "f"}}}}
		var b bytes.Buffer
		if err := r.WriteSARIF(&b); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), `"uri": "`+want+`"`) {
			t.Errorf("%s: %s", file, b.String())
		}
		if outside := strings.HasPrefix(file, "git:") || strings.HasPrefix(file, "stdin"); strings.Contains(b.String(), "startLine") == outside {
			t.Errorf("%s: a line, or none: %s", file, b.String())
		}
		if u, err := url.Parse(want); err != nil || (u.Scheme != "") != strings.HasPrefix(file, "/") {
			t.Errorf("%s: %v %v", want, u, err)
		}
	}
}
