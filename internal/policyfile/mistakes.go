package policyfile

import (
	"bytes"
	"math"
	"slices"
)

// mistake is a possible cause of a syntax error: a place in the text, the change that corrects
// it, and the message about it.
type mistake struct {
	at     int    // the offset of the culprit
	start  int    // the change replaces text[start:end] by with
	end    int    //
	with   string //
	value  string // as in Problem
	reason string
	fix    string
	known  bool // whether the message is true without a trial of the change
	strict bool // whether the corrected text has to be valid, with no problem in the lines of the change and next to it
}

// apply returns the text with the change.
func (m mistake) apply(text []byte) []byte {
	out := make([]byte, 0, len(text)+len(m.with))
	out = append(out, text[:m.start]...)
	out = append(out, m.with...)
	return append(out, text[m.end:]...)
}

// maxExplained is the size in bytes of the largest text whose syntax error is explained. The
// explanation tries changes of the text, so it takes several times as long as parsing.
const maxExplained = 256 << 10

// maxTrials is the maximum number of changes that are tried for one syntax error.
const maxTrials = 32

// The maximum number of changes, and of bytes of a text, for which two changes are tried together.
const maxPaired, maxPairedText = 10, 16 << 10

// trial is the result of parsing a text with a change.
type trial struct {
	valid    bool
	problems []Problem // of the policy, if valid
	failedAt int       // how far the parser came, if not valid
}

// choose returns the mistake whose correction leaves the fewest problems, the first one of
// several. It returns false if no correction lets the parser come further than failedAt. Each
// change is tried, so that a message about a mistake is true: with its correction, the text
// either parses or has its next error further on. If none does, the text may have two mistakes next to
// each other: choose returns the first one of two whose corrections together make the text valid.
func choose(text []byte, candidates []mistake, failedAt int, try func([]byte) trial) (mistake, bool) {
	best, least := mistake{}, math.MaxInt
	for i, m := range candidates {
		if m.known {
			return m, true
		}
		if i >= maxTrials {
			break
		}
		result := try(m.apply(text))
		cost := len(result.problems)
		if m.strict && (!result.valid || result.problemNear(positionAt(text, m.at).Line)) {
			continue
		}
		if !result.valid {
			if cost = maxProblems + 2; result.failedAt-(len(m.with)-(m.end-m.start)) <= failedAt {
				continue
			}
		}
		if cost < least {
			best, least = m, cost
		}
	}
	if least == math.MaxInt && len(text) <= maxPairedText {
		return choosePair(text, candidates[:min(len(candidates), maxPaired)], try)
	}
	return best, least < math.MaxInt
}

// choosePair is choose for two mistakes at once.
func choosePair(text []byte, candidates []mistake, try func([]byte) trial) (mistake, bool) {
	best, least := mistake{}, math.MaxInt
	for i, m := range candidates {
		for _, other := range candidates[i+1:] {
			first, second := m, other
			if second.start < first.start {
				first, second = second, first
			}
			if second.start < first.end || second.start == first.start {
				continue
			}
			result := try(first.apply(second.apply(text)))
			near := first.strict && result.problemNear(positionAt(text, first.at).Line)
			near = near || second.strict && result.problemNear(positionAt(text, second.at).Line)
			if cost := len(result.problems); result.valid && !near && cost < least {
				if best, least = first, cost; second.at < first.at {
					best = second
				}
			}
		}
	}
	return best, least < math.MaxInt
}

// problemNear reports whether a problem is in a line or in one next to it.
func (t trial) problemNear(line int) bool {
	return slices.ContainsFunc(t.problems, func(p Problem) bool { return p.Pos.Line >= line-1 && p.Pos.Line <= line+1 })
}

// explained returns the result of explain, or false if explain panics: a mistake in the
// explanation of an error must not end a server that reads the file again.
func explained(explain func() (mistake, bool)) (m mistake, ok bool) {
	defer func() {
		if recover() != nil {
			m, ok = mistake{}, false
		}
	}()
	return explain()
}

// reject records a mistake as the only problem of the text.
func (f *File) reject(text []byte, m mistake) {
	f.fail(CodeSyntax, positionAt(text, m.at), m.value, m.reason, m.fix)
}

// textLine is one line of a text, without its line break.
type textLine struct{ start, end int }

// next returns the offset of the next line, which is greater than that of the line's end; the
// length of the text if there is none.
func (l textLine) next(text []byte) int {
	n := bytes.IndexByte(text[l.end:], '\n')
	if n < 0 {
		return len(text)
	}
	return l.end + n + 1
}

// lineAt returns the line that contains an offset.
func lineAt(text []byte, offset int) textLine {
	offset = min(offset, len(text))
	start := bytes.LastIndexByte(text[:offset], '\n') + 1
	end := bytes.IndexByte(text[offset:], '\n')
	if end < 0 {
		end = len(text) - offset
	}
	end += offset
	if end > start && text[end-1] == '\r' {
		end--
	}
	return textLine{start, end}
}
