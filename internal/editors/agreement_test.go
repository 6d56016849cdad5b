package editors

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// ofSchema are the codes of the problems that a schema has to find.
var ofSchema = []string{policyfile.CodeUnknownField, policyfile.CodeWrongType, policyfile.CodeUnknownEnumValue, policyfile.CodeEmptyList}

// readDifferently are the texts of the corpora that the layer and an editor read differently: the base name of the file and
// the beginning of what the layer, or the editor, says about it.
var readDifferently = map[string]struct{ layer, editor string }{
	// The layer refuses what an editor accepts: corsrpc check finds it.
	"boolean_upper.yaml":           {layer: "is a boolean, but the field takes true or false"}, // True, which YAML has for true
	"preflights_fraction.yaml":     {layer: "is not a whole number"},                           // 1.0, which JSON Schema has for a whole number
	"limit_exponent.yaml":          {layer: "is not a whole number"},                           // 1e4, the same
	"preflights_leading_zero.yaml": {layer: "is not a whole number"},                           // 01, which YAML 1.2 has for 1, and YAML 1.1 for an octal number
	"indent_deeper_item.yaml":      {layer: "is read as a part of the item above it"},          // a string over two lines, which is hardly meant
	"tag.yaml":                     {layer: "has the tag !env"},                                // editors warn only
	"parse_test.go: defaults: !po": {layer: "has the tag !policy"},

	// An editor refuses what the layer accepts. This is an error of the editor's YAML parser and not of the schema:
	// a bracket that closes on a line of its own has to be indented.
	"compare_test.go: rules: [\n\t\t\t{": {editor: "YAMLParseError: Flow sequence in block collection must be sufficiently indented"},
}

// difference returns the key of a text in readDifferently.
func (x text) difference() string {
	if base := path.Base(x.from); path.Ext(base) != ".go" {
		return base
	}
	const beginning = 13
	return path.Base(x.from) + ": " + x.Text[:min(len(x.Text), beginning)]
}

// TestCorpora: the schema accepts every text that the layer reads, and refuses every one with an
// unknown field or a value that the field cannot have. Both are tried with every text in the repository.
func TestCorpora(t *testing.T) {
	t.Parallel()
	counts := map[string][2]int{} // how many texts of a folder are read, and refused for a reason of the schema
	differences := map[string]bool{}
	texts := corpora(t)
	for i, r := range validate(t, texts) {
		x := texts[i]
		file := x.read()
		at := slices.IndexFunc(file.Problems, func(p policyfile.Problem) bool { return slices.Contains(ofSchema, p.Code) })
		n := counts[path.Dir(x.from)]
		switch known := readDifferently[x.difference()]; {
		case len(file.Problems) == 0 && !r.accepted() && known.editor != "" && strings.HasPrefix(r.Syntax, known.editor),
			at >= 0 && r.accepted() && known.layer != "" && strings.HasPrefix(file.Problems[at].Reason, known.layer):
			differences[x.difference()] = true
		case len(file.Problems) == 0:
			n[0]++
			if !r.accepted() {
				t.Errorf("%s: the %s is read, but an editor says %q\n%s", x.from, kinds[x.Kind].name, r, x.Text)
			}
		case at >= 0 && !file.Fatal:
			n[1]++
			if r.accepted() {
				t.Errorf("%s: an editor accepts the %s, but %v\n%s", x.from, kinds[x.Kind].name, file.Problems, x.Text)
			}
		}
		counts[path.Dir(x.from)] = n
	}
	for difference := range readDifferently {
		if !differences[difference] {
			t.Errorf("%q is not read differently: remove it from readDifferently", difference)
		}
	}
	checkCounts(t, counts)
}

// checkCounts fails if a folder has fewer texts than it is known to have, since TestCorpora then compares less than it says.
func checkCounts(t *testing.T, counts map[string][2]int) {
	t.Helper()
	for folder, least := range map[string][2]int{
		"vectors/policies":                                  {90, 10},
		"vectors/requests":                                  {40, 0},
		"internal/policyfile/testdata/mistakes":             {40, 60},
		"internal/policyfile/testdata/test_mistakes":        {60, 60},
		"internal/policyfile/testdata/gateway_mistakes":     {80, 90},
		"corsrpc/cmd/internal/gatewayfile":                  {10, 150},
		"examples/gateway":                                  {3, 10},
		"internal/policyfile/testdata/fuzz/FuzzParse":       {0, 40},
		"corsrpc/testdata":                                  {1, 0},
		"corsrpc/testdata/fuzz/FuzzLoad":                    {4, 4},
		"corsrpc/cmd/internal/policytest/testdata/mistakes": {150, 2},
		"corsrpc/cmd/internal/cli/testdata":                 {15, 8},
		"corsrpc/cmd/internal/cli/testdata/diff":            {80, 1},
		"corsrpc/cmd/internal/cli/testdata/examples":        {2, 0},
		"corsrpc/docs":                                      {15, 10},
		"corsrpc":                                           {80, 80},
		"internal/rules":                                    {15, 5},
		"examples/policy-tests":                             {2, 0},
		"examples/policy-tests/ci":                          {0, 2},
		"examples/showcase":                                 {1, 0},
		"examples/tenants":                                  {1, 0},
		"examples/grpc":                                     {1, 0},
		"examples/minimal":                                  {1, 0},
	} {
		if n := counts[folder]; n[0] < least[0] || n[1] < least[1] {
			t.Errorf("%s has %d texts that are read and %d that are refused, want at least %d", folder, n[0], n[1], least)
		}
	}
}
