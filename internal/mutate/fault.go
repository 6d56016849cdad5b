package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"slices"
)

// A fault is a change of the source that removes a protection or breaks a documented behaviour.
// It does not name a file, so that code can be moved.
type fault struct {
	name string
	// in is the declaration that contains old; it is required if several do. It is the name of
	// a function, type, variable or constant, or a method as "(*Decision).cross" or "cross".
	in string
	// old is source text that occurs once in the product, or once in the declaration in. The
	// amount of white space does not matter, except that a line end matches only a line end. A
	// tab at the start of old matches only at the start of a line. An identifier at either end
	// of old matches only a whole identifier.
	old string
	// new replaces old.
	new string
}

var faults = slices.Concat(layerFaults, commonCallFaults, readableFaults, rulesFaults, analysisFaults, routeFaults, liveFaults, logFaults, faceFaults, inspectorFaults, browserFaults, remedyFaults, inputFaults, commandFaults, guardFaults, compareFaults, witnessFaults, policytestFaults, auditFaults, probeFaults, fromGoFaults, gatewayFaults, serveFaults, gatewayFileFaults, envoyFaults, exportFaults, gatewayAPIFaults, nginxFaults, mcpFaults)

// A place is the byte range in a source file that a fault replaces.
type place struct {
	source     *source
	start, end int
}

// find returns the place that a fault changes. It returns an error unless there is exactly one.
func (f fault) find(sources []*source) (place, error) {
	var found []place
	for _, s := range sources {
		for _, p := range s.places(f.old) {
			if f.in == "" || s.declares(f.in, p.start) {
				found = append(found, p)
			}
		}
	}
	within := ""
	if f.in != "" {
		within = " within " + f.in
	}
	switch {
	case len(found) == 0:
		return place{}, fmt.Errorf("the source does not contain the fault's old text%s: %s", within, f.old)
	case len(found) > 1:
		return place{}, fmt.Errorf("the source contains the fault's old text in %d places%s (%s, %s), instead of one: %s", len(found), within, found[0], found[1], f.old)
	case f.old == f.new:
		return place{}, fmt.Errorf("the fault's old and new texts are equal: %s", f.old)
	}
	return found[0], nil
}

func (p place) String() string {
	return fmt.Sprintf("%s:%d", p.source.path, p.source.line(p.start))
}

// with returns the text of the file with the fault.
func (p place) with(f fault) (string, error) {
	broken := p.source.text[:p.start] + f.new + p.source.text[p.end:]
	if _, err := parser.ParseFile(token.NewFileSet(), p.source.path, broken, parser.SkipObjectResolution); err != nil {
		return "", fmt.Errorf("the source with the fault does not parse: %w", err)
	}
	return broken, nil
}
