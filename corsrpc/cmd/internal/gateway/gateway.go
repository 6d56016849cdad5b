// Package gateway is the programs that `corsrpc gateway` and `corsrpc extproc` run.
//
// The gateway is a reverse proxy with the layer in front of servers in any language. A request takes this path:
// Gateway.ServeHTTP (the record of the request), the proxies in front, the virtual host, its policy, its route,
// the upstream. The external processor has the same policies, sources, files and internal port; Envoy asks it by
// gRPC, and a request takes this path: corsenvoy.Processor, Gateway.policyOf, its policy.
package gateway

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gatewayfile"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/serve"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// Options are what a gateway needs besides its file.
type Options struct {
	// Program is the program that the file is for. Default: gatewayfile.Gateway.
	Program gatewayfile.Program
	// Read reads the gateway file again, after a change. Nil: the gateway was described by flags.
	Read func() (*gatewayfile.File, error)
	// Terminate begins the drain when it is received from or closed. The end of Run's context begins the
	// drain too, without its delay.
	Terminate <-chan struct{}
	// Reload reads every file again when it is received from.
	Reload <-chan os.Signal
	// Retry is the time after which a changed gateway file that was not usable is tried again: what it needs may have
	// come since, such as a file or a server. Default: 30s.
	Retry time.Duration
	// Log is the log of the program. Out is the standard output, for an access log.
	Log *slog.Logger
	Out io.Writer
}

// scope is the name of the gateway's instruments.
const scope = "github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gateway"

// Gateway is a running gateway or external processor.
type Gateway struct {
	program gatewayfile.Program
	log     *slog.Logger
	metrics *serve.Metrics
	meters  *instruments
	access  *accessLog

	ctx        context.Context // ends when every call has ended
	background sync.WaitGroup
	current    atomic.Pointer[configuration]
	calls      calls
	draining   atomic.Bool
	failure    string // the reason that was logged last why a changed gateway file is not usable; only follow uses it
}

// Run serves what a gateway file describes, until its context ends or Options.Terminate is received from,
// and every call has ended. It returns an error if the gateway cannot start: a *corsrpc.PolicyError for a
// policy that does not load.
func Run(ctx context.Context, file *gatewayfile.File, options Options) error {
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	g := &Gateway{program: options.Program, log: options.Log, ctx: work}
	defer func() {
		end()
		g.background.Wait()
		if c := g.current.Load(); c != nil {
			c.retire(nil)
		}
	}()
	metrics, err := serve.NewMetrics()
	if err != nil {
		return err
	}
	g.metrics = metrics
	if g.meters, err = newInstruments(metrics.Meter(scope), &g.calls, g.policies); err != nil {
		return err
	}
	if g.program == gatewayfile.Gateway {
		if g.access, err = openAccessLog(file.Gateway.GetAccessLog(), options.Out); err != nil {
			return err
		}
		defer g.access.close()
	}
	g.logUnused(file)
	first, err := g.configure(file, nil)
	if err != nil {
		return err
	}
	g.current.Store(first)
	public, internal, certificates, err := g.open(ctx, file)
	if err != nil {
		return err
	}
	public.serve()
	internal.serve()
	defer internal.server.Close()
	failed := make(chan error, 1)
	g.background.Go(func() { g.watchStart(work, first, failed) })
	if certificates != nil {
		g.background.Go(func() { certificates.follow(work) })
	}
	g.background.Go(func() { g.follow(work, options, certificates) })
	select {
	case err := <-failed:
		_ = public.close() // the program ends with the error
		return err
	case err := <-public.ended():
		return fmt.Errorf("the public port: %w", err)
	case err := <-internal.ended():
		_ = public.close() // the program ends with the error
		return fmt.Errorf("the internal port: %w", err)
	case <-options.Terminate:
		return g.drain(ctx, public, file.Gateway.GetDrain().GetDelay().AsDuration(), file.Gateway.GetDrain().GetTimeout().AsDuration())
	case <-ctx.Done():
		return g.drain(ctx, public, 0, file.Gateway.GetDrain().GetTimeout().AsDuration())
	}
}

// follow reads files again when they change or Options.Reload asks for it, until the context ends.
func (g *Gateway) follow(ctx context.Context, options Options, c *certificates) {
	changes := make(chan struct{}, 1)
	if options.Read != nil {
		g.background.Go(func() {
			followFiles(ctx, []string{g.current.Load().file.Name}, gatewayfile.MaxBytes, func() {
				select {
				case changes <- struct{}{}:
				case <-ctx.Done():
				}
			})
		})
	}
	var again <-chan time.Time // nil if the gateway file is in force
	reconfigure := func() {
		again = nil
		if !g.reconfigure(options) {
			again = time.After(cmp.Or(options.Retry, 30*time.Second))
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-again:
			reconfigure()
		case <-changes:
			g.failure = ""
			reconfigure()
		case <-options.Reload:
			g.log.Info("reading every file again")
			g.failure = ""
			if options.Read != nil {
				reconfigure()
			}
			g.reloadAll(c)
		}
	}
}

