package gatewayfile

import (
	"errors"
	"flag"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// ProcessorFlags are the flags that describe an external processor.
type ProcessorFlags struct {
	sharedFlags

	reflect string
}

// Register registers the flags.
func (f *ProcessorFlags) Register(flags *flag.FlagSet) {
	f.register(flags, Processor)
	flags.StringVar(&f.reflect, "reflect", "", "`URL` of a server that tells the schema by gRPC server reflection, such as grpc://127.0.0.1:9090")
}

// File returns the configuration: of the gateway file, or of the flags.
func (f *ProcessorFlags) File() (*File, error) {
	if f.Config != "" {
		if err := f.alone(); err != nil {
			return nil, err
		}
		return Read(f.Config, Processor)
	}
	if f.policy == "" {
		return nil, errors.New("name a policy: --policy cors.yaml, or a gateway file: --config gateway.yaml")
	}
	g, err := f.gateway()
	if err != nil {
		return nil, err
	}
	if tls := f.upstreamTLS(); f.reflect != "" || len(f.descriptors) > 0 || tls != nil {
		g.Upstreams = []*corsrpcv1.Upstream{{Name: "server", Url: f.reflect, Reflect: f.reflect != "", Descriptors: f.descriptors, Tls: tls}}
	}
	return fromFlags(g, Processor)
}

// unused returns the fields of a configuration that a program does not use.
func unused(g *corsrpcv1.Gateway, program Program) (fields []string) {
	if program == Gateway {
		return nil
	}
	add := func(field string, set bool) {
		if set {
			fields = append(fields, field)
		}
	}
	add("trusted_proxies", len(g.GetTrustedProxies()) > 0)
	add("limits", g.GetLimits() != nil)
	add("access_log", g.GetAccessLog() != nil)
	return fields
}
