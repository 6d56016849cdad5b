//go:build fleet

package fleet_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const requestsPerPolicy = 15

// TestRandom sends random requests through Envoy with the external processor, and through Wrap, under random
// policies. The answers are equal, apart from what changesByEnvoy lists. No request reaches the server that Wrap
// refuses, and no page gets a grant that Wrap would not give.
func TestRandom(t *testing.T) {
	b := startBesideWrap(t)
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		layer := drawLayer(t)
		for range requestsPerPolicy {
			x := exchange{layer: layer, handler: drawHandler(t), raw: drawRequest(t)}
			for _, p := range protocols {
				seen[p.name]++
				for _, d := range b.differences(t, p.name, x) {
					why := x.raw.changeByEnvoy(p.name, d.part)
					if why == "" {
						t.Errorf("%s: %s\n%+v", p.name, d, x.raw)
					}
					seen[why]++
				}
			}
		}
	})
	t.Logf("%d requests reached the server; reasons for differences: %v", b.expected, seen)
	for _, c := range changesByEnvoy {
		if seen[c.why] == 0 {
			t.Errorf("no answer differed since %s", c.why)
		}
	}
	if total := seen["h2"] + seen["http/1.1"]; b.expected < total/5 || b.expected > total*4/5 {
		t.Errorf("%d of %d requests reached the server", b.expected, total)
	}
	b.finish(t)
}

// changesByEnvoy are the reasons for which an answer is not that of Wrap, and the parts of it that differ then.
// Without parts, Envoy refuses the request.
var changesByEnvoy = []struct {
	why   string
	when  func(r rawRequest, protocol string) bool
	parts []string
}{
	{joined, func(r rawRequest, _ string) bool { return len(r.values("Origin")) > 1 }, []string{"body", "grpc-message"}},
	{"net/http refuses the request, and has no answer here", func(r rawRequest, _ string) bool { return r.asHandled() == nil }, nil},
	{"Envoy refuses the request", rawRequest.refusedByEnvoy, nil},
	{bodyless, func(r rawRequest, _ string) bool { return r.hasType("application/grpc-web") }, []string{"content-type"}},
	{"Envoy answers calls of native gRPC in gRPC's form", func(r rawRequest, _ string) bool {
		return r.hasType("application/grpc") && !r.hasType("application/grpc-web")
	}, []string{"status", "body", "content-type", "grpc-status", "grpc-message"}},
	{"Envoy leaves out the body of a server's refusal of a handshake", func(r rawRequest, _ string) bool { return len(r.values("Upgrade")) > 0 }, []string{"body", "content-type"}},
}

// changeByEnvoy returns the reason for which a part of the answer is not that of Wrap, or "".
func (r rawRequest) changeByEnvoy(protocol, part string) string {
	for _, c := range changesByEnvoy {
		if c.when(r, protocol) && (c.parts == nil || slices.Contains(c.parts, part)) {
			return c.why
		}
	}
	return ""
}

// refusedByEnvoy reports whether Envoy answers a request itself, or closes the connection, before the processor sees it.
func (r rawRequest) refusedByEnvoy(protocol string) bool {
	return r.host == "" || !strings.HasPrefix(r.path, "/") || strings.ContainsAny(r.path, "#é") ||
		protocol == "http/1.1" && r.method == "post"
}

// values returns the values of a field.
func (r rawRequest) values(name string) (values []string) {
	for _, f := range r.fields {
		if strings.EqualFold(f[0], name) {
			values = append(values, f[1])
		}
	}
	return values
}

// hasType reports whether the Content-Type of a request begins with a text.
func (r rawRequest) hasType(prefix string) bool {
	return slices.ContainsFunc(r.values("Content-Type"), func(v string) bool { return strings.HasPrefix(v, prefix) })
}
