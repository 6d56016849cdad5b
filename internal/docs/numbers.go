package docs

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// number matches an integer, perhaps with thousands separators, or a decimal.
const number = `(?:\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)`

// units matches what makes a number a quantity: a unit of time or size, a
// factor, a share.
const units = `(?:ns|µs|us|ms|s|seconds?|minutes?|hours?|days?|B|bytes?|KB|KiB|MB|MiB|GB|GiB|kB|%|×|times|lines|names|readings|levels)`

// nouns matches what the project counts.
const nouns = `(?:tests?|cases?|cells?|faults?|fetches|calls?|policies|combinations|paths|requests?|refusals|origins?|procedures|rules?|patterns?|clients?|streams|rows?|engines)`

var (
	numberRE  = regexp.MustCompile(number)
	unitRE    = regexp.MustCompile(`^[ \x{a0}-]?(` + units + `)(?:$|[^\w-])`)
	nounRE    = regexp.MustCompile(`^ (?:[\w-]+ ){0,2}?(` + nouns + `)(?:$|[^\w-])`)
	ofRE      = regexp.MustCompile(`^ of ` + number)
	spelledRE = regexp.MustCompile(`(?i)\b(a|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) (hundred|thousand|million|billion)\b`)
	smallRE   = regexp.MustCompile(`(?i)\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) (?:[\w-]+ )?(tests|cases|cells|faults|fetches|calls|preflights|policies)\b`)
)

// quantity is a number in the text of a page that has to have a source.
type quantity struct {
	text   string // as the page writes it
	number string // in digits
	unit   string // its unit or noun, or ""
}

func (q quantity) String() string { return strings.TrimSpace(q.text + " " + q.unit) }

// zeros and small are the values of numbers in words.
var (
	zeros = map[string]string{"hundred": "00", "thousand": ",000", "million": ",000,000", "billion": ",000,000,000"}
	small = map[string]string{
		"a": "1", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
		"ten": "10", "eleven": "11", "twelve": "12",
	}
)

// quantitiesOf returns the quantities in a text. Digits are a quantity if they
// have a thousands separator, a unit, or a noun for what the project counts, or
// come before "of" and another number. Words are one from a hundred upwards, and
// from two upwards before a noun for what tests count.
func quantitiesOf(text string) (all []quantity) {
	for _, at := range numberRE.FindAllStringIndex(text, -1) {
		q := quantity{text: text[at[0]:at[1]], number: text[at[0]:at[1]]}
		rest := text[at[1]:]
		unit, noun := unitRE.FindStringSubmatch(rest), nounRE.FindStringSubmatch(rest)
		switch {
		case partOfWord(text, at[0], at[1], unit != nil):
			continue
		case unit != nil:
			q.unit = unit[1]
		case noun != nil:
			q.unit = noun[1]
		case !strings.Contains(q.number, ",") && !ofRE.MatchString(rest):
			continue
		}
		all = append(all, q)
	}
	for _, m := range spelledRE.FindAllStringSubmatch(text, -1) {
		all = append(all, quantity{text: strings.ToLower(m[0]), number: small[strings.ToLower(m[1])] + zeros[strings.ToLower(m[2])]})
	}
	for _, m := range smallRE.FindAllStringSubmatch(text, -1) {
		all = append(all, quantity{text: strings.ToLower(m[1]), number: small[strings.ToLower(m[1])], unit: m[2]})
	}
	return all
}

