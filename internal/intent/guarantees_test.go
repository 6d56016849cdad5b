package intent

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/figures"
	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// TestGuarantees: for random policies and sets of calls, analysis.Never holds if and only if the policy grants
// no call of the set, and analysis.Always if and only if it grants all. A browser shows each counterexample.
func TestGuarantees(t *testing.T) {
	t.Parallel()
	guarantees := 0
	rapid.Check(t, func(t *rapid.T) {
		guarantees += guaranteesAreProven(t)
	})
	figures.Measure(t, figureOf("guarantees"), figures.Count(guarantees))
}

// guaranteesPerPolicy is the number of sets of calls for each policy.
const guaranteesPerPolicy = 3

func guaranteesAreProven(t *rapid.T) int {
	w := drawPair(t).next
	r := planaccess.Rules(w.plan)
	for range guaranteesPerPolicy {
		set := drawCallSet(t, w)
		b := newBruteProof(t, w, set)
		for _, never := range []bool{true, false} {
			b.never = never
			prove, kind := analysis.Always, "always"
			if never {
				prove, kind = analysis.Never, "never"
			}
			proof := prove(r, set.CallSet)
			if against := b.against(); proof.Undecided != "" || proof.Holds != (against == "") {
				t.Fatalf("%s %+v: %+v, but against it: %s\n%s", kind, set, proof, against, pair{w, w, ""})
			}
			if !proof.Holds {
				b.contradicts(t, proof)
			}
		}
	}
	return 2 * guaranteesPerPolicy
}

// callSet is a set of calls with the texts of its patterns.
type callSet struct {
	analysis.CallSet
	origins, outside []string
}

// drawCallSet draws a set of calls.
func drawCallSet(t *rapid.T, w *world) (set callSet) {
	calls := []string{"*", "*", "*", "unknown.v9.*", "unknown.v9.S", "unknown.v9.S.M", "grpc.*", "/healthz", "/files/", "/v/{id}", "/none", "/files/special", "/unknown.v9.S/M"}
	for _, m := range sorted(w.Methods) {
		calls = append(calls, m, parent(m))
		if pkg := parent(parent(m)); pkg != "" {
			calls = append(calls, pkg+".*")
		}
	}
	set.Calls = some(t, calls, 3, "calls")
	switch index(t, 4, "kind of origins") {
	case 0:
		set.origins = some(t, originPatterns, 3, "origins")
	case 1, 2:
		set.outside = some(t, originPatterns, 4, "outside")
	}
	list := w.RuleOrigins()
	for _, items := range []*[]string{&set.origins, &set.outside} {
		if len(*items) > 0 && len(list) > 0 && chance(t, 60, "an origin of the policy") {
			*items = append(*items, some(t, list, 4, "origins of the policy")...)
		}
	}
	set.Origins, set.OriginsOutside = parsedOrigins(t, set.origins), parsedOrigins(t, set.outside)
	if chance(t, 60, "has exceptions") {
		set.ExceptSources = some(t, []string{"tenants", "partners", "${APP}", "${UNSET}"}, 4, "exceptions")
	}
	if chance(t, 40, "has credentials") {
		set.Credentials = proto.Bool(chance(t, 80, "credentials"))
	}
	lower := func(names []string) (low []string) {
		for _, name := range names {
			if name = strings.ToLower(name); !strings.ContainsAny(name, " :") && !slices.Contains(low, name) {
				low = append(low, name)
			}
		}
		return low
	}
	if chance(t, 30, "has request headers") {
		set.RequestHeaders = lower(some(t, requestHeaders, 2, "request headers"))
	}
	if chance(t, 30, "has response headers") {
		set.ResponseHeaders = lower(some(t, responseHeaders, 2, "response headers"))
	}
	if chance(t, 30, "has methods") {
		set.Methods = some(t, []string{"GET", "POST", "PUT", "DELETE", "HEAD"}, 3, "methods")
	}
	return set
}

