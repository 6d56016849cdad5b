package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
)

// originRun is where consecutive patterns are written: each in an item of its own, or all in
// one item, which names the environment variable that holds them.
type originRun struct {
	first     int    // the index of the first pattern
	list      string // the field of the list
	item      int    // the index of the first pattern's item
	inOneItem bool   // all patterns are in that item
	variable  string // the environment variable that holds them; empty if there is none
}

// originRunOf returns the run of the pattern with an index alone.
func (l *level) originRunOf(pattern int) originRun {
	n, _ := slices.BinarySearchFunc(l.originRun, pattern+1, func(run originRun, i int) int { return run.first - i })
	run := l.originRun[n-1]
	if !run.inOneItem {
		run.item += pattern - run.first
	}
	run.first = pattern
	return run
}

// originPlace returns the field of the item in which the pattern with an index is written, and
// the environment variable that holds it, if any.
func (l *level) originPlace(pattern int) (field, variable string) {
	run := l.originRunOf(pattern)
	return fmt.Sprintf("%s[%d]", run.list, run.item), run.variable
}

// riskOf maps the code of an origin's problem to the risk that a rule may accept.
var riskOf = map[origin.Code]corsrpcv1.Risk{
	origin.CodeNull:            corsrpcv1.Risk_RISK_NULL_ORIGIN,
	origin.CodePlainHTTP:       corsrpcv1.Risk_RISK_PLAIN_HTTP,
	origin.CodePublicSuffix:    corsrpcv1.Risk_RISK_PUBLIC_SUFFIX,
	origin.CodeAnyInstallation: corsrpcv1.Risk_RISK_ANY_INSTALLATION,
}

// IsSourceName reports whether name is a valid name of an origin source.
func IsSourceName(name string) bool { return route.IsIdentifier(strings.ReplaceAll(name, "-", "_")) }

func (c *compiler) parseOrigins(l *level, r *corsrpcv1.Rule) {
	items, field := r.GetAllowOrigins(), l.field+".allow_origins"
	if list := c.lists[r]; list != nil {
		l.items = list.texts.Len()
		c.parseLongList(l, field, list)
	} else {
		l.items = len(items)
		c.parseOriginItems(l, field, slices.All(items))
	}
	seen := map[string]bool{}
	for i, name := range r.GetAllowOriginsFrom() {
		at := fmt.Sprintf("%s.allow_origins_from[%d]", l.field, i)
		switch {
		case !IsSourceName(name):
			c.fail(CodeOriginSource, at, name, "is not a valid name of an origin source: it consists of letters, digits, - and _, and does not begin with a digit", "")
		case seen[name]:
			c.fail(CodeOriginSource, at, name, "is listed twice: leave one out", "")
		default:
			seen[name] = true
			l.sources = append(l.sources, name)
		}
	}
}

// parseLongList makes the set of a long list without a copy of its items. If there is a
// problem, parseOriginItems reports it for each item.
func (c *compiler) parseLongList(l *level, field string, list *originList) {
	if list.set == nil {
		list.set, _ = origin.NewSetOf(list.texts, func(problems []origin.Problem) bool {
			return !slices.ContainsFunc(problems, func(problem origin.Problem) bool {
				risk, canAccept := riskOf[problem.Code]
				return !canAccept || !l.risks[risk]
			})
		})
	}
	if list.set == nil {
		c.parseOriginItems(l, field, list.texts.All)
		return
	}
	l.origins, l.originRun = list.set, []originRun{{list: field}}
}

// parseOriginItems parses a list of origins.
func (c *compiler) parseOriginItems(l *level, field string, items iter.Seq2[int, string]) {
	var patterns []origin.Pattern
	for i, item := range items {
		run := originRun{first: len(patterns), list: field, item: i}
		patterns = append(patterns, c.parseOriginItem(l, &run, item)...)
		if run.first < len(patterns) && (run.inOneItem || len(l.originRun) == 0 || !l.originRun[len(l.originRun)-1].extends(run)) {
			l.originRun = append(l.originRun, run)
		}
	}
	if len(patterns) > 0 {
		l.origins = origin.NewSet(patterns)
	}
}

// extends reports whether the next run's places follow from this run's, so that the next one
// need not be recorded.
func (run originRun) extends(next originRun) bool {
	return run.list == next.list && !run.inOneItem && !next.inOneItem && next.item-run.item == next.first-run.first
}

// parseOriginItem parses one item of a list of origins, which may name an environment variable.
// It records in run how the item's patterns are written.
func (c *compiler) parseOriginItem(l *level, run *originRun, item string) (patterns []origin.Pattern) {
	at := fmt.Sprintf("%s[%d]", run.list, run.item)
	if !strings.Contains(item, "${") {
		return c.parseOrigin(l, at, item, "")
	}
	name, fallback, ok := parseVariable(item)
	if !ok {
		reason, fix := "is not of the form ${NAME} or ${NAME:-fallback}: a variable stands for the whole item, and holds whole origins separated by commas", ""
		if meant, whole := variableMeant(item); whole {
			reason, fix = "is not of the form ${NAME} or ${NAME:-fallback}, whose name has letters, digits and underscores", meant
		} else if names, _ := origin.Variables(item); len(names) > 0 && !strings.Contains(item, ":-") {
			reason, fix = variableWithin(names)
		}
		c.fail(CodeEnvironment, at, item, reason, fix)
		return nil
	}
	value, set := c.config.LookupEnv(name)
	run.inOneItem, run.variable = true, name
	source := "is the value of the environment variable " + name
	if !set || value == "" {
		run.variable = ""
		source = "is the fallback for the environment variable " + name
		if value = fallback; value == "" {
			switch {
			case c.allowUnsetEnv:
			case c.config.UnsetVariables:
				l.unset = append(l.unset, UnsetVariable{name, at})
			default:
				c.fail(CodeEnvironment, at, item, "needs the environment variable "+name+", which is empty or not set: set it, or give a fallback", fmt.Sprintf("%q", "${"+name+":-https://app.example.com}"))
			}
			return nil
		}
	}
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		switch part {
		case "":
			c.fail(CodeEnvironment, at, value, source+", and contains an empty item", "")
		case "*":
			c.fail(CodeEnvironment, at, value, source+", but only the policy itself may allow every origin", `"*"`)
		default:
			patterns = append(patterns, c.parseOrigin(l, at, part, source)...)
		}
	}
	return patterns
}

