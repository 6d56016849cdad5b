package policytest

import (
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// CaseText returns a case in YAML, as an item of the list cases of a test file. The item is not indented.
func CaseText(one *corsrpcv1.Case) (string, error) {
	text, err := policyfile.YAML(one)
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return "- " + strings.Join(lines, "\n  ") + "\n", nil
}
