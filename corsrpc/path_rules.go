package corsrpc

import (
	"errors"
	"fmt"
	"slices"

	"github.com/corsrpc/corsrpc-go/internal/route"
)

// addPaths adds the path rules.
func (c *compiler) addPaths(p *Plan) {
	for _, text := range c.patterns {
		rules := c.paths[text]
		at := rules[0].field + ".path"
		g := p.intern(c.grant(slices.Concat(c.defaults, rules), grantKind{path: true}))
		pattern, problem := route.ParsePattern(text)
		if problem != nil {
			fix := ""
			if problem.Fix != "" {
				fix = fmt.Sprintf("%q", problem.Fix)
			}
			c.fail(CheckPathSyntax, at, text, problem.Reason, fix)
			continue
		}
		if selector, ok := p.routes.Covers(pattern); ok {
			c.fail(CheckPathIsProcedure, at, text, "is the path of procedures", "selector: "+selector)
			continue
		}
		if err := p.routes.AddPattern(pattern, knownTarget(targetPath, text, g)); err != nil {
			c.fail(CheckPathConflict, at, text, describeConflict(err), "")
			continue
		}
		p.paths[text] = g
	}
}

// describeConflict says why two patterns cannot both be rules.
func describeConflict(err error) string {
	var conflict *route.ConflictError
	errors.As(err, &conflict)
	if conflict.LetterCase {
		return fmt.Sprintf("overlaps with %q where a server ignores letter case: a request could be either's", conflict.Other)
	}
	return fmt.Sprintf("overlaps with %q, and neither is more specific: a request could be either's", conflict.Other)
}
