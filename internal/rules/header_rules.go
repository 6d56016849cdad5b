package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// headerRule is one item of a rule's header lists: a name, a prefix of names that ends in a
// hyphen, or all names; or the value of tracing, for the names of rpc.TracingTable.
type headerRule struct {
	name   string // lower case; with its hyphen if a prefix; empty if all names, or for tracing
	kind   headerRuleKind
	grants bool // allow_headers or expose_headers, not deny_headers or hide_headers
}

type headerRuleKind uint8

const (
	headerName headerRuleKind = iota
	headerTracing
	headerPrefix
	headerAll
)

// headerItem is a header rule and the place where it is written.
type headerItem struct {
	headerRule
	field string // such as allow_headers, or tracing
	index int    // in the list; -1 for tracing
	text  string // as written
}

// path returns the path of the item within its rule.
func (i headerItem) path() string {
	if i.index < 0 {
		return i.field
	}
	return fmt.Sprintf("%s[%d]", i.field, i.index)
}

// HeaderRules grant or withhold header names. The narrowest level with an item for a name
// decides. Within a level, an item for the name itself takes precedence over tracing, tracing over
// a prefix, a longer prefix over a shorter one, and each of them over "*". HeaderRules are
// immutable.
type HeaderRules []*headerLevel // from the narrowest level to the widest

// headerLevel holds the header items of one level.
type headerLevel struct {
	ordered  []string        // the names, in the order of the policy
	names    map[string]bool // whether each name is granted
	tracing  *bool           // whether the names of rpc.TracingTable are granted; nil if the level does not set it
	prefixes map[string]bool // whether each prefix, with its hyphen, is granted
	all      *bool           // whether * is granted; nil if the level has no *
}

// newHeaderLevel returns the level of some items; nil if there are none.
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
		case headerTracing:
			l.tracing = &item.grants
		case headerPrefix:
			l.prefixes[item.name] = item.grants
		case headerAll:
			l.all = &item.grants
		}
	}
	return l
}

// coversName reports whether an item for a prefix, or for all names if the prefix is empty,
// applies to a name that begins with the prefix. An item that grants never covers authorization
// or a header that rewrites the request, and it covers grpc-gateway's metadata headers only if
// the prefix itself begins with theirs.
func coversName(prefix, name string, grants bool) bool {
	return !grants || name != "authorization" && !fetch.RewritesRequest(name) &&
		(!strings.HasPrefix(name, rpc.GatewayPrefix) || strings.HasPrefix(prefix, rpc.GatewayPrefix))
}

// lookup returns whether the level grants the lower-case name, and whether it has an item for
// it.
func (l *headerLevel) lookup(name string) (grants, mentioned bool) {
	if grants, ok := l.names[name]; ok {
		return grants, true
	}
	if l.tracing != nil && rpc.IsTracing(name) {
		return *l.tracing, true
	}
	return l.lookupPrefix(name)
}

// lookupPrefix is lookup among the prefixes and "*" only. Its cost grows with the number of
// hyphens in the name, not with the number of prefixes.
func (l *headerLevel) lookupPrefix(name string) (grants, mentioned bool) {
	if len(l.prefixes) > 0 {
		for prefix := range prefixesOf(name) {
			if grants, ok := l.prefixes[prefix]; ok && coversName(prefix, name, grants) {
				return grants, true
			}
		}
	}
	if l.all != nil && coversName("", name, *l.all) {
		return *l.all, true
	}
	return false, false
}

// prefixesOf returns the prefixes of a name that end in a hyphen, the longest first.
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

// Lookup returns whether the lower-case name is granted, and whether any level has an item for
// it.
func (r HeaderRules) Lookup(name string) (grants, mentioned bool) {
	for _, level := range r {
		if grants, mentioned = level.lookup(name); mentioned {
			return grants, true
		}
	}
	return false, false
}

