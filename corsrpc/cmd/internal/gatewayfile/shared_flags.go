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

// sharedFlags are the flags that both programs have.
type sharedFlags struct {
	// Config is the gateway file; empty if the other flags describe the program.
	Config string

	set      *flag.FlagSet
	clientCA string
	hosts    input.List // of the inspector
	names    input.List // of the virtual host

	policy, profile                              string
	pprof                                        bool
	descriptors, prefixes, sources, query        input.List
	listen, internal, certificate, key           string
	upstreamCA, upstreamCertificate, upstreamKey string
	upstreamServerName                           string
	drainDelay, drainTimeout                     time.Duration
}

// register registers the flags of a program, which serves at an address unless --listen says otherwise.
func (f *sharedFlags) register(flags *flag.FlagSet, program Program) {
	f.set = flags
	address := "`ADDRESS` of the public port"
	if program == Processor {
		address = "`ADDRESS` for Envoy: host:port, or unix:FILE"
	}
	flags.StringVar(&f.Config, "config", "", "gateway `FILE`, instead of the other flags but --log")
	flags.StringVar(&f.policy, "policy", "", "policy `FILE`")
	flags.StringVar(&f.profile, "profile", "", "`NAME` of the policy's profile (default: that of CORSRPC_PROFILE)")
	flags.Var(&f.prefixes, "path-prefix", "`PATH` below which procedures are served too, such as /api (repeatable)")
	flags.Var(&f.names, "host", "`NAME` under which browsers call, such as api.example.com or *.example.com; others get 421 (repeatable; default: every name)")
	flags.Var(&f.descriptors, "descriptors", "`FILE` with the schema: a FileDescriptorSet or an image of buf build (repeatable)")
	flags.StringVar(&f.upstreamCA, "upstream-ca", "", "`FILE` in PEM form with the authorities of the server's certificate, instead of those of the system")
	flags.StringVar(&f.upstreamCertificate, "upstream-cert", "", "`FILE` in PEM form with the client certificate for the server")
	flags.StringVar(&f.upstreamKey, "upstream-key", "", "`FILE` in PEM form with the key of that certificate")
	flags.StringVar(&f.upstreamServerName, "upstream-server-name", "", "`NAME` that the server's certificate is for, instead of the URL's host")
	flags.StringVar(&f.listen, "listen", program.address(), address)
	flags.StringVar(&f.certificate, "tls-cert", "", "`FILE` in PEM form with the certificate of that port")
	flags.StringVar(&f.key, "tls-key", "", "`FILE` in PEM form with the key of that certificate")
	flags.StringVar(&f.clientCA, "tls-client-ca", "", "`FILE` in PEM form with the authorities of client certificates, which clients then have to have")
	flags.Var(&f.hosts, "internal-host", "`NAME` under which the inspector answers, besides localhost and IP addresses (repeatable)")
	flags.StringVar(&f.internal, "internal", program.internal(), "`ADDRESS` of the internal port: /livez, /readyz, /metrics, /inspect/")
	flags.BoolVar(&f.pprof, "pprof", false, "serve Go's profiles on the internal port")
	flags.Var(&f.sources, "origins", "`NAME=URL` of an origin source: postgres://... or sqlite:FILE (repeatable)")
	flags.Var(&f.query, "origins-query", "`NAME=SQL`: the query of an origin source (default: SELECT origin FROM NAME)")
	flags.DurationVar(&f.drainDelay, "drain-delay", 5*time.Second, "`DURATION` that the program serves on after SIGTERM, until those who call it have noticed")
	flags.DurationVar(&f.drainTimeout, "drain-timeout", 0, "`DURATION` to wait for calls after that; 0s waits as long as they take")
}

// alone returns an error if --config is given with other flags than --log.
func (f *sharedFlags) alone() error {
	var others []string
	f.set.Visit(func(given *flag.Flag) {
		if given.Name != "config" && given.Name != "log" {
			others = append(others, "--"+given.Name)
		}
	})
	if len(others) > 0 {
		return fmt.Errorf("--config does not go with %s: write their values into the gateway file", strings.Join(others, ", "))
	}
	return nil
}

// upstreamTLS returns the TLS to the server; nil if no flag is about it.
func (f *sharedFlags) upstreamTLS() *corsrpcv1.ClientTLS {
	if f.upstreamCA+f.upstreamCertificate+f.upstreamKey+f.upstreamServerName == "" {
		return nil
	}
	return &corsrpcv1.ClientTLS{Ca: f.upstreamCA, Certificate: f.upstreamCertificate, Key: f.upstreamKey, ServerName: f.upstreamServerName}
}

// gateway returns the part of the configuration that the flags describe, with one virtual host.
func (f *sharedFlags) gateway() (*corsrpcv1.Gateway, error) {
	g := &corsrpcv1.Gateway{
		Listen:       &corsrpcv1.Listener{Address: f.listen},
		Internal:     &corsrpcv1.InternalListener{Address: f.internal, Pprof: f.pprof, Hosts: f.hosts},
		VirtualHosts: []*corsrpcv1.VirtualHost{{Hosts: f.names, Policy: f.policy, Profile: f.profile, PathPrefixes: f.prefixes}},
		Drain:        &corsrpcv1.Drain{Delay: durationpb.New(f.drainDelay), Timeout: durationpb.New(f.drainTimeout)},
	}
	if f.certificate+f.key+f.clientCA != "" {
		g.Listen.Tls = &corsrpcv1.ServerTLS{Certificate: f.certificate, Key: f.key, ClientCa: f.clientCA}
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
	return g, nil
}
