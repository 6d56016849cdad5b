package export

import (
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/regexpsyntax"
)

// grantsSomebody reports whether the answer allows an origin.
func (a *Answer) grantsSomebody() bool { return a.Everyone || len(a.Origins)+len(a.Patterns) > 0 }

// sortedMethods returns the granted methods in an order that does not depend on the policy's.
func (a *Answer) sortedMethods() []string { return slices.Sorted(slices.Values(a.Methods)) }

// methodsRegexp returns a regular expression that has to match a whole method, as one of some methods. A method may have characters
// such as "." and "|". One with a caret never matches, which is stricter.
func methodsRegexp(methods []string) string {
	literals := make([]string, len(methods)) // there is one at least
	for i, method := range methods {
		literals[i] = regexpsyntax.Literal(method)
	}
	return strings.Join(literals, "|")
}
