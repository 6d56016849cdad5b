package routers

import "testing"

const (
	partner = "https://partner.example.com"
	admin   = "https://admin.example.com"
)

var (
	everyone    = grant{origins: "*"}
	nobody      = grant{disabled: true}
	forPartner  = grant{origins: partner, credentials: true}
	forAdmin    = grant{origins: admin, credentials: true}
	fromEvil    = call{method: "POST", origin: evil}
	fromPartner = call{method: "POST", origin: partner}
	formOfEvil  = call{method: "POST", origin: evil, noCORS: true}

	direct  = transports[0]
	proxied = transports[2]
)

func routerNamed(name string) build {
	for _, r := range routers {
		if r.name == name {
			return withRouter(r, direct)
		}
	}
	panic("no router " + name)
}

// knownFault is a request that once ran a handler, or would with a likely mistake in the
// layer's reading of paths.
type knownFault struct {
	name   string
	policy policy
	stack  build
	raw    string
	call   call
}

// adminOnly returns a policy with a rule for the admin's procedures, and another one for all
// others.
func adminOnly(rest grant) policy {
	return policy{defaults: rest, selectors: []rule{{"acme.v1.Admin", forAdmin}}}
}

// twoPaths returns a policy with a rule for the partner's paths, and one for the admin's.
func twoPaths(partners, admins string) policy {
	return policy{defaults: forPartner, paths: []rule{{partners, forPartner}, {admins, forAdmin}}}
}

// mounted returns a policy for a path prefix.
func mounted(p policy, prefix string) policy { p.prefix = prefix; return p }

var proceduresFaults = []knownFault{
	{"a prefix without its slash", mounted(adminOnly(everyone), "/api"), withSteps(proxied), "/apiacme.v1.Admin/Close", fromEvil},
	{"the same, the layer inside", adminOnly(everyone), below("/app", withSteps(proxied)), "/appacme.v1.Admin/Close", fromEvil},
	{"above a prefix", mounted(adminOnly(everyone), "/api"), withSteps(proxied, "clean"), "/api/..%2facme.v1.Admin/Close", fromEvil},
	{"parameters", adminOnly(everyone), withSteps(direct, "parameters"), "/acme.v1.Admin/Close;x=1", fromEvil},
	{"parameters, escaped", adminOnly(everyone), withSteps(direct, "parameters"), "/acme.v1.Admin%3bx/Close", fromEvil},
	{"a question mark", adminOnly(everyone), withSteps(direct, "query"), "/acme.v1.Admin/Close%3Fx", fromEvil},
	{"a number sign", adminOnly(everyone), withSteps(direct, "fragment"), "/acme.v1.Admin/Close%23x", fromEvil},
	{"NUL", adminOnly(everyone), withSteps(direct, "NUL"), "/acme.v1.Admin/Close%00", fromEvil},
	{"a dot at the end", adminOnly(everyone), withSteps(direct, "trim"), "/acme.v1.Admin/Close.", fromEvil},
	{"a space at the end", adminOnly(everyone), withSteps(direct, "trim"), "/acme.v1.Admin%20/Close", fromEvil},
	{"decoded twice", adminOnly(everyone), withSteps(direct, "decode"), "/acme.v1.Admin/Clos%2565", fromEvil},
	{"letter case", adminOnly(everyone), withSteps(direct, "case"), "/ACME.v1.Admin/close", fromEvil},
	{"backslashes", adminOnly(everyone), withSteps(direct, "backslashes"), `/acme.v1.Admin\Close`, fromEvil},
	{"one step makes work for the next", adminOnly(everyone), withSteps(direct, "parameters", "decode", "clean"), "/x;/%252e%252e/acme.v1.Admin;/Close", fromEvil},
	{"what only has the shape", policy{defaults: forPartner}, withSteps(direct, "parameters"), "/other.v1.Thing/Do;x", fromEvil},
	{"what only has the shape, and a slash", policy{defaults: forPartner}, withSteps(direct, "last slash"), "/other.v1.Thing/Do/", fromEvil},
	{"a procedure or a page", policy{defaults: forPartner, paths: []rule{{"/{a}/{b}/", nobody}}}, withSteps(direct, "last slash"), "/acme.v2.Admin/Close", fromPartner},
}

