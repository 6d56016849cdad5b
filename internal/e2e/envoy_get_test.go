//go:build fleet

package e2e

import (
	"context"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"

	showcasev1 "github.com/corsrpc/corsrpc-go/examples/showcase/gen/showcase/v1"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// greeter counts the runs of a method that has side effects.
type greeter struct {
	showcasev1.UnimplementedShowcaseServiceServer

	runs atomic.Int32
}

func (g *greeter) Greet(context.Context, *showcasev1.GreetRequest) (*showcasev1.GreetResponse, error) {
	g.runs.Add(1)
	return &showcasev1.GreetResponse{}, nil
}

// TestEnvoyBridgedGET: connect_grpc_bridge makes a POST of every GET of Connect, also if the method has side effects, which
// servers of Connect refuse. So it is the policy that keeps the GETs of links, images and other pages from the method.
func TestEnvoyBridgedGET(t *testing.T) {
	scripts := map[string]string{
		"fetch": `const r = await fetch(args.url + args.get).catch(() => ({status: 0})); return null`,
	}
	for _, b := range bypasses {
		switch b.name {
		case "no-cors GET", "image", "link", "frame", "script":
			scripts[b.name] = b.script
		}
	}
	if len(scripts) != 6 {
		t.Fatalf("%d kinds of GET are tested, want 6", len(scripts))
	}
	inGatewayEngines(t, func(t *testing.T, page *browser.Page) {
		setCookie(t, page)
		service := &greeter{}
		server := envoyServers[2]
		server.upstream = func(t *testing.T) string {
			t.Helper()
			s := grpc.NewServer()
			showcasev1.RegisterShowcaseServiceServer(s, service)
			return serveWith(t, s)
		}
		for _, granted := range []bool{true, false} {
			origin := page.Origin
			if !granted {
				origin = "https://app.example.com"
			}
			to := server.behindEnvoy(t, origin, `defaults: {allow_origins: [ORIGIN]}`)
			for name, script := range scripts {
				service.runs.Store(0)
				page.Run(t, script, map[string]string{"url": to.URL, "get": greetPath + "?connect=v1&encoding=proto&message="}, nil)
				want := int32(0)
				if granted && name == "fetch" {
					want = 1
				}
				if got := service.runs.Load(); got != want {
					t.Errorf("%s, with the origin allowed %t: the method ran %d times, want %d", name, granted, got, want)
				}
				if _, sent := to.take(); len(sent) != 1 {
					t.Errorf("%s: the page sent %s, want one GET", name, describe(sent))
				}
			}
		}
	})
}
