package main

import (
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corstest"
)

// TestWhoMayCall: the policy, as the browser carries it out.
func TestWhoMayCall(t *testing.T) {
	handler, err := newHandler("cors.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const greet = "https://api.example.com/greet.v1.GreetService/Greet"
	corstest.Run(t, []corstest.Case{
		{From: "https://app.example.com", Call: corstest.Connect(greet), Readable: []string{"Trailer-X-Cost"}},
		{From: "https://app.example.com", Call: corstest.GRPCWeb(greet)},
		{Name: "a header that nobody allowed", From: "https://app.example.com", Call: corstest.Connect(greet, "X-Tenant-Id", "7"), Blocked: corstest.CheckHeaders},
		{Name: "with cookies", From: "https://app.example.com", Credentials: corstest.Include, Call: corstest.Connect(greet), Blocked: corstest.CheckCredentials},
		{From: "https://evil.example", Call: corstest.Connect(greet), Blocked: corstest.AnyCheck, NotSent: true},
		{From: "null", Call: corstest.Connect(greet), Blocked: corstest.AnyCheck, NotSent: true},
	}, corstest.WithHandler(handler))
}
