package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/gatewayfile"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/proxy"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/serve"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// configuration is what a gateway file describes, at work: its policies are followed, and its upstreams have
// connections. A request is served by the configuration that is in force when it arrives.
type configuration struct {
	file      *gatewayfile.File
	handler   http.Handler              // of the gateway; nil for the external processor
	byHost    hostTable[*runningPolicy] // of the external processor
	byName    map[string]*runningPolicy // likewise
	policies  []*runningPolicy
	upstreams map[string]*runningUpstream
	sources   map[string]*runningSource
}

// runningPolicy is the policy of a virtual host while it is followed.
type runningPolicy struct {
	*serve.Policy
	key   string // equal for policies of two configurations that are the same
	stop  context.CancelFunc
	ended chan struct{} // closed when Run has returned
	err   error         // of Run; read it after ended
}

// runningUpstream is an upstream with its connections.
type runningUpstream struct {
	*proxy.Upstream
	config *corsrpcv1.Upstream
	stop   context.CancelFunc // of following its files
}

// runningSource is an origin source with its database.
type runningSource struct {
	*serve.Origins
	config *corsrpcv1.OriginSource
}

// configure builds the configuration of a gateway file. It takes over what the previous configuration, if
// there is one, has too. If it fails, nothing has changed.
func (g *Gateway) configure(file *gatewayfile.File, previous *configuration) (_ *configuration, err error) {
	c := &configuration{file: file, upstreams: map[string]*runningUpstream{}, sources: map[string]*runningSource{}}
	defer func() {
		if err != nil {
			c.retire(previous)
		}
	}()
	if previous == nil {
		previous = &configuration{}
	}
	var problems []error
	for _, u := range file.Gateway.GetUpstreams() {
		if g.program == gatewayfile.Processor {
			continue // it tells its schema only
		}
		running, err := g.upstream(u, previous.upstreams[u.GetName()])
		if err != nil {
			problems = append(problems, err)
			continue
		}
		c.upstreams[u.GetName()] = running
	}
	for _, s := range file.Gateway.GetOriginSources() {
		running, err := g.source(s, previous.sources[s.GetName()])
		if err != nil {
			problems = append(problems, err)
			continue
		}
		c.sources[s.GetName()] = running
	}
	for _, host := range file.Gateway.GetVirtualHosts() {
		running, err := g.policy(c, host, previous)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		c.policies = append(c.policies, running)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if g.program == gatewayfile.Processor {
		c.indexPolicies()
	} else {
		c.handler = g.handlerOf(c)
	}
	return c, nil
}

// upstream returns the running upstream of a configuration: the previous one if it is the same.
func (g *Gateway) upstream(config *corsrpcv1.Upstream, previous *runningUpstream) (*runningUpstream, error) {
	if previous != nil && proto.Equal(previous.config, config) {
		return previous, nil
	}
	u, err := proxy.NewUpstream(config, g.log)
	if err != nil {
		return nil, fmt.Errorf("the upstream %s: %w", config.GetName(), err)
	}
	ctx, stop := context.WithCancel(g.ctx)
	if names := u.Files(); len(names) > 0 {
		g.background.Go(func() {
			followFiles(ctx, names, maxPEMBytes, func() { g.reloadUpstream(u, config.GetName()) })
		})
	}
	return &runningUpstream{u, config, stop}, nil
}

// reloadUpstream reads the certificates of an upstream again.
func (g *Gateway) reloadUpstream(u *proxy.Upstream, name string) {
	if err := u.Reload(); err != nil {
		g.log.Error("the certificates of an upstream have changed and are not usable; the previous ones stay in force", "upstream", name, "error", err)
		return
	}
	g.log.Info("certificates of an upstream reloaded", "upstream", name)
}

// source returns the running origin source of a configuration: the previous one if it is the same.
func (g *Gateway) source(config *corsrpcv1.OriginSource, previous *runningSource) (*runningSource, error) {
	if previous != nil && proto.Equal(previous.config, config) {
		return previous, nil
	}
	origins, err := serve.OpenOrigins(config, os.LookupEnv)
	if err != nil {
		return nil, fmt.Errorf("the origin source %s: %w", config.GetName(), err)
	}
	return &runningSource{origins, config}, nil
}

// policy returns the running policy of a virtual host: one of the previous configuration if it is the same.
func (g *Gateway) policy(c *configuration, host *corsrpcv1.VirtualHost, previous *configuration) (*runningPolicy, error) {
	key := policyKey(c.file.Gateway, host)
	for _, p := range previous.policies {
		if p.key == key {
			return p, nil
		}
	}
	config := serve.PolicyConfig{
		Name: host.GetName(), File: host.GetPolicy(), Profile: host.GetProfile(), Prefixes: prefixesOf(host),
		Logger: g.log, Metrics: g.metrics, Observers: []corsrpc.Observer{recordDecision{}}, InspectorHosts: c.file.Gateway.GetInternal().GetHosts(),
		Sources: map[string]serve.Source{},
	}
	for _, u := range upstreamsOf(c.file.Gateway, host) {
		config.Descriptors = append(config.Descriptors, u.GetDescriptors()...)
		if u.GetReflect() {
			config.Reflect = append(config.Reflect, serve.ReflectedUpstream(u))
		}
	}
	for name, s := range c.sources {
		config.Sources[name] = s.Source()
	}
	policy, err := serve.NewPolicy(config)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(g.ctx)
	running := &runningPolicy{Policy: policy, key: key, stop: stop, ended: make(chan struct{})}
	g.background.Go(func() {
		defer close(running.ended)
		running.err = policy.Run(ctx)
	})
	return running, nil
}

// upstreamsOf returns the upstreams of the routes of a virtual host, each once. Without routes, which only the
// external processor allows, it has all upstreams.
func upstreamsOf(config *corsrpcv1.Gateway, host *corsrpcv1.VirtualHost) (all []*corsrpcv1.Upstream) {
	for _, u := range config.GetUpstreams() {
		if len(host.GetRoutes()) == 0 || slices.ContainsFunc(host.GetRoutes(), func(r *corsrpcv1.Route) bool { return r.GetUpstream() == u.GetName() }) {
			all = append(all, u)
		}
	}
	return all
}

// prefixesOf returns the path prefixes of a virtual host: its own, those that its routes strip, and its own behind
// them, since the server behind such a route has its procedures there.
func prefixesOf(host *corsrpcv1.VirtualHost) []string {
	prefixes := slices.Clone(host.GetPathPrefixes())
	for _, r := range host.GetRoutes() {
		if stripped := r.GetStripPrefix(); stripped != "" {
			prefixes = append(prefixes, stripped)
			for _, own := range host.GetPathPrefixes() {
				prefixes = append(prefixes, stripped+own)
			}
		}
	}
	slices.Sort(prefixes)
	return slices.Compact(prefixes)
}

// policyKey returns a text that is equal for virtual hosts whose policies work alike.
func policyKey(config *corsrpcv1.Gateway, host *corsrpcv1.VirtualHost) string {
	one := &corsrpcv1.Gateway{
		OriginSources: config.GetOriginSources(),
		VirtualHosts: []*corsrpcv1.VirtualHost{{
			Name: host.GetName(), Policy: host.GetPolicy(), Profile: host.GetProfile(), PathPrefixes: prefixesOf(host),
		}},
	}
	for _, u := range upstreamsOf(config, host) {
		if !u.GetReflect() {
			u = &corsrpcv1.Upstream{Name: u.GetName(), Descriptors: u.GetDescriptors()}
		}
		one.Upstreams = append(one.Upstreams, u)
	}
	key, _ := proto.MarshalOptions{Deterministic: true}.Marshal(one)
	return string(key)
}

// handlerOf returns the handler of a configuration.
func (g *Gateway) handlerOf(c *configuration) http.Handler {
	hosts := &virtualHosts{}
	for i, host := range c.file.Gateway.GetVirtualHosts() {
		policy := c.policies[i]
		var routes []proxy.Route
		for _, r := range host.GetRoutes() {
			timeout := c.upstreams[r.GetUpstream()].config.GetResponseTimeout()
			if r.ResponseTimeout != nil {
				timeout = r.GetResponseTimeout()
			}
			upstream := c.upstreams[r.GetUpstream()].Handler(proxy.Options{
				ResponseTimeout: timeout.AsDuration(), Streams: policy.Streams, StripPrefix: r.GetStripPrefix(), Prefixes: host.GetPathPrefixes(),
			})
			routes = append(routes, proxy.Route{
				Service: r.GetService(), Path: r.GetPath(), StripPrefix: r.GetStripPrefix(), Handler: recordUpstream(r.GetUpstream(), upstream),
			})
		}
		var h http.Handler = proxy.NewRouter(routes, host.GetPathPrefixes()...)
		if n := c.file.Gateway.GetLimits().GetMaxBodyBytes(); n > 0 {
			h = http.MaxBytesHandler(h, n)
		}
		hosts.add(host.GetHosts(), recordVirtualHost(host.GetName(), policy.Wrap(h)))
	}
	var trusted []netip.Prefix
	for _, p := range c.file.Gateway.GetTrustedProxies() {
		trusted = append(trusted, prefixOf(p))
	}
	return proxy.TrustedProxies(trusted, hosts)
}

// prefixOf returns the prefix of a trusted proxy, which gatewayfile has checked: an address or a prefix.
func prefixOf(text string) netip.Prefix {
	if strings.Contains(text, "/") {
		return netip.MustParsePrefix(text)
	}
	a := netip.MustParseAddr(text)
	return netip.PrefixFrom(a, a.BitLen())
}

// recordUpstream notes the upstream of a request.
func recordUpstream(name string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rec := recordOf(r.Context()); rec != nil {
			rec.upstream = name
		}
		h.ServeHTTP(w, r)
	})
}

