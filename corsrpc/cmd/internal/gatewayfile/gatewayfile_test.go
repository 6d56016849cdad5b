package gatewayfile_test

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gatewayfile"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// folder returns a folder with a policy, a certificate and a schema, which are not read.
func folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"cors.yaml", "tls.crt", "tls.key", "ca.pem", "image.binpb", "tenants.db"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func write(t testing.TB, dir, text string) string {
	t.Helper()
	name := filepath.Join(dir, "gateway.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// valid is a gateway file with every field. Each case of TestProblems changes a part of it.
const valid = `listen:
  address: ":8443"
  tls: {certificate: tls.crt, key: tls.key, client_ca: ca.pem}
internal: {address: "127.0.0.1:9901", hosts: [cors.internal.example], pprof: true}
upstreams:
  - name: catalog
    url: grpcs://catalog.internal:9090
    tls: {ca: ca.pem, certificate: tls.crt, key: tls.key, server_name: catalog.example}
    reflect: true
    descriptors: [image.binpb]
    connect_timeout: 2s
    response_timeout: 0s
    max_response_header_bytes: 4096
  - {name: web, url: "http://[::1]:3000"}
virtual_hosts:
  - name: api
    hosts: [api.example.com, "*.api.example.com"]
    policy: cors.yaml
    profile: prod
    path_prefixes: [/rpc]
    routes:
      - {service: acme.catalog.v1.*, upstream: catalog}
      - {service: acme.catalog.v1.CatalogService, strip_prefix: /api, upstream: catalog, response_timeout: 10s}
      - {path: /static/, upstream: web}
      - {upstream: web}
  - {name: rest, policy: cors.yaml, routes: [{upstream: web}]}
origin_sources:
  - {name: tenants, url: "postgres://corsrpc:${PASSWORD}@db.internal/app", query: SELECT origin FROM tenants, every: 10s, notify_channel: tenants}
  - {name: more, url: "sqlite:tenants.db"}
trusted_proxies: [10.0.0.0/8, "fd00::/8", 192.0.2.1]
limits: {max_connections: 10000, max_streams: 100, max_header_bytes: 8192, max_body_bytes: 1000000, header_timeout: 5s, idle_timeout: 60s}
access_log: {file: "-"}
drain: {delay: 1s, timeout: 600s}
`

// TestRead: the defaults are filled in, and names of files are relative to the folder of the file.
func TestRead(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	f, err := gatewayfile.Read(write(t, dir, valid), gatewayfile.Gateway)
	if err != nil {
		t.Fatal(problems(err))
	}
	g := f.Gateway
	if got := g.GetVirtualHosts()[0].GetPolicy(); got != filepath.Join(dir, "cors.yaml") {
		t.Errorf("policy %s", got)
	}
	if got := g.GetOriginSources()[1].GetUrl(); got != "sqlite:"+filepath.Join(dir, "tenants.db") {
		t.Errorf("url %s", got)
	}
	if g.GetUpstreams()[0].GetResponseTimeout().AsDuration() != 0 || g.GetUpstreams()[1].GetResponseTimeout().AsDuration().Seconds() != 60 {
		t.Errorf("%v", g.GetUpstreams())
	}
	if g.GetAccessLog().GetFile() != "-" {
		t.Errorf("access log %s", g.GetAccessLog().GetFile())
	}
	f, err = gatewayfile.Read(write(t, dir, strings.Replace(valid, "sqlite:tenants.db", "sqlite:${DIR}/tenants.db", 1)), gatewayfile.Gateway)
	if err != nil || f.Gateway.GetOriginSources()[1].GetUrl() != "sqlite:${DIR}/tenants.db" {
		t.Errorf("with a variable, which may hold an absolute name: %v", err)
	}
	f, err = gatewayfile.Read(write(t, dir, "upstreams: [{name: a, url: 'h2c://a'}]\nvirtual_hosts: [{policy: cors.yaml, routes: [{upstream: a}]}]\n"), gatewayfile.Gateway)
	if err != nil {
		t.Fatal(problems(err))
	}
	g = f.Gateway
	if g.GetListen().GetAddress() != ":8080" || g.GetInternal().GetAddress() != "127.0.0.1:9901" || g.GetVirtualHosts()[0].GetName() != "default" ||
		g.GetLimits().GetMaxHeaderBytes() != 65536 || g.GetDrain().GetDelay().AsDuration().Seconds() != 5 || g.GetAccessLog() != nil {
		t.Errorf("defaults: %v", g)
	}
}

func problems(err error) string {
	var invalid *gatewayfile.Error
	if !errors.As(err, &invalid) {
		return err.Error()
	}
	var b strings.Builder
	_ = (&report.Report{Problems: invalid.Problems, Texts: map[string][]byte{invalid.Name: invalid.Text}}).WriteText(&b)
	return b.String()
}

// TestProblems: each mistake is reported at its place with its code, and alone.
func TestProblems(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	tests := []struct{ old, replacement, field, code, fix string }{
		{`":8443"`, `"8443"`, "listen.address", "ADDRESS", `write ":8443"`},
		{`":8443"`, `"localhost"`, "listen.address", "ADDRESS", ""},
		{`":8443"`, `":65536"`, "listen.address", "ADDRESS", ""},
		{`":8443"`, `"a_b c:80"`, "listen.address", "ADDRESS", ""},
		{`":8443"`, `"127.0.0.1:9901"`, "internal.address", "DUPLICATE", ""},
		{"certificate: tls.crt, key: tls.key, client_ca", "certificate: tls.crt, client_ca", "listen.tls.key", "FIELD_MISSING", ""},
		{"client_ca: ca.pem", "client_ca: nothing.pem", "listen.tls.client_ca", "FILE_MISSING", ""},
		{"client_ca: ca.pem", "client_ca: .", "listen.tls.client_ca", "FILE_MISSING", ""},
		{"cors.internal.example", `"http://cors.internal.example:9901"`, "internal.hosts[0]", "HOST", `write "cors.internal.example"`},
		{"name: catalog\n", "name: catalog service\n", "upstreams[0].name", "NAME", "write catalog-service"},
		{"{name: web,", "{name: catalog,", "upstreams[1].name", "DUPLICATE", ""},
		{"grpcs://catalog.internal:9090", "catalog.internal:9090", "upstreams[0].url", "URL", "write grpc://catalog.internal:9090 for a gRPC server, or http://catalog.internal:9090"},
		{"grpcs://catalog.internal:9090", "ftp://catalog.internal:9090", "upstreams[0].url", "URL", ""},
		{"grpcs://catalog.internal:9090", "grpcs://catalog.internal:0", "upstreams[0].url", "URL", ""},
		{"grpcs://catalog.internal:9090", "grpcs://catalog.internal:9090/api", "upstreams[0].url", "URL", "write grpcs://catalog.internal:9090"},
		{"grpcs://catalog.internal:9090", "grpcs://user:secret@catalog.internal:9090", "upstreams[0].url", "URL", "write grpcs://catalog.internal:9090"},
		{"grpcs://catalog.internal:9090", "grpcs://catalog_!.internal:9090", "upstreams[0].url", "URL", ""},
		{"grpcs://catalog.internal:9090", "grpc://catalog.internal:9090", "upstreams[0].tls", "FIELD_MISPLACED", ""},
		{"certificate: tls.crt, key: tls.key, server_name", "key: tls.key, server_name", "upstreams[0].tls.certificate", "FIELD_MISSING", ""},
		{"server_name: catalog.example", "server_name: 'a b'", "upstreams[0].tls.server_name", "HOST", ""},
		{"[image.binpb]", "[image.json]", "upstreams[0].descriptors[0]", "FILE_MISSING", ""},
		{"connect_timeout: 2s", "connect_timeout: 0s", "upstreams[0].connect_timeout", "RANGE", ""},
		{"response_timeout: 0s", "response_timeout: -1s", "upstreams[0].response_timeout", "RANGE", ""},
		{"response_timeout: 0s", "response_timeout: 99999999s", "upstreams[0].response_timeout", "RANGE", ""},
		{"max_response_header_bytes: 4096", "max_response_header_bytes: 10", "upstreams[0].max_response_header_bytes", "RANGE", ""},
		{"  - {name: web, url", "  - {name: spare, url: 'http://spare'}\n  - {name: web, url", "upstreams[1].name", "UPSTREAM_UNUSED", ""},
		{"name: api\n", "profile: x\n", "virtual_hosts[0].profile", "DUPLICATE_KEY", ""},
		{"{name: rest, policy", "{policy", "virtual_hosts[1].name", "FIELD_MISSING", ""},
		{"{name: rest, policy", "{name: api, policy", "virtual_hosts[1].name", "DUPLICATE", ""},
		{"[api.example.com, ", "[API.example.com, ", "virtual_hosts[0].hosts[0]", "HOST", `write "api.example.com"`},
		{"[api.example.com, ", "['api.example.com:443', ", "virtual_hosts[0].hosts[0]", "HOST", `write "api.example.com"`},
		{"[api.example.com, ", "['api.example.com.', ", "virtual_hosts[0].hosts[0]", "HOST", `write "api.example.com"`},
		{"[api.example.com, ", "['*', ", "virtual_hosts[0].hosts[0]", "HOST", ""},
		{"[api.example.com, ", "['api.*.example.com', ", "virtual_hosts[0].hosts[0]", "HOST", ""},
		{"[api.example.com, ", "['300.1.2.3', ", "virtual_hosts[0].hosts[0]", "HOST", ""},
		{"[api.example.com, ", "['[::1]:80', ", "virtual_hosts[0].hosts[0]", "HOST", `write "::1"`},
		{"[api.example.com, ", "['*.api.example.com', ", "virtual_hosts[0].hosts[1]", "DUPLICATE", ""},
		{"    hosts: [api.example.com, \"*.api.example.com\"]\n", "", "virtual_hosts[1].hosts", "DUPLICATE", ""},
		{"policy: cors.yaml\n    profile", "profile", "virtual_hosts[0].policy", "FIELD_MISSING", ""},
		{"[/rpc]", "[rpc/]", "virtual_hosts[0].path_prefixes[0]", "PATH", "write /rpc"},
		{"[/rpc]", "['/']", "virtual_hosts[0].path_prefixes[0]", "PATH", ""},
		{"[/rpc]", "['/a/../b']", "virtual_hosts[0].path_prefixes[0]", "PATH", ""},
		{"strip_prefix: /api", "strip_prefix: /api/", "virtual_hosts[0].routes[1].strip_prefix", "PATH", "write /api"},
		{"{service: acme.catalog.v1.*, upstream", "{service: /acme.catalog.v1.CatalogService/Get, upstream", "virtual_hosts[0].routes[0].service", "SELECTOR", "write acme.catalog.v1.CatalogService.Get"},
		{"{service: acme.catalog.v1.*, upstream", "{service: acme.*.v1, upstream", "virtual_hosts[0].routes[0].service", "SELECTOR", ""},
		{"{path: /static/,", "{path: /static/*,", "virtual_hosts[0].routes[2].path", "PATH", ""},
		{"{path: /static/,", "{path: /static%2f,", "virtual_hosts[0].routes[2].path", "PATH", ""},
		{"{path: /static/,", "{path: /static/, strip_prefix: /files,", "virtual_hosts[0].routes[2].path", "PATH", "write /files/static/"},
		{"{path: /static/,", "{path: /static/, service: acme.v1.S,", "virtual_hosts[0].routes[2]", "FIELD_MISPLACED", ""},
		{"      - {upstream: web}\n", "      - {upstream: web}\n      - {upstream: web}\n", "virtual_hosts[0].routes[4]", "DUPLICATE", ""},
		{"{path: /static/, upstream: web}", "{path: /static/, upstream: wbe}", "virtual_hosts[0].routes[2].upstream", "UPSTREAM_UNKNOWN", "write web"},
		{"{path: /static/, upstream: web}", "{path: /static/}", "virtual_hosts[0].routes[2].upstream", "FIELD_MISSING", ""},
		{"name: tenants,", "name: 'ten ants',", "origin_sources[0].name", "NAME", "write ten-ants"},
		{"name: tenants,", "name: 1tenants,", "origin_sources[0].name", "NAME", ""},
		{"${PASSWORD}", "${PASSWORD", "origin_sources[0].url", "ORIGIN_SOURCE", ""},
		{"postgres://corsrpc", "mysql://corsrpc", "origin_sources[0].url", "ORIGIN_SOURCE", ""},
		{"sqlite:tenants.db", "sqlite://tenants.db", "origin_sources[1].url", "ORIGIN_SOURCE", "write sqlite:tenants.db"},
		{"sqlite:tenants.db", "sqlite:nothing.db", "origin_sources[1].url", "FILE_MISSING", ""},
		{`"sqlite:tenants.db"`, `"sqlite:tenants.db", notify_channel: x`, "origin_sources[1].notify_channel", "FIELD_MISPLACED", ""},
		{"every: 10s", "every: 0s", "origin_sources[0].every", "RANGE", ""},
		{"10.0.0.0/8", "0.0.0.0/0", "trusted_proxies[0]", "TRUSTED_PROXY", ""},
		{"10.0.0.0/8", "'::/0'", "trusted_proxies[0]", "TRUSTED_PROXY", ""},
		{"10.0.0.0/8", "10.1.2.3/8", "trusted_proxies[0]", "TRUSTED_PROXY", "write 10.0.0.0/8"},
		{"10.0.0.0/8", "proxy.internal", "trusted_proxies[0]", "TRUSTED_PROXY", ""},
		{"10.0.0.0/8", "'::ffff:10.1.2.3'", "trusted_proxies[0]", "TRUSTED_PROXY", "write 10.1.2.3"},
		{"max_header_bytes: 8192", "max_header_bytes: 1", "limits.max_header_bytes", "RANGE", ""},
		{"max_connections: 10000", "max_connections: -1", "limits.max_connections", "RANGE", ""},
		{"idle_timeout: 60s", "idle_timeout: 1ms", "limits.idle_timeout", "WRONG_TYPE", ""},
		{`access_log: {file: "-"}`, `access_log: {}`, "access_log.file", "FIELD_MISSING", ""},
		{"delay: 1s", "delay: -1s", "drain.delay", "RANGE", ""},

		{`":8443"`, `"http://:8443"`, "listen.address", "ADDRESS", `write ":8443"`},
		{`":8443"`, `"127.0.0.1"`, "listen.address", "ADDRESS", `write "127.0.0.1:8080"`},
		{`":8443"`, `"::1"`, "listen.address", "ADDRESS", `write "[::1]:8080"`},
		{`":8443"`, `"*:8443"`, "listen.address", "ADDRESS", `write ":8443"`},
		{`":8443"`, `"[::]:9901"`, "internal.address", "DUPLICATE", ""},
		{`":8443"`, `"localhost:9901"`, "internal.address", "DUPLICATE", ""},
		{`internal: {address: "127.0.0.1:9901", hosts`, `internal: {hosts`, "", "", ""},
		{"address: \":8443\"\n", "address: \":9901\"\n", "internal.address", "DUPLICATE", ""},
		{"[cors.internal.example]", "['*.internal.example']", "internal.hosts[0]", "HOST", ""},
		{"[cors.internal.example]", "['*']", "internal.hosts[0]", "HOST", ""},
		{"client_ca: ca.pem", "client_ca: ca.pen", "listen.tls.client_ca", "FILE_MISSING", "write ca.pem"},
		{"grpcs://catalog.internal:9090", "GRPCS://catalog.internal:9090", "upstreams[0].url", "URL", "write grpcs://catalog.internal:9090"},
		{"grpcs://catalog.internal:9090", "grpc+tls://catalog.internal:9090", "upstreams[0].url", "URL", "write grpcs://catalog.internal:9090"},
		{"grpcs://catalog.internal:9090", "grpcs://catalog.internal:9090/", "upstreams[0].url", "URL", "write grpcs://catalog.internal:9090"},
		{"grpcs://catalog.internal:9090", "grpcs://catalog.internal:9090?x", "upstreams[0].url", "URL", "write grpcs://catalog.internal:9090"},
		{"grpcs://catalog.internal:9090", "grpcs://:9090", "upstreams[0].url", "URL", "write grpcs://127.0.0.1:9090"},
		{"grpcs://catalog.internal:9090", "grpcs://${HOST}:9090", "upstreams[0].url", "URL", ""},
		{"grpcs://catalog.internal:9090", "user:secret@catalog.internal:9090", "upstreams[0].url", "URL", ""},
		{"grpcs://catalog.internal:9090", "grpcs://catalog.internal.:9090", "", "", ""},
		{"grpcs://catalog.internal:9090", "grpcs://[::1]", "", "", ""},
		{"server_name: catalog.example", "server_name: 'https://catalog.example'", "upstreams[0].tls.server_name", "HOST", "write catalog.example"},
		{"[api.example.com, ", "['https://API.example.com:443/x', ", "virtual_hosts[0].hosts[0]", "HOST", `write "api.example.com"`},
		{"[api.example.com, ", "['bücher.example', ", "virtual_hosts[0].hosts[0]", "HOST", `write "xn--bcher-kva.example"`},
		{"[api.example.com, ", "['fe80::1%eth0', ", "virtual_hosts[0].hosts[0]", "HOST", ""},
		{"[api.example.com, ", "['[::1]', ", "virtual_hosts[0].hosts[0]", "HOST", `write "::1"`},
		{"[api.example.com, ", "['2001:DB8:0::1', ", "virtual_hosts[0].hosts[0]", "HOST", `write "2001:db8::1"`},
		{"[api.example.com, ", "['127.1', ", "virtual_hosts[0].hosts[0]", "HOST", ""},
		{"[api.example.com, ", "['*.10.1.2.3', ", "virtual_hosts[0].hosts[0]", "HOST", ""},
		{"[api.example.com, ", "['pr-*.example.com', ", "virtual_hosts[0].hosts[0]", "HOST", ""},
		{"[api.example.com, ", "['', ", "virtual_hosts[0].hosts[0]", "HOST", ""},
		{"[api.example.com, ", "['my_service', 'xn--bcher-kva.example', '10.1.2.3', '::1', '*.com', ", "", "", ""},
		{"policy: cors.yaml\n    profile", "policy: corse.yaml\n    profile", "virtual_hosts[0].policy", "FILE_MISSING", "write cors.yaml"},
		{"[/rpc]", "['/a!b']", "virtual_hosts[0].path_prefixes[0]", "PATH", ""},
		{"[/rpc]", "['/rpc/*']", "virtual_hosts[0].path_prefixes[0]", "PATH", "write /rpc"},
		{"[/rpc]", "['/a b']", "virtual_hosts[0].path_prefixes[0]", "PATH", ""},
		{"[/rpc]", "['//rpc']", "virtual_hosts[0].path_prefixes[0]", "PATH", "write /rpc"},
		{"{service: acme.catalog.v1.*, upstream", "{service: /static/x/y, upstream", "virtual_hosts[0].routes[0].service", "SELECTOR", `write path: "/static/x/y" in place of service`},
		{"{service: acme.catalog.v1.*, upstream", "{service: acme..v1, upstream", "virtual_hosts[0].routes[0].service", "SELECTOR", ""},
		{"{path: /static/,", "{path: static/,", "virtual_hosts[0].routes[2].path", "PATH", "write /static/"},
		{"{path: /static/,", "{path: /static/*,", "virtual_hosts[0].routes[2].path", "PATH", "write /static/"},
		{"{path: /static/,", "{path: '/static/?x=1',", "virtual_hosts[0].routes[2].path", "PATH", ""},
		{"{path: /static/,", "{path: /static/../x,", "virtual_hosts[0].routes[2].path", "PATH", ""},
		{"{path: /static/,", "{path: /static/.,", "virtual_hosts[0].routes[2].path", "PATH", ""},
		{"{path: /static/,", "{path: /a//b,", "virtual_hosts[0].routes[2].path", "PATH", ""},
		{"{path: /static/, upstream: web}", "{path: /static/, upstream: other}", "virtual_hosts[0].routes[2].upstream", "UPSTREAM_UNKNOWN", "write one of catalog, web"},
		{`"postgres://corsrpc:${PASSWORD}@db.internal/app"`, `"${DATABASE_URL}"`, "", "", ""},
		{"${PASSWORD}@db.internal", "${PASSWORD}@db.internal:${PORT}", "", "", ""},
		{"${PASSWORD}", "$PASSWORD", "origin_sources[0].url", "ORIGIN_SOURCE", ""},
		{"${PASSWORD}", "${PASSWORD:-secret}", "origin_sources[0].url", "ORIGIN_SOURCE", ""},
		{"${PASSWORD}@", "secret%@", "origin_sources[0].url", "ORIGIN_SOURCE", ""},
		{"postgres://corsrpc:${PASSWORD}@", "mysql://corsrpc:secret@", "origin_sources[0].url", "ORIGIN_SOURCE", ""},
		{"postgres://corsrpc:${PASSWORD}@db.internal/app", "mysql://db.internal/app?password=secret", "origin_sources[0].url", "ORIGIN_SOURCE", ""},
		{"postgres://corsrpc", "jdbc:postgresql://corsrpc", "origin_sources[0].url", "ORIGIN_SOURCE", "write postgresql://corsrpc:${PASSWORD}@db.internal/app"},
		{"sqlite:tenants.db", "sqlite3:tenants.db", "origin_sources[1].url", "ORIGIN_SOURCE", "write sqlite:tenants.db"},
		{"sqlite:tenants.db", "tenants.db", "origin_sources[1].url", "ORIGIN_SOURCE", "write sqlite:tenants.db"},
		{"sqlite:tenants.db", "sqlite:tenants.db?mode=ro", "origin_sources[1].url", "ORIGIN_SOURCE", "write sqlite:tenants.db"},
		{"sqlite:tenants.db", "sqlite:", "origin_sources[1].url", "ORIGIN_SOURCE", ""},
		{"sqlite:tenants.db", "sqlite:${DIR}/tenants.db", "", "", ""},
		{"notify_channel: tenants", `notify_channel: "a\nb"`, "origin_sources[0].notify_channel", "ORIGIN_SOURCE", ""},
		{"query: SELECT origin FROM tenants", `query: " "`, "origin_sources[0].query", "ORIGIN_SOURCE", ""},
		{"10.0.0.0/8", "128.0.0.0/1", "trusted_proxies[0]", "TRUSTED_PROXY", ""},
		{"10.0.0.0/8", "'2000::/3'", "trusted_proxies[0]", "TRUSTED_PROXY", ""},
		{"10.0.0.0/8", "'::ffff:0:0/96'", "trusted_proxies[0]", "TRUSTED_PROXY", ""},
		{"10.0.0.0/8", "'10.1.2.3:80'", "trusted_proxies[0]", "TRUSTED_PROXY", "write 10.1.2.3"},
		{"10.0.0.0/8", "'10.0.0.0/8, 192.168.0.0/16'", "trusted_proxies[0]", "TRUSTED_PROXY", ""},
		{`access_log: {file: "-"}`, `access_log: {file: stdout}`, "access_log.file", "FILE_MISSING", `write "-", or ./stdout for a file with this name`},
		{`access_log: {file: "-"}`, `access_log: {file: logs/access.log}`, "access_log.file", "FILE_MISSING", ""},
		{`access_log: {file: "-"}`, `access_log: {file: .}`, "access_log.file", "FILE_MISSING", "write access.log"},
	}
	applied := 0
	for _, test := range tests {
		t.Run(test.field+" "+test.replacement, func(t *testing.T) {
			text := strings.Replace(valid, test.old, test.replacement, 1)
			if text == valid {
				t.Fatal("the case changes nothing")
			}
			_, err := gatewayfile.Read(write(t, dir, text), gatewayfile.Gateway)
			if test.field == "" {
				if err != nil {
					t.Fatal(problems(err))
				}
				return
			}
			var invalid *gatewayfile.Error
			if !errors.As(err, &invalid) {
				t.Fatalf("%v", err)
			}
			if fixed, ok := withFix(text, test.replacement, invalid.Problems); ok {
				applied++
				var left *gatewayfile.Error
				if _, err := gatewayfile.Read(write(t, dir, fixed), gatewayfile.Gateway); errors.As(err, &left) && slices.ContainsFunc(left.Problems, func(p report.Problem) bool {
					return p.Field == invalid.Problems[0].Field && p.Code == invalid.Problems[0].Code
				}) {
					t.Errorf("with the fix of\n%s:\n%s", problems(invalid), problems(left))
				}
			}
			p := invalid.Problems[0]
			for _, q := range invalid.Problems {
				if q.Field == test.field {
					p = q
				}
			}
			if p.Field != test.field || p.Code != test.code || test.fix != "" && p.Fix != test.fix || p.Line == 0 {
				t.Errorf("want %s %s %q:\n%s", test.field, test.code, test.fix, problems(err))
			}
			if strings.Contains(problems(err)+err.Error(), "secret") {
				t.Errorf("the password is shown:\n%s\n%s", problems(err), err)
			}
		})
	}
	if applied < 40 {
		t.Errorf("%d fixes were applied, want at least 40", applied)
	}
}

// withFix writes the fix of a problem in place of the value that it is about. It is false if there are several
// problems, or if the fix is a description.
func withFix(text, part string, problems []report.Problem) (string, bool) {
	if len(problems) != 1 || problems[0].Value == "" || strings.Count(part, problems[0].Value) != 1 {
		return "", false
	}
	fix := strings.TrimPrefix(problems[0].Fix, "write ")
	for _, more := range []string{", or ", " for a gRPC server"} {
		fix, _, _ = strings.Cut(fix, more)
	}
	if quoted, err := strconv.Unquote(fix); err == nil {
		fix = quoted
	}
	if fix == "" || strings.Contains(fix, " ") || strings.Contains(problems[0].Fix, ":// for ") {
		return "", false
	}
	return strings.Replace(text, part, strings.Replace(part, problems[0].Value, fix, 1), 1), true
}

// TestFlags: flags describe the same as a file does, and their problems have the names of flags.
func TestFlags(t *testing.T) {
	t.Chdir(folder(t))
	tests := []struct{ args, want string }{
		{"--policy cors.yaml --upstream grpc://127.0.0.1:9090 --reflect", ""},
		{"--policy cors.yaml --upstream grpcs://a --upstream-ca ca.pem --upstream-cert tls.crt --upstream-key tls.key --tls-cert tls.crt --tls-key tls.key --tls-client-ca ca.pem", ""},
		{"--policy cors.yaml --upstream http://a --origins t=sqlite:tenants.db --origins-query t=x --trusted-proxy 10.0.0.0/8 --host api.example.com --host *.example.com --access-log - --path-prefix /api --pprof", ""},
		{"", "name a policy and a server"},
		{"--policy cors.yaml --upstream 127.0.0.1:9090", "--upstream"},
		{"--policy nothing.yaml --upstream http://a", "--policy"},
		{"--policy cors.yaml --upstream http://a --upstream-ca ca.pem", "--upstream-ca"},
		{"--policy cors.yaml --upstream http://a --tls-cert tls.crt", "--tls-key"},
		{"--policy cors.yaml --upstream http://a --trusted-proxy 0.0.0.0/0", "--trusted-proxy"},
		{"--policy cors.yaml --upstream http://a --origins t", "NAME=URL"},
		{"--policy cors.yaml --upstream http://a --origins-query t=x", "there is not an origin source"},
		{"--policy cors.yaml --upstream http://a --max-connections 4294967296", "--max-connections"},
		{"--policy cors.yaml --upstream http://a --max-body-bytes -1", "--max-body-bytes"},
		{"--policy cors.yaml --upstream http://a --drain-delay -1s", "--drain-delay"},
		{"--policy cors.yaml --upstream http://a --listen 8080", "--listen"},
		{"--policy cors.yaml", "--upstream"},
		{"--upstream http://a", "--policy"},
		{"--policy cors.yaml --upstream http://a --origins t=mysql://u:secret@db", "--origins"},
		{"--policy cors.yaml --upstream http://u:secret@a", "--upstream"},
		{"--policy cors.yaml --upstream http://a --origins t=sqlite:tenants.db --origins t=sqlite:tenants.db", "is the name in --origins too"},
		{"--policy cors.yaml --upstream http://a --origins t=sqlite:tenants.db --origins-query t=\u00a0", "--origins-query"},
		{"--policy cors.yaml --upstream http://a --descriptors nothing.binpb", "--descriptors"},
		{"--policy cors.yaml --upstream http://a --access-log none/access.log", "--access-log"},
		{"--policy cors.yaml --upstream http://a --path-prefix api/", "--path-prefix"},
		{"--policy cors.yaml --upstream http://a --host https://api.example.com", "--host"},
		{"--policy cors.yaml --upstream http://a --host *", "--host"},
		{"--policy cors.yaml --upstream http://a --internal :8080", "--internal"},
		{"--policy cors.yaml --upstream http://a --internal-host a:1", "--internal-host"},
		{"--policy cors.yaml --upstream https://a --upstream-server-name a/b", "--upstream-server-name"},
		{"--policy cors.yaml --upstream https://a --upstream-key tls.key", "--upstream-cert"},
		{"--config gateway.yaml --pprof", "--config does not go with --pprof"},
		{"--config nothing.yaml", "the gateway file"},
	}
	for _, test := range tests {
		set := flag.NewFlagSet("gateway", flag.ContinueOnError)
		set.SetOutput(io.Discard)
		f := &gatewayfile.Flags{}
		f.Register(set)
		if err := set.Parse(strings.Fields(test.args)); err != nil {
			t.Fatal(err)
		}
		file, err := f.File()
		switch {
		case test.want == "" && (err != nil || file.Gateway.GetVirtualHosts()[0].GetRoutes()[0].GetUpstream() != "server"):
			t.Errorf("%s: %s", test.args, problems(err))
		case test.want == "" && strings.Count(test.args, "--host ") != len(file.Gateway.GetVirtualHosts()[0].GetHosts()):
			t.Errorf("%s: the hosts are %q", test.args, file.Gateway.GetVirtualHosts()[0].GetHosts())
		case test.want != "" && (err == nil || !strings.Contains(problems(err), test.want)):
			t.Errorf("%s: %v, want %s", test.args, err, test.want)
		}
		for _, field := range []string{"upstreams[", "virtual_hosts[", "origin_sources[", "listen.", "of the gateway file", "secret"} {
			if err != nil && strings.Contains(problems(err)+err.Error(), field) {
				t.Errorf("%s: %s has %s", test.args, problems(err), field)
			}
		}
	}
}

// FuzzRead: a text is read or has problems with places.
func FuzzRead(f *testing.F) {
	f.Add(valid)
	f.Add("upstreams: [{name: a, url: 'h2c://a'}]\nvirtual_hosts: [{policy: cors.yaml, routes: [{upstream: a}]}]\n")
	f.Add("virtual_hosts: [{hosts: ['*.', '']}]\ntrusted_proxies: ['/']")
	dir := folder(f)
	f.Fuzz(func(t *testing.T, text string) {
		_, err := gatewayfile.Read(write(t, dir, text), gatewayfile.Gateway)
		var invalid *gatewayfile.Error
		if err != nil && (!errors.As(err, &invalid) || len(invalid.Problems) == 0) {
			t.Errorf("%v", err)
		}
	})
}
