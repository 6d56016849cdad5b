package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// limits are the lengths at which lists are cut in text.
type limits struct {
	services, names, origins int
	flag                     string // shows whole lists; empty if they are
}

func limitsOf(all bool) limits {
	if all {
		return limits{math.MaxInt, math.MaxInt, math.MaxInt, ""}
	}
	return limits{20, 20, 20, "--all"}
}

// writeText writes the rules for people.
func (p *shownPolicy) writeText(w io.Writer, rules *ruleSet, l limits) error {
	var b strings.Builder
	head := [][]string{{"policy", p.file}, {"digest", p.plan.Digest()}, {"enforcement", p.enforcement()}}
	if !p.plan.Enforced() {
		head[2][1] += " (calls that the rules refuse still reach the handlers)"
	}
	if profile := p.plan.Profile(); profile != "" {
		head = append(head, []string{"profile", profile})
	}
	if sources := p.plan.Sources(); len(sources) > 0 {
		head = append(head, []string{"sources", strings.Join(sources, ", ")})
	}
	report.WriteTable(&b, "", head)

	totals := map[string]int{}
	for _, r := range p.plan.Procedures() {
		totals[serviceOf(r.Name)]++
	}
	for _, section := range []struct {
		title string
		rules []corsrpc.EffectiveRule
		names func([]string) []string
	}{
		{"Procedures of the schema", rules.procedures, func(names []string) []string { return servicesText(names, totals, l) }},
		{p.selectorsTitle(), rules.selectors, func(names []string) []string { return cutLines(selectorTexts(names), l.names, "selector") }},
		{"Paths", rules.paths, func(names []string) []string { return cutLines(names, l.names, "path") }},
	} {
		if len(section.rules) == 0 {
			continue
		}
		groups := folded(section.rules)
		fmt.Fprintf(&b, "\n%s (%d, with %s)\n", section.title, len(section.rules), distinctRules(len(groups)))
		for _, g := range groups {
			b.WriteString("\n")
			for _, line := range section.names(g.names) {
				b.WriteString("  " + report.Printable(line) + "\n")
			}
			writeRule(&b, "    ", g.rule, l)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func distinctRules(n int) string {
	if n == 1 {
		return "one rule"
	}
	return fmt.Sprintf("%d different rules", n)
}

func (p *shownPolicy) selectorsTitle() string {
	if p.schemaKnown {
		return "Procedures that the schema does not have, by selector"
	}
	return "Procedures, by selector"
}

// selectorTexts explains the selector *.
func selectorTexts(selectors []string) []string {
	texts := make([]string, len(selectors))
	for i, s := range selectors {
		if texts[i] = s; s == "*" {
			texts[i] = "* (every name that no other selector covers, but for those of operational services)"
		}
	}
	return texts
}

// writeRule writes the values of a rule as a table.
func writeRule(b *strings.Builder, indent string, r corsrpc.EffectiveRule, l limits) {
	values, left := r.FirstValues(l.origins)
	var rows [][]string
	before := ""
	if !slices.ContainsFunc(values, func(v corsrpc.EffectiveValue) bool { return strings.HasPrefix(v.Field, "allow_origins") }) {
		rows = append(rows, []string{"allow_origins", "(none)", "no page of another origin may call"})
	}
	for _, v := range values {
		field := v.Field
		if field == before {
			field = "" // a further item of the list
		}
		before = v.Field
		rows = append(rows, []string{field, v.Value, v.From.String()})
	}
	report.WriteTable(b, indent, rows)
	if left > 0 {
		fmt.Fprintf(b, "%sand %s (%s shows them)\n", indent, report.Count(left, "more origin"), l.flag)
	}
}

// servicesText returns one line for each service of sorted procedures.
func servicesText(procedures []string, totals map[string]int, l limits) []string {
	var lines []string
	for len(procedures) > 0 {
		service := serviceOf(procedures[0])
		var methods []string
		for len(procedures) > 0 && serviceOf(procedures[0]) == service {
			methods = append(methods, strings.TrimPrefix(procedures[0], service+"."))
			procedures = procedures[1:]
		}
		n, total := len(methods), totals[service]
		switch {
		case n == total && n > 1:
			lines = append(lines, fmt.Sprintf("%s: all %d procedures", service, n))
		case n == total:
			lines = append(lines, fmt.Sprintf("%s: %s, its only procedure", service, methods[0]))
		default:
			if n > l.names {
				methods = append(methods[:l.names], "...")
			}
			lines = append(lines, fmt.Sprintf("%s: %s (%d of %d procedures)", service, strings.Join(methods, ", "), n, total))
		}
	}
	return cutLines(lines, l.services, "service")
}

// cutLines cuts a list.
func cutLines(lines []string, n int, noun string) []string {
	if len(lines) <= n {
		return lines
	}
	return append(lines[:n:n], fmt.Sprintf("and %s (--all shows them)", report.Count(len(lines)-n, "more "+noun)))
}

// serviceOf returns the name of the service of a procedure.
func serviceOf(procedure string) string {
	service, _, _ := cutLast(procedure, ".")
	return service
}
