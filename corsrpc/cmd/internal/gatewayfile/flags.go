package gatewayfile

import (
	"errors"
	"flag"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// Flags are the flags that describe a gateway.
type Flags struct {
	sharedFlags

	upstream, accessLog string
	reflect             bool
	proxies             input.List
	responseTimeout     time.Duration
	maxConnections      int
	maxBodyBytes        int64
}

// Register registers the flags.
func (f *Flags) Register(flags *flag.FlagSet) {
	f.register(flags, Gateway)
	flags.StringVar(&f.upstream, "upstream", "", "`URL` of the server, such as grpc://127.0.0.1:9090")
	flags.BoolVar(&f.reflect, "reflect", false, "read the schema from the server, by gRPC server reflection")
	flags.DurationVar(&f.responseTimeout, "response-timeout", time.Minute, "`DURATION` that the server may take to begin its response; 0s is not a bound (not for streams, and calls with a deadline)")
	flags.Var(&f.proxies, "trusted-proxy", "`PREFIX` of the addresses of proxies in front, which is believed what it tells of the client (repeatable)")
	flags.StringVar(&f.accessLog, "access-log", "", "`FILE` for a line of JSON for each request; - is the standard output")
	flags.IntVar(&f.maxConnections, "max-connections", 0, "`N` client connections at most at the same time; 0 is not a bound")
	flags.Int64Var(&f.maxBodyBytes, "max-body-bytes", 0, "`N` bytes of a request's body at most, with all messages of a stream; 0 is not a bound")
}

// File returns the configuration: of the gateway file, or of the flags.
func (f *Flags) File() (*File, error) {
	if f.Config != "" {
		if err := f.alone(); err != nil {
			return nil, err
		}
		return Read(f.Config, Gateway)
	}
	switch {
	case f.policy == "" && f.upstream == "":
		return nil, errors.New("name a policy and a server: --policy cors.yaml --upstream grpc://127.0.0.1:9090, or a gateway file: --config gateway.yaml")
	case f.maxConnections < 0 || f.maxConnections > 1<<30:
		return nil, fmt.Errorf("--max-connections %d: write a number from 1 on, or 0 for no bound", f.maxConnections)
	}
	g, err := f.gateway()
	if err != nil {
		return nil, err
	}
	g.Upstreams = []*corsrpcv1.Upstream{{
		Name: "server", Url: f.upstream, Reflect: f.reflect, Descriptors: f.descriptors, Tls: f.upstreamTLS(), ResponseTimeout: durationpb.New(f.responseTimeout),
	}}
	g.VirtualHosts[0].Routes = []*corsrpcv1.Route{{Upstream: "server"}}
	g.TrustedProxies = f.proxies
	g.Limits = &corsrpcv1.Limits{MaxConnections: int32(f.maxConnections), MaxBodyBytes: f.maxBodyBytes}
	if f.accessLog != "" {
		g.AccessLog = &corsrpcv1.AccessLog{File: f.accessLog}
	}
	return fromFlags(g, Gateway)
}
