// Package weather is a server of the Model Context Protocol with the official Go SDK. It serves
// the revisions with sessions, up to 2025-11-25, and 2026-07-28 side by side. It does not deal with
// CORS: ../main.go does.
package weather

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// Token is the bearer token that /members/mcp accepts. A real server verifies tokens of its
// authorization server.
const Token = "a-token-of-the-example"

// sessionless is the first revision without sessions: each POST is complete.
const sessionless = "2026-07-28"

// The paths of the server.
const (
	path        = "/mcp"
	membersPath = "/members/mcp"                          // needs Token
	metadata    = "/.well-known/oauth-protected-resource" // says where to get a token (RFC 9728)
)

// NewHandler returns the server. The origin is its public one, such as https://api.example.com:
// the answer 401 and the discovery document contain it.
func NewHandler(origin string) http.Handler {
	requireToken := auth.RequireBearerToken(verify, &auth.RequireBearerTokenOptions{
		ResourceMetadataURL: origin + metadata + membersPath,
		Scopes:              []string{"forecasts"},
	})
	document := auth.ProtectedResourceMetadataHandler(&oauthex.ProtectedResourceMetadata{
		Resource:             origin + membersPath,
		AuthorizationServers: []string{"https://login.example.com"},
		ScopesSupported:      []string{"forecasts"},
	})
	mux := http.NewServeMux()
	mux.Handle(path, newEndpoint())
	mux.Handle(membersPath, requireToken(newEndpoint()))
	mux.Handle(metadata+membersPath, document)
	return mux
}

// verify checks a bearer token.
func verify(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
	if token != Token {
		return nil, auth.ErrInvalidToken
	}
	return &auth.TokenInfo{UserID: "ada", Scopes: []string{"forecasts"}, Expiration: time.Now().Add(time.Hour)}, nil
}

// newEndpoint returns the handler of one path. The Go SDK serves the newest revision only from a
// handler without sessions, and sessions only from another one.
func newEndpoint() http.Handler {
	server := newServer()
	always := func(*http.Request) *mcp.Server { return server }
	withSessions := mcp.NewStreamableHTTPHandler(always, &mcp.StreamableHTTPOptions{
		EventStore:     mcp.NewMemoryEventStore(nil), // a client that was cut off gets what it missed
		SessionTimeout: 10 * time.Minute,
	})
	newest := mcp.NewStreamableHTTPHandler(always, &mcp.StreamableHTTPOptions{Stateless: true})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Mcp-Protocol-Version") >= sessionless {
			newest.ServeHTTP(w, r)
			return
		}
		withSessions.ServeHTTP(w, r)
	})
}

// place holds the arguments of the tools.
type place struct {
	Region string `json:"region" jsonschema:"a region, such as eu"`
}

// newServer returns a server with three tools.
func newServer() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "weather", Version: "1.0.0"}, nil)
	// In the newest revision, clients repeat the argument in the header Mcp-Param-Region, so that
	// proxies can route by it. The SDK refuses a call without it.
	routed, err := jsonschema.For[place](nil)
	if err != nil {
		panic(err) // the type is above
	}
	routed.Properties["region"].Extra = map[string]any{"x-mcp-header": "Region"}
	mcp.AddTool(server, &mcp.Tool{Name: "forecast", Description: "Tomorrow's weather in a region", InputSchema: routed}, forecast)
	mcp.AddTool(server, &mcp.Tool{Name: "watch", Description: "Reports the weather three times, and interrupts its stream after the first"}, watch)
	mcp.AddTool(server, &mcp.Tool{Name: "warn", Description: "Sends a warning after the call"}, warn)
	return server
}

// forecast answers with the headers of the request that begin with Mcp-.
func forecast(_ context.Context, r *mcp.CallToolRequest, in place) (*mcp.CallToolResult, any, error) {
	answer := in.Region + ": rain"
	for _, name := range []string{"Mcp-Method", "Mcp-Name", "Mcp-Param-Region"} {
		if value := r.Extra.Header.Get(name); value != "" {
			answer += ", " + strings.ToLower(name) + " " + value
		}
	}
	return text(answer), nil, nil
}

// watch sends three notifications on the stream of the call.
func watch(ctx context.Context, r *mcp.CallToolRequest, in place) (*mcp.CallToolResult, any, error) {
	for i := range 3 {
		err := r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
			ProgressToken: r.Params.GetProgressToken(), Progress: float64(i + 1), Total: 3, Message: in.Region + " " + []string{"sun", "wind", "rain"}[i],
		})
		if err != nil {
			return nil, nil, err
		}
		if i == 0 && r.Extra.CloseSSEStream != nil {
			r.Extra.CloseSSEStream(mcp.CloseSSEStreamArgs{RetryAfter: 100 * time.Millisecond}) // nothing in the newest revision
		}
	}
	return text("end of the watch"), nil, nil
}

// warn sends a notification outside of the call: on the stream that the client opened with GET.
func warn(_ context.Context, r *mcp.CallToolRequest, in place) (*mcp.CallToolResult, any, error) {
	session := r.Session
	go func() {
		message := &mcp.LoggingMessageParams{Level: "warning", Data: "storm in " + in.Region} //nolint:staticcheck // deprecated, as sessions are
		_ = session.Log(context.Background(), message)                                        //nolint:staticcheck // the client may be gone
	}()
	return text("a warning follows"), nil, nil
}

func text(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
}

// PageData returns what a page's script has to know of the server of that origin.
func PageData(origin string) map[string]string {
	return map[string]string{"mcp": origin + path, "members": origin + membersPath, "token": Token}
}
