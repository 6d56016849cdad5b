package main

// compareFaults are faults of the comparison of two policies and of guarantees.
var compareFaults = []fault{
	// The paths and names that policies tell apart.
	{name: "names within a package are not compared", in: "procedures", old: `all = append(all, sample{label: name, service: pkg + "." + fresh, method: fresh})`, new: `_ = pkg`},
	{name: "unknown methods of a service are not compared", in: "procedures", old: `		all = append(all, sample{label: name, service: name, method: fresh})
`, new: ``},
	{name: "unknown methods that a selector names are not compared", in: "procedures", old: `parent != "" && u.selectors[name]`, new: `parent == "" && u.selectors[name]`},
	{name: "the witness of a method is one of a service", in: "procedures", old: `if isMethod && (u.services[parent] || rpc.IsOperational(parent)) {`, new: `if false {`},
	{name: "operational services are not compared", in: "procedures", old: `slices.Collect(rpc.OperationalServices()))`, new: `slices.Collect(rpc.OperationalServices())[:0])`},
	{name: "procedures below a prefix are not compared", in: "(*universe).addRules", old: `u.prefixes[prefix]++`, new: `_ = prefix`},
	{name: "the paths of the next policy are not compared", in: "(*comparer).pairs", old: `u.addRules(1, c.next.Rules)`, new: `u.addRules(0, c.next.Rules); u.patterns[0] = u.patterns[0][:len(c.old.Paths)]`},
	{name: "requests that are not calls are not compared", in: "kinds", old: `return []resolved{asCall, other}`, new: `return []resolved{asCall}`},
	{name: "pairs of different rules are one", in: "(*governed).key", old: `governedKey{g.facts, g.byRule`, new: `governedKey{noFacts, g.byRule`},
	{name: "what is lost is not compared", in: "Compare", old: `c.compare(p, false)`, new: `_ = p`},
	{name: "a path without a rule is closed", in: "(*policy).resolve", old: `return &governed{facts: noFacts, open: true, images: true, links: true, host: true}`, new: `return &governed{facts: noFacts}`},
	{name: "a path with two readings is that of the first", in: "(*policy).resolve", old: `case verdict == route.Clear:
		g :=`, new: `case first.Kind != route.None:
		g :=`},

	// The effect of a rule.
	{name: "a rule that is disabled has its origins", in: "newFacts", old: `f.origins = noFacts.origins`, new: `f.atoms = nil`},
	{name: "a rule has no sources", in: "newFacts", old: `f.atoms = slices.Clone(e.Sources())`, new: `f.atoms = nil`},
	{name: "a variable that is not set has no origins", in: "newFacts", old: `f.atoms = append(f.atoms, "${"+v.Name+"}")`, new: `_ = v`},
	{name: "images reach a path with credentials", in: "(*policy).byRule", old: `g.links && !(f.plain && f.credentials)`, new: `g.links`},
	{name: "links reach a procedure that not everyone may call", in: "(*policy).byRule", old: `(f.plain || f.origins.Any() != 0)`, new: `(f.plain || f.origins != nil)`},
	{name: "a policy that observes is compared as if it did not", in: "(*comparer).enforcement", old: `if c.old.Observes == c.next.Observes {`, new: `if c.old.Observes || c.next.Observes || true {`},
	{name: "origins within another list are gained", in: "newOriginDifference", old: `if from.origins.Any() == 0 {`, new: `if true {`},
	{name: "a source that the other rule has too is gained", in: "newOriginDifference", old: `!slices.Contains(from.atoms, atom)`, new: `atom != ""`},
	{name: "rules with two sources have no origin in common", in: "(*originDifference).findCommon", old: `if len(from.atoms) > 0 && len(to.atoms) > 0 {`, new: `if false {`},
	{name: "a source has no origin that a rule lists", in: "possibleRow", old: `} else if origin.IsTenant(witness) {`, new: `} else if false {`},
	{name: "a source has the origins of apps", in: "possibleRow", old: `} else if origin.IsTenant(witness) {`, new: `} else {`},
	{name: "methods are not compared", in: "(*grants).scripts", old: `len(g.methods) < len(methods) {`, new: `len(g.methods) > len(methods) {`},
	{name: "credentials are not compared", in: "(*grants).values", old: `g.to.credentials && !g.from.credentials`, new: `g.to.credentials && g.from.credentials`},
	{name: "a shorter time of a preflight is gained", in: "(*grants).values", old: `g.to.maxAge > g.from.maxAge`, new: `g.to.maxAge != g.from.maxAge`},
	{name: "timing is not compared", in: "(*grants).values", old: `g.to.timing && !g.from.timing`, new: `g.to.timing && g.from.timing`},
	{name: "cookies of pages of one owner are not compared", in: "ownedOrigin", old: `from.origins.Any() == 0 && !from.origins.HasShared()`, new: `true || !from.origins.HasShared()`},
	{name: "cookies of the pages of a source are not compared", in: "ownedOrigin", old: `for _, atom := range to.atoms {`, new: `for _, atom := range to.atoms[:0] {`},
	{name: "cookies that a variable of both rules lets through are gained", in: "ownedOrigin", old: `slices.Contains(from.atoms, atom) && from.origins.Any() == 0`, new: `false`},
	{name: "cookies for a path that was a procedure's are not compared", in: "(*grants).cookieOrigin", old: `case !g.from.plain:`, new: `case false:`},
	{name: "a write of everyone with cookies reaches a path", in: "(*grants).cookieOrigin", old: `, !reads && g.to.origins.Any() != 0:`, new: `:`},
	{name: "requests without Origin are not compared", in: "(*comparer).compare", old: `	g.withoutOrigin()
`, new: ``},
	{name: "a path that a rule governs no more is not told", in: "(*comparer).compare", old: `g.ungoverned()`, new: `_ = g`},

	// Headers.
	{name: "a header that no script can send is gained", in: "grantedRequestHeaders", old: `!fetch.ForbiddenRequestHeader(name) && `, new: ``},
	{name: "names within a prefix are not compared", in: "cells", old: `all = append(all, headerCell{prefix + "*", witness})`, new: `_ = witness`},
	{name: "the witness of a prefix is a name that a rule has", in: "cells", old: `witness += "-2"`, new: `taken = false`},
	{name: "the headers of gateways are like others", in: "requestNames", old: `, "grpc-trace-bin", "grpc-tags-bin", rpc.GatewayPrefix+"authorization")`, new: `)`},
	{name: "trailers are not compared", in: "responseNames", old: `all = append(all, rpc.TrailerPrefix+name)`, new: `_ = all`},
	{name: "a name is within a prefix that does not differ", in: "differing", old: `return has[name+"*"]`, new: `return true`},
	{name: "a header that no response has is gained", in: "exposedResponseHeaders", old: `!neverInResponse(name) && `, new: ``},

	// Guarantees.
	{name: "a path that no rule governs is not against never", in: "(*prover).never", old: `if g.open {`, new: `if false {`},
	{name: "origins of a source are not against never", in: "(*prover).findAllowed", old: `for _, atom := range f.atoms {`, new: `for _, atom := range f.atoms[:0] {`},
	{name: "a source that is trusted is against never", in: "(*prover).findAllowed", old: `if slices.Contains(p.set.ExceptSources, atom) {`, new: `if false {`},
	{name: "the first origin of a rule alone is against never", in: "(*prover).findOutside", old: `for i, text := range origins.Patterns().All {`, new: `for i, text := range origins.Patterns().All {
		if i > 0 {
			break
		}`},
	{name: "calls without credentials are against never with them", in: "(*prover).grantsFeatures", old: `*p.set.Credentials && !g.credentials`, new: `*p.set.Credentials && false`},
	{name: "a header that is not granted is against never", in: "(*prover).grantsFeatures", old: `if !g.granted.Grants(name) {`, new: `if false && !g.granted.Grants(name) {`},
	{name: "a header that is not read is against never", in: "(*prover).grantsFeatures", old: `len(p.set.ResponseHeaders) == 0 || p.shown(g.facts) != ""`, new: `true`},
	{name: "methods of the set are not those of never", in: "(*prover).never", old: `if methods = intersection(methods, g.methods); len(methods) == 0 {`, new: `if methods = intersection(g.methods, g.methods); len(methods) == 0 {`},
	{name: "always holds without an origin", in: "(*prover).always", old: `if witness := p.refused(f); witness != "" {`, new: `if witness := p.refused(f); false && witness != "" {`},
	{name: "always holds without credentials", in: "(*prover).always", old: `if call.Credentials && !g.credentials {`, new: `if false {`},
	{name: "always holds without a method", in: "(*prover).always", old: `if !slices.Contains(g.methods, method) {`, new: `if false && !slices.Contains(g.methods, method) {`},
	{name: "always holds without a request header", in: "(*prover).always", old: `if !f.granted.Grants(name) {`, new: `if false && !f.granted.Grants(name) {`},
	{name: "always holds without a response header", in: "(*prover).always", old: `if !f.readable(name) {`, new: `if false && !f.readable(name) {`},
	{name: "origins of a source are for always", in: "(*prover).findRefused", old: `if origins.Any() != 0 {`, new: `if true {`},
	{name: "a path rule for the path of a procedure is not in the set", in: "(*members).has", old: `service, method = m.procedureOf(s.path)`, new: `_ = method`},
	{name: "a package's selector does not cover the method of its name", in: "(*members).selects", old: `for pkg := service; pkg != "";`, new: `for pkg := route.ParentName(service); pkg != "";`},
	{name: "a selector of the set covers its own name only", in: "(*members).selects", old: `m.selectors[service] || m.selectors[procedure]`, new: `m.selectors[procedure]`},
	{name: "always is about operational services", in: "(*members).has", old: `m.star && !route.IsOperational(s.procedure())`, new: `m.star`},
	{name: "requests that are not calls are in the set", in: "(*members).has", old: `if service == "" || requests == noCalls {`, new: `if service == "" {`},
	{name: "origins that many rules share are looked at for each", in: "(*prover).allowed", old: `p.allowedBy[key] = found`, new: `_ = key`},
}
