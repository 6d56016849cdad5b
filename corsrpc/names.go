package corsrpc

import (
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
// names not spelled out never reaches authorization, and reaches metadata that
// grpc-gateway would unpack only where the prefix says so itself.
func (m mention) covers(name string) bool {
	switch m.kind {
	case mentionName:
		return name == m.name
	case mentionPrefix:
		return strings.HasPrefix(name, m.name) &&
			(!m.yes || !strings.HasPrefix(name, rpc.GatewayPrefix) || strings.HasPrefix(m.name, rpc.GatewayPrefix))
	}
	return !m.yes || name != "authorization" && !strings.HasPrefix(name, rpc.GatewayPrefix)
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
