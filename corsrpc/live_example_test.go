package corsrpc_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// mayCall decides on a call from a page.
func mayCall(layer *corsrpc.Layer, origin string) string {
	d := layer.Plan().Decide(corsrpc.Request{
		Method: http.MethodPost, Host: "api.example.com", Path: "/acme.v1.CatalogService/Get",
		Header: http.Header{"Origin": {origin}},
	})
	return fmt.Sprint(d.Outcome(), " by ", d.From())
}

// The domains of customers come from a database; here, from a slice. The layer loads them at the start
// and at each Refresh.
func ExampleWithOriginSource() {
	customers := []string{"https://shop.example.com"}
	source := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for _, origin := range customers {
				if !yield(origin, nil) {
					return
				}
			}
		}
	})
	layer := mustLayer(`
defaults:
  allow_origins_from: [tenants]
`, corsrpc.WithOriginSource("tenants", source, corsrpc.SourceWait(time.Second)))
	fmt.Println(mayCall(layer, "https://shop.example.com"))

	customers = []string{"https://cafe.example.com"}
	if err := layer.Refresh(context.Background(), "tenants"); err != nil {
		panic(err)
	}
	fmt.Println(mayCall(layer, "https://shop.example.com"))
	fmt.Println(mayCall(layer, "https://cafe.example.com"))
	// Output:
	// grant by defaults.allow_origins_from[0] at cors.yaml:3:24
	// refuse by defaults.allow_origins_from at cors.yaml:3:23
	// grant by defaults.allow_origins_from[0] at cors.yaml:3:24
}

// Reload puts another policy in force in one step. Watch does so when the file changes.
func ExampleLayer_Reload() {
	layer := mustLayer(`defaults: {allow_origins: [https://old.example.com]}`)
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(`defaults: {allow_origins: [https://new.example.com]}`))
	if err != nil {
		panic(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		panic(err)
	}
	if err := layer.Reload(context.Background(), plan); err != nil {
		panic(err)
	}
	fmt.Println(mayCall(layer, "https://new.example.com"))
	// Output: grant by defaults.allow_origins[0] at cors.yaml:1:28
}

// A candidate policy decides every request too, and each difference is reported, before it replaces the
// policy in force.
func ExampleWithShadow() {
	candidate := mustLayer(`defaults: {allow_origins: [https://app.example.com]}`).Plan()
	layer := mustLayer(`defaults: {allow_origins: ["https://*.example.com"]}`,
		corsrpc.WithShadow(candidate),
		corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) {
			if e.Kind == corsrpc.EventShadow {
				fmt.Println(e.Decision.Origin(), "now:", e.Decision.Outcome(), "then:", e.Shadow.Outcome(), e.Shadow.Reason())
			}
		})))
	for _, origin := range []string{"https://app.example.com", "https://forgotten.example.com"} {
		r := httptest.NewRequest(http.MethodPost, "/acme.v1.CatalogService/Get", nil)
		r.Header.Set("Origin", origin)
		layer.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	}
	// Output: https://forgotten.example.com now: grant then: refuse ORIGIN_NOT_ALLOWED
}

// Paths returns the effective rules of paths, with the origin of each value. Procedures returns those of
// procedures.
func ExamplePlan_Paths() {
	plan := mustLayer(`
defaults:
  allow_origins: [https://app.example.com]
rules:
  - path: /healthz
    max_age: 60s
`).Plan()
	for _, value := range plan.Paths()[0].Values() {
		fmt.Println(value.Field, value.Value, "-", value.From)
	}
	// Output:
	// allow_origins https://app.example.com - defaults.allow_origins[0] at cors.yaml:3:19
	// allow_credentials false - built in
	// expose DECLARED - built in
	// max_age 60s - rules[0].max_age at cors.yaml:6:14
	// allow_methods GET - built in
	// allow_methods HEAD - built in
	// allow_methods POST - built in
	// disabled false - built in
	// timing false - built in
}

// WithProfile or CORSRPC_PROFILE chooses a profile.
func ExampleWithProfile() {
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(`
defaults:
  allow_origins: [https://app.example.com]
profiles:
  dev:
    add_origins: ["http://localhost:*"]
`))
	if err != nil {
		panic(err)
	}
	for _, profile := range []string{"", "dev"} {
		plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithProfile(profile))
		if err != nil {
			panic(err)
		}
		layer, err := corsrpc.New(plan, corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			panic(err)
		}
		fmt.Println(mayCall(layer, "http://localhost:5173"))
	}
	// Output:
	// refuse by defaults.allow_origins at cors.yaml:3:18
	// grant by profiles["dev"].add_origins[0] at cors.yaml:6:19
}
