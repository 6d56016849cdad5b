//go:build fleet

package fleet_test

import (
	"slices"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
)

// The parts of an immediate response that reach the client.
func TestImmediateResponse(t *testing.T) {
	type want struct {
		status int
		body   string
		header map[string][]string
	}
	byValue := &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: "x-value", Value: "a"},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
	grpcStatus := immediate(403, "refused")
	grpcStatus.GetImmediateResponse().GrpcStatus = &extprocv3.GrpcStatus{Status: 7}
	noStatus := immediate(403, "refused")
	noStatus.GetImmediateResponse().Status = nil
	for _, test := range []struct {
		name     string
		response *extprocv3.ProcessingResponse
		lines    []string
		want     want
	}{
		{"204 without a body", immediate(204, ""), nil, want{204, "", map[string][]string{"Content-Type": nil, "Content-Length": nil}}},
		{"403 with a body is plain text", immediate(403, "refused"), nil,
			want{403, "refused", map[string][]string{"Content-Type": {"text/plain"}, "Content-Length": {"7"}}}},
		{"403 without a body", immediate(403, ""), nil, want{403, "", map[string][]string{"Content-Type": nil, "Content-Length": {"0"}}}},
		{"content-type is set", immediate(403, "{}", overwrite("content-type", "application/json")), nil,
			want{403, "{}", map[string][]string{"Content-Type": {"application/json"}}}},
		{"append_action does not append", immediate(204, "", overwrite("vary", "A"), byAction("vary", "B")), nil,
			want{204, "", map[string][]string{"Vary": {"B"}}}},
		{"the field append does, to one line", immediate(204, "", overwrite("vary", "A"), add("vary", "B")), nil,
			want{204, "", map[string][]string{"Vary": {"A,B"}}}},
		{"the field append does, to lines of other names", immediate(204, "", overwrite("x-a", "A"), add("x-a", "B")), nil,
			want{204, "", map[string][]string{"X-A": {"A", "B"}}}},
		{"overwriting keeps the last value", immediate(204, "", overwrite("vary", "A"), overwrite("vary", "B")), nil,
			want{204, "", map[string][]string{"Vary": {"B"}}}},
		{"a list in one value", immediate(204, "", overwrite("vary", "A, B")), nil,
			want{204, "", map[string][]string{"Vary": {"A, B"}}}},
		{"the field value is not raw_value", immediate(204, "", byValue), nil,
			want{204, "", map[string][]string{"X-Value": {""}}}},
		{"an empty value", immediate(204, "", overwrite("x-empty", "")), nil,
			want{204, "", map[string][]string{"X-Empty": {""}}}},
		{"grpc-status as a header", immediate(403, "", overwrite("grpc-status", "7")), nil,
			want{403, "", map[string][]string{"Grpc-Status": {"7"}}}},
		{"a gRPC-Web request keeps the status", immediate(403, "refused"), []string{"POST / HTTP/1.1", "Content-Length: 0", "Content-Type: application/grpc-web+proto"},
			want{403, "refused", map[string][]string{"Grpc-Status": nil}}},
		{"a gRPC request turns it into gRPC's form", immediate(403, "refused"), []string{"POST / HTTP/1.1", "Content-Length: 0", "Content-Type: application/grpc+proto"},
			want{200, "", map[string][]string{"Grpc-Status": {"7"}, "Grpc-Message": {"refused"}, "Content-Type": {"application/grpc"}}}},
		{"a gRPC request with grpc-status as header", immediate(403, "refused", overwrite("grpc-status", "9")), []string{"POST / HTTP/1.1", "Content-Length: 0", "Content-Type: application/grpc"},
			want{200, "", map[string][]string{"Grpc-Status": {"9"}}}},
		{"the field grpc_status does not change the status of other requests", grpcStatus, nil,
			want{403, "refused", map[string][]string{"Grpc-Status": nil}}},
		{"no status is 200", noStatus, nil, want{200, "refused", nil}},
		{"status 499", immediate(499, ""), nil, want{499, "", nil}},
		{"status 999", immediate(999, ""), nil, want{999, "", nil}},
		{"x-envoy-* and :status are not set", immediate(204, "", overwrite("x-envoy-a", "1"), overwrite(":status", "200"), overwrite("x-a", "1")), nil,
			want{204, "", map[string][]string{"X-Envoy-A": nil, "X-A": {"1"}}}},
		{"HEAD has no body", immediate(403, "refused"), []string{"HEAD / HTTP/1.1"}, want{403, "", map[string][]string{"Content-Length": {"7"}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := serveUpstream(t, nil)
			p := serveProcessor(t, always(test.response, nil))
			addr, _ := start(t, u, p, nil)
			lines := test.lines
			if lines == nil {
				lines = []string{"OPTIONS / HTTP/1.1"}
			}
			resp := send(t, addr, lines...)
			if resp.status != test.want.status || resp.body != test.want.body || u.hits() != 0 {
				t.Errorf("%d %q with %d hits, want %d %q with 0", resp.status, resp.body, u.hits(), test.want.status, test.want.body)
			}
			for name, values := range test.want.header {
				if got := resp.header.Values(name); !slices.Equal(got, values) {
					t.Errorf("%s is %q, want %q", name, got, values)
				}
			}
			if got, want := p.kinds(), []string{"request_headers"}; !slices.Equal(got, want) {
				t.Errorf("messages %q, want %q: an immediate response does not come back", got, want)
			}
		})
	}
}

