package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/proxy"
)

// TestUpstreamsDeadline: an upstream that keeps the call's deadline ends the call itself. The page reads its error, or
// that the deadline has passed if the upstream resets the stream, as grpc-go does.
func TestUpstreamsDeadline(t *testing.T) {
	t.Parallel()
	address := gateway(t, newUpstream(t, "h2c://"+serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		w.Header().Set("Content-Type", "application/grpc+proto")
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/acme.v1.S/ResetLate" {
			_, _ = io.WriteString(w, frame("first"))
			_ = control.Flush()
		}
		<-time.After(300 * time.Millisecond) // the deadline is after 100 ms
		if r.URL.Path == "/acme.v1.S/Error" {
			w.Header().Set(http.TrailerPrefix+"Grpc-Status", "4")
			w.Header().Set(http.TrailerPrefix+"Grpc-Message", "too slow")
			return
		}
		panic(http.ErrAbortHandler)
	}))), proxy.Options{})
	for method, want := range map[string][]string{
		"Error":     {"grpc-status: 4", "grpc-message: too slow"},
		"Reset":     nil, // in the header
		"ResetLate": {"first", "grpc-status: 4"},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			got, err := do(t, address, "POST", "/acme.v1.S/"+method, "application/grpc-web+proto", "\x00\x00\x00\x00\x00", "Grpc-Timeout", "100m")
			if err != nil || got.err != nil {
				t.Fatal(err, got.err)
			}
			if want == nil {
				checkError(t, "application/grpc-web+proto", got, http.StatusGatewayTimeout, "deadline_exceeded", "4")
			}
			for _, text := range want {
				if !strings.Contains(got.body, text) {
					t.Errorf("%v %q, want %q", got.header, got.body, text)
				}
			}
		})
	}
}