// partOfWord reports whether the number text[from:to] is part of a name, a version,
// an address or a path. If unit is true, a unit follows the number, and only the
// text before it counts.
func partOfWord(text string, from, to int, unit bool) bool {
	if from > 0 && (isWord(text[from-1]) || strings.IndexByte(".,/:$-#", text[from-1]) >= 0) {
		return true
	}
	rest := text[to:]
	if rest == "" || unit {
		return false
	}
	return isWord(rest[0]) || len(rest) > 1 && strings.IndexByte(".,:/", rest[0]) >= 0 && isWord(rest[1])
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// checkNumbers returns the quantities of a page that neither a figure named in
// the passage nor a row of constants has, and the figures that are named for
// nothing. It notes the constants that it finds in used.
func checkNumbers(t *tree, p *page, figures map[string]string, constants []constant, used map[string]bool) (problems []problem) {
	claimed := map[string]bool{} // the figures that some number of the page needs
	named := map[string]int{}
	for _, passage := range p.passages {
		for _, name := range passage.figures {
			if _, seen := named[name]; !seen {
				named[name] = passage.line
			}
		}
		if passage.generated != "" {
			continue
		}
	next:
		for _, q := range quantitiesOf(passage.text) {
			for _, c := range constants {
				if c.quantity == q.String() && (c.page == "" || c.page == p.path) {
					used[c.page+c.quantity] = true
					continue next
				}
			}
			found := false
			for _, name := range passage.figures {
				if t.hasFigure(figures, name, q) {
					claimed[name], found = true, true
				}
			}
			if found {
				continue
			}
			problems = append(problems, problem{p.path, passage.line, fmt.Sprintf(
				"%q has no source. If a command counts or measures it, write <!-- figure: NAME --> after the sentence, with its name in internal/figures/figures.txt, or the path of a RESULTS.md. If the source fixes it, add it to internal/docs/constants.go", q)})
		}
	}
	for name, line := range named {
		if !claimed[name] {
			why := "no number beside it has this value"
			if value, ok := figures[name]; ok {
				why += ", which is " + value
			} else if !t.files[name] {
				why = "there is no such figure"
			}
			problems = append(problems, problem{p.path, line, "figure " + name + ": " + why})
		}
	}
	return problems
}

// hasFigure reports whether a figure, or a report of results, has a quantity. A
// value without a unit may be that of any noun.
func (t *tree) hasFigure(figures map[string]string, name string, q quantity) bool {
	value, ok := figures[name]
	if !ok && path.Base(name) == "RESULTS.md" {
		value = t.text(name)
		return regexp.MustCompile(`(?:^|[^\w.,])` + regexp.QuoteMeta(q.number) + `(?:$|[^\w.,]|[.,]\D)`).MatchString(value)
	}
	for _, at := range numberRE.FindAllStringIndex(value, -1) {
		unit := ""
		if m := unitRE.FindStringSubmatch(value[at[1]:]); m != nil {
			unit = m[1]
		}
		if value[at[0]:at[1]] == q.number && (unit == "" || singular(unit) == singular(q.unit)) {
			return true
		}
	}
	return ok && value == q.number
}

// singular returns a unit without its plural's s.
func singular(unit string) string {
	if len(unit) > 2 {
		return strings.TrimSuffix(unit, "s")
	}
	return unit
}

// checkConstants returns the rows that no page uses, and those whose place in
// the source does not have the value.
func checkConstants(t *tree, constants []constant, used map[string]bool) (problems []problem) {
	for _, c := range constants {
		fail := func(format string, args ...any) {
			problems = append(problems, problem{"internal/docs/constants.go", 1, fmt.Sprintf("%q: ", c.quantity) + fmt.Sprintf(format, args...)})
		}
		if !used[c.page+c.quantity] {
			fail("no page has this number: delete the row")
		}
		if c.holds == "" || !strings.Contains(t.text(c.file), c.holds) {
			fail("%s does not contain %q", c.file, c.holds)
		}
	}
	return problems
}

var browserVersionRE = regexp.MustCompile(`\b(Chromium|Firefox|WebKit)(?: ESR|GTK)? (\d+(?:\.\d+)*)\b`)

// checkBrowserVersions returns the versions of browsers in the text of a page
// that are not those of the last run of the browser tests.
func checkBrowserVersions(p *page, figures map[string]string) (problems []problem) {
	for _, passage := range p.passages {
		for _, m := range browserVersionRE.FindAllStringSubmatch(passage.text, -1) {
			if last := figures["browser."+strings.ToLower(m[1])]; last != m[2] {
				problems = append(problems, problem{p.path, passage.line, fmt.Sprintf("%s is not the version %q that make conformance compared last", m[0], last)})
			}
		}
	}
	return problems
}

var goVersionRE = regexp.MustCompile(`\bGo (\d+\.\d+(?:\.\d+)?)\b|\bNode\.js (\d+)\b`)

// checkVersions returns the versions of Go and Node.js in the text of a page
// that neither a go.mod of the repository nor the set-up asks for.
func checkVersions(t *tree, p *page) (problems []problem) {
	for _, passage := range p.passages {
		for _, m := range goVersionRE.FindAllStringSubmatch(passage.text, -1) {
			ok := m[2] != "" && strings.Contains(t.text("internal/tools/setup.sh"), "node_needed="+m[2]+"\n")
			for _, file := range t.matching(`(^|/)go\.mod$`) {
				ok = ok || m[1] != "" && regexp.MustCompile(`(?m)^go `+regexp.QuoteMeta(m[1])+`(\.0)?$`).MatchString(t.text(file))
			}
			if !ok {
				problems = append(problems, problem{p.path, passage.line, m[0] + " is not the version of a go.mod or of internal/tools/setup.sh"})
			}
		}
	}
	return problems
}