var pathsFaults = []knownFault{
	{"an escape in the pattern", policy{defaults: everyone, paths: []rule{{"/", everyone}, {"/my%20files", forAdmin}}}, routerNamed("ServeMux"), "/my%20files", fromEvil},
	{"the same, and no wider rule", policy{defaults: everyone, paths: []rule{{"/my%20files", nobody}}}, routerNamed("ServeMux"), "/my%20files", fromEvil},
	{"an escaped slash in the pattern", policy{defaults: everyone, paths: []rule{{"/v1%2Fitems", everyone}, {"/v1/{id}", forAdmin}}}, withSteps(proxied), "/v1%2Fitems", fromEvil},
	{"a subtree and its root", policy{defaults: everyone, paths: []rule{{"/", nobody}, {"/files/", forPartner}}, free: []string{"/files"}}, routerNamed("ServeMux"), "/files", fromPartner},
	{"a subtree's root, which a router takes for it", policy{defaults: everyone, paths: []rule{{"/", everyone}, {"/files/", forAdmin}}}, withSteps(direct, "last slash"), "/files", fromEvil},
	{"an escaped slash, gin", policy{defaults: everyone, paths: []rule{{"/admin/delete", forPartner}}}, routerNamed("gin"), "/admin%2Fdelete", formOfEvil},
	{"an escaped slash, httprouter", policy{defaults: everyone, paths: []rule{{"/admin/delete", forPartner}}}, routerNamed("httprouter"), "/admin%2Fdelete", formOfEvil},
	{"an escaped slash, gorilla", policy{defaults: everyone, paths: []rule{{"/admin/delete", forPartner}}}, routerNamed("gorilla"), "/admin%2Fdelete", formOfEvil},
	{"an escaped slash in a wildcard, gin", twoPaths("/items/{id}", "/items/{id}/secret"), routerNamed("gin"), "/items/1%2Fsecret", fromPartner},
	{"an escaped slash that stays, and an escape that goes", policy{defaults: everyone, paths: []rule{{"/{id}/caf%C3%A9", forAdmin}}}, routerNamed("ServeMux"), "/a%2Fb/caf%C3%A9", fromEvil},
	{"an escape that chi keeps", twoPaths("/{id}", "/admin"), routerNamed("chi"), "/%61dmin", call{method: "POST", origin: admin}},
	{"up, escaped", twoPaths("/public/", "/admin/"), withSteps(proxied, "clean"), "/public/..%2fadmin/x", fromPartner},
	{"up, by backslashes", twoPaths("/public/", "/admin/"), withSteps(proxied, "backslashes", "clean"), `/public\..\admin/x`, fromPartner},
	{"up, not cleaned, gorilla", twoPaths("/public/", "/admin/"), routerNamed("gorilla SkipClean"), "/admin/../public/x", call{method: "POST", origin: admin, noCORS: true}},
	{"parameters, then up", twoPaths("/public", "/admin"), withSteps(proxied, "clean"), "/admin;%2f..%2fpublic", fromEvil},
	{"parameters on dots", twoPaths("/public/", "/admin/"), withSteps(proxied, "parameters", "clean"), "/public/..;/admin/x", fromPartner},
	{"spaces on dots", twoPaths("/public/", "/admin/"), withSteps(proxied, "trim", "clean"), "/public/..%20/admin/x", fromPartner},
	{"letter case", policy{defaults: everyone, paths: []rule{{"/", everyone}, {"/admin/", forAdmin}}}, withSteps(direct, "case"), "/ADMIN/x", fromEvil},
	{"decoded twice", policy{defaults: everyone, paths: []rule{{"/", everyone}, {"/admin/", forAdmin}}}, withSteps(direct, "decode"), "/%2561dmin/x", fromEvil},
	{"repeated slashes", policy{defaults: everyone, paths: []rule{{"/{a}/{rest...}", everyone}, {"/{a}/b", forAdmin}}}, withSteps(direct, "slashes"), "/a//b", fromEvil},
	{"a prefix without its slash", mounted(policy{defaults: everyone, paths: []rule{{"/api/admin/", forAdmin}}}, "/api"), withSteps(proxied), "/apiadmin/x", fromEvil},
	{"an empty wildcard, gin", policy{defaults: everyone, paths: []rule{{"/users/{id}/keys", forAdmin}}}, routerNamed("gin no redirects"), "/users//keys", fromEvil},
	{"an empty wildcard, chi", policy{defaults: everyone, paths: []rule{{"/users/{id}/keys", forAdmin}}}, routerNamed("chi"), "/users//keys", fromEvil},
	{"an empty wildcard, echo", policy{defaults: everyone, paths: []rule{{"/users/{id}/keys", forAdmin}}}, routerNamed("echo"), "/users//keys", fromEvil},
}

// TestKnownFaults: each known fault runs a handler for a program, but not for a page of an origin
// that the handler's rule does not allow.
func TestKnownFaults(t *testing.T) {
	t.Parallel()
	for group, faults := range map[string][]knownFault{"procedures": proceduresFaults, "paths": pathsFaults} {
		for _, fault := range faults {
			t.Run(group+"/"+fault.name, func(t *testing.T) {
				t.Parallel()
				p := fault.policy
				if p.free == nil {
					p.free = []string{"/login"}
				}
				if err := p.compile(); err != nil {
					t.Fatal(err)
				}
				s := fault.stack(&p)
				if v := s.send(call{method: "POST", program: true}.request(fault.raw)); v.route == nil {
					t.Fatalf("%s runs no handler of %s", fault.raw, s.name)
				}
				var found tally
				found.try(0, &p, s, fault.raw, fault.call)
				for _, f := range found.faults {
					t.Error(f)
				}
			})
		}
	}
}
