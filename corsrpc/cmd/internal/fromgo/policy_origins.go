package fromgo

import (
	"fmt"
	"go/token"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/yamltext"
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// listed is what becomes of an origin of the configuration: items of the policy, items as comments, and the changes
// that concern it.
type listed struct {
	items, comments []string
	pos             token.Pos
	changes         []Change
}

// origins translates the origins.
func (w *policyWriter) origins() {
	if w.everyone {
		w.entries = []listed{{items: []string{"*"}, pos: w.everyoneAt}}
		return
	}
	seen := map[string]bool{}
	var loopback listed
	for _, o := range w.grants.origins {
		l := w.translated(o)
		var items []string
		for _, i := range l.items {
			if !seen[i] {
				items = append(items, i)
			}
			seen[i] = true
		}
		l.items = items
		w.entries = append(w.entries, l)
		for _, i := range items {
			if origin.IsLoopback(i) {
				loopback.items = append(loopback.items, i)
				loopback.pos = o.pos
			}
		}
	}
	if len(loopback.items) > 0 {
		w.entries = append(w.entries, listed{changes: []Change{{Kind: Loopback, Effect: Same, Line: w.lineOf(loopback.pos), Values: loopback.items,
			Message: "Any program on the visitor's machine can serve a page of " + joined(loopback.items) + ", in production too. If only developers need it, write it in add_origins of a profile."}}})
	}
	for _, u := range w.unknownOrigins {
		w.entries = append(w.entries, w.leftOut(u))
	}
	for _, i := range w.ignored {
		w.entries = append(w.entries, listed{pos: i.pos, changes: []Change{{Kind: OriginNeverMatched, Effect: Same, Line: w.lineOf(i.pos), Setting: i.setting, Values: []string{w.described(i.value)},
			Message: i.setting + " has " + w.described(i.value) + ", and the library ignores it, because a function decides."}}})
	}
}

// translated translates an origin.
func (w *policyWriter) translated(o originItem) listed {
	l := listed{pos: o.pos}
	line := w.lineOf(o.pos)
	if o.kind != text {
		l.items, l.changes = w.fromEnvironment(o)
		return l
	}
	t := translate(o)
	if w.library == jub0bs {
		t = translateJub0bs(o)
	}
	l.items = t.active
	instead := "The policy leaves it out."
	if len(t.active) > 0 {
		instead = "The policy allows " + joined(t.active) + " instead."
	}
	for _, kind := range t.kinds {
		c := Change{Kind: kind, Effect: effectOf(kind), Line: line, Setting: o.setting, Values: []string{o.text}}
		switch kind {
		case OriginRisk:
			c.Message = fmt.Sprintf("%q %s. %s ", o.text, t.why, instead) + w.risk(&l, t)
		case OriginNarrowed:
			c.Message = fmt.Sprintf("The star of %q stands for any text, dots included. %s", o.text, instead)
			if slices.Equal(t.active, []string{strings.ToLower(o.text)}) {
				c.Message = fmt.Sprintf("The star of %q stood for any text. In the policy it stands for characters of one label, and for no dot.", o.text)
			}
		case OriginUnsupported:
			c.Message = fmt.Sprintf("%q allows origins of unrelated owners, or ones that a policy cannot name. %s List the origins that may call.", o.text, instead)
		case OriginNeverMatched:
			c.Message = fmt.Sprintf("%q never allowed an origin: it %s.", o.text, t.why)
			if t.fix != "" {
				c.Message += " Write " + t.fix + " if that is meant."
			}
		case WithoutPort:
			c.Message = fmt.Sprintf("%q needed a port in the origin. In the policy, :* stands for any port or none.", o.text)
		}
		l.changes = append(l.changes, c)
	}
	return l
}

// effectOf returns what the changes of a kind do to the origins that are granted.
func effectOf(kind Kind) Effect {
	switch kind {
	case OriginNeverMatched:
		return Same
	case WithoutPort:
		return Wider
	}
	return Stricter
}

// risk adds the item that needs a risk accepted as a comment, and returns the sentence on how to accept it.
func (w *policyWriter) risk(l *listed, t translation) string {
	if w.credentials && origin.NeverWithCredentials(t.risk) {
		return fmt.Sprintf("It never goes with credentials, so that it needs a rule without them, which accepts the risk %s.", t.riskName)
	}
	l.comments = append(l.comments, t.risk)
	for _, name := range strings.Split(t.riskName, ", ") {
		if !slices.Contains(w.risks, name) {
			w.risks = append(w.risks, name)
		}
	}
	return fmt.Sprintf("To accept the risk %s, remove the # before the origin and before accept_risks.", t.riskName)
}

// fromEnvironment translates an environment variable.
func (w *policyWriter) fromEnvironment(o originItem) (items []string, changes []Change) {
	reference := "${" + o.text + "}"
	if o.extra != "" {
		fallback := translate(originItem{item: item{o.setting, value{kind: text, text: o.extra}}, written: o.extra})
		if len(fallback.kinds) == 0 && len(fallback.active) == 1 {
			reference = "${" + o.text + ":-" + fallback.active[0] + "}"
		}
	}
	c := Change{Kind: Environment, Effect: Stricter, Line: w.lineOf(o.pos), Setting: o.setting, Values: []string{o.text},
		Message: "The policy reads the environment variable " + o.text + " when it loads. An empty value, * and an origin with a risk, such as plain http, are errors."}
	more := c
	more.Kind, more.Effect = EnvironmentList, Wider
	more.Message = "The policy cuts " + o.text + " at commas, without the spaces around them, and reads patterns such as https://*.example.com. Such a value may allow more than before."
	return []string{reference}, []Change{c, more}
}

// leftOut describes a value that allows origins and is not known, and what to write instead.
func (w *policyWriter) leftOut(u item) listed {
	l := listed{pos: u.pos}
	message := u.setting + " has " + w.described(u.value) + ", and the policy leaves it out."
	effect := Stricter
	switch {
	case u.kind == function || u.kind == unknown && strings.Contains(u.setting, "Func") || u.setting == "AllowedOriginValidator":
		what, suggestions := w.describeFunction(u.value)
		message = u.setting + " decides in the program, and the policy leaves it out. " + what
		l.comments = suggestions
	case u.kind == text && !isGinExpression(u.text):
		message = fmt.Sprintf("Whether the star of %q is read depends on AllowWildcard, and the policy leaves it out. List the origins that may call.", u.text)
	case u.kind == text:
		message = fmt.Sprintf("%q is a regular expression, and the policy leaves it out. Write the origins, a pattern such as https://*.example.com, or an origin source.", u.text)
	default:
		message += " Write the origins, or an origin source."
	}
	l.changes = []Change{{Kind: UnknownValue, Effect: effect, Line: w.lineOf(u.pos), Setting: u.setting, Message: message}}
	if u.kind == text {
		l.changes[0].Values = []string{u.text}
	}
	return l
}

// writeOrigins writes the origins.
func (w *policyWriter) writeOrigins() {
	var reason []Change
	if !w.post {
		reason = w.takeUnknown("Remove the line disabled: true if it has POST.", "AllowedMethods", "AllowMethods")
		if len(reason) == 0 {
			reason = []Change{{Kind: PostNotAllowed, Effect: Stricter, Line: w.lineOf(w.methodsAt), Message: "The configuration does not allow POST, which every procedure has. Remove the line disabled: true if pages may call procedures."}}
			if w.nothing {
				reason[0].Effect = Same
			}
		}
	}
	reason = append(reason, w.takeUnknown("The policy is written without it.", "AllowAllOrigins", "AllowWildcard", "AllowedMethods", "AllowMethods", "Methods")...)
	w.changesAt("  ", reason)
	if w.disabled {
		c := Change{Kind: Disabled, Effect: Stricter, Message: "No page on another origin may call until an origin is written: remove this line then."}
		switch {
		case w.nothing:
			c.Effect, c.Message = Same, "The configuration allows no call, and neither does the policy. Remove this line to allow some."
		case w.hasActive():
			c.Message = "No page on another origin may call procedures until this line is removed."
		}
		w.changesAt("  ", []Change{c})
		w.line("  disabled: true")
	}
	if w.hasActive() {
		w.line("  allow_origins:")
	} else {
		w.line("  # allow_origins:")
	}
	for _, l := range w.entries {
		w.changesAt("    ", l.changes)
		for _, i := range l.comments {
			w.line("    # - %s", yamltext.String(i))
		}
		for _, i := range l.items {
			w.line("    - %s%s", yamltext.String(i), w.from(l.pos))
		}
	}
	if len(w.risks) > 0 {
		w.line("  # accept_risks: %s", yamltext.List(w.risks))
	}
}

// hasActive reports whether the policy has an origin.
func (w *policyWriter) hasActive() bool {
	return slices.ContainsFunc(w.entries, func(l listed) bool { return len(l.items) > 0 })
}

// everAllowed reports whether the configuration allows any origin.
func (w *policyWriter) everAllowed() bool {
	return w.everyone || slices.ContainsFunc(w.entries, func(l listed) bool {
		return len(l.items) > 0 || slices.ContainsFunc(l.changes, func(c Change) bool { return c.Kind != OriginNeverMatched && c.Kind != Loopback })
	})
}
