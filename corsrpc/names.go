package corsrpc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// A mention is one item of a rule's header lists: a name, the prefix of names
// that ends in a hyphen, or all names.
type mention struct {
	name string // lower case; for a prefix with its hyphen; empty for all
	kind mentionKind
	yes  bool // allow or expose, not deny or hide
}

type mentionKind uint8

const (
	mentionName mentionKind = iota
	mentionPrefix
	mentionAll
)

// covers reports whether the mention is about the lower-case name. A grant of
// names not spelled out never reaches authorization, nor what rewrites a request, and
// reaches metadata that grpc-gateway would unpack only where the prefix says so itself.
func (m mention) covers(name string) bool {
	switch {
	case m.kind == mentionName:
		return name == m.name
	case m.kind == mentionPrefix && !strings.HasPrefix(name, m.name):
		return false
	case !m.yes:
		return true
	}
	return name != "authorization" && !fetch.RewritesRequest(name) &&
		(!strings.HasPrefix(name, rpc.GatewayPrefix) || strings.HasPrefix(m.name, rpc.GatewayPrefix))
}

// A nameList says of each header name what the last layer that mentions it
// says: layers from the narrowest to the widest; in each, names before
// prefixes, long prefixes before short ones, and all last.
type nameList [][]mention

// sortMentions puts one layer's mentions in the order that nameList asks for.
func sortMentions(ms []mention) {
	slices.SortStableFunc(ms, func(a, b mention) int {
		if a.kind != b.kind || a.kind != mentionPrefix {
			return int(a.kind) - int(b.kind)
		}
		return len(b.name) - len(a.name)
	})
}

// verdict returns what is said of the lower-case name, and whether anything.
func (l nameList) verdict(name string) (yes, mentioned bool) {
	for _, layer := range l {
		for _, m := range layer {
			if m.covers(name) {
				return m.yes, true
			}
		}
	}
	return false, false
}

// granted returns the names that are mentioned one by one and granted, in the
// order of the policy, wider layers first.
func (l nameList) granted() []string {
	var names []string
	for _, layer := range slices.Backward(l) {
		for _, m := range layer {
			if yes, _ := l.verdict(m.name); m.kind == mentionName && yes && !slices.Contains(names, m.name) {
				names = append(names, m.name)
			}
		}
	}
	return names
}

// open reports whether names may be granted that are not mentioned one by one.
func (l nameList) open() bool {
	for _, layer := range l {
		for _, m := range layer {
			if m.yes && m.kind != mentionName {
				return true
			}
		}
	}
	return false
}

// normal returns a text that is the same for lists that say the same of every name: what
// is said of a name or a prefix is left out where the prefix around it says it too.
// Where silence is no, it is the same as to withhold.
func (l nameList) normal(silenceIsNo bool) string {
	// These are spoken of apart from the names around them, see covers.
	names, prefixes := append(fetch.RewritingHeaders(), "authorization"), []string{"", rpc.GatewayPrefix}
	for _, layer := range l {
		for _, m := range layer {
			switch m.kind {
			case mentionName:
				names = append(names, m.name)
			case mentionPrefix:
				prefixes = append(prefixes, m.name)
			}
		}
	}
	slices.Sort(names)
	slices.Sort(prefixes)
	names, prefixes = slices.Compact(names), slices.Compact(prefixes)
	said := func(name string) string {
		yes, mentioned := l.verdict(name)
		if silenceIsNo {
			return fmt.Sprint(yes)
		}
		return fmt.Sprint(yes, mentioned)
	}
	other := func(prefix string) string { return prefix + "\x00" } // a name that nobody has
	around := func(name string) string {
		for _, prefix := range slices.Backward(prefixes) {
			if len(prefix) < len(name) && strings.HasPrefix(name, prefix) {
				return said(other(prefix)) // the longest, since shorter ones come before
			}
		}
		return ""
	}
	var b strings.Builder
	for _, prefix := range prefixes {
		if is := said(other(prefix)); is != around(prefix) {
			fmt.Fprintf(&b, "%s-*: %s\n", strings.TrimSuffix(prefix, "-"), is)
		}
	}
	for _, name := range names {
		if is := said(name); is != around(other(name)) {
			fmt.Fprintf(&b, "%s: %s\n", name, is)
		}
	}
	return b.String()
}

// parseMention reads an item of a header list.
func parseMention(item string, yes bool) (m mention, reason, fix string) {
	lower := fetch.Lower(item)
	if item == "*" {
		return mention{kind: mentionAll, yes: yes}, "", ""
	}
	if prefix, ok := strings.CutSuffix(lower, "*"); ok {
		switch {
		case !fetch.IsToken(prefix) || strings.Contains(prefix, "*"):
			return m, "is no prefix of header names", ""
		case !strings.HasSuffix(prefix, "-"):
			return m, "is a prefix that does not end in -*, so that it would reach names that only begin alike", `"` + prefix + `-*"`
		}
		return mention{name: prefix, kind: mentionPrefix, yes: yes}, "", ""
	}
	if strings.ContainsAny(item, ", ") {
		return m, "is no header name: one item holds one name", ""
	}
	if !fetch.IsToken(item) || strings.Contains(item, "*") {
		return m, "is no header name (RFC 9110, section 5.1)", ""
	}
	return mention{name: lower, kind: mentionName, yes: yes}, "", ""
}
