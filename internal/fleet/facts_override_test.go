//go:build fleet

package fleet_test

import (
	"slices"
	"testing"
	"time"

	extprocfilterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// A processor that wants no second look at an answer saves a round trip, if the filter allows it to.
func TestModeOverride(t *testing.T) {
	skip := &extprocfilterv3.ProcessingMode{ResponseHeaderMode: extprocfilterv3.ProcessingMode_SKIP}
	oneLook := func(request *extprocv3.ProcessingRequest) (*extprocv3.ProcessingResponse, error) {
		if request.GetResponseHeaders() != nil {
			return responseStep(overwrite("x-seen", "yes")), nil
		}
		response := requestStep()
		response.ModeOverride = skip
		return response, nil
	}
	for _, test := range []struct {
		name   string
		answer answer
		change func(*envoy.Config)
		status int
		kinds  []string
	}{
		{"allowed", oneLook, func(c *envoy.Config) { c.Processor.AllowOverride = true }, 200, []string{"request_headers"}},
		{"not allowed", oneLook, nil, 200, []string{"request_headers", "response_headers"}},
		{"allowed, on an error of Envoy", oneLook, func(c *envoy.Config) {
			c.Processor.AllowOverride = true
			c.Behind = []string{directAnswer}
		}, 418, []string{"request_headers"}},
		{"processing_mode skips answers", proceed(overwrite("x-seen", "yes")), func(c *envoy.Config) { c.Processor.RequestHeadersOnly = true }, 200, []string{"request_headers"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := serveProcessor(t, test.answer)
			addr, _ := start(t, serveUpstream(t, nil), p, test.change)
			resp := send(t, addr, "GET / HTTP/1.1")
			if got := p.kinds(); resp.status != test.status || !slices.Equal(got, test.kinds) {
				t.Errorf("status %d, messages %q, want %d, %q", resp.status, got, test.status, test.kinds)
			}
			if seen := resp.header.Get("X-Seen") != ""; seen != (len(test.kinds) == 2) {
				t.Errorf("the answer is %v", resp.header)
			}
		})
	}
}

// Envoy ends a stream that it needs no longer.
func TestStreamEndsAfterModeOverride(t *testing.T) {
	skip := &extprocfilterv3.ProcessingMode{ResponseHeaderMode: extprocfilterv3.ProcessingMode_SKIP}
	p := serveProcessor(t, func(*extprocv3.ProcessingRequest) (*extprocv3.ProcessingResponse, error) {
		response := requestStep()
		response.ModeOverride = skip
		return response, nil
	})
	addr, e := start(t, serveUpstream(t, nil), p, func(c *envoy.Config) { c.Processor.AllowOverride = true })
	send(t, addr, "GET / HTTP/1.1")
	select {
	case <-p.ended:
	case <-time.After(testTimeout):
		t.Error("the stream does not end")
	}
	if sent := e.Stats("http.public.ext_proc.stream_msgs_sent"); sent != 1 {
		t.Errorf("stream_msgs_sent is %d, want 1", sent)
	}
}
