package intent

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// A universe is a finite set of requests that is closed for some policies: for each request that exists,
// it has one that each of the policies treats alike.
type universe struct {
	pages         []page
	targets       []callTarget
	requestNames  []string // header names that scripts can send, in lower case
	responseNames []string // header names that scripts can read, in lower case
	unknown       []string // the origin sources, and the environment variables as ${NAME}, whose origins are not known
}

// page is an origin, with the unknown sets that can have it.
type page struct {
	origin string
	sets   []string
}

// callTarget is a path, and whether the request can be a call of an RPC protocol.
type callTarget struct {
	path      string
	canBeCall bool
}

// methods returns the methods of the requests for the target that exist in the policies of the
// generators, and one that is in none.
func (target callTarget) methods() []string {
	if target.canBeCall {
		return []string{"POST", "GET"}
	}
	return []string{"PUT", "GET", "HEAD", "DELETE", "OPTIONS", "PATCH", "ZZ"}
}

// universeOf returns a universe that is closed for some policies.
func universeOf(policies ...Policy) *universe {
	u := &universe{targets: targetsOf(policies)}
	u.pages = u.pagesOf(u.patternsOf(policies))
	u.requestNames = slices.DeleteFunc(namesOf(policies, requestSeeds, (*corsrpcv1.Rule).GetAllowHeaders, (*corsrpcv1.Rule).GetDenyHeaders), isForbidden)
	u.responseNames = slices.DeleteFunc(namesOf(policies, responseSeeds, (*corsrpcv1.Rule).GetExposeHeaders, (*corsrpcv1.Rule).GetHideHeaders), neverShown)
	return u
}

// isForbidden reports whether browsers do not let a script set a request header. It is neverSent, apart from
// names that no policy may grant although scripts can send them.
func isForbidden(name string) bool {
	return neverSent(name) && (!strings.HasPrefix(name, "access-control-") || strings.HasPrefix(name, "access-control-request-"))
}

// everyRule returns the rules of a policy with those of its profiles and of its schema.
func (p Policy) everyRule() []*corsrpcv1.Rule {
	all := append(slices.Clone(p.GetRules()), p.GetDefaults())
	for _, name := range sortedKeys(p.GetProfiles()) {
		profile := p.GetProfiles()[name]
		all = append(append(all, profile.GetRules()...), profile.GetDefaults())
	}
	for _, name := range sortedKeys(p.Options) {
		all = append(all, p.Options[name])
	}
	return slices.DeleteFunc(all, func(r *corsrpcv1.Rule) bool { return r == nil })
}

// patternsOf returns the distinct patterns of origins in the policies, and finds the unknown sets.
func (u *universe) patternsOf(policies []Policy) []string {
	seen, unknown := map[string]bool{}, map[string]bool{}
	add := func(p Policy, items []string) {
		for _, item := range items {
			if name, fallback, ok := variable(item); ok && p.Env[name] == "" && fallback == "" {
				unknown["${"+name+"}"] = true
				continue
			}
			for _, pattern := range p.expand([]string{item}) {
				seen[pattern] = true
			}
		}
	}
	for _, p := range policies {
		for _, r := range p.everyRule() {
			add(p, r.GetAllowOrigins())
			for _, name := range r.GetAllowOriginsFrom() {
				unknown[name] = true
			}
		}
		for _, name := range sortedKeys(p.GetProfiles()) {
			add(p, p.GetProfiles()[name].GetAddOrigins())
		}
	}
	u.unknown = sorted(unknown)
	return sorted(seen)
}

// variable splits an item of allow_origins that is an environment variable.
func variable(item string) (name, fallback string, ok bool) {
	inner, ok := strings.CutPrefix(item, "${")
	name, fallback, _ = strings.Cut(strings.TrimSuffix(inner, "}"), ":-")
	return name, fallback, ok
}

// foreign are pages that no pattern of the generators has in mind.
var foreign = []string{"https://foreign.test", "https://foreign.test:4321", "http://foreign.test", "tauri://foreign"}

