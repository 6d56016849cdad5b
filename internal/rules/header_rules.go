package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// A headerRule is one item of a rule's header lists: a name, the prefix of names
// that ends in a hyphen, or all names.
type headerRule struct {
	name   string // lower case; for a prefix with its hyphen; empty for all
	kind   headerRuleKind
	grants bool // allow or expose, not deny or hide
}

type headerRuleKind uint8

const (
	headerName headerRuleKind = iota
	headerPrefix
	headerAll
)

// A headerItem is a header rule, and where it is written.
type headerItem struct {
	headerRule
	field string // allow_headers, say, or tracing
	index int    // in that list; -1 for tracing
	text  string // as it is written
}

// path returns the path of the item's field within its rule.
func (i headerItem) path() string {
	if i.index < 0 {
		return i.field
	}
	return fmt.Sprintf("%s[%d]", i.field, i.index)
}

// HeaderRules say of each header name what the narrowest level that mentions it says: an
// item for the name itself comes before one for a prefix, a long prefix before a short one,
// and "*" is last. They are immutable.
type HeaderRules []*headerLevel // from the narrowest level to the widest

// headerLevel is one level's items, by name.
type headerLevel struct {
	ordered  []string        // the names, in the order of the policy
	names    map[string]bool // whether each is granted
	prefixes map[string]bool // likewise, with their hyphen
	all      *bool           // likewise; nil where the level has no *
}

// newHeaderLevel returns nil where the level has no items.
func newHeaderLevel(items []headerItem) *headerLevel {
	if len(items) == 0 {
		return nil
	}
	l := &headerLevel{names: map[string]bool{}, prefixes: map[string]bool{}}
	for _, item := range items {
		switch item.kind {
		case headerName:
			if _, ok := l.names[item.name]; !ok {
				l.names[item.name] = item.grants
				l.ordered = append(l.ordered, item.name)
			}
		case headerPrefix:
			l.prefixes[item.name] = item.grants
		case headerAll:
			l.all = &item.grants
		}
	}
	return l
}

// reaches reports whether an item for a prefix, or for all with the empty one, is about the
// name. A grant of names not spelled out never reaches authorization, nor what rewrites a
// request, and reaches metadata that grpc-gateway would unpack only where the prefix says so
// itself.
func reaches(prefix, name string, grants bool) bool {
	return !grants || name != "authorization" && !fetch.RewritesRequest(name) &&
		(!strings.HasPrefix(name, rpc.GatewayPrefix) || strings.HasPrefix(prefix, rpc.GatewayPrefix))
}

// lookup returns what the level says of the lower-case name, and whether anything.
func (l *headerLevel) lookup(name string) (grants, mentioned bool) {
	if grants, ok := l.names[name]; ok {
		return grants, true
	}
	return l.lookupPrefix(name)
}

// lookupPrefix is lookup among the prefixes and "*". Its cost grows with the hyphens in the
// name, not with the number of prefixes.
func (l *headerLevel) lookupPrefix(name string) (grants, mentioned bool) {
	if len(l.prefixes) > 0 {
		for prefix := range prefixesOf(name) {
			if grants, ok := l.prefixes[prefix]; ok && reaches(prefix, name, grants) {
				return grants, true
			}
		}
	}
	if l.all != nil && reaches("", name, *l.all) {
		return *l.all, true
	}
	return false, false
}

// prefixesOf ranges over what of a name ends in a hyphen, the longest first.
func prefixesOf(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			hyphen := strings.LastIndexByte(name, '-')
			if hyphen < 0 || !yield(name[:hyphen+1]) {
				return
			}
			name = name[:hyphen]
		}
	}
}

// Lookup returns what is said of the lower-case name, and whether anything.
func (r HeaderRules) Lookup(name string) (grants, mentioned bool) {
	for _, level := range r {
		if grants, mentioned = level.lookup(name); mentioned {
			return grants, true
		}
	}
	return false, false
}

