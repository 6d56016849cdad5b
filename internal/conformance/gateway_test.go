package conformance

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGateway: the suite's servers behind corsrpc gateway conform to what the gateway passes on, over HTTP/1.1 and HTTP/2,
// with and without TLS, one run for each scheme of an upstream. gRPC-Web becomes gRPC for h2c and grpc. The known failures
// are those of grpc-go, which responds with another code; the suite lists them.
func TestGateway(t *testing.T) {
	suite := suite(t)
	for _, upstream := range []struct{ scheme, server, knownFailing, want string }{
		{"h2c", "referenceserver", "referenceserver-known-failing.txt", "10756 cases, 10756 passed, 0 failed, 0 known"},
		{"https", "referenceserver", "referenceserver-known-failing.txt", "10756 cases, 10756 passed, 0 failed, 0 known"},
		{"http", "referenceserver", "referenceserver-known-failing.txt", "8104 cases, 8104 passed, 0 failed, 0 known"},
		{"grpc", "grpcserver", "grpcserver-known-failing.txt", "1260 cases, 1236 passed, 0 failed, 24 known"},
	} {
		bin := build(t, upstream.server)
		run(t, exec.Command("go", "build", "-o", bin+"/", "./behindgateway"))
		run(t, exec.Command("go", "build", "-C", "../../corsrpc/cmd", "-o", bin+"/", "./corsrpc"))
		config, err := filepath.Abs("testdata/gateway-" + upstream.scheme + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		server := []string{filepath.Join(bin, "behindgateway"), "-scheme", upstream.scheme, filepath.Join(bin, "corsrpc"), filepath.Join(bin, upstream.server)}
		test(t, "gateway-"+upstream.scheme, bin, config, filepath.Join(suite, upstream.knownFailing), server, []variant{{upstream.scheme, nil, upstream.want}})
	}
}