// pagesOf returns a page for each combination of patterns that match a page, of unknown sets that can
// have it, and of whether unrelated owners have it.
func (u *universe) pagesOf(patterns []string) (pages []page) {
	seen := map[string]bool{}
	for _, o := range slices.Concat(foreign, pagesOfGenerators, instancesOf(patterns)) {
		signature := make([]byte, 0, len(patterns)+8)
		for _, pattern := range patterns {
			signature = append(signature, bit(covers(pattern, o)))
		}
		sets := slices.DeleteFunc(slices.Clone(u.unknown), func(set string) bool { return !canHave(set, o) })
		signature = append(append(signature, bit(isUnrelated(o))), strings.Join(sets, " ")...)
		if key := string(signature); !seen[key] {
			seen[key] = true
			pages = append(pages, page{o, sets})
		}
	}
	return pages
}

// bit returns '1' for true.
func bit(b bool) byte {
	if b {
		return '1'
	}
	return '0'
}

// pagesOfGenerators are the pages of the generators.
var pagesOfGenerators = slices.Clone(pages)

// results keeps what a function returned for each key. The generators have few patterns and pages, so that most come again.
type results[K comparable, V any] struct {
	mu   sync.RWMutex
	kept map[K]V
}

// of returns the result for a key.
func (r *results[K, V]) of(key K, compute func() V) V {
	r.mu.RLock()
	v, ok := r.kept[key]
	r.mu.RUnlock()
	if ok {
		return v
	}
	v = compute()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil || len(r.kept) > 1<<20 {
		r.kept = map[K]V{}
	}
	r.kept[key] = v
	return v
}

var (
	coversResults results[[2]string, bool]
	isPageResults results[string, bool]
)

// covers is Covers with kept results.
func covers(pattern, origin string) bool {
	return coversResults.of([2]string{pattern, origin}, func() bool { return Covers(pattern, origin) })
}

// canHave reports whether an unknown set can have an origin. A source has exact https origins of hosts
// other than loopback only. The value of a variable needs no accepted risk.
func canHave(set, origin string) bool {
	if !strings.HasPrefix(set, "${") {
		return !isSkippedRow(origin)
	}
	scheme, host, _ := split(origin)
	return !isUnrelated(origin) && (scheme != "http" || isLoopback(host))
}

// site is a scheme and a host. Patterns match it, or hosts below it.
type site struct{ scheme, host string }

// instancesOf returns pages that patterns match, pages that several of them match, and pages that one
// nearly matches: hosts of the patterns with each of their ports.
func instancesOf(patterns []string) (origins []string) {
	labels, before, behind := map[site][]string{}, map[site][]string{}, map[site][]string{} // before and behind a star
	ports := map[string][]string{}
	for _, pattern := range patterns {
		scheme, host, port := split(pattern)
		if isInstallation(pattern) {
			origins = append(origins, scheme+"://zz")
		}
		if host == "" || isInstallation(pattern) {
			continue
		}
		if port != "*" {
			ports[scheme] = append(ports[scheme], port)
		}
		label, base, _ := strings.Cut(host, ".")
		at := site{scheme, base}
		switch pre, post, star := strings.Cut(label, "*"); {
		case label == "*":
			labels[at] = append(labels[at], "")
		case star:
			before[at], behind[at] = append(before[at], pre), append(behind[at], post)
		default:
			labels[site{scheme, host}] = append(labels[site{scheme, host}], "")
			labels[at] = append(labels[at], label)
		}
	}
	for at := range before {
		labels[at] = append(labels[at], labelsOf(before[at], behind[at])...)
	}
	for at, labels := range labels {
		for _, label := range append(labels, "", "zz", "zz.zz", "xn--bcher-kva") {
			host := strings.Trim(label+"."+at.host, ".")
			if strings.HasSuffix(at.host, ".") {
				host += "."
			}
			for _, port := range append(ports[at.scheme], "", "4321") {
				if port != "" {
					port = ":" + port
				}
				origins = append(origins, at.scheme+"://"+host+port)
			}
		}
	}
	slices.Sort(origins)
	return slices.DeleteFunc(slices.Compact(origins), func(o string) bool {
		if scheme, host, port := split(o); strings.Contains(host, "xn--") && labels[site{scheme, host}] != nil {
			o = scheme + "://xn--bcher-kva.example" // a policy names the host, so that it is one
			if port != "" {
				o += ":" + port
			}
		}
		return !isPageCached(o)
	})
}

// labelsOf returns labels that match each combination of patterns with a star in a label, and the
// shortest labels that begin and end as they do.
func labelsOf(before, behind []string) (labels []string) {
	for _, pre := range append(before, "") {
		for _, post := range append(behind, "") {
			labels = append(labels, pre+"z"+post)
			for k := range min(len(pre), len(post)) + 1 {
				if strings.HasSuffix(pre, post[:k]) {
					labels = append(labels, pre+post[k:])
				}
			}
		}
	}
	return labels
}