// Granted returns the names that are mentioned one by one and granted, in the
// order of the policy, wider levels first.
func (r HeaderRules) Granted() (names []string) {
	seen := map[string]bool{}
	for _, level := range slices.Backward(r) {
		for _, name := range level.ordered {
			if grants, _ := r.Lookup(name); grants && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// Open reports whether names may be granted that are not mentioned one by one.
func (r HeaderRules) Open() bool {
	for _, level := range r {
		if level.all != nil && *level.all {
			return true
		}
		for _, grants := range level.prefixes {
			if grants {
				return true
			}
		}
	}
	return false
}

// Canonical returns a text that is the same for rules that say the same of every name: an
// item is left out where the prefix around it says the same. With silenceIsNo, a name that
// no item mentions counts as one that is withheld.
func (r HeaderRules) Canonical(silenceIsNo bool) string {
	// These are spoken of apart from the names around them, see reaches.
	names := append(fetch.RewritingHeaders(), "authorization")
	prefixes := map[string]bool{"": true, rpc.GatewayPrefix: true}
	for _, level := range r {
		names = append(names, level.ordered...)
		for prefix := range level.prefixes {
			prefixes[prefix] = true
		}
	}
	c := canonicalForm{r, prefixes, silenceIsNo}
	sorted := make([]string, 0, len(prefixes))
	for prefix := range prefixes {
		sorted = append(sorted, prefix)
	}
	slices.Sort(sorted)
	slices.Sort(names)
	var b strings.Builder
	for _, prefix := range sorted {
		if says := c.says(otherName(prefix)); says != c.around(prefix) {
			fmt.Fprintf(&b, "%s-*: %s\n", strings.TrimSuffix(prefix, "-"), says)
		}
	}
	for _, name := range slices.Compact(names) {
		if says := c.says(name); says != c.around(otherName(name)) {
			fmt.Fprintf(&b, "%s: %s\n", name, says)
		}
	}
	return b.String()
}

// canonicalForm is what Canonical works with.
type canonicalForm struct {
	rules       HeaderRules
	prefixes    map[string]bool
	silenceIsNo bool
}

// says returns in words what the rules say of a name.
func (c canonicalForm) says(name string) string {
	grants, mentioned := c.rules.Lookup(name)
	if c.silenceIsNo {
		return fmt.Sprint(grants)
	}
	return fmt.Sprint(grants, mentioned)
}

// around returns what is said of the names around one, below the longest prefix that is
// shorter than it.
func (c canonicalForm) around(name string) string {
	if name == "" {
		return ""
	}
	for prefix := range prefixesOf(name) {
		if len(prefix) < len(name) && c.prefixes[prefix] {
			return c.says(otherName(prefix))
		}
	}
	return c.says(otherName(""))
}

// otherName returns a name below a prefix that no item mentions.
func otherName(prefix string) string { return prefix + "\x00" }

// overrules reports whether one of the levels speaks of all that the item, of a
// wider level, is about.
func (r HeaderRules) overrules(item headerRule) bool {
	for _, level := range r {
		mentioned := false
		switch item.kind {
		case headerAll:
			mentioned = level.all != nil
		case headerPrefix:
			_, mentioned = level.lookupPrefix(item.name)
		default:
			_, mentioned = level.lookup(item.name)
		}
		if mentioned {
			return true
		}
	}
	return false
}

// sortHeaderItems puts one level's items in the order in which they count: names before
// prefixes, long prefixes before short ones, and all last.
func sortHeaderItems(items []headerItem) {
	slices.SortStableFunc(items, func(a, b headerItem) int {
		if a.kind != b.kind || a.kind != headerPrefix {
			return int(a.kind) - int(b.kind)
		}
		return len(b.name) - len(a.name)
	})
}

// parseHeaderRule reads an item of a header list.
func parseHeaderRule(item string, grants bool) (r headerRule, reason, fix string) {
	lower := fetch.Lower(item)
	if item == "*" {
		return headerRule{kind: headerAll, grants: grants}, "", ""
	}
	if prefix, ok := strings.CutSuffix(lower, "*"); ok {
		switch {
		case !fetch.IsToken(prefix) || strings.Contains(prefix, "*"):
			return r, "is no prefix of header names", ""
		case !strings.HasSuffix(prefix, "-"):
			return r, "is a prefix that does not end in -*, so that it would reach names that only begin alike", `"` + prefix + `-*"`
		}
		return headerRule{name: prefix, kind: headerPrefix, grants: grants}, "", ""
	}
	if strings.ContainsAny(item, ", ") {
		return r, "is no header name: one item holds one name", ""
	}
	if !fetch.IsToken(item) || strings.Contains(item, "*") {
		return r, "is no header name (RFC 9110, section 5.1)", ""
	}
	return headerRule{name: lower, kind: headerName, grants: grants}, "", ""
}
