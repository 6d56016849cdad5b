package export_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// The parts of policies and requests.
var (
	selectors = []string{"*", "acme.catalog.v1.*", "acme.catalog.v1.CatalogService", "acme.catalog.v1.CatalogService.List", "acme.account.v1.AccountService", "acme.internal.*", "grpc.*", "acme.unknown.v1.*", "acme.unknown.v1.S.M"}
	patterns  = []string{
		"/", "/{$}", "/healthz", "/files/", "/files/{name}", "/files/a", "/files/a/", "/files/secret", "/v1/{id}", "/v1/{id}/items", "/{a}/{b}", "/Upper/Case", "/caf%C3%A9", "/files/%2Fb", "/a;b", "/acme.shape.v1.S/Path",
		"/{rest...}", "/files/{name}/{rest...}", "/a~b/(c)", "/x.y",
	}
	allowed   = []string{"https://app.example.com", "https://*.example.com", "http://localhost:*", "null", "https://app.example.com:8443", "capacitor://localhost", "https://pr-*.example.net", "*", "moz-extension://*"}
	origins   = []string{"https://app.example.com", "https://a.example.com", "http://localhost:3000", "null", "capacitor://localhost", "https://pr-1.example.net", "https://evil.example", "https://api.example.com", "moz-extension://a", "https://A.example.com"}
	everyRisk = []corsrpcv1.Risk{1, 2, 3, 4, 5}
	segments  = []string{
		"", "a", "A", "b", "files", "Files", "secret", "secre%74", "healthz", "HEALTHZ", "v1", "7", "items", "caf%C3%A9", "%2Fb", "a;b", "a;", ".", "..", "%2e%2e", "a.", "a%20", "a..", "b%2fc", "%25", "x.y", "Upper", "upper", "Case",
		"acme.catalog.v1.CatalogService", "acme.catalog.v1.catalogservice", "List", "list", "Get", "Lis%74", "acme.account.v1.AccountService", "Update", "acme.unknown.v1.S", "M", "other.v1.S", "acme.shape.v1.S", "Path", "api", "a~b", "(c)", "a//b", "%FF", "*",
	}
)

// draw draws from lists.
type draw struct{ *rand.Rand }

func (d draw) chance(n int) bool        { return d.IntN(10) < n }
func (d draw) one(from []string) string { return from[d.IntN(len(from))] }
func (d draw) some(from []string, n int) (items []string) {
	for range d.IntN(n + 1) {
		if item := d.one(from); !slices.Contains(items, item) && item != "*" || len(items) == 0 {
			items = append(items, item)
		}
	}
	if len(items) > 1 && slices.Contains(items, "*") {
		return []string{"*"}
	}
	return items
}

// rule draws a rule without its selector or path.
func (d draw) rule(path bool) *corsrpcv1.Rule {
	r := &corsrpcv1.Rule{AllowOrigins: d.some(allowed, 3)}
	if len(r.AllowOrigins) > 0 {
		r.AcceptRisks = everyRisk
	}
	if d.chance(3) {
		r.AllowCredentials = proto.Bool(d.chance(7))
	}
	if d.chance(5) {
		r.AllowHeaders = d.some([]string{"authorization", "x-a", "x-acme-*"}, 3)
	}
	if d.chance(4) {
		r.ExposeHeaders = d.some([]string{"x-cost", "x-b"}, 2)
	}
	if path && d.chance(5) {
		r.AllowMethods = d.some([]string{"GET", "POST", "DELETE"}, 3)
	}
	if d.chance(1) {
		r.Disabled = proto.Bool(true)
	}
	return r
}

// plan draws a policy that loads.
func (d draw) plan(t *testing.T) *corsrpc.Plan {
	files, err := vectors.Schema("")
	if err != nil {
		t.Fatal(err)
	}
	policy := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: allowed[:1]}}
	options := []corsrpc.CompileOption{corsrpc.WithFiles(files)}
	if d.chance(3) {
		options = append(options, corsrpc.WithPathPrefix("/api"))
	}
	plan, err := corsrpc.Compile(policy, options...)
	if err != nil {
		t.Fatal(err)
	}
	add := func(r *corsrpcv1.Rule) {
		policy.Rules = append(policy.Rules, r)
		if p, err := corsrpc.Compile(policy, options...); err == nil {
			plan = p
		} else {
			policy.Rules = policy.Rules[:len(policy.Rules)-1]
		}
	}
	for _, selector := range d.some(selectors, 4) {
		r := d.rule(false)
		r.Selector = selector
		add(r)
	}
	for _, pattern := range d.some(patterns, 6) {
		r := d.rule(true)
		r.Path = pattern
		add(r)
	}
	return plan
}

