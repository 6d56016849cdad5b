package analysis

import (
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// originDifference is what one rule allows and another one does not, and an origin that both allow.
type originDifference struct {
	values    []string // the first maxValues patterns
	more      int      // the number of the other patterns
	index     int      // of the first pattern in its set; -1 if there is none
	witness   string   // an origin of the first pattern, or of the first atom
	atoms     []string // see facts.atoms
	undecided bool     // a pattern could not be compared

	common      string   // an origin that both allow; empty if there is none
	commonAtoms []string // the atoms that need to have that origin
}

// isEmpty reports whether the rule allows no origin more than the other one.
func (d *originDifference) isEmpty() bool { return len(d.values)+len(d.atoms) == 0 }

// originsKey identifies two sets of origins, in which the order matters.
type originsKey struct {
	from, to           *origin.Set
	fromAtoms, toAtoms string
}

// originDifference compares the origins that two rules allow.
func (c *comparer) originDifference(from, to *facts) *originDifference {
	key := originsKey{from.origins, to.origins, strings.Join(from.atoms, " "), strings.Join(to.atoms, " ")}
	d := c.origins[key]
	if d == nil {
		d = newOriginDifference(from, to)
		c.origins[key] = d
	}
	return d
}

func newOriginDifference(from, to *facts) *originDifference {
	d := &originDifference{index: -1}
	if from.origins.Any() == 0 {
		for i, witness := range to.origins.UncoveredBy(from.origins) {
			switch {
			case witness == "":
				d.undecided = true
				continue
			case d.index < 0:
				d.index, d.witness = i, witness
			}
			if len(d.values) < maxValues {
				d.values = append(d.values, to.origins.Patterns().At(i))
			} else {
				d.more++
			}
		}
		for _, atom := range to.atoms {
			if !slices.Contains(from.atoms, atom) {
				d.atoms = append(d.atoms, atom)
			}
		}
		if d.index < 0 && len(d.atoms) > 0 {
			d.witness = foreignOrigin(from.origins)
		}
	}
	d.findCommon(from, to)
	return d
}

// foreignOrigin returns an https origin that no pattern of the set matches; any if one of them is "*".
func foreignOrigin(set *origin.Set) string {
	anyone, _ := origin.ParsePattern("*")
	if witness, verdict := set.Outside(anyone); verdict == origin.Missed {
		return witness
	}
	return usualOrigin
}

// findCommon finds an origin that both rules allow. The origins of atoms are those that make it
// possible.
func (d *originDifference) findCommon(from, to *facts) {
	witness, verdict := origin.Common(from.origins, to.origins)
	switch {
	case verdict == origin.Overlapping:
		d.common = witness
		return
	case verdict == origin.OverlapUndecided:
		d.undecided = true
	}
	for _, atom := range from.atoms {
		if slices.Contains(to.atoms, atom) {
			d.common, d.commonAtoms = usualOrigin, []string{atom}
			return
		}
	}
	for _, sides := range [][2]*facts{{from, to}, {to, from}} {
		for _, atom := range sides[0].atoms {
			if witness := possibleRow(atom, sides[1].origins); witness != "" {
				d.common, d.commonAtoms = witness, []string{atom}
				return
			}
		}
	}
	if len(from.atoms) > 0 && len(to.atoms) > 0 {
		d.common, d.commonAtoms = usualOrigin, []string{from.atoms[0], to.atoms[0]}
	}
}

// possibleRow returns an origin that a pattern of the set matches and that the atom may have; empty if
// there is none. A source has exact https origins other than loopback, an environment variable
// every origin that has no risk.
func possibleRow(atom string, set *origin.Set) string {
	none := origin.NewSet(nil)
	for _, text := range set.Patterns().All {
		pattern, _ := origin.ParsePattern(text)
		witness, verdict := none.Outside(pattern)
		if verdict != origin.Missed {
			continue
		}
		if isVariable(atom) {
			if _, problems := origin.ParsePattern(witness); len(problems) == 0 {
				return witness
			}
		} else if origin.IsTenant(witness) {
			return witness
		}
	}
	return ""
}

// isVariable reports whether an atom is an environment variable.
func isVariable(atom string) bool { return strings.HasPrefix(atom, "${") }
