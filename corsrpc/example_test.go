package corsrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// mustLayer returns the layer of an example's policy.
func mustLayer(policy string, opts ...corsrpc.LayerOption) *corsrpc.Layer {
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(policy))
	if err != nil {
		panic(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		panic(err)
	}
	layer, err := corsrpc.New(plan, append([]corsrpc.LayerOption{corsrpc.WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
	if err != nil {
		panic(err)
	}
	return layer
}

// A server wraps its mux. A page of an allowed origin may call it, and read the headers that the
// handler sends.
func ExampleLayer_Wrap() {
	layer := mustLayer(`
defaults:
  allow_origins: [https://app.example.com]
`)
	mux := http.NewServeMux()
	mux.HandleFunc("/acme.v1.CatalogService/Get", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Price-List", "2026")
		io.WriteString(w, "{}")
	})

	r := httptest.NewRequest(http.MethodPost, "/acme.v1.CatalogService/Get", nil)
	r.Header.Set("Origin", "https://app.example.com")
	w := httptest.NewRecorder()
	layer.Wrap(mux).ServeHTTP(w, r)

	fmt.Println(w.Code)
	fmt.Println(w.Header().Get("Access-Control-Allow-Origin"))
	fmt.Println(w.Header().Get("Access-Control-Expose-Headers"))
	// Output:
	// 200
	// https://app.example.com
	// x-price-list
}

// Authentication middleware is inside of the layer: preflights carry no credentials, and scripts have
// to be able to read its refusals.
func ExampleLayer_Wrap_authentication() {
	layer := mustLayer(`
defaults:
  allow_origins: [https://app.example.com]
  allow_headers: [authorization]
`)
	authenticate := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	handler := layer.Wrap(authenticate(http.NotFoundHandler()))

	preflight := httptest.NewRequest(http.MethodOptions, "/acme.v1.CatalogService/Get", nil)
	preflight.Header.Set("Origin", "https://app.example.com")
	preflight.Header.Set("Access-Control-Request-Method", "POST")
	preflight.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, preflight)
	fmt.Println("preflight:", w.Code)

	call := httptest.NewRequest(http.MethodPost, "/acme.v1.CatalogService/Get", nil)
	call.Header.Set("Origin", "https://app.example.com")
	w = httptest.NewRecorder()
	handler.ServeHTTP(w, call)
	fmt.Println("call:", w.Code, "readable by", w.Header().Get("Access-Control-Allow-Origin"))
	// Output:
	// preflight: 204
	// call: 401 readable by https://app.example.com
}

// A mux with method patterns outside of the layer answers OPTIONS itself, with 405 and without CORS
// headers, so preflights fail. Wrap the mux instead.
func ExampleLayer_Wrap_incorrect() {
	layer := mustLayer(`defaults: {allow_origins: [https://app.example.com]}`)
	mux := http.NewServeMux()
	mux.Handle("POST /acme.v1.CatalogService/Get", layer.Wrap(http.NotFoundHandler()))

	preflight := httptest.NewRequest(http.MethodOptions, "/acme.v1.CatalogService/Get", nil)
	preflight.Header.Set("Origin", "https://app.example.com")
	preflight.Header.Set("Access-Control-Request-Method", "POST")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, preflight)
	fmt.Println(w.Code)
	// Output: 405
}

// The error lists all problems at once, in file order, each with what to write instead.
func ExamplePolicyError() {
	_, err := corsrpc.ParsePolicy("cors.yaml", []byte(`
defaults:
  allow_origin: [https://app.example.com]
  max_age: 7200
`))
	var policyError *corsrpc.PolicyError
	if errors.As(err, &policyError) {
		for _, v := range policyError.Violations {
			fmt.Printf("%d:%d %s %s\n", v.Position.Line, v.Position.Column, v.Check, v.Fix)
		}
	}
	// Output:
	// 3:3 UNKNOWN_FIELD allow_origins
	// 4:12 WRONG_TYPE 7200s
}

// Decide returns what the layer does with a request, and why.
func ExamplePlan_Decide() {
	plan := mustLayer(`
defaults:
  allow_origins: [https://app.example.com]
`).Plan()
	for _, origin := range []string{"https://app.example.com", "https://evil.example"} {
		d := plan.Decide(corsrpc.Request{
			Method: http.MethodPost,
			Host:   "api.example.com",
			Path:   "/acme.v1.CatalogService/Get",
			Header: http.Header{"Origin": {origin}},
		})
		fmt.Println(d.Outcome(), d.Reason(), d.From().Field)
	}
	// Output:
	// grant ORIGIN_ALLOWED defaults.allow_origins[0]
	// refuse ORIGIN_NOT_ALLOWED defaults.allow_origins
}

// An observer counts refusals by reason. The number of reasons is bounded, so a reason can be a
// metric's label.
func ExampleWithObserver() {
	refused := map[corsrpc.Reason]int{}
	layer := mustLayer(`defaults: {allow_origins: [https://app.example.com]}`,
		corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) {
			if e.Kind == corsrpc.EventDecision && e.Decision.Outcome() == corsrpc.OutcomeRefuse {
				refused[e.Decision.Reason()]++
			}
		})))
	r := httptest.NewRequest(http.MethodPost, "/acme.v1.CatalogService/Get", nil)
	r.Header.Set("Origin", "https://evil.example")
	layer.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	fmt.Println(refused)
	// Output: map[ORIGIN_NOT_ALLOWED:1]
}

// A layer that is outside of http.StripPrefix needs WithPathPrefix.
func ExampleWithPathPrefix() {
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(`defaults: {allow_origins: [https://app.example.com]}`))
	if err != nil {
		panic(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithPathPrefix("/api"))
	if err != nil {
		panic(err)
	}
	layer, err := corsrpc.New(plan, corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		panic(err)
	}
	handler := layer.Wrap(http.StripPrefix("/api", http.NotFoundHandler()))

	r := httptest.NewRequest(http.MethodPost, "/api/acme.v1.CatalogService/Get", nil)
	r.Header.Set("Origin", "https://evil.example")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output: 403
}
