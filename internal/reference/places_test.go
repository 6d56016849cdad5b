package main

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// TestPlaces: trials find where a field may stand, and with which values. A field without values to try is an error.
func TestPlaces(t *testing.T) {
	t.Parallel()
	fields := (&corsrpcv1.Rule{}).ProtoReflect().Descriptor().Fields()
	for name, want := range map[string][]string{
		"disabled":     {"yes", "yes", "yes", "only `true`", "yes"},
		"expose":       {"yes", "yes", "yes", "only `DECLARED`", "yes"},
		"protocols":    {"only `CONNECT`, `GRPC_WEB`", "only `CONNECT`, `GRPC_WEB`", "only `MCP`", "only `CONNECT`, `GRPC_WEB`", "only `CONNECT`, `GRPC_WEB`"},
		"accept_risks": {"yes", "yes", "yes", "no", "yes"},
	} {
		fd := fields.ByTextName(name)
		if got, err := placesOf(fd); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q %v, want %q", name, got, err, want)
		}
	}
	if _, err := placesOf(fields.ByName("max_age")); err == nil || !strings.Contains(err.Error(), "does not have an example") { // the generated code has no comments
		t.Errorf("no example: %v", err)
	}
	other := (&corsrpcv1.Policy{}).ProtoReflect().Descriptor().Fields().ByName("enforcement")
	if _, err := placesOf(other); err == nil || !strings.Contains(err.Error(), "the generated code does not have") {
		t.Errorf("a field of another message: %v", err)
	}
}

// TestExamplesThatDiffer: a place that takes only some examples of a field has no cell.
func TestExamplesThatDiffer(t *testing.T) {
	t.Parallel()
	p := place{"a place", func(r *corsrpcv1.Rule) (bool, error) { return r.GetDisabled(), nil }}
	yes := true
	if cell, err := p.cell([]value{{"", &corsrpcv1.Rule{Disabled: &yes}}, {"", &corsrpcv1.Rule{}}}); err == nil {
		t.Error(cell)
	}
}

// TestLinked: a field that a text names with its message becomes a link, outside of code.
func TestLinked(t *testing.T) {
	t.Parallel()
	w := &writer{own: "corsrpc/v1/policytest.proto", files: protoregistry.GlobalFiles}
	for text, want := range map[string]string{
		"The forms of Rule.allow_origins, or Case.from.":     "The forms of [Rule.allow_origins](policy-reference.md#ruleallow_origins), or [Case.from](#casefrom).",
		"Not `Rule.allow_origins`, Rule.nothing, or net/Go.": "Not `Rule.allow_origins`, Rule.nothing, or net/Go.",
	} {
		if got := w.linked(text); got != want {
			t.Errorf("%s\n%s, want\n%s", text, got, want)
		}
	}
	if got := w.markdown("As Rule.path.\n\n    x: Rule.path"); strings.Count(got, "](") != 1 {
		t.Error(got)
	}
}
