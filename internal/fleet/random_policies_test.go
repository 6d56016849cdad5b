package fleet_test

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

// The parts of policies. There are few of each, so that policies and requests often match.
var (
	selectors = []string{"*", "acme.catalog.v1.*", "acme.catalog.v1.CatalogService", "acme.catalog.v1.CatalogService.List", "acme.account.v1.AccountService", "acme.internal.*", "grpc.*"}
	patterns  = []string{"/healthz", "/files/", "/v1/{id}", "/socket", "/acme.catalog.v1.CatalogService/Other"}
	maxAges   = []time.Duration{0, time.Second, 10 * time.Minute, 2 * time.Hour, 24 * time.Hour}
	origins   = []string{
		"https://app.example.com", "https://*.example.com", "https://*.preview.example.com", "http://localhost:*", "null", "https://app.example.com:8443",
		"capacitor://localhost", "http://plain.example.org", "https://pr-*.example.net", "*",
	}
	headerItems = []string{"x-a", "x-b", "x-tenant-*", "authorization", "*", "x-other"}
	risks       = []corsrpcv1.Risk{
		corsrpcv1.Risk_RISK_NULL_ORIGIN, corsrpcv1.Risk_RISK_PLAIN_HTTP, corsrpcv1.Risk_RISK_PUBLIC_SUFFIX, corsrpcv1.Risk_RISK_ANY_INSTALLATION, corsrpcv1.Risk_RISK_UNKNOWN_SELECTORS,
	}
)

// The origins of pages, and the targets of their requests.
var (
	pages = []string{
		"https://app.example.com", "https://a.example.com", "https://a.preview.example.com", "http://localhost:3000", "null", "https://app.example.com:8443",
		"capacitor://localhost", "http://plain.example.org", "https://pr-1.example.net",
		"https://evil.example", "https://example.com.evil.example", "https://evilexample.com", "http://app.example.com", "https://api.example.com", "http://api.example.com",
	}
	paths = []string{
		"/acme.catalog.v1.CatalogService/List", "/acme.catalog.v1.CatalogService/Get", "/acme.account.v1.AccountService/Update", "/acme.internal.v1.AdminService/Reset",
		"/acme.catalog.v1.CatalogService/Get?connect=v1&encoding=json&message=%7B%7D", "/healthz", "/files/a", "/v1/7", "/socket", "/none",
	}
)

func sortedNames(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }

// chance draws whether something with a probability of n in 10 happens.
func chance(t *rapid.T, n int, label string) bool { return rapid.IntRange(0, 9).Draw(t, label) >= 10-n }

// pick draws an item of a list.
func pick[T any](t *rapid.T, from []T, label string) T { return rapid.SampledFrom(from).Draw(t, label) }

// some draws up to n items of a list, each once.
func some(t *rapid.T, from []string, n int, label string) []string {
	items := rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, n, rapid.ID[string]).Draw(t, label)
	if len(items) > 1 && slices.Contains(items, "*") {
		items = slices.DeleteFunc(items, func(item string) bool { return item == "*" }) // "*" stands alone
	}
	return items
}

// drawRule draws a rule without its selector or path.
func drawRule(t *rapid.T, isPath bool) *corsrpcv1.Rule {
	r := &corsrpcv1.Rule{AllowOrigins: some(t, origins, 4, "origins")}
	if len(r.AllowOrigins) > 0 {
		r.AcceptRisks = risks
	}
	if chance(t, 3, "has credentials") && !slices.Contains(r.AllowOrigins, "*") {
		r.AllowCredentials = proto.Bool(rapid.Bool().Draw(t, "credentials"))
	}
	if chance(t, 5, "has headers") {
		r.AllowHeaders, r.ExposeHeaders = some(t, headerItems[:5], 3, "allowed"), some(t, headerItems[:3], 2, "exposed")
	}
	if chance(t, 2, "has hidden headers") {
		r.HideHeaders = []string{"x-other"}
	}
	if chance(t, 2, "has tracing") {
		r.Tracing = proto.Bool(rapid.Bool().Draw(t, "tracing"))
	}
	if chance(t, 3, "has timing") {
		r.Timing = proto.Bool(rapid.Bool().Draw(t, "timing"))
	}
	if chance(t, 2, "has an exposure") {
		r.Expose = corsrpcv1.Exposure(rapid.IntRange(1, 2).Draw(t, "exposure"))
	}
	if chance(t, 3, "has max age") {
		r.MaxAge = durationpb.New(pick(t, maxAges, "max age"))
	}
	if chance(t, 2, "has protocols") && !isPath {
		r.Protocols = []corsrpcv1.Protocol{corsrpcv1.Protocol(rapid.IntRange(1, 2).Draw(t, "protocol"))}
	}
	if chance(t, 7, "has methods") && isPath {
		r.AllowMethods = some(t, []string{"GET", "POST", "PUT", "DELETE"}, 3, "methods")
	}
	if chance(t, 1, "is disabled") {
		r.Disabled = proto.Bool(true)
	}
	return r
}

// drawLayer draws a policy that loads, and returns its layer.
func drawLayer(t *rapid.T) *corsrpc.Layer {
	files, err := vectors.Schema("")
	if err != nil {
		t.Fatal(err)
	}
	policy := &corsrpcv1.Policy{Defaults: drawRule(t, false)}
	compile := func() (*corsrpc.Plan, error) { return corsrpc.Compile(policy, corsrpc.WithFiles(files)) }
	if _, err := compile(); err != nil {
		policy.Defaults = &corsrpcv1.Rule{AllowOrigins: origins[:1]}
	}
	add := func(r *corsrpcv1.Rule) { // unless the policy does not load with it
		policy.Rules = append(policy.Rules, r)
		if _, err := compile(); err != nil {
			policy.Rules = policy.Rules[:len(policy.Rules)-1]
		}
	}
	for _, selector := range some(t, selectors, 3, "selectors") {
		r := drawRule(t, false)
		r.Selector = selector
		add(r)
	}
	for _, pattern := range some(t, patterns, 3, "patterns") {
		r := drawRule(t, true)
		r.Path = pattern
		add(r)
	}
	if chance(t, 1, "observes") {
		policy.Enforcement = corsrpcv1.Enforcement_ENFORCEMENT_OBSERVE
	}
	plan, err := compile()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(policy)
	options := []corsrpc.LayerOption{corsrpc.WithLogger(slog.New(slog.DiscardHandler))}
	if chance(t, 3, "explains") {
		options = append(options, corsrpc.WithExplain())
	}
	layer, err := corsrpc.New(plan, options...)
	if err != nil {
		t.Fatal(err)
	}
	return layer
}
