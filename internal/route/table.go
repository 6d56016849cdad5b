// Package route says what the path of a request means: a procedure, a path rule, or
// nothing that the policy governs. It reads a path in every way that a server in the
// chain may read it, since the handler that runs has to be the one that was decided
// on. It knows names, selectors, prefixes, path patterns and readings, and gives back
// the value of an entry; origins and grants are not its business.
package route

import (
	"net/url"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// Kind is what a path leads to.
type Kind uint8

// The kinds.
const (
	// None is no entry of the table.
	None Kind = iota
	// Procedure is a procedure of a known service, or one that a selector covers.
	Procedure
	// Shape is a path that only has the form of a procedure's: neither the schema nor
	// a selector nor a path rule names it.
	Shape
	// Path is a path pattern's.
	Path
)

// Match is what one reading of a path leads to.
type Match[V any] struct {
	// Kind says which entry it is.
	Kind Kind
	// Name is the full name of the method, or the pattern. The name of a method that
	// is not Known is input from the network.
	Name string
	// Known says that the schema or the policy names the method itself.
	Known bool
	// Value is the entry's value; the zero value for None.
	Value V

	// Split says that the value is one of several that differ: of names which differ in
	// letter case only, where a server may mean either.
	Split bool

	spelt bool // the path spells the entry out, rather than being somewhere below it
	wild  bool // of a pattern with a named wildcard
}

// Verdict is how the readings of a path compare.
type Verdict uint8

// The verdicts.
const (
	// Clear: all readings lead to the same value, or all to none.
	Clear Verdict = iota
	// Differs: two readings lead to different values, or one to none.
	Differs
	// Unbounded: the path is too long, does not begin with a slash, has more than
	// MaxReadings readings, or its dot segments climb above the root or above a prefix.
	Unbounded
)

// MaxPath is the length in bytes beyond which no path is read, unless the table has a
// procedure whose path is longer.
const MaxPath = 2 << 10

// Config is what a table is made with.
type Config[V any] struct {
	// Prefixes are the path prefixes below which procedures are served, besides the
	// root. Each is one that IsPrefix takes.
	Prefixes []string
	// Same reports whether two values govern alike.
	Same func(a, b V) bool
	// Uncovered is the value of names that no selector other than * covers; Unnamed is
	// that of operational services among them.
	Uncovered, Unnamed V
}

// Table maps paths to values. Its Add methods build it; afterwards it is read-only and
// safe for concurrent use.
type Table[V any] struct {
	prefixes           []string // "" first
	same               func(a, b V) bool
	uncovered, unnamed V
	exact, folded      *names[V]
	longest            int

	procedures map[string]V // by path, prefixes included
	plain      plainPatterns[V]
	patterns   tree[V]
	foldedTree *tree[V] // the patterns in lower case; nil where they are so already
	conflicts  Patterns
	upper      bool // a pattern has letters in upper case, those of escapes included
	added      []entry[V]
}

// plainPatterns finds the patterns without wildcards by a path that spells them out.
type plainPatterns[V any] struct {
	decoded map[string]Match[V] // those that are spelled in the default encoding, by their decoded path
	raw     map[string]rawMatch[V]
	// several are those that themselves hold what has several readings, such as %2F: their
	// decoded paths, by how they are written.
	several map[string]string
}

// rawMatch is a pattern that is not spelled in the default encoding of its path.
type rawMatch[V any] struct {
	decoded string
	match   Match[V]
}

// New returns a table without entries.
func New[V any](c Config[V]) *Table[V] {
	return &Table[V]{
		prefixes: append([]string{""}, c.Prefixes...), same: c.Same, uncovered: c.Uncovered, unnamed: c.Unnamed,
		exact: newNames[V](false), folded: newNames[V](true), longest: MaxPath, procedures: map[string]V{},
		plain: plainPatterns[V]{map[string]Match[V]{}, map[string]rawMatch[V]{}, map[string]string{}},
	}
}

// IsPrefix reports whether s can be a path prefix: it begins with a slash, does not end
// with one, and has only one reading.
func IsPrefix(s string) bool {
	return isSimple(s) && !strings.HasSuffix(s, "/") && (&url.URL{Path: s}).EscapedPath() == s
}

// AddService makes a service known, so that its name needs no dot and its unknown
// methods are governed as procedures.
func (t *Table[V]) AddService(name string) {
	t.exact.services[name] = name
	t.folded.services[fetch.Lower(name)] = name
}

// AddMethod adds a method of a known service.
func (t *Table[V]) AddMethod(service, method string, v V) {
	path := "/" + service + "/" + method
	for _, prefix := range t.prefixes {
		t.procedures[prefix+path] = v
		t.longest = max(t.longest, len(prefix+path))
	}
	t.folded.put(t.folded.methods, service+"."+method, v, t.same)
}

// AddSelector adds a selector other than *. Operational is what the operational
// services get that a package's selector covers; it is not used for other selectors.
func (t *Table[V]) AddSelector(selector string, v, operational V) {
	for _, n := range []*names[V]{t.exact, t.folded} {
		if pkg, ok := strings.CutSuffix(selector, ".*"); ok {
			n.put(n.packages, pkg, v, t.same)
			n.put(n.operational, pkg, operational, t.same)
			n.longestPackage = max(n.longestPackage, len(pkg))
		} else {
			n.put(n.selectors, selector, v, t.same)
		}
	}
}

// Exact returns the value of a path that is spelled exactly as a procedure's, or as a
// pattern without wildcards. Such a path has this one reading, unless the pattern itself
// holds what servers read in several ways, such as an escaped slash. The arguments are
// those of Find.
func (t *Table[V]) Exact(path, escaped string) (v V, ok bool) {
	if escaped == "" || escaped == path {
		if v, ok := t.procedures[path]; ok {
			return v, true
		}
		m, ok := t.plain.decoded[path]
		return m.Value, ok
	}
	if raw, ok := t.plain.raw[escaped]; ok && raw.decoded == path {
		return raw.match.Value, true
	}
	return v, false
}

// Find returns what a path leads to: the path as it was sent gives the match where the
// verdict is Clear. Otherwise it returns the first two matches that differ, where there
// are any. Path and escaped are Path and RawPath of a URL (package net/url). Calls says
// whether the request can be a call: for any other, a path that only has a procedure's
// shape leads to nothing.
func (t *Table[V]) Find(path, escaped string, calls bool) (first, other Match[V], verdict Verdict) {
	looked, spelt := false, t.plain.spelt(path, escaped)
	verdict = t.Each(path, escaped, calls, func(m Match[V]) bool {
		switch {
		case !looked:
			first, looked = m, true
			return !m.Split
		case spelt && m.Kind == None:
			return true // the policy says itself that servers read the path so
		case t.alike(first, m):
			return true
		}
		other = m
		return false
	})
	return first, other, verdict
}

// alike reports whether two matches govern alike.
func (t *Table[V]) alike(a, b Match[V]) bool {
	if a.Kind == None || b.Kind == None {
		return a.Kind == b.Kind
	}
	return !a.Split && !b.Split && t.same(a.Value, b.Value)
}

// Each looks up the readings of a path, the path as it was sent first, until yield
// returns false, which makes the verdict Differs.
func (t *Table[V]) Each(path, escaped string, calls bool, yield func(Match[V]) bool) Verdict {
	if len(path) > t.longest || len(escaped) > t.longest || !isRooted(path) || !isRooted(escaped) {
		return Unbounded
	}
	r := readings{prefixes: t.prefixes}
	if !r.start(path, escaped) {
		return Unbounded
	}
	for i := 0; i < r.n; i++ {
		if !t.look(r.all[i], calls, yield) {
			return Differs
		}
		if !r.derive(i) {
			return Unbounded
		}
	}
	return Clear
}

// isRooted reports whether a path begins with a slash, or is empty, which means the same. A
// server reads a target of any other form, such as a URL within a URL, as it likes; "*" is
// for the server itself (RFC 9112, section 3.2.4).
func isRooted(path string) bool { return path == "" || path[0] == '/' || path == "*" }

// look looks a reading up in each way in which servers compare paths, and reports
// whether to go on.
func (t *Table[V]) look(r reading, calls bool, yield func(Match[V]) bool) bool {
	modes := []segmentMode{decodedSegments}
	if t.patterns.count > 0 && strings.IndexByte(r.text, '%') >= 0 {
		modes = []segmentMode{unescapedSegments, writtenSegments, decodedSegments}
		if r.sent {
			modes = modes[:2] // nothing has decoded it yet
		}
	}
	for _, mode := range modes {
		if !t.lookCases(r.text, calls, comparison{segments: mode}, yield) {
			return false
		}
		if t.patterns.count > 0 && strings.Contains(r.text, "//") && !t.lookCases(r.text, calls, comparison{segments: mode, filled: true}, yield) {
			return false
		}
	}
	return true
}

// lookCases looks up a path as it is, and without regard to letter case.
func (t *Table[V]) lookCases(path string, calls bool, how comparison, yield func(Match[V]) bool) bool {
	if !t.lookSlash(lookup[V]{t, t.exact, &t.patterns, calls, how}, path, yield) {
		return false
	}
	lower, tree := fetch.Lower(path), t.foldedTree
	if tree == nil {
		tree = &t.patterns
	}
	folded := lookup[V]{t, t.folded, tree, calls, how}
	if lower == path && t.foldedTree == nil && !folded.looksLikeProcedure(lower) {
		return true // letter case makes no difference
	}
	return t.lookSlash(folded, lower, yield)
}

// lookSlash looks up a path, and the same with or without its last slash where an entry
// spells out that one, and none without wildcards spells out the path itself: many routers
// redirect from one to the other, or take both.
func (t *Table[V]) lookSlash(l lookup[V], path string, yield func(Match[V]) bool) bool {
	m := l.find(path, false)
	if !yield(m) {
		return false
	}
	spelt := m.Kind == Path && m.spelt
	if spelt && !m.wild || m.Known || path == "" {
		return true
	}
	var turned Match[V]
	if bare, ok := strings.CutSuffix(path, "/"); ok {
		turned = l.find(bare, false)
	} else {
		turned = l.find(path, true)
	}
	if !turned.spelt || spelt && turned.Kind == Path && withoutSlash(m.Name) == withoutSlash(turned.Name) {
		return true // two patterns that differ in the slash say which is which
	}
	return yield(turned)
}

// withoutSlash returns a pattern without the slash at its end.
func withoutSlash(pattern string) string {
	return strings.TrimSuffix(strings.TrimSuffix(pattern, "{$}"), "/")
}

// lookup is one way to look paths up.
type lookup[V any] struct {
	table *Table[V]
	names *names[V]
	tree  *tree[V]
	calls bool
	how   comparison
}

// find returns what a path leads to, with another slash at its end where slash is true:
// a known service or a name that a selector covers first, then a path pattern, then the
// shape of a procedure.
func (l lookup[V]) find(path string, slash bool) Match[V] {
	var named Match[V]
	if service, method, ok := l.procedure(path, slash); ok {
		if named = l.table.resolve(l.names, service, method); named.Kind == Procedure {
			named.spelt = true
			return named
		}
	}
	if m, ok := l.tree.match(path, slash, l.how); ok {
		return m
	}
	if named.Kind == Shape && l.calls {
		named.spelt = true
		return named
	}
	return Match[V]{}
}

// looksLikeProcedure reports whether a path, or the path without its last slash, has the
// shape of a procedure's.
func (l lookup[V]) looksLikeProcedure(path string) bool {
	_, _, ok := l.procedure(strings.TrimSuffix(path, "/"), false)
	return ok
}

// procedure takes the path of a procedure apart: /service/Method below a prefix, where
// the service's name has a dot or is known.
func (l lookup[V]) procedure(path string, slash bool) (service, method string, ok bool) {
	if slash {
		return "", "", false
	}
	for _, prefix := range l.table.prefixes {
		if l.names.fold {
			prefix = fetch.Lower(prefix)
		}
		rest, below := strings.CutPrefix(path, prefix)
		if !below || rest == "" || rest[0] != '/' {
			continue
		}
		service, method, ok = strings.Cut(rest[1:], "/")
		if ok && IsIdentifier(method) && (isQualified(service) || l.names.services[service] != "") {
			return service, method, true
		}
	}
	return "", "", false
}

// maxProbe is how many patterns a table may have for Widened to try another one.
const maxProbe = 1000

// Widened reports whether a path would have one match, by this very pattern, if it stood in
// place of the named one: the pattern conflicts with no other, and every reading leads to it.
func (t *Table[V]) Widened(name, pattern, path, escaped string, calls bool) bool {
	wide, problem := ParsePattern(pattern)
	if problem != nil || len(t.added) > maxProbe {
		return false
	}
	probe := *t
	probe.plain = plainPatterns[V]{map[string]Match[V]{}, map[string]rawMatch[V]{}, map[string]string{}}
	probe.patterns, probe.foldedTree, probe.conflicts, probe.upper, probe.added = tree[V]{}, nil, Patterns{}, false, nil
	for _, e := range t.added {
		p := e.pattern
		if p.text == name {
			p = wide
		}
		if probe.AddPattern(p, e.match.Value) != nil {
			return false
		}
	}
	first, _, verdict := probe.Find(path, escaped, calls)
	return verdict == Clear && first.Name == pattern
}

// Covers reports whether the patterns' text is about the procedures of a known service,
// where a path rule would have no effect: it returns the selector to write instead.
func (t *Table[V]) Covers(p Pattern) (selector string, ok bool) {
	decoded := p.decodedPath()
	for _, prefix := range t.prefixes {
		rest, below := strings.CutPrefix(fetch.Lower(decoded), fetch.Lower(prefix)+"/")
		if !below {
			continue
		}
		lower, _, _ := strings.Cut(rest, "/")
		service, known := t.folded.services[lower]
		if !known {
			continue
		}
		method := decoded[min(len(decoded)-len(rest)+len(lower)+1, len(decoded)):]
		if _, known := t.procedures["/"+service+"/"+method]; known {
			return service + "." + method, true
		}
		return service, true
	}
	return "", false
}
