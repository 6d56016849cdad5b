package serve

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/descriptorpb"
)

// settled reports whether all changes of the files so far have been looked at: it changes the policy file once
// more, by a comment, and waits until that is in force.
func (r *running) settle(text string) {
	r.t.Helper()
	before := r.log.count("another plan is in force")
	write(r.t, r.config.File, text+fmt.Sprintf("\n# %d\n", before))
	r.await("the next policy", func() bool { return r.log.count("another plan is in force") > before })
}

// TestPolicyFileChanges: a changed policy is put in force in one step. An invalid one changes nothing and is
// logged once, with its place.
func TestPolicyFileChanges(t *testing.T) {
	t.Parallel()
	file := policyFile(t, appPolicy)
	r := newRunning(t, PolicyConfig{File: file})
	r.awaitReady()
	first := r.Digest()
	r.settle(strings.ReplaceAll(appPolicy, app, shop))
	if r.allows(app, "/a.B/C") || !r.allows(shop, "/a.B/C") || r.Digest() == first {
		t.Error("the changed policy is not in force")
	}
	changed := r.Digest()
	for i, invalid := range []string{
		`defaults: {allow_origins: ["https://*"]}`,
		"defaults: [",
		`defaults: {allow_origins_from: [tenants]}`,
		"",
	} {
		write(t, file, invalid)
		r.await("a failure", func() bool { return r.log.count("policy reload failed") == i+1 })
		if r.Digest() != changed || !r.allows(shop, "/a.B/C") {
			t.Errorf("%q changes what is in force", invalid)
		}
	}
	if ok, why := r.Ready(); !ok {
		t.Errorf("not ready: %s", why)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	r.await("a failure", func() bool { return r.log.count("policy reload failed") == 5 })
	r.settle(appPolicy)
	if !r.allows(app, "/a.B/C") || r.Digest() != first {
		t.Error("the first policy is not in force again")
	}
	for _, text := range []string{"cors.yaml:1:28", "cannot read the policy", "add one with this name to origin_sources", "level=ERROR"} {
		if r.log.count(text) == 0 {
			t.Errorf("the log has no %q", text)
		}
	}
}

// TestRevertedPolicy: the log says that the policy is in force again when an invalid change is taken back.
func TestRevertedPolicy(t *testing.T) {
	t.Parallel()
	file := policyFile(t, appPolicy)
	r := newRunning(t, PolicyConfig{File: file})
	r.awaitReady()
	write(t, file, "defaults: [")
	r.await("a failure", func() bool { return r.log.count("policy reload failed") == 1 })
	write(t, file, appPolicy)
	r.await("the policy", func() bool { return r.log.count("policy reloaded") == 1 })
}

// TestCommentChanges: a change that moves the values of a policy is put in force too, since the log names their
// places.
func TestCommentChanges(t *testing.T) {
	t.Parallel()
	r := newRunning(t, PolicyConfig{File: policyFile(t, appPolicy)})
	r.awaitReady()
	digest := r.Digest()
	r.settle("# a comment\n" + appPolicy)
	r.allows(shop, "/a.B/C")
	if r.Digest() != digest || r.log.count("cors.yaml:2:27") != 1 {
		t.Error("the log does not name the new place")
	}
}

// volume is a folder whose files are swapped in one step by a symbolic link, as a ConfigMap of Kubernetes is.
type volume struct {
	t   *testing.T
	dir string
	n   int
}

// newVolume returns a volume with files.
func newVolume(t *testing.T, files map[string]string) *volume {
	t.Helper()
	v := &volume{t: t, dir: t.TempDir()}
	v.swap(files)
	for name := range files {
		if err := os.Symlink(filepath.Join("..data", name), v.name(name)); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// name returns the name by which a program knows a file.
func (v *volume) name(file string) string { return filepath.Join(v.dir, file) }

// swap replaces all files in one step.
func (v *volume) swap(files map[string]string) {
	v.t.Helper()
	v.n++
	next := fmt.Sprintf("..%d", v.n)
	if err := os.Mkdir(v.name(next), 0o700); err != nil {
		v.t.Fatal(err)
	}
	for name, text := range files {
		write(v.t, v.name(filepath.Join(next, name)), text)
	}
	if err := os.Symlink(next, v.name("..data_tmp")); err != nil {
		v.t.Fatal(err)
	}
	if err := os.Rename(v.name("..data_tmp"), v.name("..data")); err != nil {
		v.t.Fatal(err)
	}
	_ = os.RemoveAll(v.name(fmt.Sprintf("..%d", v.n-1)))
}

// TestVolumeSwap: a policy and a descriptor file that fit together only in pairs change together, without a
// failure in between.
func TestVolumeSwap(t *testing.T) {
	t.Parallel()
	pair := func(method string) map[string]string {
		return map[string]string{
			"cors.yaml":  withRule("acme.v1.Shop." + method),
			"shop.binpb": image(t, declared("shop.proto", "acme.v1.Shop/"+method)),
		}
	}
	v := newVolume(t, pair("Get0"))
	r := newRunning(t, PolicyConfig{File: v.name("cors.yaml"), Descriptors: []string{v.name("shop.binpb")}})
	r.awaitReady()
	for i := 1; i <= 5; i++ {
		method := fmt.Sprintf("Get%d", i)
		v.swap(pair(method))
		r.await(method, func() bool { return r.log.count("another plan is in force") == i })
		if !r.allows(shop, "/acme.v1.Shop/"+method) {
			t.Errorf("%s is not in force", method)
		}
	}
	if n := r.log.count("level=ERROR"); n != 0 {
		t.Errorf("%d failures", n)
	}
}

// TestDescriptorFileChanges: a changed descriptor file takes effect. One that cannot be read, or that makes the
// policy invalid, changes nothing.
func TestDescriptorFileChanges(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "shop.binpb")
	set := func(methods string) {
		t.Helper()
		write(t, name, image(t, declared("shop.proto", "acme.v1.Shop/"+methods)))
	}
	set("Get")
	cart := write(t, filepath.Join(t.TempDir(), "cart.binpb"), image(t, declared("cart.proto", "acme.v1.Cart/Watch*")))
	r := newRunning(t, PolicyConfig{File: policyFile(t, withRule("acme.v1.Shop.Get")), Descriptors: []string{name, cart}})
	r.awaitReady()
	set("Get Put*")
	r.await("the second schema", func() bool { return r.Streams("acme.v1.Shop", "Put") })
	digest := r.Digest()
	write(t, name, "not a schema")
	r.await("a failure", func() bool { return r.log.count("cannot read the schema") == 1 })
	write(t, cart, "not a schema either")
	r.await("a failure", func() bool { return r.log.count("cannot read the schema") == 2 })
	set("Put*")
	r.await("a failure", func() bool { return r.log.count("cors.yaml:3:14") == 1 })
	if r.Digest() != digest || !r.allows(shop, "/acme.v1.Shop/Get") {
		t.Error("a schema that makes the policy invalid changes what is in force")
	}
	if !r.Streams("acme.v1.Cart", "Watch") {
		t.Error("a file that cannot be read has taken its services away")
	}
	set("Get Put")
	r.await("the third schema", func() bool { return !r.Streams("acme.v1.Shop", "Put") })
	if !r.Streams("acme.v1.Cart", "Watch") {
		t.Error("a file that cannot be read has taken its services away")
	}
}

// TestNoReloadWithoutChange: a schema that changes nothing that decides leads neither to a reload nor to a line
// in the log. A change of what streams takes effect all the same.
func TestNoReloadWithoutChange(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "shop.binpb")
	file := declared("shop.proto", "acme.v1.Shop/Get")
	write(t, name, image(t, file))
	r := newRunning(t, PolicyConfig{File: policyFile(t, appPolicy), Descriptors: []string{name}})
	r.awaitReady()
	lines := r.log.count("\n")
	file = declared("shop.proto", "acme.v1.Shop/Get*")
	file.MessageType = append(file.MessageType, &descriptorpb.DescriptorProto{Name: new("More")})
	write(t, name, image(t, file))
	r.await("the schema", func() bool { return r.Streams("acme.v1.Shop", "Get") })
	if n := r.log.count("\n"); n != lines {
		t.Errorf("%d new lines", n-lines)
	}
}

// TestShadowChanges: a change of the shadow policy alone is a change.
func TestShadowChanges(t *testing.T) {
	t.Parallel()
	shadow := func(methods string) string {
		return appPolicy + "\nshadow: {defaults: {allow_origins: [" + methods + "]}}"
	}
	file := policyFile(t, shadow(`"https://a.example.com"`))
	r := newRunning(t, PolicyConfig{File: file})
	r.awaitReady()
	digest, candidate := r.Digest(), r.Layer().Plan().Shadow().Digest()
	r.settle(shadow(`"https://b.example.com"`))
	if r.Digest() != digest || r.Layer().Plan().Shadow().Digest() == candidate {
		t.Error("the shadow policy has not changed, or more than it has")
	}
}

// TestSamePlan: plans are the same if both they and their shadows decide alike.
func TestSamePlan(t *testing.T) {
	t.Parallel()
	p := newIdle(t, PolicyConfig{})
	shadowed := appPolicy + "\nshadow: {defaults: {allow_origins: [\"https://a.example.com\"]}}"
	texts := []string{appPolicy, shadowed, strings.ReplaceAll(shadowed, "https://a.", "https://b."), strings.ReplaceAll(appPolicy, app, shop)}
	for i, a := range texts {
		for j, b := range texts {
			one, err := p.compile([]byte(a), nil)
			if err != nil {
				t.Fatal(err)
			}
			two, err := p.compile([]byte(b+"\n# a comment"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if samePlan(one, two) != (i == j) {
				t.Errorf("%s and %s: the same is %v", a, b, i != j)
			}
		}
	}
}

// TestReload: Reload reads the files again at once, and says that nothing has changed.
func TestReload(t *testing.T) {
	t.Parallel()
	file := policyFile(t, appPolicy)
	server := startReflecting(t, version1, declared("shop.proto", "acme.v1.Shop/Get"))
	r := newRunning(t, PolicyConfig{File: file, Reflect: []ReflectedServer{server.upstream("shop")}})
	r.Reload() // before there is a layer
	r.awaitReady()
	r.Reload()
	r.await("nothing has changed", func() bool { return r.log.count("nothing has changed") > 0 })
	write(t, file, strings.ReplaceAll(appPolicy, app, shop))
	r.Reload()
	r.await("the changed policy", func() bool { return r.allows(shop, "/acme.v1.Shop/Get") })
	for range 100 {
		r.Reload()
	}
}