// isPageCached is isPage with kept results.
func isPageCached(origin string) bool {
	return isPageResults.of(origin, func() bool { return isPage(origin) })
}

// targetsOf returns paths of each procedure, of an unknown method of each service, of unknown names
// within each selector and of instances of each path, below each prefix too.
func targetsOf(policies []Policy) (targets []callTarget) {
	names := map[string]bool{"zz.v1.Zz.Zz": true, "grpc.health.v1.Health.Zz": true, "grpc.reflection.v1.ServerReflection.Zz": true}
	paths, prefixes := map[string]bool{"/": true, "/zz": true, "/api/zz": true}, []string{""}
	known := map[string]bool{} // the methods and services of the schemas: they are not both
	for _, p := range policies {
		for m := range p.Methods {
			known[m], known[parent(m)] = true, true
			names[m], names[parent(m)+".Zz"] = true, true
		}
	}
	for _, p := range policies {
		prefixes = append(prefixes, p.Prefixes...)
		for _, r := range p.everyRule() {
			s, isPackage := strings.CutSuffix(r.GetSelector(), ".*")
			switch {
			case s == "" || s == "*":
			case isPackage:
				names[s+".Zz"], names[s+".Zz.Zz"], names[s+".zz.Zz.Zz"] = true, true, true
			default:
				names[parent(s)+".Zz"], names[parent(s)+".Zz.Zz"] = true, true
				switch {
				case slices.Contains(operational, s): // the services of the list are not methods
					names[s+".Zz"] = true
				case !known[s]:
					names[s] = true
					if !known[parent(s)] && !slices.Contains(operational, parent(s)) { // a name within a service is a method
						names[s+".Zz"] = true
					}
				}
			}
			if r.GetPath() != "" {
				path := instanceOfPath(r.GetPath())
				paths[path], paths[path+"/zz"], paths[path+"zz"], paths[path+"/"] = true, true, true, true
			}
		}
	}
	for _, prefix := range prefixes {
		for name := range names {
			if i := strings.LastIndexByte(name, '.'); i > 0 && name[0] != '.' {
				paths[prefix+"/"+name[:i]+"/"+name[i+1:]] = true
			}
		}
	}
	for _, path := range sorted(paths) {
		targets = append(targets, callTarget{path, false}, callTarget{path, true})
	}
	return targets
}

// parent returns a name without its last part.
func parent(name string) string { return name[:max(strings.LastIndexByte(name, '.'), 0)] }

// instanceOfPath returns a path that a pattern matches.
func instanceOfPath(pattern string) string {
	segments := strings.Split(pattern, "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i] = "zz"
		}
	}
	return strings.Join(segments, "/")
}

// The header names of every universe.
var (
	requestSeeds = slices.Concat(requestHeaders, tracingHeaders, []string{
		"accept", "accept-language", "content-language", "range", "zz", "connect-zz", "grpc-zz", "grpc-metadata-zz", "x-original-uri", "user-agent",
		"mcp-zz", "mcp-session-id",
	})
	responseSeeds = slices.Concat(responseHeaders, []string{"zz", "trailer-zz", "grpc-status-details-bin", "trailer", "content-encoding", "x-envoy-zz", "zz-accept-encoding", "mcp-zz"})
)

// namesOf returns the seeds and names that the items of lists of headers cover, each with its twin
// of a trailer.
func namesOf(policies []Policy, seeds []string, lists ...func(*corsrpcv1.Rule) []string) []string {
	names := map[string]bool{}
	add := func(name string) {
		name = strings.ToLower(name)
		if strings.ContainsAny(name, " :") || name == "" {
			return // not a token
		}
		plain := strings.TrimPrefix(name, "trailer-")
		names[name], names[plain], names["trailer-"+plain] = true, true, true
	}
	for _, seed := range seeds {
		add(seed)
	}
	for _, p := range policies {
		for _, r := range p.everyRule() {
			for _, list := range lists {
				for _, item := range list(r) {
					prefix, open := strings.CutSuffix(item, "*")
					if add(prefix); open {
						add(prefix + "zz")
					}
				}
			}
		}
	}
	return sorted(names)
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
