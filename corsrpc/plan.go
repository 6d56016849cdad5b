package corsrpc

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync/atomic"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// Plan is a compiled policy: for every procedure and path, the finished
// answer. It is immutable and safe for concurrent use.
type Plan struct {
	policy     *corsrpcv1.Policy
	lists      originLists        // of its rules
	profile    string             // the chosen one; empty for none
	prefixes   []string           // "" first
	procedures map[string]*target // by path, prefixes included
	longest    int                // path that is looked at
	exact      *nameTable
	folded     *nameTable // the same, in lower case
	uncovered  *grant     // of names that no selector but * covers
	nothing    *grant     // of operational services that no rule names
	unclear    *target    // what the paths lead to that have two readings
	mux        *http.ServeMux
	paths      map[string]*target // by pattern
	plainPaths map[string]*target // the same, of those without wildcards

	wildcardStarts map[string]bool // what the others begin with, up to the first wildcard
	longestPath    int             // of both

	interned    map[string]*grant
	sourceNames []string              // that rules name, sorted
	sets        map[string]*sourceSet // what they streamed; none before
	observes    bool                  // nothing is refused, only reported
	shadow      *Plan                 // the candidate; nil for none
}

// Policy returns a copy of the policy that the plan was compiled from.
// Compiling it again with the same options gives an equal plan.
func (p *Plan) Policy() *corsrpcv1.Policy { return p.lists.restore(p.policy) }

// A target is what a request's path leads to.
type target struct {
	kind  targetKind
	name  string // the procedure's full name, or the pattern of the path rule
	known bool   // by the schema or the policy, as it is: such names are bounded in number
	id    uint64 // of one that the plan holds; 0 otherwise
	grant *grant

	answers *recent[exposure] // its own where the plan holds it; the grant's otherwise
}

// knownTarget returns one for the plan to hold.
func knownTarget(kind targetKind, name string, g *grant) *target {
	return &target{kind: kind, name: name, known: true, id: newID(), grant: g, answers: &recent[exposure]{}}
}

var lastID atomic.Uint64

// newID tells a grant or a target from all others, those of other plans too.
func newID() uint64 { return lastID.Add(1) }

// ungoverned is what the paths lead to that nothing in the policy is about.
var ungoverned = &target{}

type targetKind uint8

const (
	targetNone      targetKind = iota // not governed
	targetProcedure                   // a procedure's path, or shaped like one
	targetPath                        // a path rule's
	targetUnclear                     // a procedure's only when read in another way
)

// nameTable resolves names by the policy's selectors.
type nameTable struct {
	services map[string]bool
	methods  map[string]bool
	// selectors holds a grant for each service or method selector,
	// packages one for each package.* without its .*
	selectors, packages map[string]*grant
	longestPackage      int
}

func newNameTable() *nameTable {
	return &nameTable{
		services: map[string]bool{}, methods: map[string]bool{},
		selectors: map[string]*grant{}, packages: map[string]*grant{},
	}
}

func (t *nameTable) addSelector(selector string, g *grant) {
	if pkg, ok := strings.CutSuffix(selector, ".*"); ok {
		t.packages[pkg] = g
		t.longestPackage = max(t.longestPackage, len(pkg))
		return
	}
	t.selectors[selector] = g
}

// resolve returns the narrowest selector other than * that covers a method's
// full name, and its grant; without one, an empty selector and what uncovered
// names get.
func (p *Plan) resolve(t *nameTable, name string) (selector string, g *grant) {
	if g := t.selectors[name]; g != nil {
		return name, g
	}
	name = parentName(name)
	if g := t.selectors[name]; g != nil {
		return name, g
	}
	if len(t.packages) > 0 {
		for pkg := name; pkg != ""; pkg = parentName(pkg) {
			if len(pkg) > t.longestPackage {
				continue // a name of a thousand parts is not hashed a thousand times
			}
			if g := t.packages[pkg]; g != nil {
				return pkg + ".*", g
			}
		}
	}
	if isOperational(name) {
		return "", p.nothing
	}
	return "", p.uncovered
}

// maxPath is the length beyond which no path is looked at, unless the schema has a
// procedure whose path is longer.
const maxPath = 2 << 10

// find says what a request's path leads to. The path of a known procedure,
// spelled as generated clients spell it, takes one map lookup.
func (p *Plan) find(r *Request) *target {
	if len(r.Path) > p.longest || len(r.EscapedPath) > p.longest {
		return p.unclear
	}
	canonical := r.EscapedPath == "" || r.EscapedPath == r.Path
	if canonical {
		if t, ok := p.procedures[r.Path]; ok {
			return t
		}
	}
	return p.findSlowly(r, canonical)
}

// findSlowly is find for all other paths: first what is known by name, then
// path rules, then what only has the shape of a procedure. A path that some
// server in the chain could read as another name than this one does is
// unclear: the procedure that runs has to be the one decided on.
func (p *Plan) findSlowly(r *Request, canonical bool) *target {
	var name string
	var covered, known bool
	var g *grant
	if canonical {
		name = p.procedureName(r.Path, p.exact, false)
	}
	if name != "" {
		var selector string
		selector, g = p.resolve(p.exact, name)
		covered = selector != "" || p.exact.services[parentName(name)]
		known = selector == name
	}
	shaped := false
	for _, spelling := range [...]string{r.Path, r.EscapedPath} {
		if spelling == "" {
			continue
		}
		reading := p.procedureName(cleanReading(spelling), p.folded, true)
		if reading == "" {
			continue
		}
		shaped = true
		if p.folded.methods[reading] { // and the exact path is none: find would have returned it
			return p.unclear
		}
		selector, _ := p.resolve(p.folded, reading)
		meant := selector != "" || p.folded.services[parentName(reading)]
		if meant && !(covered && p.meansSame(name, reading)) {
			return p.unclear
		}
	}
	if covered {
		return &target{kind: targetProcedure, name: name, known: known, grant: g, answers: &g.answers}
	}
	if t, ok := p.findPath(r); ok {
		return t
	}
	switch {
	case name != "":
		return &target{kind: targetProcedure, name: name, grant: g, answers: &g.answers}
	case shaped:
		return p.unclear
	}
	return ungoverned
}

