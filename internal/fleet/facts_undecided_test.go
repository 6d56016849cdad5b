//go:build fleet

package fleet_test

import (
	"slices"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/corsrpc/corsrpc-go/internal/fleet/envoy"
)

// start starts Envoy with one upstream and one processor, and returns the address of its listener.
func start(t *testing.T, u *upstream, p *processor, change func(*envoy.Config)) (string, *envoy.Envoy) {
	t.Helper()
	config := envoy.Config{Upstream: u.addr, Processor: &envoy.Processor{Socket: p.socket}}
	if change != nil {
		change(&config)
	}
	e := envoy.Start(t, config.YAML(t))
	return e.Addr(envoy.Listener), e
}

// Envoy without a decision of its processor on a request.
func TestUndecidedRequests(t *testing.T) {
	failed := status.Error(codes.Unavailable, "shutting down")
	wrongKind := &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseBody{
		ResponseBody: &extprocv3.BodyResponse{},
	}}
	afterTheRequest := func(response *extprocv3.ProcessingResponse, err error) answer {
		return func(request *extprocv3.ProcessingRequest) (*extprocv3.ProcessingResponse, error) {
			if request.GetRequestHeaders() != nil {
				return requestStep(), nil
			}
			return response, err
		}
	}
	short := func(c *envoy.Config) { c.Processor.Timeout = time.Second }
	open := func(c *envoy.Config) { c.Processor.FailOpen = true }
	for _, test := range []struct {
		name   string
		answer answer
		change func(*envoy.Config)
		status int
		hits   int
	}{
		{"the stream ends with OK", always(nil, nil), nil, 200, 1},
		{"the stream ends with an error", always(nil, failed), nil, 500, 0},
		{"an error, failure_mode_allow", always(nil, failed), open, 200, 1},
		{"no answer within message_timeout", always(nil, errSilence), short, 504, 0},
		{"no answer, failure_mode_allow", always(nil, errSilence), func(c *envoy.Config) { short(c); open(c) }, 200, 1},
		{"an answer to a message that was not sent", always(wrongKind, nil), nil, 500, 0},
		{"an empty answer", always(&extprocv3.ProcessingResponse{}, nil), nil, 500, 0},
		{"the response step ends with OK", afterTheRequest(nil, nil), nil, 200, 1},
		{"the response step ends with an error", afterTheRequest(nil, failed), nil, 500, 1},
		{"the response step ends with an error, failure_mode_allow", afterTheRequest(nil, failed), open, 200, 1},
		{"no answer to the response step", afterTheRequest(nil, errSilence), short, 504, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := serveUpstream(t, nil)
			addr, _ := start(t, u, serveProcessor(t, test.answer), test.change)
			resp := send(t, addr, "GET / HTTP/1.1", "Origin: https://evil.test")
			if resp.status != test.status || u.hits() != test.hits {
				t.Errorf("status %d with %d hits of the upstream, want %d with %d\n%v\n%q",
					resp.status, u.hits(), test.status, test.hits, resp.header, resp.body)
			}
			for name := range resp.header {
				if name == "Vary" || name == "Access-Control-Allow-Origin" {
					t.Errorf("an undecided request has %s in its answer", name)
				}
			}
		})
	}
}

func TestProcessorIsAway(t *testing.T) {
	t.Run("before the request", func(t *testing.T) {
		u := serveUpstream(t, nil)
		p := serveProcessor(t, proceed())
		addr, _ := start(t, u, p, nil)
		p.server.Stop()
		if resp := send(t, addr, "GET / HTTP/1.1"); resp.status != 500 || u.hits() != 0 {
			t.Errorf("status %d with %d hits, want 500 with 0", resp.status, u.hits())
		}
	})
	t.Run("while the request is undecided", func(t *testing.T) {
		u := serveUpstream(t, nil)
		p := serveProcessor(t, always(nil, errSilence))
		addr, _ := start(t, u, p, nil)
		go func() {
			<-p.arrived
			p.server.Stop()
		}()
		if resp := send(t, addr, "GET / HTTP/1.1"); resp.status != 500 || u.hits() != 0 {
			t.Errorf("status %d with %d hits, want 500 with 0", resp.status, u.hits())
		}
	})
}

// A filter to the left of the processor that answers by itself shows the processor an answer without
// its request.
func TestResponseHeadersAsFirstMessage(t *testing.T) {
	u := serveUpstream(t, nil)
	p := serveProcessor(t, proceed(overwrite("x-seen", "yes")))
	addr, _ := start(t, u, p, func(c *envoy.Config) { c.Before = []string{directAnswer} })
	resp := send(t, addr, "GET / HTTP/1.1")
	if got, want := p.kinds(), []string{"response_headers"}; !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
	if resp.status != 418 || u.hits() != 0 || resp.header.Get("X-Seen") != "yes" {
		t.Errorf("%d %v with %d hits, want 418 with X-Seen", resp.status, resp.header, u.hits())
	}
}

// directAnswer is a filter that answers every request with 418.
const directAnswer = `name: direct
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
  default_source_code:
    inline_string: |
      function envoy_on_request(handle)
        handle:respond({[":status"] = "418"}, "teapot")
      end
`