// request draws a request.
func (d draw) request(m *export.Model) corsrpc.Request {
	r := corsrpc.Request{Method: d.one([]string{"POST", "POST", "GET", "GET", "HEAD", "DELETE"}), Host: "api.example.com", Header: http.Header{}, TLS: true}
	target := ""
	if route := m.Routes[d.IntN(len(m.Routes))]; d.chance(4) && route.Path != "" {
		target = route.Path
		if d.chance(3) {
			target += d.one([]string{"/", "/a", "%20", "?x=%2e", "//"})
		}
	} else {
		for range 1 + d.IntN(3) {
			target += "/" + d.one(segments)
		}
		if d.chance(2) {
			target = "/api" + target
		}
	}
	if d.chance(2) {
		target += d.one([]string{"?encoding=json&message=", "?a=b&encoding=proto", "?a=%2f;b", "?%65ncodin%67=json", "?a;encoding=json", "?encoding", "?encoding&a=b", "?a=b&e%6Ecoding;a"})
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return d.request(m)
	}
	r.Path, r.EscapedPath, r.Query = u.Path, u.RawPath, u.RawQuery
	set := func(name string, n int, values ...string) {
		if d.chance(n) {
			r.Header[name] = []string{d.one(values)}
		}
	}
	set("Origin", 7, origins...)
	set("Sec-Fetch-Site", 7, "cross-site", "cross-site", "same-site", "same-origin", "none")
	set("Sec-Fetch-Mode", 6, "cors", "cors", "no-cors", "navigate")
	set("Cookie", 3, "a=1")
	set("Authorization", 2, "Basic YTpi")
	set("Upgrade", 1, "websocket")
	if r.Header["Upgrade"] != nil {
		r.Header["Connection"] = []string{"Upgrade"}
	}
	r.Header["X-Target"] = []string{target} // for allows, which reads the path as it was sent
	return r
}

// seeds is the number of policies that TestModel draws.
const seeds = 200

// TestModel checks that the model allows no request that Decide refuses: it reads the model as its comments say.
func TestModel(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(seeds) {
		d := draw{rand.New(rand.NewPCG(seed, 1))}
		plan := d.plan(t)
		m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{"https://api.example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		for range 300 {
			r := d.request(m)
			governing, allows := reading{m}.allows(&r)
			decision := plan.Decide(r)
			what := fmt.Sprintf("%s %q %v: %s by %s, %s", r.Method, r.Header["X-Target"], r.Header, decision.Outcome(), decision.Reason(), plan.Policy())
			if allows && decision.Refused() && decision.Reason() != corsrpc.ReasonOriginMalformed { // which no browser sends
				t.Errorf("seed %d: the model allows by %q: %s", seed, governing, what)
			}
			if !allows && decision.Outcome() == corsrpc.OutcomeGrant {
				seen["stricter"]++
			}
			if name, _ := decision.Procedure(); allows && decision.Outcome() == corsrpc.OutcomeGrant {
				seen["granted"]++
				if name += decision.PathPattern(); name != governing {
					t.Errorf("seed %d: the model grants by %q, and Decide by %q: %s", seed, governing, name, what)
				}
			}
			if allows && decision.Outcome() == corsrpc.OutcomePass {
				seen["passed"]++
			}
			if !allows && decision.Refused() {
				seen["refused"]++
			}
		}
	}
	t.Log(seen)
	for _, class := range []string{"stricter", "granted", "passed", "refused"} {
		if seen[class] < 100 {
			t.Errorf("%d requests are %s", seen[class], class)
		}
	}
}

// TestModelGetCalls checks that the model lets no page of another origin call a procedure that the schema does not have, however
// the query is written.
func TestModelGetCalls(t *testing.T) {
	t.Parallel()
	files, err := vectors.Schema("")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(&corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: allowed[:1]}}, corsrpc.WithFiles(files), corsrpc.WithPathPrefix("/api"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{"https://api.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	for query, isCall := range map[string]bool{
		"encoding=json": true, "message=&encoding=json": true, "%65ncoding=json": true, "a=b&e%6ec%6Fding=json": true, "a;encoding=json": true,
		"encoding": true, "encoding&message=": true, "encoding;message=": true, "encodin=json": false, "xencoding=json": false, "encodings=json": false, "a=b": false,
	} {
		for _, path := range []string{"/other.v1.S/M", "/api/other.v1.S/M"} {
			r := corsrpc.Request{Method: "GET", Host: "api.example.com", TLS: true, Path: path, Query: query, Header: http.Header{
				"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}, "X-Target": {path + "?" + query},
			}}
			if got := plan.Decide(r).Refused(); got != isCall {
				t.Errorf("%s?%s: Decide refuses: %t", path, query, got)
			}
			if _, allows := (reading{m}).allows(&r); allows == isCall {
				t.Errorf("%s?%s: the model allows: %t", path, query, allows)
			}
		}
	}
}

