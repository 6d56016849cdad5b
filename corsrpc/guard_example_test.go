package corsrpc_test

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// guardText is part of the program, so that only a new release changes what policies may grant.
//
//go:embed testdata/guard.yaml
var guardText []byte

// guardPlan compiles the guard with the options that the policy is compiled with.
func guardPlan(opts ...corsrpc.CompileOption) (*corsrpc.Plan, error) {
	doc, err := corsrpc.ParsePolicy("guard.yaml", guardText)
	if err != nil {
		return nil, err
	}
	return corsrpc.Compile(doc.Policy(), append(opts, corsrpc.WithDocument(doc))...)
}

// The policy may change while the program runs, but never grant more than the guard. Watch reports the
// same error.
func ExampleWithGuard() {
	guard, err := guardPlan()
	if err != nil {
		panic(err)
	}
	layer := mustLayer(`defaults: {allow_origins: [https://app.example.com]}`,
		corsrpc.WithGuard(guard), corsrpc.WithLogger(slog.New(slog.DiscardHandler)))

	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(`
defaults:
  allow_origins:
    - https://app.example.com
    - https://evil.example.net
`))
	if err != nil {
		panic(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc))
	if err != nil {
		panic(err)
	}
	err = layer.Reload(context.Background(), plan)
	var wider *corsrpc.GuardError
	if errors.As(err, &wider) {
		for _, d := range wider.Wider {
			fmt.Println("refused:", d.Plan)
		}
	}
	fmt.Println(mayCall(layer, "https://evil.example.net"))
	// Output:
	// refused: defaults.allow_origins[1] at cors.yaml:5:7
	// refuse by defaults.allow_origins at cors.yaml:1:27
}
