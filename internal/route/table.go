// Package route resolves the path of a request to a procedure, to a path rule, or to no rule of
// the policy. It considers every way in which a server in the chain may read the path, since
// the policy must be applied to the handler that runs. The package deals with names,
// selectors, path prefixes, path patterns and readings, and returns the value of an entry.
// Origins and grants are the caller's.
package route

import (
	"net/url"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// Kind is the kind of entry that a path resolves to.
type Kind uint8

// The kinds.
const (
	// None: no entry.
	None Kind = iota
	// Procedure: a procedure of a known service, or one that a selector covers.
	Procedure
	// Shape: a path that only has the form of a procedure's path. Neither the schema nor a
	// selector nor a path rule matches it.
	Shape
	// Path: a path pattern.
	Path
)

// Match is the entry that one reading of a path resolves to.
type Match[V any] struct {
	// Kind is the kind of the entry.
	Kind Kind
	// Name is the full name of the method, or the pattern. The name of a method that is not
	// Known is input from the network.
	Name string
	// Known is true if the schema or a selector names the method itself.
	Known bool
	// Value is the value of the entry. It is the zero value if Kind is None.
	Value V

	// Ambiguous is true if there are other names with other values that differ from Name in
	// letter case only, so that a server may mean any of them.
	Ambiguous bool

	exact bool // the entry matches the path without a wildcard for the rest of it
	wild  bool // the pattern has a named wildcard
}

// Verdict says whether all readings of a path resolve to the same value.
type Verdict uint8

// The verdicts.
const (
	// Clear: all readings resolve to the same value, or all to None.
	Clear Verdict = iota
	// Differs: two readings resolve to different values, or one of them to None.
	Differs
	// Unbounded: the path is too long, does not begin with a slash, has more than MaxReadings
	// readings, or has dot segments that climb above the root or above a prefix.
	Unbounded
)

// MaxPath is the maximum length of a path in bytes, unless the table has a procedure with a
// longer path.
const MaxPath = 2 << 10

// Config holds the settings of a table.
type Config[V any] struct {
	// Prefixes are the path prefixes below which procedures are served, in addition to the
	// root. Each must be valid by IsPrefix.
	Prefixes []string
	// Same reports whether two values have the same effect.
	Same func(a, b V) bool
	// Uncovered is the value of names that no selector other than * covers, and Unnamed that of
	// operational services among them.
	Uncovered, Unnamed V
}

// Table maps paths to values. The methods whose names begin with Add build it. After that it is
// read-only and safe for concurrent use.
type Table[V any] struct {
	prefixes           []string // the first one is ""
	same               func(a, b V) bool
	uncovered, unnamed V
	exact, folded      *names[V]
	longest            int

	procedures map[string]V // by path, including the prefixes
	plain      plainPatterns[V]
	patterns   tree[V]
	foldedTree *tree[V] // the patterns in lower case; nil if patterns has no upper case
	conflicts  Patterns
	upper      bool // a pattern has upper-case letters, including those in escapes
	added      []entry[V]
}

// plainPatterns finds patterns without wildcards by a path that is equal to the pattern.
type plainPatterns[V any] struct {
	decoded map[string]Match[V]    // by the decoded path, for patterns in the default encoding
	raw     map[string]rawMatch[V] // by the escaped path, for the other patterns
	// ambiguous holds the patterns that may be read in several ways, such as one with %2F: the
	// decoded path by the escaped path.
	ambiguous map[string]string
}

// rawMatch is a pattern that is not in the default encoding of its path.
type rawMatch[V any] struct {
	decoded string
	match   Match[V]
}

// New returns an empty table.
func New[V any](c Config[V]) *Table[V] {
	return &Table[V]{
		prefixes: append([]string{""}, c.Prefixes...), same: c.Same, uncovered: c.Uncovered, unnamed: c.Unnamed,
		exact: newNames[V](false), folded: newNames[V](true), longest: MaxPath, procedures: map[string]V{},
		plain: plainPatterns[V]{map[string]Match[V]{}, map[string]rawMatch[V]{}, map[string]string{}},
	}
}

// IsPrefix reports whether s is a valid path prefix: it begins with a slash, does not end with
// one, and has only one reading.
func IsPrefix(s string) bool {
	return isSimple(s) && !strings.HasSuffix(s, "/") && (&url.URL{Path: s}).EscapedPath() == s
}

// AddService adds a service of the schema. Its name needs no dot, and unknown methods of it are
// procedures.
func (t *Table[V]) AddService(name string) {
	t.exact.services[name] = name
	t.folded.services[fetch.Lower(name)] = name
}

// AddMethod adds a method of the schema.
func (t *Table[V]) AddMethod(service, method string, v V) {
	path := "/" + service + "/" + method
	for _, prefix := range t.prefixes {
		t.procedures[prefix+path] = v
		t.longest = max(t.longest, len(prefix+path))
	}
	t.folded.put(t.folded.methods, service+"."+method, v, t.same)
}

// AddSelector adds a selector other than *. If the selector is that of a package, operational
// is its value for operational services; otherwise operational is not used.
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

// Exact returns the value of a path that is equal to the path of a procedure, or to a pattern
// without wildcards. Such a path has only one reading, unless the pattern itself may be read in
// several ways, such as one with an escaped slash. The arguments are those of Find.
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

// Find returns the match of a path, which is valid if the verdict is Clear. Otherwise it
// returns the first two matches that differ, if there are any. The arguments path and escaped
// are Path and RawPath of a URL (package net/url). If mayBeCall is false, the request cannot be
// an RPC call, and a path that only has a procedure's shape resolves to None.
func (t *Table[V]) Find(path, escaped string, mayBeCall bool) (first, other Match[V], verdict Verdict) {
	looked, exact := false, t.plain.isExactSpelling(path, escaped)
	verdict = t.Each(path, escaped, mayBeCall, func(m Match[V]) bool {
		switch {
		case !looked:
			first, looked = m, true
			return !m.Ambiguous
		case exact && m.Kind == None:
			return true // the pattern itself allows for this reading
		case t.alike(first, m):
			return true
		}
		other = m
		return false
	})
	return first, other, verdict
}

// alike reports whether two matches have the same effect.
func (t *Table[V]) alike(a, b Match[V]) bool {
	if a.Kind == None || b.Kind == None {
		return a.Kind == b.Kind
	}
	return !a.Ambiguous && !b.Ambiguous && t.same(a.Value, b.Value)
}

// Each calls yield with the match of each reading of a path, beginning with the path as it was
// sent. If yield returns false, Each stops and returns Differs.
func (t *Table[V]) Each(path, escaped string, mayBeCall bool, yield func(Match[V]) bool) Verdict {
	if len(path) > t.longest || len(escaped) > t.longest || !isRooted(path) || !isRooted(escaped) {
		return Unbounded
	}
	r := readings{prefixes: t.prefixes}
	if !r.start(path, escaped) {
		return Unbounded
	}
	for i := 0; i < r.n; i++ {
		if !t.lookUp(r.all[i], mayBeCall, yield) {
			return Differs
		}
		if !r.derive(i) {
			return Unbounded
		}
	}
	return Clear
}

// isRooted reports whether a path is "*", is empty, which is equivalent to a slash, or begins
// with a slash. Servers disagree on how to read any other form, such as a URL within a URL. The
// form "*" is for the server itself (RFC 9112, section 3.2.4).
func isRooted(path string) bool { return path == "" || path[0] == '/' || path == "*" }

// lookUp looks up a reading in each way in which servers compare paths with patterns. It
// returns false if yield did.
func (t *Table[V]) lookUp(r reading, mayBeCall bool, yield func(Match[V]) bool) bool {
	modes := []segmentMode{decodedSegments}
	if t.patterns.count > 0 && strings.IndexByte(r.text, '%') >= 0 {
		modes = []segmentMode{unescapedSegments, writtenSegments, decodedSegments}
		if r.undecoded {
			modes = modes[:2] // the path has not been decoded yet
		}
	}
	for _, mode := range modes {
		if !t.lookUpCases(r.text, mayBeCall, comparison{segments: mode}, yield) {
			return false
		}
		if t.patterns.count > 0 && strings.Contains(r.text, "//") && !t.lookUpCases(r.text, mayBeCall, comparison{segments: mode, nonEmpty: true}, yield) {
			return false
		}
	}
	return true
}

// lookUpCases looks up a path with and without regard to letter case.
func (t *Table[V]) lookUpCases(path string, mayBeCall bool, how comparison, yield func(Match[V]) bool) bool {
	if !t.lookUpSlash(lookup[V]{t, t.exact, &t.patterns, mayBeCall, how}, path, yield) {
		return false
	}
	lower, tree := fetch.Lower(path), t.foldedTree
	if tree == nil {
		tree = &t.patterns
	}
	folded := lookup[V]{t, t.folded, tree, mayBeCall, how}
	if lower == path && t.foldedTree == nil && !folded.looksLikeProcedure(lower) {
		return true // letter case makes no difference
	}
	return t.lookUpSlash(folded, lower, yield)
}

// lookUpSlash looks up a path. It also looks up the path with its final slash added or removed
// if that has an exact match, and the path itself has no exact match without wildcards. Many
// routers redirect from one form to the other, or accept both.
func (t *Table[V]) lookUpSlash(l lookup[V], path string, yield func(Match[V]) bool) bool {
	m := l.find(path, false)
	if !yield(m) {
		return false
	}
	exact := m.Kind == Path && m.exact
	if exact && !m.wild || m.Known || path == "" {
		return true
	}
	var toggled Match[V]
	if bare, ok := strings.CutSuffix(path, "/"); ok {
		toggled = l.find(bare, false)
	} else {
		toggled = l.find(path, true)
	}
	if !toggled.exact || exact && toggled.Kind == Path && withoutSlash(m.Name) == withoutSlash(toggled.Name) {
		return true // two patterns that differ in the slash tell the forms apart
	}
	return yield(toggled)
}

// withoutSlash returns a pattern without the slash at its end.
func withoutSlash(pattern string) string {
	return strings.TrimSuffix(strings.TrimSuffix(pattern, "{$}"), "/")
}

// lookup is one way of looking up paths.
type lookup[V any] struct {
	table     *Table[V]
	names     *names[V]
	tree      *tree[V]
	mayBeCall bool
	how       comparison
}

// find returns the match of a path, with a slash appended if slash is true. The order of
// precedence is: a procedure of a known service or one that a selector covers, a path pattern,
// the shape of a procedure's path.
func (l lookup[V]) find(path string, slash bool) Match[V] {
	var named Match[V]
	if service, method, ok := l.procedure(path, slash); ok {
		if named = l.table.resolve(l.names, service, method); named.Kind == Procedure {
			named.exact = true
			return named
		}
	}
	if m, ok := l.tree.match(path, slash, l.how); ok {
		return m
	}
	if named.Kind == Shape && l.mayBeCall {
		named.exact = true
		return named
	}
	return Match[V]{}
}

// looksLikeProcedure reports whether a path, or the path without its final slash, has the shape
// of a procedure's path.
func (l lookup[V]) looksLikeProcedure(path string) bool {
	_, _, ok := l.procedure(strings.TrimSuffix(path, "/"), false)
	return ok
}

// procedure splits the path of a procedure: /service/Method below a prefix, where the service's
// name has a dot or is known.
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

// maxProbe is the maximum number of patterns of a table for which Widened tries a pattern.
const maxProbe = 1000

// Widened reports whether every reading of a path would resolve to pattern, if pattern replaced
// the one with a name. It returns false if pattern is invalid or conflicts with another one.
func (t *Table[V]) Widened(name, pattern, path, escaped string, mayBeCall bool) bool {
	wide, problem := ParsePattern(pattern)
	if problem != nil || len(t.added) > maxProbe {
		return false
	}
	probe := t.withoutPatterns()
	for _, e := range t.added {
		p := e.pattern
		if p.text == name {
			p = wide
		}
		if probe.AddPattern(p, e.match.Value) != nil {
			return false
		}
	}
	return probe.resolves(pattern, path, escaped, mayBeCall)
}

// Added reports whether every reading of a path would resolve to pattern, if pattern with the value v
// were added. It returns false if pattern is invalid, conflicts with another one, or matches
// procedures of a known service.
func (t *Table[V]) Added(pattern string, v V, path, escaped string, mayBeCall bool) bool {
	p, problem := ParsePattern(pattern)
	if problem != nil || len(t.added) > maxProbe {
		return false
	}
	if _, covers := t.Covers(p); covers {
		return false
	}
	probe := t.withoutPatterns()
	for _, e := range t.added {
		if probe.AddPattern(e.pattern, e.match.Value) != nil {
			return false
		}
	}
	return probe.AddPattern(p, v) == nil && probe.resolves(pattern, path, escaped, mayBeCall)
}

// withoutPatterns returns a copy of the table without its patterns.
func (t *Table[V]) withoutPatterns() *Table[V] {
	c := *t
	c.plain = plainPatterns[V]{map[string]Match[V]{}, map[string]rawMatch[V]{}, map[string]string{}}
	c.patterns, c.foldedTree, c.conflicts, c.upper, c.added = tree[V]{}, nil, Patterns{}, false, nil
	return &c
}

// resolves reports whether every reading of a path resolves to a pattern.
func (t *Table[V]) resolves(pattern, path, escaped string, mayBeCall bool) bool {
	first, _, verdict := t.Find(path, escaped, mayBeCall)
	return verdict == Clear && first.Name == pattern
}

// Covers reports whether a pattern matches procedures of a known service, for which a path rule
// would have no effect. It returns the selector to write instead.
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
