package serve

import (
	"testing"
)

const appPolicy = `defaults: {allow_origins: ["https://app.example.com"]}`

// TestReflection: a policy is in force when the server has told its schema, and follows the server when it
// restarts with another schema, by either version of reflection.
func TestReflection(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]reflectionVersion{"v1": version1, "v1alpha": versionAlpha, "both": version1 | versionAlpha} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startReflecting(t, version, declared("shop.proto", "acme.v1.Shop/Get Watch*"))
			r := newRunning(t, PolicyConfig{File: policyFile(t, appPolicy), Reflect: []ReflectedServer{server.upstream("shop")}})
			r.awaitReady()
			if !r.allows(app, "/acme.v1.Shop/Get") || r.allows(shop, "/acme.v1.Shop/Get") || !r.Streams("acme.v1.Shop", "Watch") || r.Streams("acme.v1.Shop", "Get") {
				t.Error("not the first schema")
			}
			first := r.Digest()
			server.restart(version, declared("shop.proto", "acme.v1.Shop/Get* Put"))
			r.await("the second schema", func() bool { return r.log.count("another plan is in force") == 1 })
			if r.Digest() == first || r.Streams("acme.v1.Shop", "Watch") || !r.Streams("acme.v1.Shop", "Get") {
				t.Error("not the second schema")
			}
		})
	}
}