// RuleOrigins returns the origins in the rules that are in force, without environment variables.
func (w *world) RuleOrigins() (origins []string) {
	for _, r := range w.inForce() {
		for _, item := range r.GetAllowOrigins() {
			if _, _, ok := variable(item); !ok {
				origins = append(origins, item)
			}
		}
	}
	return origins
}

// parsedOrigins parses patterns of origins.
func parsedOrigins(t *rapid.T, texts []string) (patterns []origin.Pattern) {
	for _, text := range texts {
		p, _ := origin.ParsePattern(text)
		if p == (origin.Pattern{}) {
			t.Fatal(text)
		}
		patterns = append(patterns, p)
	}
	return patterns
}

// bruteProof tries all calls of a set, to find one that is granted (never) or one that is not.
type bruteProof struct {
	world *world
	*universe
	*side
	set   callSet
	never bool
}

func newBruteProof(t *rapid.T, w *world, set callSet) *bruteProof {
	t.Helper()
	asPolicy := Policy{Policy: &corsrpcv1.Policy{}, Env: w.Env} // its rules make the universe tell apart what the set does
	origins := slices.Concat(set.origins, set.outside)
	asPolicy.Rules = append(asPolicy.Rules, &corsrpcv1.Rule{Selector: "*", AllowOrigins: origins, AllowOriginsFrom: slices.DeleteFunc(slices.Clone(set.ExceptSources), func(s string) bool { return strings.HasPrefix(s, "$") })})
	for _, call := range set.Calls {
		r := &corsrpcv1.Rule{Selector: call}
		if strings.HasPrefix(call, "/") {
			r = &corsrpcv1.Rule{Path: call}
		}
		asPolicy.Rules = append(asPolicy.Rules, r)
	}
	u := universeOf(w.Policy, asPolicy)
	return &bruteProof{world: w, universe: u, side: newSide(u, w.Policy), set: set}
}

// against returns what contradicts the guarantee; "" if it holds.
func (b *bruteProof) against() string {
	for _, target := range b.targets {
		r := b.ruleFor(target)
		for _, method := range b.methodsOf(target, r) {
			for _, p := range b.pages {
				for subset := range 1 << len(p.sets) {
					var sets []string
					for i, set := range p.sets {
						if subset&(1<<i) != 0 {
							sets = append(sets, set)
						}
					}
					if !b.has(p.origin, sets) {
						continue
					}
					granted := r.serves(method) && accessOf(r.list, p.origin, sets).allows && b.grantsFeatures(r)
					if b.never && (granted || !r.governed) || !b.never && !granted {
						return method + " " + target.path + " from " + p.origin + " in " + strings.Join(sets, " ")
					}
				}
			}
		}
	}
	return ""
}

// has reports whether calls of a page that is in some unknown sets are in the set.
func (b *bruteProof) has(page string, sets []string) bool {
	covered := func(pattern string) bool { return covers(pattern, page) }
	return (len(b.set.origins) == 0 || slices.ContainsFunc(b.set.origins, covered)) && !slices.ContainsFunc(b.set.outside, covered) &&
		!slices.ContainsFunc(sets, func(set string) bool { return slices.Contains(b.set.ExceptSources, set) })
}

// methodsOf returns the methods of the set's calls for a target, none if it is not in the set.
func (b *bruteProof) methodsOf(target callTarget, r ruled) []string {
	if !b.hasTarget(target, r) {
		return nil
	}
	methods := b.set.Methods
	switch {
	case len(methods) > 0:
	case r.known && r.isPath:
		methods = slices.DeleteFunc(slices.Clone(methodsOfPaths), func(method string) bool { return !r.AllowsMethod(method) })
	default:
		methods = []string{"POST", "GET"}
	}
	possible := target.methods()
	return slices.DeleteFunc(slices.Clone(methods), func(method string) bool { return !slices.Contains(possible, method) })
}

// methodsOfPaths are the methods in the policies of the generators.
var methodsOfPaths = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}

