package route

import (
	"fmt"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// ParentName returns the name around a full protobuf name: a.b for a.b.C.
func ParentName(name string) string { return name[:max(strings.LastIndexByte(name, '.'), 0)] }

// IsIdentifier reports whether s is an identifier of protobuf
// (https://protobuf.dev/reference/protobuf/proto3-spec/#identifiers).
func IsIdentifier(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', i > 0 && '0' <= c && c <= '9':
		default:
			return false
		}
	}
	return s != ""
}

// isQualified reports whether s is a full name with at least one dot.
func isQualified(s string) bool {
	dots := false
	for {
		part, rest, more := strings.Cut(s, ".")
		if !IsIdentifier(part) {
			return false
		}
		if !more {
			return dots
		}
		s, dots = rest, true
	}
}

// CheckSelector says what is wrong with the form of a selector, and what to write
// instead where that can be said. Both are empty where the form is right. It refuses any
// selector longer than MaxPath; a name of the schema may be longer, so that a caller does
// not ask about those.
func CheckSelector(selector string) (reason, fix string) {
	if len(selector) > MaxPath {
		return fmt.Sprintf("is longer than %d bytes, beyond which no path is read", MaxPath), ""
	}
	if selector == "*" {
		return "", ""
	}
	name, _ := strings.CutSuffix(selector, ".*")
	if strings.Contains(name, "/") {
		trimmed := strings.Trim(name, "/")
		return "is a path, and a selector is a full protobuf name", fmt.Sprintf("%q", strings.ReplaceAll(trimmed, "/", "."))
	}
	if strings.Contains(name, "*") {
		return "has a * that is not the whole selector or its last part: acme.v1.* selects a package and all below it", ""
	}
	for part := range strings.SplitSeq(name, ".") {
		if !IsIdentifier(part) {
			return "is no full protobuf name such as acme.v1.CatalogService", ""
		}
	}
	return "", ""
}

// IsOperational reports whether a selector or a full name is that of an operational
// service, or of one of its methods.
func IsOperational(name string) bool {
	return rpc.IsOperational(name) || rpc.IsOperational(ParentName(name))
}

// CoversOperational reports whether a package selector, without its .*, covers an
// operational service.
func CoversOperational(pkg string) bool {
	for service := range rpc.OperationalServices() {
		if strings.HasPrefix(service, pkg+".") {
			return true
		}
	}
	return false
}

// A choice is the value of a name in one spelling. In a table of lower-case names,
// names that differ in letter case only share an entry, which may then be split.
type choice[V any] struct {
	value V
	split bool // the entry stands for several values that differ
}

// names resolves the full names of methods: once in the letter case of the policy
// and the schema, and once in lower case. It is read-only once the table is built.
type names[V any] struct {
	fold      bool                 // the names are in lower case
	services  map[string]string    // the known ones, as the schema spells them
	methods   map[string]choice[V] // in lower case only: Table.procedures has the others
	selectors map[string]choice[V] // of services and methods
	packages  map[string]choice[V] // of package.*, without the .*
	// operational holds what operational services get from a package's selector.
	operational    map[string]choice[V]
	longestPackage int
}

func newNames[V any](fold bool) *names[V] {
	return &names[V]{
		fold: fold, services: map[string]string{}, methods: map[string]choice[V]{},
		selectors: map[string]choice[V]{}, packages: map[string]choice[V]{}, operational: map[string]choice[V]{},
	}
}

// put adds a value under a name. A name that is there already with another value
// becomes split.
func (n *names[V]) put(in map[string]choice[V], name string, v V, same func(a, b V) bool) {
	if n.fold {
		name = fetch.Lower(name)
	}
	c, have := in[name]
	if have && !same(c.value, v) {
		in[name] = choice[V]{value: c.value, split: true}
		return
	}
	in[name] = choice[V]{value: v, split: c.split}
}

// isOperational reports whether a service is operational.
func (n *names[V]) isOperational(service string) bool {
	if n.fold {
		return rpc.IsOperationalFolded(service)
	}
	return rpc.IsOperational(service)
}

// resolve returns what a method is: of a known service, covered by a selector, or
// only a name. The narrowest selector counts.
func (t *Table[V]) resolve(n *names[V], service, method string) (m Match[V]) {
	name := service + "." + method
	m = Match[V]{Kind: Procedure, Name: name}
	set := func(c choice[V]) Match[V] {
		m.Value, m.Split = c.value, c.split
		return m
	}
	if c, ok := t.method(n, name, service, method); ok {
		m.Known = true
		return set(c)
	}
	if c, ok := n.selectors[name]; ok {
		m.Known = true
		return set(c)
	}
	if c, ok := n.selectors[service]; ok {
		return set(c)
	}
	operational := n.isOperational(service)
	if c, ok := n.findPackage(service, operational); ok {
		return set(c)
	}
	m.Value = t.uncovered
	if operational {
		m.Value = t.unnamed
	}
	if n.services[service] == "" {
		m.Kind = Shape
	}
	return m
}

// method returns the value of a method of the schema.
func (t *Table[V]) method(n *names[V], name, service, method string) (c choice[V], ok bool) {
	if n.fold {
		c, ok = n.methods[name]
		return c, ok
	}
	c.value, ok = t.procedures["/"+service+"/"+method]
	return c, ok
}

// findPackage returns the value of the narrowest package selector that covers a
// service.
func (n *names[V]) findPackage(service string, operational bool) (choice[V], bool) {
	in := n.packages
	if operational {
		in = n.operational
	}
	if len(in) == 0 {
		return choice[V]{}, false
	}
	for pkg := service; pkg != ""; pkg = ParentName(pkg) {
		if len(pkg) > n.longestPackage {
			continue // a name of a thousand parts is not hashed a thousand times
		}
		if c, ok := in[pkg]; ok {
			return c, true
		}
	}
	return choice[V]{}, false
}
