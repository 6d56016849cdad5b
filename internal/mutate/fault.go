package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"slices"
)

// A fault is one change of the source that takes a protection away or breaks a
// promise. It names no file, so it survives a move.
type fault struct {
	name string
	// in is the declaration that holds old, where old alone stands in several:
	// the name of a function, type, variable or constant, or a method as
	// "(*Decision).cross" or "cross".
	in string
	// old is source text that stands once in the product, or once within in.
	// The amount of white space does not count, only that there is some, or the
	// end of a line. Where old begins with a tab, a line begins there. An
	// identifier at either end of old is a whole one.
	old string
	// new takes old's place.
	new string
}

var faults = slices.Concat(layerFaults, rulesFaults, routeFaults, liveFaults, faceFaults, inspectorFaults, browserFaults)

// A place is where a fault's text stands.
type place struct {
	source     *source
	start, end int
}

// find returns the one place that a fault changes.
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
		return place{}, fmt.Errorf("the text stands nowhere%s: %s", within, f.old)
	case len(found) > 1:
		return place{}, fmt.Errorf("the text stands in %d places%s (%s, %s), not in one: %s", len(found), within, found[0], found[1], f.old)
	case f.old == f.new:
		return place{}, fmt.Errorf("the fault changes nothing: %s", f.old)
	}
	return found[0], nil
}

func (p place) String() string {
	return fmt.Sprintf("%s:%d", p.source.path, p.source.line(p.start))
}

// with returns the file's text with the fault in it.
func (p place) with(f fault) (string, error) {
	broken := p.source.text[:p.start] + f.new + p.source.text[p.end:]
	if _, err := parser.ParseFile(token.NewFileSet(), p.source.path, broken, parser.SkipObjectResolution); err != nil {
		return "", fmt.Errorf("the fault does not parse: %w", err)
	}
	return broken, nil
}