// hasTarget reports whether requests for the target are in the set.
func (b *bruteProof) hasTarget(target callTarget, r ruled) bool {
	calls := b.set.Calls
	if len(calls) == 0 {
		calls = []string{"*"}
	}
	asPaths := Policy{Policy: &corsrpcv1.Policy{}}
	for _, call := range calls {
		if strings.HasPrefix(call, "/") {
			asPaths.Rules = append(asPaths.Rules, &corsrpcv1.Rule{Path: call})
		}
	}
	if asPaths.pathPattern(target.path) != "" {
		return true
	}
	service, method, ok := b.procedure(target.path)
	if !ok {
		return b.never && slices.Contains(calls, "*") && r.known && r.isPath
	}
	if other := b.ruleFor(callTarget{target.path, true}); !target.canBeCall && other.key != r.key {
		return false // not a call
	}
	return slices.ContainsFunc(calls, func(call string) bool {
		pkg, isPackage := strings.CutSuffix(call, ".*")
		everything := b.never || !r.isPath && !slices.Contains(operational, service)
		return call == "*" && everything || call == service || call == service+"."+method || isPackage && strings.HasPrefix(service+".", pkg+".")
	})
}

// procedure splits the path of a procedure that a server may have. A service without a package is one if the
// schema or a rule names it.
func (b *bruteProof) procedure(path string) (service, method string, ok bool) {
	for _, prefix := range append(slices.Clone(b.Prefixes), "") {
		if below, found := strings.CutPrefix(path, prefix+"/"); found {
			service, method, ok = strings.Cut(below, "/")
			known := false
			for m := range b.Methods {
				known = known || parent(m) == service
			}
			for _, r := range b.world.inForce() {
				known = known || r.GetSelector() == service || r.GetSelector() == service+"."+method
			}
			if ok = ok && method != "" && !strings.ContainsAny(method, "/.-") && (known || strings.Contains(service, ".") && !strings.ContainsAny(service, "-")); ok {
				return service, method, true
			}
		}
	}
	return "", "", false
}

// grantsFeatures reports whether a rule grants the credentials and headers of the set.
func (b *bruteProof) grantsFeatures(r ruled) bool {
	if b.set.Credentials != nil && *b.set.Credentials && !r.Credentials() {
		return false
	}
	if slices.ContainsFunc(b.set.RequestHeaders, func(name string) bool { return !r.AllowsHeader(name) }) {
		return false
	}
	shows := func(name string) bool { return r.Shows(name, http.StatusOK, nil) }
	hides := func(name string) bool { return !shows(name) }
	if b.never {
		return len(b.set.ResponseHeaders) == 0 || slices.ContainsFunc(b.set.ResponseHeaders, shows)
	}
	return !slices.ContainsFunc(b.set.ResponseHeaders, hides)
}

// contradicts fails the test unless the call that contradicts the guarantee is in the set, and is granted in
// a browser or, against always, is not.
func (b *bruteProof) contradicts(t fataler, proof analysis.Proof) {
	t.Helper()
	call := proof.Counterexample
	if !b.has(call.Origin, nil) {
		t.Fatalf("%+v: the counterexample %+v has a page that the set does not have", b.set, call)
	}
	plan := b.world.bound(t, call)
	got := readByBrowser(t, plan, call)
	granted := got.Runs && got.Reads && got.sent && (call.ResponseHeader == "" || slices.Contains(strings.Fields(strings.ToLower(got.Headers)), call.ResponseHeader))
	if b.never {
		path := strings.TrimSuffix(pathOf(call), "?"+call.Query)
		r := b.ruleFor(callTarget{path, call.Method == http.MethodPost || call.Query != ""})
		granted = granted || !r.governed && runsByHand(t, plan, call)
	}
	if granted != b.never {
		t.Fatalf("%+v: the counterexample %+v of %+v is granted: %t\n%s", b.set, call, proof, granted, pair{b.world, b.world, ""})
	}
}
