package corsinspect_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
)

// discard is a ResponseWriter that discards the response without allocating.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkInspected compares allowed calls of a layer without an observer, with an inspector,
// and with an observer of every decision. The inspector adds no cost to allowed calls.
func BenchmarkInspected(b *testing.B) {
	fromPage := http.Header{"Origin": {page}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}, "Content-Type": {"application/json"}}
	for _, call := range []struct {
		name   string
		header http.Header
	}{{"of a page", fromPage}, {"of a server", nil}} {
		for _, observer := range []string{"no observer", "inspector", "observer"} {
			b.Run(call.name+"/"+observer, func(b *testing.B) {
				opts := []corsrpc.LayerOption{quiet}
				switch observer {
				case "inspector":
					inspector, err := corsinspect.New()
					if err != nil {
						b.Fatal(err)
					}
					opts = append(opts, corsrpc.WithObserver(inspector))
				case "observer":
					opts = append(opts, corsrpc.WithObserver(corsrpc.ObserverFunc(func(context.Context, corsrpc.Event) {})))
				}
				layer, err := corsrpc.New(compilePolicy(b, allowPage), opts...)
				if err != nil {
					b.Fatal(err)
				}
				h, r, w := layer.Wrap(nothing), newRequest(http.MethodPost, listRPC, call.header), discard{http.Header{}}
				b.ReportAllocs()
				for b.Loop() {
					clear(w.header)
					h.ServeHTTP(w, r)
				}
			})
		}
	}
}

// BenchmarkRefused refuses requests of 100 paths, which all have a group, and of 1,000 paths,
// where each request evicts a group.
func BenchmarkRefused(b *testing.B) {
	var policy strings.Builder
	policy.WriteString("defaults:\n  allow_origins: [https://app.example.com]\nrules:\n")
	for i := range 1000 {
		fmt.Fprintf(&policy, "  - path: /p%d\n", i)
	}
	layer, _ := newLayer(b, policy.String())
	for _, paths := range []int{100, 1000} {
		b.Run(fmt.Sprintf("%d paths", paths), func(b *testing.B) {
			var requests []*http.Request
			for i := range paths {
				requests = append(requests, newRequest(http.MethodPost, fmt.Sprintf("/p%d", i), http.Header{"Origin": {"https://evil.example"}}))
			}
			h, w := layer.Wrap(nothing), discard{http.Header{}}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				clear(w.header)
				h.ServeHTTP(w, requests[i%paths])
			}
		})
	}
}
