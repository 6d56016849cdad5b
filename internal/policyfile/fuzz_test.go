package policyfile_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// FuzzParse: Parse does not panic; the position of each problem is within the text; and a
// policy without problems is equal to what is parsed from its JSON form.
func FuzzParse(f *testing.F) {
	for name, text := range same {
		f.Add(name, text)
	}
	for _, text := range []string{"defaults: {max_age: 7200}", "rules: [{}, *a]", "a: &a [*a]", "profiles: {dev: {}, dev: {}}", "? x\n: y", "---\n---\n"} {
		f.Add("cors.yaml", text)
	}
	f.Add("cors.json", `{"defaults": {"max_age": "0.000000001s"}}`)
	f.Add("cors.binpb", "\x0a\x00")
	f.Fuzz(func(t *testing.T, name, text string) {
		if len(text) > 1<<16 {
			return
		}
		var policy corsrpcv1.Policy
		file := policyfile.Parse(name, []byte(text), &policy, 1<<16)
		lines := 1 // in YAML, a carriage return is a line break too (YAML 1.2.2, section 5.4)
		for _, r := range text {
			if strings.ContainsRune("\n\r\u0085\u2028\u2029", r) {
				lines++
			}
		}
		for _, p := range file.Problems {
			if p.Pos.Line > lines+1 || p.Pos.Column > len(text)+2 || p.Code == "" || p.Reason == "" {
				t.Errorf("%+v of %d lines", p, lines)
			}
		}
		if file.Fatal && len(file.Problems) == 0 {
			t.Error("refused without a problem")
		}
		if len(file.Problems) > 0 || file.Fatal {
			return
		}
		again, err := protojson.Marshal(&policy)
		if err != nil {
			return // JSON cannot express every duration, and Compile refuses those
		}
		var second corsrpcv1.Policy
		if f := policyfile.Parse("again.json", again, &second, 1<<20); onlyInText(f) {
			return
		} else if len(f.Problems) > 0 || !proto.Equal(&policy, &second) {
			t.Errorf("%s\nread again: %+v\n%v\n%v", again, f.Problems, &policy, &second)
		}
	})
}

// onlyInText reports whether all problems are about values that only a text format can hold,
// such as the zero value of an enum.
func onlyInText(f *policyfile.File) bool {
	for _, p := range f.Problems {
		if p.Code != policyfile.CodeUnknownEnumValue && p.Code != policyfile.CodeWrongType {
			return false
		}
	}
	return len(f.Problems) > 0
}
