package main

import (
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corstest"
)

// TestWhoMayCall: which pages may call the server, and with which headers.
func TestWhoMayCall(t *testing.T) {
	handler, err := newHandler("cors.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const greet = "https://api.example.com/greet.v1.GreetService/Greet"
	corstest.Run(t, []corstest.Case{
		{From: "https://app.example.com", Call: corsbrowser.Connect(greet), Readable: []string{"Trailer-X-Cost"}},
		{From: "https://app.example.com", Call: corsbrowser.GRPCWeb(greet)},
		{Name: "a header that the policy does not allow", From: "https://app.example.com", Call: corsbrowser.Connect(greet, "X-Tenant-Id", "7"), Blocked: corsbrowser.CheckHeaders},
		{Name: "with cookies", From: "https://app.example.com", Credentials: corsbrowser.Include, Call: corsbrowser.Connect(greet), Blocked: corsbrowser.CheckCredentials},
		{From: "https://evil.example", Call: corsbrowser.Connect(greet), Blocked: corstest.AnyCheck, NotSent: true},
		{From: "null", Call: corsbrowser.Connect(greet), Blocked: corstest.AnyCheck, NotSent: true},
	}, corsbrowser.WithHandler(handler))
}
