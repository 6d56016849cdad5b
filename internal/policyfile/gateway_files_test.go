package policyfile_test

import (
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// sameGateway holds one gateway file in several formats.
var sameGateway = map[string]string{
	"gateway.yaml": `listen: {address: ":8443", tls: {certificate: tls.crt, key: tls.key}}
internal: {address: "127.0.0.1:9901", hosts: [cors.internal.example], pprof: true}
upstreams:
  - name: api
    url: grpcs://api.internal:9090
    tls: {ca: ca.pem}
    reflect: true
    response_timeout: 0s
    max_response_header_bytes: 65536
virtual_hosts:
  - policy: cors.yaml
    hosts: [api.example.com, "*.example.com"]
    routes:
      - {service: acme.v1.*, upstream: api, response_timeout: 0.5s}
      - {path: /static/, strip_prefix: /static, upstream: api}
trusted_proxies: [10.0.0.0/8, "fd00::/8"]
limits: {max_connections: 10000, max_body_bytes: 9007199254740993}
access_log: {file: "-"}
drain: {delay: 5s}
`,
	"gateway.json": `{"listen": {"address": ":8443", "tls": {"certificate": "tls.crt", "key": "tls.key"}},
"internal": {"address": "127.0.0.1:9901", "hosts": ["cors.internal.example"], "pprof": true},
"upstreams": [{"name": "api", "url": "grpcs://api.internal:9090", "tls": {"ca": "ca.pem"}, "reflect": true, "responseTimeout": "0s", "maxResponseHeaderBytes": 65536}],
"virtualHosts": [{"policy": "cors.yaml", "hosts": ["api.example.com", "*.example.com"], "routes": [
{"service": "acme.v1.*", "upstream": "api", "response_timeout": "0.5s"}, {"path": "/static/", "stripPrefix": "/static", "upstream": "api"}]}],
"trusted_proxies": ["10.0.0.0/8", "fd00::/8"], "limits": {"maxConnections": 10000, "maxBodyBytes": 9007199254740993}, "accessLog": {"file": "-"}, "drain": {"delay": "5s"}}`,
	"gateway.textproto": `listen { address: ":8443" tls { certificate: "tls.crt" key: "tls.key" } }
internal { address: "127.0.0.1:9901" hosts: "cors.internal.example" pprof: true }
upstreams { name: "api" url: "grpcs://api.internal:9090" tls { ca: "ca.pem" } reflect: true response_timeout {} max_response_header_bytes: 65536 }
virtual_hosts { policy: "cors.yaml" hosts: ["api.example.com", "*.example.com"]
routes { service: "acme.v1.*" upstream: "api" response_timeout { nanos: 500000000 } } routes { path: "/static/" strip_prefix: "/static" upstream: "api" } }
trusted_proxies: ["10.0.0.0/8", "fd00::/8"] limits { max_connections: 10000 max_body_bytes: 9007199254740993 } access_log { file: "-" } drain { delay { seconds: 5 } }`,
}

func TestFormatsOfGatewayFilesAreEquivalent(t *testing.T) {
	t.Parallel()
	var want corsrpcv1.Gateway
	if err := prototext.Unmarshal([]byte(sameGateway["gateway.textproto"]), &want); err != nil {
		t.Fatal(err)
	}
	binary, err := proto.Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"a.binpb": string(binary), "crlf.yaml": strings.ReplaceAll(sameGateway["gateway.yaml"], "\n", "\r\n")}
	for name, text := range sameGateway {
		texts[name] = text
	}
	for name, text := range texts {
		var got corsrpcv1.Gateway
		if f := policyfile.Parse(name, []byte(text), &got, limit); len(f.Problems) > 0 || !proto.Equal(&got, &want) {
			t.Errorf("%s: %+v\n%v", name, f.Problems, &got)
		}
	}
}

func TestPositionsOfGatewayFiles(t *testing.T) {
	t.Parallel()
	f := policyfile.Parse("gateway.yaml", []byte(sameGateway["gateway.yaml"]), &corsrpcv1.Gateway{}, limit)
	for field, want := range map[string]policyfile.Position{
		"listen.tls.key": {1, 61}, "upstreams[0]": {4, 5}, "upstreams[0].tls.ca": {6, 15}, "virtual_hosts[0].hosts[1]": {12, 30},
		"virtual_hosts[0].routes[1].strip_prefix": {15, 40}, "trusted_proxies[1]": {16, 31}, "limits.max_body_bytes": {17, 50},
	} {
		if got, ok := f.Position(field); !ok || got != want {
			t.Errorf("%s at %v %v, want %v", field, got, ok, want)
		}
	}
}

// FuzzParseGateway: Parse does not panic on a gateway file, the position of each problem is within the text, and
// a file without problems is equal to what is parsed from its JSON form.
func FuzzParseGateway(f *testing.F) {
	for name, text := range sameGateway {
		f.Add(name, text)
	}
	names, err := filepath.Glob(corpora[2].dir + "/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		f.Add(filepath.Base(name), string(readFile(f, name)))
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		if len(text) > 1<<16 {
			return
		}
		var gateway corsrpcv1.Gateway
		file := policyfile.Parse(name, []byte(text), &gateway, 1<<16)
		for _, p := range file.Problems {
			if p.Pos.Line > len(text)+1 || p.Pos.Column > len(text)+2 || p.Code == "" || p.Reason == "" || strings.Contains(p.Reason, "{policy}") {
				t.Errorf("%+v", p)
			}
		}
		if len(file.Problems) > 0 {
			return
		}
		again, err := protojson.Marshal(&gateway)
		if err != nil {
			return // text that is not UTF-8 in a binary, or a duration that JSON cannot express
		}
		var second corsrpcv1.Gateway
		f := policyfile.Parse("again.json", again, &second, 1<<20)
		if onlyInText(f) || strings.Contains(string(again), "Bytes") {
			return // protojson writes numbers of 64 bits as strings
		}
		if len(f.Problems) > 0 || !proto.Equal(&gateway, &second) {
			t.Errorf("%s\nread again: %+v\n%v\n%v", again, f.Problems, &gateway, &second)
		}
	})
}
