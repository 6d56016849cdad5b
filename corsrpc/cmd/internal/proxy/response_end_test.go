package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/proxy"
)

// TestEndsWhileTheClientSends: an upstream that ends a call early, with an error for instance, ends it for a client that
// has not ended its request and waits for the response.
func TestEndsWhileTheClientSends(t *testing.T) {
	t.Parallel()
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		w.Header().Set("Content-Type", "application/grpc+proto")
		if line, err := bufio.NewReader(r.Body).ReadString('\n'); line != "first\n" {
			t.Errorf("%q, %v", line, err)
		}
		_, _ = io.WriteString(w, frame("enough"))
		_ = control.Flush()
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "8")
	}))
	for _, scheme := range []string{"http", "h2c", "grpc"} {
		for _, version := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s upstream, HTTP/%d client", scheme, version), func(t *testing.T) {
				t.Parallel()
				address := gateway(t, newUpstream(t, scheme+"://"+upstream), proxy.Options{})
				protocols := new(http.Protocols)
				protocols.SetHTTP1(version == 1)
				protocols.SetUnencryptedHTTP2(version == 2)
				transport := &http.Transport{Protocols: protocols}
				defer transport.CloseIdleConnections()
				reader, writer := io.Pipe()
				defer writer.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				r, _ := http.NewRequestWithContext(ctx, "POST", "http://"+address+"/any/x", reader)
				r.Header.Set("Content-Type", "application/grpc+proto")
				go func() { _, _ = io.WriteString(writer, "first\n") }()
				res, err := transport.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				body, err := io.ReadAll(res.Body)
				if string(body) != frame("enough") || err != nil || res.Trailer.Get("Grpc-Status") != "8" {
					t.Errorf("%q, %v, %v", body, res.Trailer, err)
				}
			})
		}
	}
}
