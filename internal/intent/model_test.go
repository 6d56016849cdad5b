package intent

import (
	"os/exec"
	"strings"
	"testing"
)

// TestModelIsIndependent: the model shares no code with corsrpc except the generated type of
// a policy.
func TestModelIsIndependent(t *testing.T) {
	const ours = "github.com/corsrpc/corsrpc-go/"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(dep, ours) && dep != ours+"internal/intent" && dep != ours+"corsrpc/corsrpcv1" {
			t.Errorf("the model imports %s", dep)
		}
	}
}

func TestCovers(t *testing.T) {
	tests := []struct {
		pattern, origin string
		want            bool
	}{
		{"https://a.example", "https://a.example", true}, {"https://a.example", "https://a.example:444", false}, {"https://a.example", "http://a.example", false},
		{"https://*.a.example", "https://b.a.example", true}, {"https://*.a.example", "https://c.b.a.example", true}, {"https://*.a.example", "https://a.example", false},
		{"https://*.a.example", "https://xa.example", false}, {"https://*.a.example", "https://b.a.example:444", false}, {"https://*.a.example", "https://b.a.example.", false},
		{"https://a.example:*", "https://a.example", true}, {"https://a.example:*", "https://a.example:444", true}, {"https://a.example:*", "https://b.a.example", false},
		{"https://*.a.example:*", "https://b.a.example:1", true}, {"https://*.a.example:444", "https://b.a.example:444", true}, {"https://*.a.example:444", "https://b.a.example", false},
		{"https://pr-*.a.example", "https://pr-1.a.example", true}, {"https://pr-*.a.example", "https://pr-.a.example", false}, {"https://pr-*.a.example", "https://pr-1.b.a.example", false},
		{"https://pr-*.a.example", "https://b.pr-1.a.example", false}, {"https://pr-*.a.example", "https://pr-1.a.example:1", false}, {"https://pr-*.a.example:*", "https://pr-1.a.example:1", true},
		{"https://a-*-b.a.example:*", "https://a-b.a.example", false}, {"https://a-*-b.a.example:*", "https://a---b.a.example", true}, {"https://*-a.a.example", "https://xn--a-a.a.example", false},
		{"https://pr-*.a.example", "http://pr-1.a.example", false}, {"https://pr-*.a.example", "https://pr-1", false}, {"https://pr-*.a.example", "https://pr-1.a.example.", false},
		{"*", "null", true}, {"null", "null", true}, {"https://[::1]:*", "https://[::1]:1", true}, {"https://[::1]:*", "https://[::11]", false}, {"capacitor://localhost", "capacitor://localhost", true},
	}
	for _, test := range tests {
		if got := Covers(test.pattern, test.origin); got != test.want {
			t.Errorf("%s for %s: %v", test.pattern, test.origin, got)
		}
	}
}
