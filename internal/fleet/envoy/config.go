package envoy

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"text/template"
	"time"
)

// Listener is the name of the listener of a Config, for Envoy.Addr.
const Listener = "public"

// Config describes an Envoy with one listener, whose routes lead to one upstream. HTTP filters
// are in this order: Before, the processor, After, grpc_web, connect_grpc_bridge, jwt_authn, ext_authz,
// local_ratelimit, Behind, router.
type Config struct {
	// Host is the IP address that the listener binds. The default is 127.0.0.1.
	Host string
	// Port is the port of the listener. 0, the default, lets the system choose one.
	Port int
	// TLS holds the listener's certificate. It is nil for plain text. HTTP/1.1 and HTTP/2 are served
	// either way.
	TLS *TLS
	// Upstream is the host:port that requests go to.
	Upstream string
	// UpstreamHTTP1 has the upstream spoken to in HTTP/1.1, instead of HTTP/2 in plain text.
	UpstreamHTTP1 bool
	// Processor is the external processor. Without one, nil, the filter is left out.
	Processor *Processor

	// GRPCWeb adds the filter grpc_web.
	GRPCWeb bool
	// ConnectBridge adds the filter connect_grpc_bridge.
	ConnectBridge bool
	// JWKS is a JSON Web Key Set. If it is not "", jwt_authn requires a token of it, of the issuer "test",
	// from every request.
	JWKS string
	// Authorization is the host:port of an HTTP server that ext_authz asks about every request. "" leaves
	// the filter out.
	Authorization string
	// RateLimit is the number of requests that local_ratelimit lets through in an hour. 0 leaves the filter
	// out.
	RateLimit int

	// Before, After and Behind are further HTTP filters, each one in YAML: to the left of the
	// processor, just to its right, and just before the router.
	Before, After, Behind []string
	// Clusters are further clusters, each one in YAML.
	Clusters []string
	// VirtualHost and Route are further fields of the only virtual host and of its route, in YAML.
	VirtualHost, Route string
	// Routes are routes before the one for all paths, each one in YAML. Its cluster is "upstream".
	Routes []string
	// Manager is further fields of the HTTP connection manager, in YAML, such as those that normalize
	// paths.
	Manager string
	// Upgrades are the values of Upgrade that are let through, such as "websocket" and "CONNECT".
	Upgrades []string
}

// TLS is a certificate.
type TLS struct {
	// Certificate and Key are paths of PEM files.
	Certificate, Key string
}

// Processor is an external processor and the settings of the filter that asks it.
type Processor struct {
	// Socket is the path of a Unix socket. It or Addresses is set.
	Socket string
	// Addresses are IP:port pairs of TCP, among which Envoy chooses.
	Addresses []string
	// FailOpen is the field failure_mode_allow: a request goes on if the processor fails. The default is
	// false, as in Envoy.
	FailOpen bool
	// Timeout is the time that the processor has for each message. The default is 10s, since Envoy's
	// own, 200ms, is too short for loaded test machines.
	Timeout time.Duration
	// AllowOverride lets the processor change what it is sent of one request.
	AllowOverride bool
	// RequestHeadersOnly leaves the headers of answers unsent.
	RequestHeadersOnly bool
	// Service is further fields of the filter's grpc_service, in YAML, such as initial_metadata.
	Service string
	// Fields are further fields of the filter, in YAML.
	Fields string
	// Cluster is further fields of the processor's cluster, in YAML, such as health checks.
	Cluster string
}

//go:embed config.yaml.tmpl
var configText string

var configTemplate = template.Must(template.New("config").Funcs(template.FuncMap{
	"quote":  quote,
	"indent": indent,
	"host": func(address string) (string, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return "", err
		}
		return quote(host)
	},
	"port": func(address string) (string, error) {
		_, port, err := net.SplitHostPort(address)
		return port, err
	},
	"seconds": func(d time.Duration) string {
		return fmt.Sprintf("%.3fs", d.Seconds())
	},
}).Parse(configText))

// YAML returns the configuration of Envoy.
func (c Config) YAML(t testing.TB) string {
	t.Helper()
	if c.Host == "" {
		c.Host = "127.0.0.1"
	}
	if c.Processor != nil && c.Processor.Timeout == 0 {
		p := *c.Processor
		p.Timeout = 10 * time.Second
		c.Processor = &p
	}
	var b strings.Builder
	if err := configTemplate.Execute(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// quote returns a string in JSON, which is YAML as well.
func quote(s string) (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}

// indent indents all lines but the first one by n spaces.
func indent(n int, s string) string {
	return strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n"+strings.Repeat(" ", n))
}