// missingPrefix returns what stands before a known procedure's path in a
// path that is not governed.
func (p *Plan) missingPrefix(path string) (string, bool) {
	if len(path) > maxPath {
		return "", false
	}
	method := strings.LastIndexByte(path, '/')
	if method <= 0 {
		return "", false
	}
	service := strings.LastIndexByte(path[:method], '/')
	if service <= 0 {
		return "", false
	}
	_, ok := p.procedures[path[service:]]
	return path[:service], ok
}

// meansSame reports whether a name and its reading in lower case are covered
// by the same selector and service, letter case apart.
func (p *Plan) meansSame(name, reading string) bool {
	exact, _ := p.resolve(p.exact, name)
	folded, _ := p.resolve(p.folded, reading)
	return strings.EqualFold(exact, folded) &&
		p.exact.services[parentName(name)] == p.folded.services[parentName(reading)]
}

// procedureName returns the full name of the method that a path is the path
// of: /service/Method, where the service's name has a dot or is known, below
// one of the prefixes; empty for any other path.
func (p *Plan) procedureName(path string, t *nameTable, fold bool) string {
	for _, prefix := range p.prefixes {
		if fold {
			prefix = strings.ToLower(prefix)
		}
		rest, ok := strings.CutPrefix(path, prefix)
		if !ok || rest == "" || rest[0] != '/' {
			continue
		}
		service, method, ok := strings.Cut(rest[1:], "/")
		if ok && isIdentifier(method) && (isQualified(service) || t.services[service]) {
			return service + "." + method
		}
	}
	return ""
}

// isQualified reports whether s is a full name with at least one dot.
func isQualified(s string) bool {
	dots := false
	for {
		part, rest, more := strings.Cut(s, ".")
		if !isIdentifier(part) {
			return false
		}
		if !more {
			return dots
		}
		s, dots = rest, true
	}
}

// cleanReading reads a path as a lenient server might: escapes decoded as
// often as there are any, backslashes as slashes, dot segments and repeated
// slashes resolved, slashes at the end dropped, letter case ignored.
func cleanReading(s string) string {
	if strings.Contains(s, "%") {
		s = decodeAll(s)
	}
	if strings.Contains(s, `\`) {
		s = strings.ReplaceAll(s, `\`, "/")
	}
	if !strings.HasPrefix(s, "/") {
		s = "/" + s
	}
	return fetch.Lower(path.Clean(s))
}

// decodeAll decodes percent escapes, those that decoding brings forth too, in
// time linear in the length: each escape shortens what is kept.
func decodeAll(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		b = append(b, s[i])
		for n := len(b); n >= 3 && b[n-3] == '%'; n = len(b) {
			hi, lo := unhex(b[n-2]), unhex(b[n-1])
			if hi < 0 || lo < 0 {
				break
			}
			b = append(b[:n-3], byte(hi<<4|lo))
		}
	}
	return string(b)
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// findPath returns the path rule that governs a request. ServeMux says which: it
// reads paths as the user's own mux does. It is not asked where the path has one
// reading and no pattern with a wildcard could match.
func (p *Plan) findPath(r *Request) (*target, bool) {
	if p.mux == nil {
		return nil, false
	}
	if isPlain(r) {
		if t, sure := p.findPlainPath(r.Path); sure {
			return t, t != nil
		}
	}
	_, pattern := p.mux.Handler(&http.Request{
		Method: http.MethodGet,
		URL:    &url.URL{Path: r.Path, RawPath: r.EscapedPath},
	})
	t, ok := p.paths[pattern]
	return t, ok
}

// findPlainPath finds the path rule of a plain path among the patterns without
// wildcards, and reports whether none with any could match. As with ServeMux, the
// path itself comes first, then what it is redirected to, then the longest pattern
// that it is below.
func (p *Plan) findPlainPath(path string) (t *target, sure bool) {
	t = p.plainPaths[path]
	if t == nil && len(path) < p.longestPath {
		below := path + "/"
		t = p.plainPaths[below]
		if p.wildcardStarts[below] {
			return nil, false
		}
	}
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end-1], '/') + 1 {
		start := path[:end]
		if len(start) > p.longestPath || start[end-1] != '/' {
			continue // a path of a thousand parts is not hashed a thousand times
		}
		if p.wildcardStarts[start] {
			return nil, false
		}
		if t == nil {
			t = p.plainPaths[start]
		}
	}
	return t, true
}

// isPlain reports whether a path has one reading only: no escapes, no dot
// segments, no repeated slashes.
func isPlain(r *Request) bool {
	return r.EscapedPath == "" && strings.HasPrefix(r.Path, "/") &&
		!strings.Contains(r.Path, "//") && !strings.Contains(r.Path, "/.") && !strings.Contains(r.Path, "%")
}
