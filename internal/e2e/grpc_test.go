package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
	"github.com/corsrpc/corsrpc-go/examples/showcase/service"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// TestMessageOverTheLimit: grpc-go refuses a message that is too large before the browser has sent all of it, and the script
// reads the status.
func TestMessageOverTheLimit(t *testing.T) {
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		for _, tooLarge := range []struct {
			transport string
			size      int
		}{{overGRPCWeb, 5 << 20}, {overGRPCWeb, 16 << 20}, {withGRPCWebJS, 5 << 20}} {
			t.Run(fmt.Sprintf("%s, %d MiB", tooLarge.transport, tooLarge.size>>20), func(t *testing.T) {
				server := serveAPI(t, newLayer(t, page.Origin, `defaults: {allow_origins: [ORIGIN]}`).Wrap(showcaseGRPC()))
				c := greet(tooLarge.transport)
				c.Requests = messages(`{"name":"` + strings.Repeat("x", tooLarge.size) + `"}`)
				got := runCalls(t, page, server, c)[0]
				if got.Error == nil || got.Error.Code != "ResourceExhausted" {
					t.Errorf("the script read %+v, want ResourceExhausted", got.Error)
				}
			})
		}
	})
}

// TestFormsNeverReachTheService: with suppressCorsPreflight, the grpc-web client sends a form with the headers in the query.
// corsgrpc answers it with 415, and the service does not run.
func TestFormsNeverReachTheService(t *testing.T) {
	var ran atomic.Int32
	counting := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ran.Add(1)
			h.ServeHTTP(w, r)
		})
	}
	grpcServer := service.NewGRPC()
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		for _, otherFormat := range []bool{false, true} {
			layer := newLayer(t, page.Origin, `defaults: {allow_origins: [ORIGIN], allow_headers: [authorization]}`)
			server := serveAPI(t, layer.Wrap(corsgrpc.Text(corsgrpc.Handler(counting(grpcServer)))))
			c := greet(withGRPCWebJS)
			c.SuppressPreflight, c.OtherFormat = true, otherFormat
			c.Headers = map[string]string{"Authorization": "Bearer e2e"}
			ran.Store(0)
			got := runCalls(t, page, server, c)[0]
			preflights, sent := server.take()
			if len(preflights) != 0 || len(sent) != 1 || !strings.HasPrefix(sent[0].Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
				t.Fatalf("the client sent %s and %s, want one form", describe(preflights), describe(sent))
			}
			if ran.Load() != 0 || got.Error == nil || got.Error.Code != "Unknown" || len(got.Messages) > 0 {
				t.Errorf("the service ran %d times, want 0; the script read %+v %+v", ran.Load(), got, got.Error)
			}
			// The same call with a preflight reaches the service.
			c.SuppressPreflight = false
			got = runCalls(t, page, server, c)[0]
			if preflights, _ := server.take(); len(preflights) != 1 || ran.Load() != 1 || got.Error != nil ||
				!slices.Contains(strings.Split(preflights[0].Header.Get("Access-Control-Request-Headers"), ","), "authorization") {
				t.Errorf("with a preflight: %d preflights, the service ran %d times, %+v", len(preflights), ran.Load(), got.Error)
			}
		}
	})
}

// askForHeaders makes a gRPC-Web call with an empty message, and asks for response headers as XMLHttpRequest clients do.
const askForHeaders = `
	const request = new XMLHttpRequest();
	request.open("POST", args.url);
	request.responseType = "arraybuffer";
	request.setRequestHeader("Content-Type", "application/grpc-web+proto");
	request.setRequestHeader("X-Grpc-Web", "1");
	await new Promise((done) => { request.onloadend = done; request.send(new Uint8Array(5)); });
	return {
		Status: request.status,
		Bytes: request.response?.byteLength ?? 0,
		Asked: Object.fromEntries(args.names.map((name) => [name, request.getResponseHeader(name)])),
	};
`

// TestStatusHeadersAreExposed: every response of gRPC-Web exposes the three headers of the status, also if the status is in the
// body. A client that asks for them in each response then causes no message in the console.
func TestStatusHeadersAreExposed(t *testing.T) {
	status := []string{"grpc-status", "grpc-message", "grpc-status-details-bin"}
	const hidden = "x-not-exposed"
	inEachEngine(t, func(t *testing.T, page *browser.Page) {
		for _, implementation := range implementations {
			t.Run(implementation.name, func(t *testing.T) {
				layer := newLayer(t, page.Origin, `defaults: {allow_origins: [ORIGIN]}`).Wrap(implementation.handler())
				exposed := make(chan string, 2)
				server := serveAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					layer.ServeHTTP(w, r)
					exposed <- w.Header().Get("Access-Control-Expose-Headers")
				}))
				var got struct {
					Status, Bytes int
					Asked         map[string]*string
				}
				ask := func() {
					page.Run(t, askForHeaders, map[string]any{"url": server.URL + greetPath, "names": append(slices.Clone(status), hidden)}, &got)
				}
				if page.Engine == browser.Chromium {
					want := `"Refused to get unsafe header "` + hidden + `""`
					if messages := page.Console(t, ask); len(messages) != 1 || !strings.Contains(messages[0], want) {
						t.Errorf("the console has the messages %q, want only %s", messages, want)
					}
				} else {
					ask()
				}
				if got.Status != http.StatusOK || got.Bytes == 0 || len(got.Asked) != len(status)+1 {
					t.Errorf("the script read %+v, want a body", got)
				}
				for name, value := range got.Asked {
					if value != nil {
						t.Errorf("the script read the header %s as %q, want null", name, *value)
					}
				}
				<-exposed // of the preflight
				names := strings.Split(<-exposed, ", ")
				for _, name := range status {
					if !slices.Contains(names, name) {
						t.Errorf("the response exposes %q, want %s among them", names, name)
					}
				}
			})
		}
	})
}
