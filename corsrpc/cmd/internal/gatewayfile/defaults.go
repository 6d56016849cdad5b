package gatewayfile

import (
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// The default addresses of the public and the internal port of each program. Envoy's admin endpoint has port 9901
// by custom.
const (
	defaultAddress           = ":8080"
	defaultInternal          = "127.0.0.1:9901"
	defaultProcessor         = "127.0.0.1:9002"
	defaultProcessorInternal = "127.0.0.1:9902"
)

// address returns the default address of the public port.
func (p Program) address() string {
	if p == Processor {
		return defaultProcessor
	}
	return defaultAddress
}

// internal returns the default address of the internal port.
func (p Program) internal() string {
	if p == Processor {
		return defaultProcessorInternal
	}
	return defaultInternal
}

// UnixScheme begins an address that is a Unix socket.
const UnixScheme = "unix:"

// fill fills in the defaults of gateway.proto, and resolves the names of files against a folder.
func fill(g *corsrpcv1.Gateway, folder string, program Program) {
	file := func(name *string) {
		if *name != "" && *name != "-" && !filepath.IsAbs(*name) {
			*name = filepath.Join(folder, *name)
		}
	}
	text := func(to *string, value string) {
		if *to == "" {
			*to = value
		}
	}
	duration := func(to **durationpb.Duration, value time.Duration) {
		if *to == nil {
			*to = durationpb.New(value)
		}
	}
	if g.Listen == nil {
		g.Listen = &corsrpcv1.Listener{}
	}
	text(&g.Listen.Address, program.address())
	if socket, ok := strings.CutPrefix(g.Listen.Address, UnixScheme); ok {
		file(&socket)
		g.Listen.Address = UnixScheme + socket
	}
	if tls := g.Listen.Tls; tls != nil {
		file(&tls.Certificate)
		file(&tls.Key)
		file(&tls.ClientCa)
	}
	if g.Internal == nil {
		g.Internal = &corsrpcv1.InternalListener{}
	}
	text(&g.Internal.Address, program.internal())
	for _, u := range g.Upstreams {
		duration(&u.ConnectTimeout, 5*time.Second)
		duration(&u.ResponseTimeout, time.Minute)
		if u.MaxResponseHeaderBytes == 0 {
			u.MaxResponseHeaderBytes = 1 << 20
		}
		for i := range u.Descriptors {
			file(&u.Descriptors[i])
		}
		if tls := u.Tls; tls != nil {
			file(&tls.Ca)
			file(&tls.Certificate)
			file(&tls.Key)
		}
	}
	for _, h := range g.VirtualHosts {
		text(&h.Name, "default")
		file(&h.Policy)
	}
	for _, s := range g.OriginSources {
		duration(&s.Every, 30*time.Second)
		if rest, ok := strings.CutPrefix(s.Url, "sqlite:"); ok && !strings.HasPrefix(rest, "${") { // the variable may hold an absolute name
			file(&rest)
			s.Url = "sqlite:" + rest
		}
	}
	if g.Limits == nil {
		g.Limits = &corsrpcv1.Limits{}
	}
	if g.Limits.MaxStreams == 0 {
		g.Limits.MaxStreams = 250
	}
	if g.Limits.MaxHeaderBytes == 0 {
		g.Limits.MaxHeaderBytes = 64 << 10
	}
	duration(&g.Limits.HeaderTimeout, 10*time.Second)
	duration(&g.Limits.IdleTimeout, 2*time.Minute)
	if g.AccessLog != nil {
		file(&g.AccessLog.File)
	}
	if g.Drain == nil {
		g.Drain = &corsrpcv1.Drain{}
	}
	duration(&g.Drain.Delay, 5*time.Second)
	duration(&g.Drain.Timeout, 0)
}
