package gatewayfile

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// Flags are the flags that describe a gateway.
type Flags struct {
	// Config is the gateway file; empty if the other flags describe the gateway.
	Config string

	set      *flag.FlagSet
	clientCA string
	hosts    input.List

	policy, profile, upstream                      string
	reflect, pprof                                 bool
	descriptors, prefixes, proxies, sources, query input.List
	listen, internal, certificate, key             string
	upstreamCA, upstreamCertificate, upstreamKey   string
	upstreamServerName, accessLog                  string
	responseTimeout                                time.Duration
	drainDelay, drainTimeout                       time.Duration
	maxConnections                                 int
	maxBodyBytes                                   int64
}

// Register registers the flags.
func (f *Flags) Register(flags *flag.FlagSet) {
	f.set = flags
	flags.StringVar(&f.Config, "config", "", "gateway `FILE`, instead of the other flags but --log")
	flags.StringVar(&f.policy, "policy", "", "policy `FILE`")
	flags.StringVar(&f.profile, "profile", "", "`NAME` of the policy's profile (default: that of CORSRPC_PROFILE)")
	flags.Var(&f.prefixes, "path-prefix", "`PATH` below which procedures are served too, such as /api (repeatable)")
	flags.StringVar(&f.upstream, "upstream", "", "`URL` of the server, such as grpc://127.0.0.1:9090")
	flags.BoolVar(&f.reflect, "reflect", false, "read the schema from the server, by gRPC server reflection")
	flags.Var(&f.descriptors, "descriptors", "`FILE` with the schema: a FileDescriptorSet or an image of buf build (repeatable)")
	flags.StringVar(&f.upstreamCA, "upstream-ca", "", "`FILE` in PEM form with the authorities of the server's certificate, instead of those of the system")
	flags.StringVar(&f.upstreamCertificate, "upstream-cert", "", "`FILE` in PEM form with the client certificate for the server")
	flags.StringVar(&f.upstreamKey, "upstream-key", "", "`FILE` in PEM form with the key of that certificate")
	flags.StringVar(&f.upstreamServerName, "upstream-server-name", "", "`NAME` that the server's certificate is for, instead of the URL's host")
	flags.DurationVar(&f.responseTimeout, "response-timeout", time.Minute, "`DURATION` that the server may take to begin its response; 0s is not a bound (not for streams, and calls with a deadline)")
	flags.StringVar(&f.listen, "listen", ":8080", "`ADDRESS` of the public port")
	flags.StringVar(&f.certificate, "tls-cert", "", "`FILE` in PEM form with the certificate of the public port")
	flags.StringVar(&f.key, "tls-key", "", "`FILE` in PEM form with the key of that certificate")
	flags.StringVar(&f.clientCA, "tls-client-ca", "", "`FILE` in PEM form with the authorities of client certificates, which clients then have to have")
	flags.Var(&f.hosts, "internal-host", "`NAME` under which the inspector answers, besides localhost and IP addresses (repeatable)")
	flags.StringVar(&f.internal, "internal", "127.0.0.1:9901", "`ADDRESS` of the internal port: /livez, /readyz, /metrics, /inspect/")
	flags.BoolVar(&f.pprof, "pprof", false, "serve Go's profiles on the internal port")
	flags.Var(&f.proxies, "trusted-proxy", "`PREFIX` of the addresses of proxies in front, which is believed what it tells of the client (repeatable)")
	flags.Var(&f.sources, "origins", "`NAME=URL` of an origin source: postgres://... or sqlite:FILE (repeatable)")
	flags.Var(&f.query, "origins-query", "`NAME=SQL`: the query of an origin source (default: SELECT origin FROM NAME)")
	flags.StringVar(&f.accessLog, "access-log", "", "`FILE` for a line of JSON for each request; - is the standard output")
	flags.DurationVar(&f.drainDelay, "drain-delay", 5*time.Second, "`DURATION` that the gateway serves on after SIGTERM, until load balancers have noticed")
	flags.DurationVar(&f.drainTimeout, "drain-timeout", 0, "`DURATION` to wait for calls after that; 0s waits as long as they take")
	flags.IntVar(&f.maxConnections, "max-connections", 0, "`N` client connections at most at the same time; 0 is not a bound")
	flags.Int64Var(&f.maxBodyBytes, "max-body-bytes", 0, "`N` bytes of a request's body at most, with all messages of a stream; 0 is not a bound")
}

