package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gatewayfile"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsenvoy"
)

// policyHeader is the name in the metadata of Envoy's stream (grpc_initial_metadata) that names a virtual host,
// whose policy then decides, whatever the host of the request.
const policyHeader = "corsrpc-policy"

// indexPolicies makes the policies of the external processor findable.
func (c *configuration) indexPolicies() {
	c.byName = map[string]*runningPolicy{}
	for i, host := range c.file.Gateway.GetVirtualHosts() {
		c.byHost.add(host.GetHosts(), c.policies[i])
		c.byName[host.GetName()] = c.policies[i]
	}
}

// policyOf returns the policy of a request: that of the virtual host that Envoy's configuration names, and
// otherwise that of the request's host. It is nil if there is none.
func (g *Gateway) policyOf(r corsenvoy.Route) corsenvoy.Policy {
	c := g.current.Load()
	if named := r.Metadata.Get(policyHeader); len(named) > 0 {
		if p, ok := c.byName[named[0]]; ok && len(named) == 1 {
			return p.Policy
		}
		return nil
	}
	if p, ok := c.byHost.find(r.Host); ok {
		return p.Policy
	}
	return nil
}

// processorPort is the port at which Envoy asks.
type processorPort struct {
	listener net.Listener
	server   *grpc.Server
	failed   chan error // of Serve
}

// newProcessorPort opens the port at which Envoy asks: an address, or a Unix socket.
func (g *Gateway) newProcessorPort(ctx context.Context, address string, secure *tls.Config) (*processorPort, error) {
	processor, err := corsenvoy.NewForRoutes(g.policyOf, corsenvoy.WithLogger(g.log))
	if err != nil {
		return nil, err
	}
	l, err := listenForEnvoy(ctx, address)
	if err != nil {
		return nil, err
	}
	options := []grpc.ServerOption{
		grpc.StreamInterceptor(g.countStream),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingAfter, Timeout: pingTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}), // Envoy may ping, too
	}
	if secure != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(secure)))
	}
	p := &processorPort{listener: l, server: grpc.NewServer(options...), failed: make(chan error, 1)}
	processor.Register(p.server)
	healthpb.RegisterHealthServer(p.server, processorHealth{gateway: g})
	return p, nil
}

// listenForEnvoy opens an address or a Unix socket. It removes a socket that an ended process has left. Processes
// of the socket's group can connect to it.
func listenForEnvoy(ctx context.Context, address string) (net.Listener, error) {
	name, ok := strings.CutPrefix(address, gatewayfile.UnixScheme)
	if !ok {
		return listen(ctx, "tcp", address)
	}
	if info, err := os.Lstat(name); err == nil && info.Mode().Type() == os.ModeSocket {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", name)
		if err == nil {
			conn.Close()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) { // also a busy process, whose queue is full, and one of another user
			return nil, fmt.Errorf("cannot listen on %s: another process listens there", address)
		}
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
		}
	}
	l, err := listen(ctx, "unix", name)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(name, 0o660); err != nil { // Envoy is another user of the group
		l.Close()
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return l, nil
}

func (p *processorPort) address() string {
	if p.listener.Addr().Network() == "unix" {
		return gatewayfile.UnixScheme + p.listener.Addr().String()
	}
	return p.listener.Addr().String()
}

func (p *processorPort) ended() <-chan error { return p.failed }

func (p *processorPort) serve() {
	go func() {
		if err := p.server.Serve(p.listener); err != nil {
			p.failed <- err
		}
	}()
}

func (p *processorPort) shutdown(ctx context.Context) error {
	stopped := make(chan struct{})
	go func() {
		p.server.GracefulStop()
		close(stopped)
	}()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *processorPort) close() error {
	p.server.Stop()
	return nil
}

// countStream counts the streams, and measures how they end.
func (g *Gateway) countStream(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	g.calls.begin()
	defer g.calls.end()
	err := handle(server, stream)
	g.meters.streamEnded(stream.Context(), err)
	return err
}

// processorHealth is gRPC's health service, for the health checks of Envoy's clusters.
//
// See https://github.com/grpc/grpc/blob/master/doc/health-checking.md.
type processorHealth struct {
	healthpb.UnimplementedHealthServer

	gateway *Gateway
}

// Check says whether the processor is ready: all policies are in force, and it is not about to end.
func (h processorHealth) Check(context.Context, *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	ready := !h.gateway.draining.Load()
	for _, p := range h.gateway.policies() {
		ok, _ := p.Ready()
		ready = ready && ok
	}
	if !ready {
		return &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_NOT_SERVING}, nil
	}
	return &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING}, nil
}