// UnsetVariable is an environment variable of an origin list that is not set and has no fallback.
type UnsetVariable struct {
	// Name is its name, and Field the item that holds it.
	Name, Field string
}

// parseVariable splits ${NAME} or ${NAME:-fallback}. It returns false if item is neither.
func parseVariable(item string) (name, fallback string, ok bool) {
	inner, opens := strings.CutPrefix(item, "${")
	inner, closes := strings.CutSuffix(inner, "}")
	name, fallback, _ = strings.Cut(inner, ":-")
	return name, fallback, opens && closes && route.IsIdentifier(name) && !strings.ContainsAny(fallback, "${}")
}

// variableMeant returns the variable that an item in another form of shells means, as the fix of a
// violation; "" if that is not known. whole is whether the item is one variable and nothing else.
func variableMeant(item string) (fix string, whole bool) {
	inner, opens := strings.CutPrefix(item, "${")
	inner, _ = strings.CutSuffix(inner, "}")
	if !opens || strings.ContainsAny(inner, "${}") {
		return "", false
	}
	name := inner
	for i, r := range inner {
		if r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			name = inner[:i]
			break
		}
	}
	rest := inner[len(name):]
	switch fallback := strings.TrimLeft(rest, ":-="); {
	case !route.IsIdentifier(name):
		return "", true
	case rest == "":
		return quotedItems([]string{"${" + name + "}"}), true
	case fallback != "" && slices.Contains([]string{"-", "=", ":="}, strings.TrimSuffix(rest, fallback)):
		return quotedItems([]string{"${" + name + ":-" + fallback + "}"}), true
	}
	return "", true
}

// parseOrigin parses the pattern of an origin. The source describes where the pattern comes
// from if it is not written in the policy itself; otherwise it is empty. A rule accepts risks only for
// origins that are written in it, not for those of the environment. A profile accepts risks for
// its add_origins likewise.
func (c *compiler) parseOrigin(l *level, at, item, source string) []origin.Pattern {
	pattern, problems := origin.ParsePattern(item)
	refused := false
	for _, problem := range problems {
		risk, canAccept := riskOf[problem.Code]
		canAccept = canAccept && source == ""
		if canAccept && l.risks[risk] {
			continue
		}
		refused = true
		reason, fix := problem.Reason, problem.Fix
		if fix != "" {
			fix = fmt.Sprintf("%q", fix)
		}
		if problem.Code == origin.CodeSyntax {
			reason, fix = meantItem(item, source, reason, fix)
		}
		if canAccept {
			where := "in this rule"
			if l.added {
				where = "beside add_origins"
			}
			reason += fmt.Sprintf(" (accept_risks: [%s] %s accepts it)", strings.TrimPrefix(risk.String(), "RISK_"), where)
		}
		if source != "" {
			reason += " (it " + source + ")"
		}
		c.fail(Code(problem.Code), at, item, reason, fix)
	}
	if refused {
		return nil
	}
	return []origin.Pattern{pattern}
}

// meantItem returns a more specific reason and fix for an invalid item that holds several origins
// or an environment variable; otherwise the given ones.
func meantItem(item, source, reason, fix string) (string, string) {
	if items := origin.Items(item); items != nil && source != "" {
		return "has several origins, which are separated by commas in an environment variable", fmt.Sprintf("%q", strings.Join(items, ","))
	} else if items != nil {
		return "has several origins, and each one is an item of its own", quotedItems(items)
	}
	if text, ok := strings.CutSuffix(reason, ": write each origin as an item of its own"); ok && source != "" {
		return text + ": the origins in an environment variable are separated by commas", fix
	}
	if names, alone := origin.Variables(item); len(names) > 0 && source == "" {
		if alone {
			return reason, quotedItems([]string{"${" + names[0] + "}"})
		}
		return variableWithin(names)
	}
	return reason, fix
}

// variableWithin returns the reason and fix for an item with environment variables that are not
// the whole item.
func variableWithin(names []string) (reason, fix string) {
	reason = "has an environment variable within it, but a variable is a whole item: " + names[0] + " has to hold whole origins such as https://app.example.com, separated by commas"
	variables := make([]string, len(names))
	for i, name := range names {
		variables[i] = "${" + name + "}"
	}
	return reason, quotedItems(variables)
}

// quotedItems returns items as they are written in a list.
func quotedItems(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = fmt.Sprintf("%q", item)
	}
	return strings.Join(quoted, ", ")
}