// Granted returns the granted names that a level grants by an item for the name itself or by tracing,
// in the order of the policy, those of wider levels first. A name that levels only withhold by such an
// item is not among them, even if a narrower level grants it by a prefix or by "*".
func (r HeaderRules) Granted() (names []string) {
	seen := map[string]bool{}
	for _, level := range slices.Backward(r) {
		for _, name := range level.listed() {
			own, _ := level.lookup(name)
			if grants, _ := r.Lookup(name); grants && own && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// listed returns the names that the level spells out, in the order of the policy, and then those
// of tracing if the level sets it.
func (l *headerLevel) listed() []string {
	if l.tracing == nil {
		return l.ordered
	}
	return append(slices.Clip(l.ordered), rpc.TracingNames()...)
}

// Open reports whether a name may be granted by a prefix or by "*".
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

// Cells returns names and prefixes, sorted, that tell all names apart: names that are not among the
// names, and whose longest prefix among the prefixes is the same, have the same outcome of Lookup. The
// prefixes have their hyphen, and the first one is empty.
func (r HeaderRules) Cells() (names, prefixes []string) {
	// coversName exempts these names and this prefix from wider items, so their outcome may
	// differ from that of the prefix that contains them.
	names = append(fetch.RewritingHeaders(), "authorization")
	prefixes = []string{"", rpc.GatewayPrefix}
	for _, level := range r {
		names = append(names, level.listed()...)
		for prefix := range level.prefixes {
			prefixes = append(prefixes, prefix)
		}
	}
	slices.Sort(names)
	slices.Sort(prefixes)
	return slices.Compact(names), slices.Compact(prefixes)
}

// Canonical returns a text that is equal for header rules with the same outcome for every name:
// it leaves an item out if the prefix around it has the same outcome. If denyUnmentioned is
// true, a name without an item has the same outcome as a withheld one.
func (r HeaderRules) Canonical(denyUnmentioned bool) string {
	names, sorted := r.Cells()
	prefixes := map[string]bool{}
	for _, prefix := range sorted {
		prefixes[prefix] = true
	}
	c := canonicalRules{r, prefixes, denyUnmentioned}
	var b strings.Builder
	for _, prefix := range sorted {
		if outcome := c.outcome(otherName(prefix)); outcome != c.inherited(prefix) {
			fmt.Fprintf(&b, "%s-*: %s\n", strings.TrimSuffix(prefix, "-"), outcome)
		}
	}
	for _, name := range names {
		if outcome := c.outcome(name); outcome != c.inherited(otherName(name)) {
			fmt.Fprintf(&b, "%s: %s\n", name, outcome)
		}
	}
	return b.String()
}

// canonicalRules holds the input of Canonical.
type canonicalRules struct {
	rules           HeaderRules
	prefixes        map[string]bool
	denyUnmentioned bool
}

// outcome returns the outcome of Lookup for a name, as a text.
func (c canonicalRules) outcome(name string) string {
	grants, mentioned := c.rules.Lookup(name)
	if c.denyUnmentioned {
		return fmt.Sprint(grants)
	}
	return fmt.Sprint(grants, mentioned)
}

// inherited returns the outcome for the other names below the longest prefix that is shorter
// than name.
func (c canonicalRules) inherited(name string) string {
	if name == "" {
		return ""
	}
	for prefix := range prefixesOf(name) {
		if len(prefix) < len(name) && c.prefixes[prefix] {
			return c.outcome(otherName(prefix))
		}
	}
	return c.outcome(otherName(""))
}

// otherName returns a name that begins with the prefix and that no item is for.
func otherName(prefix string) string { return prefix + "\x00" }

// overrules reports whether one of the levels has items for all the names that an item of a
// wider level covers.
func (r HeaderRules) overrules(item headerRule) bool {
	for _, level := range r {
		mentioned := false
		switch item.kind {
		case headerAll:
			mentioned = level.all != nil
		case headerTracing:
			mentioned = level.tracing != nil || level.all != nil
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

// sortHeaderItems sorts the items of one level by precedence: names, then tracing, then prefixes
// from the longest to the shortest, then "*".
func sortHeaderItems(items []headerItem) {
	slices.SortStableFunc(items, func(a, b headerItem) int {
		if a.kind != b.kind || a.kind != headerPrefix {
			return int(a.kind) - int(b.kind)
		}
		return len(b.name) - len(a.name)
	})
}

// parseHeaderRule parses an item of a header list. The reason is empty if the item is valid.
func parseHeaderRule(item string, grants bool) (r headerRule, reason, fix string) {
	lower := fetch.Lower(item)
	if item == "*" {
		return headerRule{kind: headerAll, grants: grants}, "", ""
	}
	if prefix, ok := strings.CutSuffix(lower, "*"); ok {
		switch {
		case !fetch.IsToken(prefix) || strings.Contains(prefix, "*"):
			return r, "is not a valid prefix of header names such as x-acme-*", ""
		case !strings.HasSuffix(prefix, "-"):
			return r, "is a prefix that does not end in -*, so that it would also cover unrelated names", `"` + prefix + `-*"`
		}
		return headerRule{name: prefix, kind: headerPrefix, grants: grants}, "", ""
	}
	if strings.ContainsAny(item, ", ") {
		return r, "is not a valid header name: write each name as an item of its own", ""
	}
	if !fetch.IsToken(item) || strings.Contains(item, "*") {
		return r, "is not a valid header name (RFC 9110, section 5.1)", ""
	}
	return headerRule{name: lower, kind: headerName, grants: grants}, "", ""
}