// recordVirtualHost notes the virtual host of a request.
func recordVirtualHost(name string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rec := recordOf(r.Context()); rec != nil {
			rec.virtualHost, rec.host = name, r.Host
			if client := proxy.ClientOf(r.Context()); client != "" {
				rec.client = client
			}
		}
		h.ServeHTTP(w, r)
	})
}

// await returns when every policy of the configuration is ready, or with the first reason why one cannot be.
func (c *configuration) await(ctx context.Context) error {
	for _, p := range c.policies {
		if err := p.await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// readyPoll is the time between two looks at whether a policy is ready.
const readyPoll = 20 * time.Millisecond

// await returns when the policy is ready, or with the reason why it cannot be.
func (p *runningPolicy) await(ctx context.Context) error {
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	for {
		ok, why := p.Ready()
		if ok {
			return nil
		}
		select {
		case <-p.ended:
			return p.err
		case <-ctx.Done():
			return fmt.Errorf("the virtual host %s is not ready: it waits for %s", p.Name(), why)
		case <-ticker.C:
		}
	}
}

// retire ends what the configuration has and the next one, if any, does not have.
func (c *configuration) retire(next *configuration) {
	if next == nil {
		next = &configuration{}
	}
	for _, p := range c.policies {
		if !slices.Contains(next.policies, p) {
			p.stop()
		}
	}
	for name, u := range c.upstreams {
		if next.upstreams[name] != u {
			u.stop()
			u.Close()
		}
	}
	for name, s := range c.sources {
		if next.sources[name] != s {
			_ = s.Close()
		}
	}
}
