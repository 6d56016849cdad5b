package policyfile_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// sameTest holds one policy test in several formats.
var sameTest = map[string]string{
	"cors_test.yaml": `policy: cors.yaml
descriptors: [image.binpb]
env: {PARTNERS: "https://a.example.com"}
sources:
  tenants: {origins: [https://t1.example.com]}
  none: {}
cases:
  - name: reads
    from: https://app.example.com
    call: acme.v1.CatalogService.List
    protocol: GRPC_WEB
    headers: {x-tenant-id: "7", x-empty: ""}
    engines: [WEBKIT, STANDARD]
    answer: {status: 404, headers: {x-request-id: "1"}}
    expect: {readable: {headers: [x-request-id]}, preflights: 0}
  - from: "null"
    call: /healthz
    credentials: true
    expect: {blocked: {reason: DISABLED, handler_runs: false}}
guarantees:
  - never: {calls: ["acme.admin.v1.*"], credentials: false, origins_outside: ["https://*.example.com"]}
  - always: {}
`,
	"cors_test.json": `{"policy": "cors.yaml", "descriptors": ["image.binpb"], "env": {"PARTNERS": "https://a.example.com"},
"sources": {"tenants": {"origins": ["https://t1.example.com"]}, "none": {}},
"cases": [{"name": "reads", "from": "https://app.example.com", "call": "acme.v1.CatalogService.List", "protocol": "PROTOCOL_GRPC_WEB",
"headers": {"x-tenant-id": "7", "x-empty": ""}, "engines": ["WEBKIT", "ENGINE_STANDARD"], "answer": {"status": 404, "headers": {"x-request-id": "1"}},
"expect": {"readable": {"headers": ["x-request-id"]}, "preflights": 0}},
{"from": "null", "call": "/healthz", "credentials": true, "expect": {"blocked": {"reason": "DISABLED", "handlerRuns": false}}}],
"guarantees": [{"never": {"calls": ["acme.admin.v1.*"], "credentials": false, "originsOutside": ["https://*.example.com"]}}, {"always": {}}]}`,
	"cors_test.textproto": `policy: "cors.yaml" descriptors: "image.binpb" env { key: "PARTNERS" value: "https://a.example.com" }
sources { key: "tenants" value { origins: "https://t1.example.com" } } sources { key: "none" value {} }
cases { name: "reads" from: "https://app.example.com" call: "acme.v1.CatalogService.List" protocol: PROTOCOL_GRPC_WEB
headers { key: "x-tenant-id" value: "7" } headers { key: "x-empty" value: "" } engines: [ENGINE_WEBKIT, ENGINE_STANDARD]
answer { status: 404 headers { key: "x-request-id" value: "1" } } expect { readable { headers: "x-request-id" } preflights: 0 } }
cases { from: "null" call: "/healthz" credentials: true expect { blocked { reason: "DISABLED" handler_runs: false } } }
guarantees { never { calls: "acme.admin.v1.*" credentials: false origins_outside: "https://*.example.com" } } guarantees { always {} }`,
}

func TestFormatsOfTestsAreEquivalent(t *testing.T) {
	t.Parallel()
	var want corsrpcv1.PolicyTest
	if err := prototext.Unmarshal([]byte(sameTest["cors_test.textproto"]), &want); err != nil {
		t.Fatal(err)
	}
	binary, err := proto.Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"a.binpb": string(binary), "crlf.yaml": strings.ReplaceAll(sameTest["cors_test.yaml"], "\n", "\r\n")}
	for name, text := range sameTest {
		texts[name] = text
	}
	for name, text := range texts {
		var got corsrpcv1.PolicyTest
		if f := policyfile.Parse(name, []byte(text), &got, limit); len(f.Problems) > 0 || !proto.Equal(&got, &want) {
			t.Errorf("%s: %+v\n%v", name, f.Problems, &got)
		}
	}
}

func TestPositionsOfTests(t *testing.T) {
	t.Parallel()
	f := policyfile.Parse("cors_test.yaml", []byte(sameTest["cors_test.yaml"]), &corsrpcv1.PolicyTest{}, limit)
	for field, want := range map[string]policyfile.Position{
		"cases[0]": {8, 5}, "cases[0].from": {9, 11}, `cases[0].headers["x-tenant-id"]`: {12, 28}, `cases[0].answer.headers["x-request-id"]`: {14, 51},
		"cases[0].expect.preflights": {15, 63}, `env["PARTNERS"]`: {3, 17}, `sources["tenants"].origins[0]`: {5, 23}, "guarantees[0].never.calls[0]": {21, 21},
	} {
		if got, ok := f.Position(field); !ok || got != want {
			t.Errorf("%s at %v %v, want %v", field, got, ok, want)
		}
	}
}

