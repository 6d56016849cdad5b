package policyfile_test

import (
	"math"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// TestNumbers: fields of 32 and of 64 bits hold every number that fits, in each format, and no other.
func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field, value string
		want         int64
		problem      string
	}{
		{"max_body_bytes", "16777216", 16 << 20, ""},
		{"max_body_bytes", "9223372036854775807", math.MaxInt64, ""},
		{"max_body_bytes", "9223372036854775808", 0, "no field can hold"},
		{"max_body_bytes", "1.5", 0, "whole number"},
		{"max_connections", "2147483647", math.MaxInt32, ""},
		{"max_connections", "2147483648", 0, "no field can hold"},
	} {
		for name, text := range map[string]string{
			"g.yaml": "limits: {" + c.field + ": " + c.value + "}", "g.json": `{"limits": {"` + c.field + `": ` + c.value + `}}`,
		} {
			var g corsrpcv1.Gateway
			f := policyfile.Parse(name, []byte(text), &g, limit)
			if c.problem != "" {
				if len(f.Problems) != 1 || !strings.Contains(f.Problems[0].Reason, c.problem) {
					t.Errorf("%s: %+v, want %q", text, f.Problems, c.problem)
				}
				continue
			}
			if got := g.GetLimits().GetMaxBodyBytes() + int64(g.GetLimits().GetMaxConnections()); got != c.want || len(f.Problems) > 0 {
				t.Errorf("%s: %d, %+v", text, got, f.Problems)
			}
		}
	}
}
