package rules

import (
	"crypto/sha256"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// maxCompared is the number of levels of an effective rule up to which Redundant compares them.
// The levels of an effective rule with more of them count as changing something.
const maxCompared = 64

// Redundant returns the rules and defaults that change nothing: for every procedure and path that
// they apply to, each of their values is the one that the levels before them give. The policy
// without all of them has the same effective rules, under each of its profiles. The argument is the
// policy's rules if r are those of its shadow policy, and r otherwise.
//
// It leaves out rules whose mere presence has an effect, since they make the layer decide on requests
// that it would otherwise not decide on. These are rules for paths, and for names that the schema of
// this server, or of another one (UNKNOWN_SELECTORS), does not have. Where servers read a path in
// several ways, two rules count as different even if their values are equal; Redundant does not take
// that into account.
func (r *Rules) Redundant(whole *Rules) []*Written {
	changing := r.changing(false)
	if r == whole && r.Shadow != nil { // a profile applies to the shadow policy too
		maps.Copy(changing, r.Shadow.changing(false))
	}
	precede := profileFields(whole.policy.GetProfiles())
	known := map[string]bool{}
	for _, service := range r.Services {
		known[service] = true
	}
	for _, m := range r.Procedures {
		known[m.Name] = true
	}
	var all []*Written
	written := r.Written()
	selectors, paths := map[string]bool{}, map[string]bool{} // of the policy without its profiles
	for _, w := range written {
		if !w.Profile && !w.Schema {
			selectors[w.Message.GetSelector()], paths[w.Message.GetPath()] = true, true
		}
	}
	governs := func(w *Written) bool { // whether the rule, and no other, makes the layer decide on some requests
		selector, path := w.Message.GetSelector(), w.Message.GetPath()
		switch {
		case path != "":
			return !w.Profile || !paths[path]
		case selector == "", selector == "*", w.Profile && selectors[selector], withinPackage(selectors, selector):
			return false
		}
		return !known[selector] || w.level.risks[corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS] || route.IsOperational(selector)
	}
	for _, w := range written {
		if changing[w.level] || w.Schema || w.Added || w.Message == nil {
			continue
		}
		isEmpty := w.Message.GetSelector()+w.Message.GetPath() == "" && len(w.fields()) == 0 // defaults: {}
		if !isEmpty && !governs(w) && (w.Profile || !precede.set(w)) {
			all = append(all, w)
		}
	}
	return all
}

// RedundantOptions returns the options of the schema that change nothing under this policy: for every
// procedure that they apply to, each of their values is the one that the levels before them give. The
// rules of the policy that follow the options do not count. Another policy may be changed by them.
func (r *Rules) RedundantOptions() (all []*Written) {
	changing := r.changing(true)
	for _, w := range r.Options() {
		if !changing[w.level] {
			all = append(all, w)
		}
	}
	return all
}

// changing returns the levels that change a value of an effective rule: those that are options of the
// schema, or those that are not.
func (r *Rules) changing(options bool) map[*level]bool {
	s := summer{&compiler{reported: map[string]bool{}}, map[*origin.Set]string{}, map[string]string{}, maphash.MakeSeed()}
	changing := map[*level]bool{}
	var ends []int
	for _, e := range r.interned {
		var key string
		key, ends = e.keyOfPrefixes(ends[:0])
		sum := func(n int) string { return s.sum(e, n, key[:ends[n]]) }
		for i, l := range e.levels {
			switch {
			case changing[l] || (l.element != "") != options:
			case len(e.levels) > maxCompared, l.differs(e, i), sum(i) != sum(i+1):
				changing[l] = true
			}
		}
	}
	return changing
}

// differs reports whether the level, which is the one with an index in an effective rule, certainly
// changes a value of the levels before it. It is faster than summing them up.
func (l *level) differs(e *Effective, i int) bool {
	var before HeaderRules
	var origins *level
	credentials := false
	for _, b := range slices.Backward(e.levels[:i]) {
		if h := b.headers[rpc.Request].level; h != nil {
			before = append(before, h)
		}
		if origins == nil && b.items+len(b.sources) > 0 {
			origins = b
		}
		credentials = credentials || b.credentials != nil && *b.credentials
	}
	if l.items+len(l.sources) > 0 && (origins == nil || l.origins.Len() != origins.origins.Len() || len(l.sources) != len(origins.sources)) {
		return true
	}
	if l.credentials != nil && *l.credentials && !credentials {
		return true
	}
	for _, item := range l.headers[rpc.Request].items {
		if grants, _ := before.Lookup(item.name); item.kind == headerName && grants != item.grants {
			return true
		}
	}
	return false
}

// summer computes texts of the values that the first levels of effective rules give.
type summer struct {
	compiler *compiler
	origins  map[*origin.Set]string
	sums     map[string]string // by the key of those levels
	seed     maphash.Seed
}

// sum returns a text that is equal for levels that give the same values, whatever levels follow. The
// key is that of the first n levels.
func (s *summer) sum(of *Effective, n int, key string) string {
	if sum, ok := s.sums[key]; ok {
		return sum
	}
	s.compiler.places = of.places
	e := s.compiler.effective(view{&base{}, &profile{}}, of.levels[:n], of.kind)
	lifted := ""
	if e.schemaDisables != nil {
		lifted = e.schemaDisables.field
	}
	environment := ""
	if l := e.originsFrom; l != nil {
		if slices.ContainsFunc(l.originRun, func(run originRun) bool { return run.inOneItem }) {
			environment = l.field // the values of variables differ from server to server
		}
		if set := l.origins; set != nil && s.origins[set] == "" {
			s.origins[set] = s.fingerprint(set)
		}
	}
	d := digester{Hash: sha256.New(), rules: map[*Effective]digested{}, origins: s.origins}
	d.effective("", e)
	sum := fmt.Sprintf("%s %q %q", d.rules[e].sum, lifted, environment)
	s.sums[key] = sum
	return sum
}

// fingerprint returns a text that is equal for sets of the same patterns in any order. Two other
// sets have the same one with a probability of 2^-64.
func (s *summer) fingerprint(set *origin.Set) string {
	var sum uint64
	for _, text := range set.Patterns().All {
		sum += maphash.String(s.seed, text)
	}
	return fmt.Sprintf("%d %x", set.Len(), sum)
}

// withinPackage reports whether one of the selectors is that of a package around a selector.
func withinPackage(selectors map[string]bool, selector string) bool {
	name := strings.TrimSuffix(selector, ".*")
	for pkg := route.ParentName(name); pkg != ""; pkg = route.ParentName(pkg) {
		if selectors[pkg+".*"] {
			return true
		}
	}
	return false
}

// fieldsBySelector holds the fields that levels set, by the selector of the level; "" for defaults.
type fieldsBySelector map[string]map[protoreflect.Name]bool

// profileFields returns the fields that the levels of any of the profiles set.
func profileFields(profiles map[string]*corsrpcv1.Profile) fieldsBySelector {
	all := fieldsBySelector{}
	add := func(selector string, m *corsrpcv1.Rule) {
		if all[selector] == nil {
			all[selector] = map[protoreflect.Name]bool{}
		}
		maps.Copy(all[selector], fieldsOf(m))
	}
	for _, p := range profiles {
		if p.GetDefaults() != nil {
			add("", p.GetDefaults())
		}
		for _, m := range p.GetRules() {
			add(m.GetSelector()+m.GetPath(), m)
		}
	}
	return all
}

// set reports whether a level whose values a level follows sets a field that the latter sets too.
func (f fieldsBySelector) set(w *Written) bool {
	own := w.fields()
	sets := func(selector string) bool {
		for field := range f[selector] {
			if own[field] {
				return true
			}
		}
		return false
	}
	if !w.level.isRule {
		return false
	}
	if sets("") {
		return true
	}
	if w.Message.GetPath() != "" {
		return false
	}
	name := strings.TrimSuffix(w.level.selector, ".*")
	if w.level.selector != "*" && (sets("*") || sets(route.ParentName(name))) {
		return true
	}
	for pkg := route.ParentName(name); pkg != ""; pkg = route.ParentName(pkg) {
		if sets(pkg + ".*") {
			return true
		}
	}
	return false
}

// fields returns the fields that the level sets, as fieldsOf does.
func (w *Written) fields() map[protoreflect.Name]bool {
	fields := fieldsOf(w.Message)
	if w.level.items > 0 {
		fields["allow_origins"] = true // a long list is not in the message
	}
	return fields
}

// fieldsOf returns the fields of a rule that are set, apart from its selector and path. Fields that
// are merged as one value have the name of the first.
func fieldsOf(m *corsrpcv1.Rule) map[protoreflect.Name]bool {
	fields := map[protoreflect.Name]bool{}
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		name := f.Name()
		switch name {
		case "selector", "path":
			return true
		case "allow_origins_from":
			name = "allow_origins"
		case "deny_headers", "tracing":
			name = "allow_headers"
		case "hide_headers":
			name = "expose_headers"
		}
		fields[name] = true
		return true
	})
	return fields
}
