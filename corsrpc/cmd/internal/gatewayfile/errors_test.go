package gatewayfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gatewayfile"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// end is the part of a gateway file that is required.
const end = "\nupstreams: [{name: a, url: 'h2c://a'}]\nvirtual_hosts: [{policy: cors.yaml, routes: [{upstream: a}]}]\n"

// TestPasswords: neither the text of an error nor the lines that it shows have a password, in any form of a URL.
func TestPasswords(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	for _, source := range []string{
		`{name: "a b", url: "postgres://u:sesame@db/x"}`,
		`{name: "a b", url: 'postgres://u:sesame@db/x'}`,
		`{name: "a b", url: postgres://u:sesame@db/x}`,
		`{name: "a b", url: "postgres://u:@sesame:/@db/x"}`,
		`{name: "a b", url: "postgres://u:open sesame@db/x"}`,
		`{name: "a b", url: "postgres://u:\"sesame@db/x"}`,
		`{name: "a b", url: "postgres://:sesame@db/x"}`,
		`{name: "a b", url: "postgres://db/x?password=sesame&x=1"}`,
		`{name: "a b", url: "postgres://db/x?x=1&sslpassword=sesame"}`,
		`{name: "a b", url: "u:sesame@db/x"}`,
		`{name: "a b", url: "mysql://u:sesame@db/x"}`,
		`{name: "a b", url: "postgres://u:${sesame@db/x"}`,
		`{name: "a b", url: "postgres://u:${X:-sesame}@db/x"}`,
		`{name: "a b", url: "postgres://u:$sesame@db/x"}`,
		`{name: "a b", url: ["postgres://u:sesame@db/x"]}`,
		`{name: "a b", dsn: "postgres://u:sesame@db/x"}`,
		`{name: "a b", url: "postgres://db", password: sesame}`,
		`{name: "a b", url: "postgres://db", password: "sesame"}`,
		`"postgres://u:sesame@db/x"`,
		`"postgres://u:` + strings.Repeat("sesame", 40) + `@db/x"`,
	} {
		for name, text := range map[string]string{"item": "origin_sources: [" + source + "]" + end, "whole": "origin_sources: " + source + end, "broken": "origin_sources: [" + source + end} {
			_, err := gatewayfile.Read(write(t, dir, text), gatewayfile.Gateway)
			if err == nil {
				t.Errorf("%s %s: is valid", name, source)
				continue
			}
			if all := problems(err) + err.Error(); strings.Contains(all, "sesame") {
				t.Errorf("%s %s:\n%s", name, source, all)
			}
		}
	}
}

// TestExcerpt: a line that is shown has its port, its variables and its columns.
func TestExcerpt(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	_, err := gatewayfile.Read(write(t, dir, strings.Replace(valid, `url: "postgres://corsrpc:${PASSWORD}@db.internal/app", query`, `x: 1, url: "postgres://corsrpc:${PASSWORD}@db.internal:5432/app", query`, 1)), gatewayfile.Gateway)
	if got := problems(err); !strings.Contains(got, `postgres://corsrpc:${PASSWORD}@db.internal:5432/app`) {
		t.Error(got)
	}
	_, err = gatewayfile.Read(write(t, dir, "origin_sources: [{url: \"postgres://u:sesame@db\", name: \"a b\"}]\n"+end), gatewayfile.Gateway)
	if got := problems(err); !strings.Contains(got, "{url: \"postgres://u:******@db\", name: \"a b\"}]\n    | "+strings.Repeat(" ", 55)+"^") {
		t.Error(got)
	}
}

// TestErrorText: an error in a log has each problem with its place and what to write.
func TestErrorText(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	name := write(t, dir, strings.Replace(valid, "10.0.0.0/8", "10.1.2.3/8", 1))
	_, err := gatewayfile.Read(name, gatewayfile.Gateway)
	want := name + " is not valid: it has 1 problem:\n\t" + name + `:30:19: trusted_proxies[0]: "10.1.2.3/8" has bits behind the prefix: write 10.0.0.0/8`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

// TestManyProblems: of many problems the first ones are reported, and the number of the others.
func TestManyProblems(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	var text strings.Builder
	text.WriteString("upstreams:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, " - {name: a%d, url: x}\n", i)
	}
	text.WriteString("virtual_hosts:\n - policy: cors.yaml\n   routes:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "    - {path: /%d/, upstream: b%d}\n", i, i)
	}
	_, err := gatewayfile.Read(write(t, dir, text.String()), gatewayfile.Gateway)
	var invalid *gatewayfile.Error
	if !errors.As(err, &invalid) || len(invalid.Problems) != 101 || invalid.Problems[100].Message != "and 1900 more problems" || !strings.Contains(invalid.Summary(), "2000 problems") {
		t.Errorf("%.2000v", err)
	}
}

// TestTooLarge: a file that is too large is refused as a whole, also a binary one, whose beginning may be valid.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	g := &corsrpcv1.Gateway{
		Upstreams:    []*corsrpcv1.Upstream{{Name: "a", Url: "h2c://a"}},
		VirtualHosts: []*corsrpcv1.VirtualHost{{Policy: "cors.yaml", Routes: []*corsrpcv1.Route{{Upstream: "a"}}}},
	}
	for len(g.GetTrustedProxies()) < 110_000 {
		g.TrustedProxies = append(g.TrustedProxies, "10.1.2.3")
	}
	binary, err := proto.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"g.binpb": string(binary), "g.yaml": valid + strings.Repeat("#\n", 1<<19)} {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := gatewayfile.Read(name, gatewayfile.Gateway); err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoFollowUps: what a mistake in the text hides is not reported as missing.
func TestNoFollowUps(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	for _, text := range []string{
		"static_resources: {}\n",
		"later\n",
		"upstreams: {a: {url: 'h2c://a'}}\nvirtual_hosts: [{policy: cors.yaml, routes: [{upstream: a}]}]\n",
		"upstreams: [{id: a, url: 'h2c://a'}]\nvirtual_hosts: [{policy: cors.yaml, routes: [{upstream: a}]}]\n",
		"upstreams: [{name: a, url: 'h2c://a'}]\nvirtual_hosts: [{cors: cors.yaml, routes: [{upstream: a}]}]\n",
		"upstreams: [{name: a, url: 'h2c://a'}]\nvirtual_hosts: [{policy: cors.yaml, routes: [a]}]\n",
		"upstreams: [{name: a, url: 'h2c://a'}, {name: b, url: 'h2c://b'}]\nvirtual_hosts: [{policy: cors.yaml, routes: [{upstream: a}, {path: /x, backend: b}]}]\n",
		"upstreams: [{name: a, url: 'h2c://a'}, {name: bcd, url: 'h2c://b'}]\nvirtual_hosts: [{policy: cors.yaml, routes: [{upstream: a}, {path: /x, upstream: bce}]}]\n",
		"upstreams: [{name: a, url: 'a', tls: {}}]\nvirtual_hosts: [{policy: cors.yaml, routes: [{upstream: a}]}]\n",
	} {
		_, err := gatewayfile.Read(write(t, dir, text), gatewayfile.Gateway)
		var invalid *gatewayfile.Error
		if !errors.As(err, &invalid) || len(invalid.Problems) != 1 {
			t.Errorf("%s\n%s", text, problems(err))
		}
	}
}