// open opens the ports.
func (g *Gateway) open(ctx context.Context, file *gatewayfile.File) (public front, internal *port, c *certificates, err error) {
	listener := file.Gateway.GetListen()
	if listener.GetTls() != nil {
		if c, err = newCertificates(listener.GetTls(), g.log); err != nil {
			return nil, nil, nil, err
		}
	}
	var secure *tls.Config
	if c != nil {
		secure = c.config()
	}
	if g.program == gatewayfile.Processor {
		public, err = g.newProcessorPort(ctx, listener.GetAddress(), secure)
	} else {
		public, err = newPublic(ctx, listener, file.Gateway.GetLimits(), secure, g, g.log)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	config := file.Gateway.GetInternal()
	operators, err := serve.NewInternal(serve.InternalConfig{
		Policies: g.policies, Metrics: g.metrics, Hosts: config.GetHosts(), Pprof: config.GetPprof(), Draining: g.draining.Load,
	})
	if err == nil {
		internal, err = newInternal(ctx, config.GetAddress(), operators, g.log)
	}
	if err != nil {
		_ = public.close() // the program ends with the error
		return nil, nil, nil, err
	}
	g.log.Info("listening", "address", public.address(), "tls", c != nil)
	g.log.Info("internal port listening", "address", internal.address())
	return public, internal, c, nil
}

// watchStart waits until the first configuration is in force. It sends an error if that cannot be.
func (g *Gateway) watchStart(ctx context.Context, first *configuration, failed chan<- error) {
	if err := first.await(ctx); err != nil {
		if ctx.Err() == nil {
			failed <- err
		}
		return
	}
	g.log.Info("ready")
}

// logUnused says which fields of a gateway file Envoy decides on.
func (g *Gateway) logUnused(file *gatewayfile.File) {
	if len(file.Unused) > 0 {
		g.log.Warn("these fields of the gateway file have no effect, since Envoy does their work", "fields", file.Unused)
	}
}

// policies returns the policies in force.
func (g *Gateway) policies() (all []*serve.Policy) {
	c := g.current.Load()
	if c == nil {
		return nil
	}
	for _, p := range c.policies {
		all = append(all, p.Policy)
	}
	return all
}

// reconfigureTimeout is how long a new configuration may take until its policies are in force: a server
// that tells its schema, or a database, may be away.
const reconfigureTimeout = 30 * time.Second

// reconfigure puts a changed gateway file in force, or changes nothing. It reports whether the file is in force.
func (g *Gateway) reconfigure(options Options) bool {
	previous := g.current.Load()
	file, err := options.Read()
	if err == nil && proto.Equal(file.Gateway, previous.file.Gateway) {
		return true
	}
	var next *configuration
	if err == nil {
		next, err = g.configure(file, previous)
	}
	if err == nil {
		ctx, cancel := context.WithTimeout(g.ctx, reconfigureTimeout)
		defer cancel()
		if err = next.await(ctx); err != nil {
			next.retire(previous)
		}
	}
	if err != nil {
		if g.ctx.Err() == nil && err.Error() != g.failure {
			g.failure = err.Error()
			g.log.Error("the gateway file has changed and is not usable; the previous one stays in force", "error", err)
			g.meters.reloaded(g.ctx, err)
		}
		return false
	}
	g.current.Store(next)
	previous.retire(next)
	g.log.Info("gateway file reloaded")
	g.logUnused(file)
	if fields := needRestart(previous.file.Gateway, file.Gateway); len(fields) > 0 {
		g.log.Warn("these changes of the gateway file take effect at the next start", "fields", fields)
	}
	g.meters.reloaded(g.ctx, nil)
	return true
}

// reloadAll reads every file but the gateway file again.
func (g *Gateway) reloadAll(c *certificates) {
	now := g.current.Load()
	for _, p := range now.policies {
		p.Reload()
	}
	for name, u := range now.upstreams {
		if len(u.Files()) > 0 {
			g.reloadUpstream(u.Upstream, name)
		}
	}
	if c != nil {
		c.reload()
	}
	if err := g.access.reopen(); err != nil {
		g.log.Error("the access log cannot be opened again; lines go to the file that was open before", "error", err)
	}
}

// ServeHTTP serves one request of the public port, and completes its record.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &record{start: time.Now(), host: r.Host}
	rec.client, _, _ = net.SplitHostPort(r.RemoteAddr)
	g.calls.begin()
	r = r.WithContext(context.WithValue(r.Context(), recordKey{}, rec))
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &countedBody{r.Body, rec}
	}
	recorded := &recorder{ResponseWriter: w, record: rec, draining: &g.draining}
	rec.died = true
	defer func() {
		g.calls.end()
		g.meters.served(r, rec)
		g.access.write(r, rec, w.Header())
	}()
	g.current.Load().handler.ServeHTTP(recorded, r)
	rec.died = false
}

// drain ends the gateway: it is no longer ready, serves on for the delay, takes no new connection, and
// waits until every call has ended.
func (g *Gateway) drain(ctx context.Context, public front, delay, timeout time.Duration) error {
	g.draining.Store(true)
	g.log.Info("draining", "delay", delay.String(), "open_calls", g.calls.open())
	ctx = context.WithoutCancel(ctx)
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case err := <-public.ended():
			return fmt.Errorf("the public port: %w", err)
		}
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	err := public.shutdown(ctx)
	if err == nil {
		err = g.calls.wait(ctx) // upgraded connections, which Shutdown does not wait for
	}
	if errors.Is(err, context.DeadlineExceeded) {
		g.log.Warn("the drain's timeout has passed: the remaining calls are ended", "open_calls", g.calls.open())
		return public.close()
	}
	g.log.Info("every call has ended")
	return err
}

// needRestart returns the fields of a gateway file that differ and take effect at a start only.
func needRestart(a, b *corsrpcv1.Gateway) (fields []string) {
	for _, f := range []struct {
		name string
		a, b proto.Message
	}{
		{"listen", a.GetListen(), b.GetListen()}, {"internal", a.GetInternal(), b.GetInternal()}, {"limits", a.GetLimits(), b.GetLimits()},
		{"access_log", a.GetAccessLog(), b.GetAccessLog()}, {"drain", a.GetDrain(), b.GetDrain()},
	} {
		if !proto.Equal(f.a, f.b) {
			fields = append(fields, f.name)
		}
	}
	return fields
}