// File returns the configuration: of the gateway file, or of the flags.
func (f *Flags) File() (*File, error) {
	if f.Config != "" {
		var others []string
		f.set.Visit(func(given *flag.Flag) {
			if given.Name != "config" && given.Name != "log" {
				others = append(others, "--"+given.Name)
			}
		})
		if len(others) > 0 {
			return nil, fmt.Errorf("--config does not go with %s: write their values into the gateway file", strings.Join(others, ", "))
		}
		return Read(f.Config)
	}
	switch {
	case f.policy == "" && f.upstream == "":
		return nil, errors.New("name a policy and a server: --policy cors.yaml --upstream grpc://127.0.0.1:9090, or a gateway file: --config gateway.yaml")
	case f.maxConnections < 0 || f.maxConnections > 1<<30:
		return nil, fmt.Errorf("--max-connections %d: write a number from 1 on, or 0 for no bound", f.maxConnections)
	}
	upstream := &corsrpcv1.Upstream{Name: "server", Url: f.upstream, Reflect: f.reflect, Descriptors: f.descriptors, ResponseTimeout: durationpb.New(f.responseTimeout)}
	if f.upstreamCA+f.upstreamCertificate+f.upstreamKey+f.upstreamServerName != "" {
		upstream.Tls = &corsrpcv1.ClientTLS{Ca: f.upstreamCA, Certificate: f.upstreamCertificate, Key: f.upstreamKey, ServerName: f.upstreamServerName}
	}
	g := &corsrpcv1.Gateway{
		Listen:    &corsrpcv1.Listener{Address: f.listen},
		Internal:  &corsrpcv1.InternalListener{Address: f.internal, Pprof: f.pprof, Hosts: f.hosts},
		Upstreams: []*corsrpcv1.Upstream{upstream},
		VirtualHosts: []*corsrpcv1.VirtualHost{{
			Policy: f.policy, Profile: f.profile, PathPrefixes: f.prefixes, Routes: []*corsrpcv1.Route{{Upstream: "server"}},
		}},
		TrustedProxies: f.proxies,
		Limits:         &corsrpcv1.Limits{MaxConnections: int32(f.maxConnections), MaxBodyBytes: f.maxBodyBytes},
		Drain:          &corsrpcv1.Drain{Delay: durationpb.New(f.drainDelay), Timeout: durationpb.New(f.drainTimeout)},
	}
	if f.certificate+f.key+f.clientCA != "" {
		g.Listen.Tls = &corsrpcv1.ServerTLS{Certificate: f.certificate, Key: f.key, ClientCa: f.clientCA}
	}
	if f.accessLog != "" {
		g.AccessLog = &corsrpcv1.AccessLog{File: f.accessLog}
	}
	queries := map[string]string{}
	for _, pair := range f.query {
		name, sql, ok := strings.Cut(pair, "=")
		if _, twice := queries[name]; !ok || sql == "" || twice {
			return nil, fmt.Errorf("--origins-query %q: write NAME=SQL, once for each origin source", pair)
		}
		queries[name] = sql
	}
	for _, pair := range f.sources {
		name, url, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, errors.New("--origins: write NAME=URL, such as tenants=postgres://user@host:5432/database")
		}
		g.OriginSources = append(g.OriginSources, &corsrpcv1.OriginSource{Name: name, Url: url, Query: queries[name]})
		delete(queries, name)
	}
	for name := range queries {
		return nil, fmt.Errorf("--origins-query %s=...: there is not an origin source with this name: write --origins %[1]s=URL too", name)
	}
	return fromFlags(g)
}