// An immediate response at the response step replaces the upstream's answer.
func TestImmediateResponseToAnAnswer(t *testing.T) {
	u := serveUpstream(t, nil)
	p := serveProcessor(t, func(request *extprocv3.ProcessingRequest) (*extprocv3.ProcessingResponse, error) {
		if request.GetResponseHeaders() != nil {
			return immediate(int(typev3.StatusCode_BadGateway), "replaced"), nil
		}
		return requestStep(), nil
	})
	addr, _ := start(t, u, p, nil)
	if resp := send(t, addr, "GET / HTTP/1.1"); resp.status != 502 || resp.body != "replaced" {
		t.Errorf("%d %q", resp.status, resp.body)
	}
}

// Mutations of answers.
func TestResponseMutations(t *testing.T) {
	remove := responseStep(overwrite("x-a", "1"))
	remove.GetResponseHeaders().GetResponse().GetHeaderMutation().RemoveHeaders = []string{"access-control-allow-credentials"}
	for _, test := range []struct {
		name     string
		response *extprocv3.ProcessingResponse
		header   string
		values   []string
		rejected int
	}{
		{"overwriting takes the place of all lines", responseStep(overwrite("access-control-allow-origin", "https://a.test")),
			"Access-Control-Allow-Origin", []string{"https://a.test"}, 0},
		{"append_action does not append", responseStep(byAction("vary", "Origin")), "Vary", []string{"Origin"}, 0},
		{"the field append does", responseStep(add("vary", "Origin")), "Vary", []string{"Accept,Accept-Encoding,Origin"}, 0},
		{"lines of Vary are one line without the processor", responseStep(), "Vary", []string{"Accept,Accept-Encoding"}, 0},
		{"removal", remove, "Access-Control-Allow-Credentials", nil, 0},
		{"x-envoy-* is not set", responseStep(overwrite("x-envoy-a", "1")), "X-Envoy-A", nil, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := serveUpstream(t, permissive)
			p := serveProcessor(t, func(request *extprocv3.ProcessingRequest) (*extprocv3.ProcessingResponse, error) {
				if request.GetResponseHeaders() != nil {
					return test.response, nil
				}
				return requestStep(), nil
			})
			addr, e := start(t, u, p, nil)
			resp := send(t, addr, "GET / HTTP/1.1")
			if got := resp.header.Values(test.header); !slices.Equal(got, test.values) {
				t.Errorf("%s is %q, want %q", test.header, got, test.values)
			}
			if got, want := p.response(t).get("vary"), []string{"Accept,Accept-Encoding"}; !slices.Equal(got, want) {
				t.Errorf("the processor sees Vary %q, want %q", got, want)
			}
			if got := e.Stats("http.public.ext_proc.rejected_header_mutations"); got != test.rejected {
				t.Errorf("rejected_header_mutations is %d, want %d", got, test.rejected)
			}
		})
	}
}

// Mutations of requests that Envoy refuses by default. corsrpc needs none of them.
func TestRequestMutations(t *testing.T) {
	for _, name := range []string{"host", ":authority", ":method", ":scheme", "x-envoy-a"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := serveProcessor(t, func(request *extprocv3.ProcessingRequest) (*extprocv3.ProcessingResponse, error) {
				if request.GetRequestHeaders() == nil {
					return responseStep(), nil
				}
				response := requestStep()
				response.GetRequestHeaders().Response = &extprocv3.CommonResponse{
					HeaderMutation: &extprocv3.HeaderMutation{SetHeaders: []*corev3.HeaderValueOption{overwrite(name, "changed")}},
				}
				return response, nil
			})
			addr, e := start(t, serveUpstream(t, nil), p, nil)
			if resp := send(t, addr, "GET / HTTP/1.1"); resp.status != 200 {
				t.Errorf("status %d", resp.status)
			}
			if got := e.Stats("http.public.ext_proc.rejected_header_mutations"); got != 1 {
				t.Errorf("rejected_header_mutations is %d, want 1", got)
			}
		})
	}
}
