package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestExamples runs the two examples of each subcommand's -h, in a folder with testdata/examples, the
// schema of the corpus as image.binpb, and a git repository whose branch main has them all. A server with
// the policy takes the place of https://api.example.com for the examples of probe.
func TestExamples(t *testing.T) {
	for _, c := range subcommands() {
		for _, e := range c.examples {
			t.Run(c.name+"/"+e.comment, func(t *testing.T) {
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS("testdata/examples")); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, "image.binpb"), schema(t), 0o600); err != nil {
					t.Fatal(err)
				}
				t.Chdir(dir)
				commitAll(t)
				words, _ := wordsOf(t, e.line)
				if words[0] != "corsrpc" || words[1] != c.name {
					t.Fatalf("%q is not a command line of %s", e.line, c.name)
				}
				if c.name == "probe" {
					words = append(atServer(t, words), "--ca", "ca.pem")
				}
				if c.name == "gateway" {
					if code, log := runGateway(t, ofGateway(t, words)[1:]...); code != exitFine || !strings.Contains(log, "every call has ended") {
						t.Errorf("%s: exit %d\n%s", e.line, code, log)
					}
					return
				}
				if c.name == "extproc" {
					args := append(words[1:], "--internal", "127.0.0.1:0")
					if slices.Contains(words, "--config") {
						args = words[1:]
					}
					if code, log := runGateway(t, args...); code != exitFine || !strings.Contains(log, "every call has ended") {
						t.Errorf("%s: exit %d\n%s", e.line, code, log)
					}
					return
				}
				var out, errs bytes.Buffer
				code := Run(context.Background(), Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, words[1:])
				if code != exitFine && code != exitFindings || out.Len()+errs.Len() == 0 {
					t.Errorf("%s: exit %d\n%s%s", e.line, code, &out, &errs)
				}
			})
		}
	}
}

// atServer starts a server with the policy cors.yaml and TLS, writes its certificate as ca.pem, and returns the words of a
// command line with its URL for https://api.example.com.
func atServer(t *testing.T, words []string) []string {
	at := slices.Index(words, "https://api.example.com")
	if at < 0 {
		t.Fatalf("%q does not name https://api.example.com", words)
	}
	layer, err := corsrpc.Load("cors.yaml", corsrpc.WithFiles(filesOf(t)), corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(layer.Wrap(http.NotFoundHandler()))
	t.Cleanup(server.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile("ca.pem", certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	words = slices.Clone(words)
	words[at] = server.URL
	return words
}

// TestHelp: -h shows the two examples, each flag, and what the exit codes mean; it does not matter how
// help is asked for.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, c := range subcommands() {
		var texts []string
		for _, args := range [][]string{{c.name, "-h"}, {c.name, "--help"}, {"help", c.name}, {c.name, "x", "-h"}} {
			var out, errs bytes.Buffer
			if code := Run(t.Context(), Streams{Out: &out, Err: &errs}, args); code != exitFine || errs.Len() > 0 {
				t.Errorf("%q: exit %d: %s", args, code, &errs)
			}
			texts = append(texts, out.String())
		}
		for _, text := range texts[1:] {
			if text != texts[0] {
				t.Errorf("%s: %s", c.name, text)
			}
		}
		flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.setup(flags)
		want := []string{c.summary, "Usage: " + c.usage(flags) + "\n", "# " + c.examples[0].comment + "\n  " + c.examples[0].line, c.examples[1].line, "Exit codes:\n  0  "}
		flags.VisitAll(func(f *flag.Flag) {
			want = append(want, "  "+dashed(f.Name))
			if _, usage := flag.UnquoteUsage(f); usage == "" {
				t.Errorf("%s: %s has no description", c.name, f.Name)
			}
		})
		if listed := strings.Contains(texts[0], "\nFlags:\n  -"); listed != hasFlags(flags) {
			t.Errorf("%s: -h lists flags: %t", c.name, listed)
		}
		for line := range strings.Lines(c.summary + "\n" + c.details) {
			if n := len(strings.TrimSpace(line)); n > 101 {
				t.Errorf("%s: a line of -h has %d characters: %s", c.name, n, line)
			}
		}
		for code, meaning := range c.exits {
			if shown := strings.Contains(texts[0], fmt.Sprintf("  %d  %s\n", code, meaning)); shown != (meaning != "") {
				t.Errorf("%s: exit code %d", c.name, code)
			}
		}
		for _, w := range want {
			if !strings.Contains(texts[0], w) {
				t.Errorf("%s: -h does not have %q:\n%s", c.name, w, texts[0])
			}
		}
		if c.examples[0].line == c.examples[1].line || c.examples[0].comment == c.examples[1].comment {
			t.Errorf("%s: the two examples are the same", c.name)
		}
	}
}

// TestOverview: the overview lists each subcommand; it is the answer to help, and a usage error
// without arguments.
func TestOverview(t *testing.T) {
	t.Parallel()
	var asked, errs bytes.Buffer
	for _, args := range [][]string{{"-h"}, {"--help"}, {"help"}} {
		asked.Reset()
		if code := Run(t.Context(), Streams{Out: &asked, Err: &errs}, args); code != exitFine || errs.Len() > 0 {
			t.Errorf("%q: exit %d: %s", args, code, &errs)
		}
	}
	for _, c := range subcommands() {
		if !strings.Contains(asked.String(), "  "+c.name+" ") {
			t.Errorf("%s is missing: %s", c.name, &asked)
		}
	}
	var out bytes.Buffer
	if code := Run(t.Context(), Streams{Out: &out, Err: &errs}, nil); code != exitUsage || out.Len() > 0 || errs.String() != asked.String() {
		t.Errorf("without arguments: exit %d, %q, %q", code, &out, &errs)
	}
	for _, args := range [][]string{{"--version"}, {"-version"}, {"version"}} {
		out.Reset()
		if code := Run(t.Context(), Streams{Out: &out}, args); code != exitFine || !strings.HasPrefix(out.String(), "corsrpc ") || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%q: exit %d: %q", args, code, &out)
		}
	}
}

// TestDocumentsHaveAHeader: the JSON of every subcommand that writes JSON begins with the version of
// its schema and its name.
func TestDocumentsHaveAHeader(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "cors.yaml")
	if err := os.WriteFile(name, []byte("defaults: {allow_origins: [https://app.example.com]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	test := filepath.Join(dir, "cors_test.yaml")
	if err := os.WriteFile(test, []byte("policy: cors.yaml\ncases: [{from: https://app.example.com, call: a.v1.S.M, expect: {readable: {}}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for command, args := range map[string][]string{"check": {name}, "show": {name}, "explain": {name, "a.v1.S.M"}, "test": {test}} {
		var out, errs bytes.Buffer
		code := Run(t.Context(), Streams{Out: &out, Err: &errs}, append([]string{command, "-o", "json"}, args...))
		var document struct {
			SchemaVersion int `json:"schema_version"`
			Command       string
		}
		if err := json.Unmarshal(out.Bytes(), &document); err != nil || code != exitFine || document.SchemaVersion != 1 || document.Command != command {
			t.Errorf("%s: exit %d: %v: %s %s", command, code, err, &out, &errs)
		}
	}
}