// TestFixesOfTests writes each fix of the corpus in place of the value that is refused. The problem is gone
// then.
func TestFixesOfTests(t *testing.T) {
	t.Parallel()
	for _, c := range corpora[1:] {
		t.Run(filepath.Base(c.dir), c.testFixes)
	}
}

func (c corpus) testFixes(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(c.dir + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	applied := 0
	for _, name := range names {
		for _, p := range c.parse(t, name).Problems {
			changed, ok := withFix(readFile(t, name), p)
			if !ok {
				continue
			}
			applied++
			for _, left := range policyfile.Parse(name, changed, c.message(), limit).Problems {
				if left.Pos == p.Pos || left.Field == p.Field {
					t.Errorf("%s: with the fix of %+v:\n%s\n%+v", name, p, changed, left)
				}
			}
		}
	}
	if applied < 50 {
		t.Errorf("%d fixes were applied, want at least 50", applied)
	}
}

// withFix writes the fix of a problem in place of the value at its position: a word, or a value in
// brackets. It returns false for a fix that is a description.
func withFix(text []byte, p policyfile.Problem) ([]byte, bool) {
	lines := bytes.SplitAfter(text, []byte("\n"))
	if p.Fix == "" || p.Pos.Line == 0 || p.Pos.Line > len(lines) || p.Code == policyfile.CodeDuplicateKey || strings.Contains(p.Fix, " before it") || strings.Contains(p.Fix, " for the tab") || strings.Contains(p.Fix, " below ") || strings.Contains(p.Fix, "..., and") || strings.Contains(p.Fix, "in a line of its own") || strings.HasPrefix(p.Fix, "the name of") {
		return nil, false
	}
	line := lines[p.Pos.Line-1]
	fix, _, _ := strings.Cut(p.Fix, " or ")
	at := p.Pos.Column - 1
	rest := bytes.TrimRight(line[at:], "\n")
	end := 0
	switch {
	case p.Code == policyfile.CodeUnknownField && strings.HasPrefix(fix, "blocked: "):
		end = bytes.IndexByte(rest, '}')
	case bytes.HasPrefix(rest, []byte("- ")):
		return nil, false // a list over several lines
	case len(rest) == 0:
		fix = " " + fix
	case rest[0] == '[' || rest[0] == '{':
		end = bytes.LastIndexByte(rest, rest[0]+2) + 1
		for end > 1 && bytes.Count(rest[:end], []byte{rest[0]}) < bytes.Count(rest[:end], []byte{rest[0] + 2}) {
			end--
		}
	case bytes.HasPrefix(rest, []byte(p.Value)):
		end = len(p.Value)
	case bytes.HasPrefix(rest, []byte(`"`+p.Value+`"`)):
		end = len(p.Value) + 2
	default:
		return nil, false
	}
	return []byte(strings.Join([]string{string(bytes.Join(lines[:p.Pos.Line-1], nil)), string(line[:at]), fix, string(line[at+end:]), string(bytes.Join(lines[p.Pos.Line:], nil))}, "")), true
}

// FuzzParseTest: Parse does not panic on a policy test, the position of each problem is within the text,
// and a test without problems is equal to what is parsed from its JSON form.
func FuzzParseTest(f *testing.F) {
	for name, text := range sameTest {
		f.Add(name, text)
	}
	names, err := filepath.Glob(corpora[1].dir + "/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		f.Add(filepath.Base(name), string(readFile(f, name)))
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		if len(text) > 1<<16 {
			return
		}
		var test corsrpcv1.PolicyTest
		file := policyfile.Parse(name, []byte(text), &test, 1<<16)
		for _, p := range file.Problems {
			if p.Pos.Line > len(text)+1 || p.Pos.Column > len(text)+2 || p.Code == "" || p.Reason == "" || strings.Contains(p.Reason, "{policy}") {
				t.Errorf("%+v", p)
			}
		}
		if len(file.Problems) > 0 {
			return
		}
		again, err := protojson.Marshal(&test)
		if err != nil {
			return // text that is not UTF-8 in a binary
		}
		var second corsrpcv1.PolicyTest
		if f := policyfile.Parse("again.json", again, &second, 1<<20); onlyInText(f) {
			return
		} else if len(f.Problems) > 0 || !proto.Equal(&test, &second) {
			t.Errorf("%s\nread again: %+v\n%v\n%v", again, f.Problems, &test, &second)
		}
	})
}
