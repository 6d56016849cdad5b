package serve

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

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

// TestSchemaThatDoesNotFit: a server that restarts with a schema which makes the policy invalid changes
// nothing, and the log says why once. A schema that fits again takes effect.
func TestSchemaThatDoesNotFit(t *testing.T) {
	t.Parallel()
	server := startReflecting(t, version1, declared("shop.proto", "acme.v1.Shop/Get"))
	r := newRunning(t, PolicyConfig{
		File: policyFile(t, withRule("acme.v1.Shop.Get")), Reflect: []ReflectedServer{server.upstream("shop")}, ReflectEvery: 20 * time.Millisecond,
	})
	r.awaitReady()
	digest := r.Digest()
	server.restart(version1, declared("shop.proto", "acme.v1.Shop/Put*"))
	r.await("a failure", func() bool { return r.log.count("cors.yaml:3:14") == 1 })
	<-time.After(200 * time.Millisecond) // some more answers
	if ok, _ := r.Ready(); !ok || r.Digest() != digest || !r.allows(shop, "/acme.v1.Shop/Get") || r.Streams("acme.v1.Shop", "Put") || r.log.count("cors.yaml:3:14") != 1 {
		t.Errorf("ready %v; failures %d", ok, r.log.count("cors.yaml:3:14"))
	}
	server.restart(version1, declared("shop.proto", "acme.v1.Shop/Get Put*"))
	r.await("a schema that fits", func() bool { return r.Streams("acme.v1.Shop", "Put") })
}

// TestServerThatGoesAway: a server that goes away, or has reflection no more, keeps the last schema.
func TestServerThatGoesAway(t *testing.T) {
	t.Parallel()
	server := startReflecting(t, version1, declared("shop.proto", "acme.v1.Shop/Get*"))
	r := newRunning(t, PolicyConfig{File: policyFile(t, appPolicy), Reflect: []ReflectedServer{server.upstream("shop")}, ReflectEvery: 20 * time.Millisecond})
	r.awaitReady()
	digest := r.Digest()
	server.restart(0, declared("shop.proto", "acme.v1.Shop/Get"))
	r.await("a failure", func() bool { return r.log.count("register it (in Go: reflection.Register(server))") == 1 })
	server.stop()
	r.await("a failure", func() bool { return r.log.count("does not listen") == 1 })
	if ok, _ := r.Ready(); !ok || r.Digest() != digest || !r.Streams("acme.v1.Shop", "Get") {
		t.Error("the last schema is not in force")
	}
	r.settle(strings.ReplaceAll(appPolicy, app, shop))
	if !r.allows(shop, "/acme.v1.Shop/Get") || !r.Streams("acme.v1.Shop", "Get") {
		t.Error("a change of the policy takes no effect without the server")
	}
	server.start(version1, declared("shop.proto", "acme.v1.Shop/Get"))
	r.await("the schema", func() bool { return !r.Streams("acme.v1.Shop", "Get") })
	if n := r.log.count("a server tells its schema again"); n != 1 {
		t.Errorf("%d lines say that it is back", n)
	}
	if n := r.log.count("keeping the last one"); n > 4 {
		t.Errorf("%d lines about failures", n)
	}
}

// TestSeveralServers: the schemas of several servers are merged. Files of the same name in different packages
// are different files.
func TestSeveralServers(t *testing.T) {
	t.Parallel()
	one := startReflecting(t, version1, declared("service.proto", "acme.shop.v1.Shop/Get*"))
	two := startReflecting(t, versionAlpha, declared("service.proto", "acme.cart.v1.Cart/Put*"))
	r := newRunning(t, PolicyConfig{
		File: policyFile(t, withRule("acme.cart.v1.Cart.Put")), Reflect: []ReflectedServer{one.upstream("shop"), two.upstream("cart")},
	})
	r.awaitReady()
	if !r.Streams("acme.shop.v1.Shop", "Get") || !r.Streams("acme.cart.v1.Cart", "Put") || !r.allows(shop, "/acme.cart.v1.Cart/Put") {
		t.Error("not the schema of both servers")
	}
	two.restart(versionAlpha, declared("service.proto", "acme.cart.v1.Cart/Put* Take*"))
	r.await("the second schema of one server", func() bool { return r.Streams("acme.cart.v1.Cart", "Take") })
	if !r.Streams("acme.shop.v1.Shop", "Get") {
		t.Error("the schema of the other server is gone")
	}
}

// TestServersThatDiffer: two servers with different versions of a service are a conflict that names both. The
// policy waits until there is none.
func TestServersThatDiffer(t *testing.T) {
	t.Parallel()
	one := startReflecting(t, version1, declared("shop.proto", "acme.v1.Shop/Get"))
	two := startReflecting(t, version1, declared("shop.proto", "acme.v1.Shop/Get Put"))
	r := newRunning(t, PolicyConfig{File: policyFile(t, appPolicy), Reflect: []ReflectedServer{one.upstream("one"), two.upstream("two")}})
	why := ""
	r.await("the conflict", func() bool {
		_, why = r.Ready()
		return strings.Contains(why, "have different services in the file shop.proto")
	})
	for _, name := range []string{"the upstream one (grpc://" + one.address + ")", "the upstream two (grpc://" + two.address + ")"} {
		if !strings.Contains(why, name) {
			t.Errorf("%q is not in: %s", name, why)
		}
	}
	one.restart(version1, declared("shop.proto", "acme.v1.Shop/Get Put"))
	r.awaitReady()
	if n := r.log.count("level=ERROR"); n != 1 {
		t.Errorf("the conflict is logged %d times", n)
	}
}

// TestManyRestarts: a server that restarts many times ends with its last schema in force.
func TestManyRestarts(t *testing.T) {
	t.Parallel()
	server := startReflecting(t, version1, declared("shop.proto", "acme.v1.Shop/Get"))
	r := newRunning(t, PolicyConfig{File: policyFile(t, appPolicy), Reflect: []ReflectedServer{server.upstream("shop")}})
	r.awaitReady()
	for i := range 20 {
		server.restart(version1, declared("shop.proto", fmt.Sprintf("acme.v1.Shop/Get%d*", i)))
	}
	r.await("the last schema", func() bool { return r.Streams("acme.v1.Shop", "Get19") })
	if n := r.log.count("level=ERROR"); n != 0 {
		t.Errorf("%d errors", n)
	}
}
