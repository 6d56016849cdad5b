package policyfile

import (
	"sort"
	"unicode/utf8"
)

// lineIndex holds the offset at which each line begins.
type lineIndex []int

func newLineIndex(text []byte) lineIndex {
	lines := lineIndex{0}
	for i, c := range text {
		if c == '\n' {
			lines = append(lines, i+1)
		}
	}
	return lines
}

// position returns the place of a byte.
func (l lineIndex) position(text []byte, offset int) Position {
	offset = min(offset, len(text))
	line := sort.SearchInts(l, offset+1) - 1
	return Position{line + 1, utf8.RuneCount(text[l[line]:offset]) + 1}
}
