package route

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// ParentName returns a full protobuf name without its last part: a.b for a.b.C.
func ParentName(name string) string { return name[:max(strings.LastIndexByte(name, '.'), 0)] }

// IsIdentifier reports whether s is a protobuf identifier
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

// isQualified reports whether s is a full protobuf name with at least one dot.
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

// CheckSelector returns the reason why the form of a selector is invalid, and the selector to
// write instead if there is one. Both are empty if the form is valid. It refuses selectors
// longer than MaxPath; a caller should not call it for names of the schema, which may be
// longer.
func CheckSelector(selector string) (reason, fix string) {
	if len(selector) > MaxPath {
		return fmt.Sprintf("is longer than %d bytes, the maximum length of a path", MaxPath), ""
	}
	if selector == "*" {
		return "", ""
	}
	name, _ := strings.CutSuffix(selector, ".*")
	if strings.Contains(name, "/") {
		trimmed := strings.Trim(name, "/")
		if service, _, _ := strings.Cut(trimmed, "/"); selector[0] == '/' && !(strings.Contains(service, ".") && strings.Count(trimmed, "/") == 1) {
			return "is a path, but a selector is a full protobuf name", "path: " + strconv.QuoteToASCII(selector)
		}
		dotted := strings.ReplaceAll(trimmed, "/", ".")
		if problem, _ := CheckSelector(dotted); problem == "" {
			fix = strconv.Quote(dotted)
		} else if _, path, ok := strings.Cut(selector, " "); ok && strings.HasPrefix(path, "/") { // a method before it, as in net/http
			fix = "path: " + strconv.QuoteToASCII(path)
		}
		return "is a path, but a selector is a full protobuf name", fix
	}
	if strings.Contains(name, "*") {
		return "has a * that is neither the whole selector nor its last part: acme.v1.* selects a package and the packages below it", ""
	}
	for part := range strings.SplitSeq(name, ".") {
		if !IsIdentifier(part) {
			return "is not a valid full protobuf name such as acme.v1.CatalogService", ""
		}
	}
	return "", ""
}

// IsOperational reports whether a selector or a full name is that of an operational service or
// of one of its methods.
func IsOperational(name string) bool {
	return rpc.IsOperational(name) || rpc.IsOperational(ParentName(name))
}

// CoversOperational reports whether the selector of a package, given without its .*, covers an
// operational service.
func CoversOperational(pkg string) bool {
	for service := range rpc.OperationalServices() {
		if strings.HasPrefix(service, pkg+".") {
			return true
		}
	}
	return false
}

// nameEntry is the value of a name in a table. In a table of lower-case names, names that
// differ in letter case only share an entry.
type nameEntry[V any] struct {
	value     V
	ambiguous bool // names with different values share the entry
}

// names is a table of the full names of methods, either in the letter case of the policy and
// the schema, or in lower case. It is read-only once the table is built.
type names[V any] struct {
	fold      bool                    // the names are in lower case
	services  map[string]string       // the known services, by the key of the table, as the schema spells them
	methods   map[string]nameEntry[V] // only in lower case: Table.procedures has the others
	selectors map[string]nameEntry[V] // of services and methods
	packages  map[string]nameEntry[V] // of packages, without the .*
	// operational holds the values of package selectors for operational services.
	operational    map[string]nameEntry[V]
	longestPackage int
}

func newNames[V any](fold bool) *names[V] {
	return &names[V]{
		fold: fold, services: map[string]string{}, methods: map[string]nameEntry[V]{},
		selectors: map[string]nameEntry[V]{}, packages: map[string]nameEntry[V]{}, operational: map[string]nameEntry[V]{},
	}
}

// put sets the value of a name. If the name already has a different value, the entry becomes
// ambiguous.
func (n *names[V]) put(in map[string]nameEntry[V], name string, v V, same func(a, b V) bool) {
	if n.fold {
		name = fetch.Lower(name)
	}
	c, have := in[name]
	if have && !same(c.value, v) {
		in[name] = nameEntry[V]{value: c.value, ambiguous: true}
		return
	}
	in[name] = nameEntry[V]{value: v, ambiguous: c.ambiguous}
}

// isOperational reports whether the name is that of an operational service; it ignores letter
// case if n.fold is true.
func (n *names[V]) isOperational(service string) bool {
	if n.fold {
		return rpc.IsOperationalFolded(service)
	}
	return rpc.IsOperational(service)
}

// resolve returns the match of a method. The value is that of the method in the schema, or else
// that of the narrowest selector that covers the method.
func (t *Table[V]) resolve(n *names[V], service, method string) (m Match[V]) {
	name := service + "." + method
	m = Match[V]{Kind: Procedure, Name: name}
	set := func(c nameEntry[V]) Match[V] {
		m.Value, m.Ambiguous = c.value, c.ambiguous
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

// method returns the entry of a method of the schema.
func (t *Table[V]) method(n *names[V], name, service, method string) (c nameEntry[V], ok bool) {
	if n.fold {
		c, ok = n.methods[name]
		return c, ok
	}
	c.value, ok = t.procedures["/"+service+"/"+method]
	return c, ok
}

// findPackage returns the entry of the narrowest package selector that covers a service.
func (n *names[V]) findPackage(service string, operational bool) (nameEntry[V], bool) {
	in := n.packages
	if operational {
		in = n.operational
	}
	if len(in) == 0 {
		return nameEntry[V]{}, false
	}
	for pkg := service; pkg != ""; pkg = ParentName(pkg) {
		if len(pkg) > n.longestPackage {
			continue // so that a long name is not hashed once for each of its parts
		}
		if c, ok := in[pkg]; ok {
			return c, true
		}
	}
	return nameEntry[V]{}, false
}