// TestModelSpellings checks that no image of a page of another origin reaches a rule that refuses it, however its path is spelled.
func TestModelSpellings(t *testing.T) {
	t.Parallel()
	files, err := vectors.Schema("")
	if err != nil {
		t.Fatal(err)
	}
	policy := &corsrpcv1.Policy{Defaults: &corsrpcv1.Rule{AllowOrigins: allowed[:1], AllowCredentials: proto.Bool(true)}}
	for _, path := range []string{"/v1/a-b:list", "/admin/", "/files/{name}", "/o%27neill", "/x%5Ey", "/(c)", "/%28d%29"} {
		policy.Rules = append(policy.Rules, &corsrpcv1.Rule{Path: path})
	}
	policy.Rules = append(policy.Rules, &corsrpcv1.Rule{Path: "/off/", Disabled: proto.Bool(true)})
	plan, err := corsrpc.Compile(policy, corsrpc.WithFiles(files), corsrpc.WithPathPrefix("/my-api/b"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{"https://api.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{
		"/v1/a-b:list", "/v1/a%2Db:list", "/v1/a-b%3alist", "/admin/x$y", "/admin/x%28", "/admin/x%24/y", "/admin/[x]", "/admin/x'y", "/ADMIN/x$y", "/files/x$y", "/files/x%26y",
		"/o'neill", "/O'neill", "/x^y", "/(c)", "/%28c%29", "/(d)", "/off/x$y", "/off/a/b%27",
		"/my%2Dapi/b/acme.catalog.v1.CatalogService/List", "/my-api/bacme.catalog.v1.CatalogService/List", "/my-apib/acme.catalog.v1.CatalogService/List",
	} {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			t.Fatal(err)
		}
		r := corsrpc.Request{Method: "GET", Host: "api.example.com", TLS: true, Path: u.Path, EscapedPath: u.RawPath, Header: http.Header{
			"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}, "X-Target": {target},
		}}
		if decision := plan.Decide(r); !decision.Refused() {
			t.Errorf("%s: Decide does not refuse: %s", target, decision.Reason())
		}
		if governing, allows := (reading{m}).allows(&r); allows {
			t.Errorf("%s: the model allows by %q", target, governing)
		}
	}
	for _, target := range []string{"/unruled/x$y", "/unruled/o'neill", "/(other)"} {
		r := corsrpc.Request{Method: "GET", Header: http.Header{"Sec-Fetch-Site": {"cross-site"}, "X-Target": {target}}}
		if _, allows := (reading{m}).allows(&r); !allows {
			t.Errorf("%s: the model refuses", target)
		}
	}
}

// reading is a model that is read in the plainest way.
type reading struct{ *export.Model }

var expressions sync.Map // of compiled expressions by their text

func matches(expression, text string) bool {
	compiled, ok := expressions.Load(expression)
	if !ok {
		compiled, _ = expressions.LoadOrStore(expression, regexp.MustCompile(expression))
	}
	return compiled.(*regexp.Regexp).MatchString(text)
}

// allows reports whether the model lets a request through, and the name of the route that governs it.
func (m reading) allows(r *corsrpc.Request) (governing string, allows bool) {
	target := r.Header.Get("X-Target")
	has := func(name string) bool { return r.Header[name] != nil }
	site, from := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	found := m.route(target)
	if found != nil {
		governing = found.Name
	}
	switch {
	case site == "same-origin" || site == "none":
		return governing, true
	case site == "" && (from == "" || slices.Contains(m.Options.OwnOrigins, from)):
		return governing, true
	}
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead
	mode := r.Header.Get("Sec-Fetch-Mode")
	if found == nil {
		return "", from == "" && safe && !has("Upgrade") && !matches("(?i)"+m.OddTarget, target)
	}
	a := found.Answer
	switch {
	case a == nil:
		return governing, false
	case !safe && a.RefusesAmbient && (has("Cookie") || has("Authorization") && (mode != "" && mode != "cors" || !a.GrantsAuthorization)):
		return governing, false
	case from == "":
		if !safe || has("Upgrade") {
			return governing, false
		}
		if !a.ToPath {
			return governing, a.Everyone
		}
		return governing, !a.Credentials || mode == "navigate"
	case !m.allowsOrigin(a, from), has("Upgrade") && !a.Credentials:
		return governing, false
	case a.ToPath:
		return governing, slices.Contains(a.Methods, r.Method)
	}
	return governing, (mode == "" || mode == "cors") && (a.Credentials || !has("Cookie"))
}

// route returns the route that governs a path with an optional query; nil if there is none.
func (m reading) route(target string) *export.Route {
	path, _, _ := strings.Cut(target, "?")
	for i, candidate := range m.Routes {
		expression := "^(?:" + candidate.Regexp + ")$"
		if candidate.IgnoreCase {
			expression = "(?i)" + expression
		}
		if candidate.Path == path || candidate.Regexp != "" && matches(expression, path) {
			return &m.Routes[i]
		}
	}
	return nil
}

// allowsOrigin reports whether an answer allows an origin.
func (m reading) allowsOrigin(a *export.Answer, from string) bool {
	return a.Everyone || slices.Contains(a.Origins, from) || slices.ContainsFunc(a.Patterns, func(p export.OriginPattern) bool {
		return matches("^(?:"+p.Regexp+")$", from)
	})
}
