package corsrpc_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// Explain returns each step of a decision, and the place in the policy that it comes from.
func ExamplePlan_Explain() {
	plan := mustLayer(`
defaults:
  allow_origins: [https://app.example.com]
`).Plan()
	for _, step := range plan.Explain(corsrpc.Request{
		Method: http.MethodPost,
		Host:   "api.example.com",
		Path:   "/acme.v1.CatalogService/Get",
		Header: http.Header{"Origin": {"https://evil.example"}},
	}) {
		fmt.Println(step.Question, step.Found)
		if step.Decision.Refused() {
			fmt.Println(step.Decision.Remedy())
		}
	}
	// Output:
	// which procedure or path rule does the path resolve to? the procedure acme.v1.CatalogService.Get, which neither the schema nor the policy has
	// does the request have one well-formed Origin header? yes: https://evil.example
	// is the request same-origin, or not sent by a page? no (no Sec-Fetch-Site, Host: api.example.com)
	// does the policy grant the same access in every reading of the path? yes
	// does the policy enable calls from other origins? yes
	// does the policy allow the origin? no: https://evil.example
	// what does the layer do? ORIGIN_NOT_ALLOWED: the layer answers 403
	// add "https://evil.example" to defaults.allow_origins (cors.yaml:3); if it is this server's own origin, make the proxy in front keep the Host header
}

// In development, the script reads what to write into the policy in the error of its call.
func ExampleWithExplain() {
	layer := mustLayer(`
defaults:
  allow_origins: [https://app.example.com]
`, corsrpc.WithExplain())
	script, err := corsbrowser.New("http://localhost:5173", corsbrowser.WithHandler(layer.Wrap(http.NotFoundHandler())))
	if err != nil {
		log.Fatal(err)
	}
	response, err := script.Client().Post("https://api.example.com/acme.v1.CatalogService/Get", "application/json", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	fmt.Println(response.Header.Get("Corsrpc-Reason"))
	// Output: ORIGIN_NOT_ALLOWED; add "http://localhost:5173" to defaults.allow_origins (cors.yaml:3); if it is this server's own origin, make the proxy in front keep the Host header
}

// An upgrader asks the layer whether an origin may open a WebSocket.
func ExampleLayer_CheckOrigin() {
	layer := mustLayer(`
rules:
  - path: /live
    allow_origins: [https://app.example.com]
    allow_credentials: true
`)
	for _, origin := range []string{"https://app.example.com", "https://evil.example", "https://api.example.com"} {
		handshake := httptest.NewRequest(http.MethodGet, "https://api.example.com/live", nil)
		handshake.Header.Set("Origin", origin)
		handshake.Header.Set("Upgrade", "websocket")
		fmt.Println(origin, layer.CheckOrigin(handshake))
	}
	// Output:
	// https://app.example.com true
	// https://evil.example false
	// https://api.example.com true
}
