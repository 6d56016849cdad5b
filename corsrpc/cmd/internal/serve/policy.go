// Package serve is what programs share that enforce a policy: a policy that is followed while they run, with
// its schema from reflection, its origin sources, and an internal port with health, metrics and the inspector.
package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/schema"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/internal/filewatch"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// PolicyConfig describes a policy and what it needs.
type PolicyConfig struct {
	// Name names the policy in logs, metrics and on the internal port.
	Name string
	// File is the policy file.
	File string
	// Profile is the profile of the policy. Empty: that of CORSRPC_PROFILE.
	Profile string
	// Prefixes are path prefixes below which procedures are served.
	Prefixes []string
	// Descriptors are files with the schema, and Reflect servers that tell it. Without either, the policy
	// is taken by name.
	Descriptors []string
	Reflect     []schema.Server
	// Sources are the origin sources, by name.
	Sources map[string]*Origins
	// Log gets what happens. Observers observe the layer.
	Log       *slog.Logger
	Observers []corsrpc.Observer
	// Hosts are the names under which the inspector answers.
	Hosts []string
	// ReflectEvery is the time between two readings of the schema by reflection.
	ReflectEvery time.Duration
}

const (
	maxDescriptorBytes  = 256 << 20
	defaultReflectEvery = time.Minute
	// A server or a database that is away is asked again after firstPause, then after twice the last
	// pause, up to lastPause.
	firstPause = 100 * time.Millisecond
	lastPause  = 3 * time.Second
)

// Policy is a policy that is kept in force in one layer while a program runs. It is safe for concurrent use.
type Policy struct {
	config    PolicyConfig
	layer     atomic.Pointer[corsrpc.Layer]
	streams   atomic.Pointer[map[string]bool] // by service/method, of the schema in force
	inspector atomic.Pointer[corsinspect.Inspector]
	inForce   chan struct{} // closed when the policy is ready for the first time
	ready     sync.Once
	again     chan struct{} // Reload

	mu     sync.Mutex
	why    string // what is waited for
	logged string // the last error that was logged
}

// NewPolicy reads and checks a policy. What depends on the schema is checked by Run, since the servers that
// tell it may be away. The error is a *corsrpc.PolicyError if the policy has problems.
func NewPolicy(config PolicyConfig) (*Policy, error) {
	p := &Policy{config: config, inForce: make(chan struct{}), again: make(chan struct{}, 1), why: "the policy is being loaded"}
	p.config.ReflectEvery = cmp.Or(config.ReflectEvery, defaultReflectEvery)
	if p.config.Profile == "" {
		p.config.Profile = os.Getenv("CORSRPC_PROFILE")
	}
	if _, err := p.compile(nil, true); err != nil {
		return nil, err
	}
	if len(config.Descriptors) > 0 { // what is wrong with a file is told at the start
		files, err := schema.ReadAll(context.Background(), config.Descriptors, nil)
		if err != nil {
			return nil, err
		}
		if len(config.Reflect) == 0 {
			if _, err := p.compile(files, false); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// Name returns the name of the policy.
func (p *Policy) Name() string { return p.config.Name }

// byName reports whether the policy has no schema.
func (p *Policy) byName() bool { return len(p.config.Descriptors)+len(p.config.Reflect) == 0 }

// compile reads the policy file and compiles it for a schema, or by name.
func (p *Policy) compile(files *protoregistry.Files, byName bool) (*corsrpc.Plan, error) {
	text, err := filewatch.Read(p.config.File, corsrpc.DefaultMaxPolicyBytes+1)
	if err != nil {
		return nil, fmt.Errorf("cannot read the policy: %w", err)
	}
	if files == nil {
		files = new(protoregistry.Files)
	}
	options := []any{corsrpc.WithFiles(files), corsrpc.WithProfile(p.config.Profile), planaccess.Option(planaccess.Tool{WithoutSchema: byName})}
	for _, prefix := range p.config.Prefixes {
		options = append(options, corsrpc.WithPathPrefix(prefix))
	}
	plan, err := planaccess.CompileText(p.config.File, text, options...)
	if err != nil {
		return nil, err
	}
	return plan.(*corsrpc.Plan), nil
}

// Run puts the policy in force once its schema is known, and follows its file, its schema and its origin
// sources until the context ends. It returns an error if the policy is not valid for the first schema that
// the servers tell: a *corsrpc.PolicyError. A later change that is not valid changes nothing, and is logged.
func (p *Policy) Run(ctx context.Context) error {
	files, err := p.firstSchema(ctx)
	if err != nil {
		return nil // the context has ended
	}
	plan, err := p.compile(files, p.byName())
	if err != nil {
		return err
	}
	layer, err := p.newLayer(plan)
	if err != nil {
		return err
	}
	p.setStreams(files)
	p.layer.Store(layer)
	p.config.Log.Info("policy in force", "virtual_host", p.config.Name, "policy", p.config.File, "digest", plan.Digest())
	if p.byName() {
		p.config.Log.Warn("the schema is not known: selectors are taken by name, so a typo in one is not noticed, and pages call procedures with POST only; give the schema by reflection or descriptor files",
			"virtual_host", p.config.Name)
	}
	p.checkReady()
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		if err := layer.Watch(ctx); err != nil && !errors.Is(err, corsrpc.ErrNoFile) {
			p.config.Log.Error("the origin sources are not followed", "virtual_host", p.config.Name, "error", err)
		}
	})
	p.follow(ctx, &running, layer, files)
	return nil
}

// firstSchema reads the schema, again and again until every server has answered. The error is that of the
// context.
func (p *Policy) firstSchema(ctx context.Context) (*protoregistry.Files, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		files, err := schema.ReadAll(ctx, p.config.Descriptors, p.config.Reflect)
		if err == nil {
			return files, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		p.wait(err.Error())
		p.logOnce("the schema is not known yet; the gateway is not ready", err)
		if !sleep(ctx, pause) {
			return nil, ctx.Err()
		}
	}
}

// sleep waits for a time, and reports whether the context is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// newLayer makes the layer with its inspector.
func (p *Policy) newLayer(plan *corsrpc.Plan) (*corsrpc.Layer, error) {
	inspector, err := corsinspect.New(corsinspect.WithHosts(p.config.Hosts...))
	if err != nil {
		return nil, err
	}
	options := []corsrpc.LayerOption{
		corsrpc.WithLogger(p.config.Log.With("virtual_host", p.config.Name)), corsrpc.WithObserver(inspector), corsrpc.WithObserver(&refreshed{p}),
	}
	for _, o := range p.config.Observers {
		options = append(options, corsrpc.WithObserver(o))
	}
	for name, s := range p.config.Sources {
		options = append(options, corsrpc.WithOriginSource(name, s.source, corsrpc.SourceEvery(s.every)))
	}
	layer, err := corsrpc.New(plan, options...)
	if err == nil {
		p.inspector.Store(inspector)
	}
	return layer, err
}

// refreshed is the observer that notices when origin sources are loaded.
type refreshed struct{ policy *Policy }

// Enabled reports whether the observer receives a kind of events.
func (*refreshed) Enabled(kind corsrpc.EventKind) bool { return kind == corsrpc.EventRefresh }

// Observe checks whether the policy is ready now.
func (r *refreshed) Observe(context.Context, corsrpc.Event) { r.policy.checkReady() }

// checkReady notes whether the policy is ready: it has a layer, and each origin source has been loaded.
func (p *Policy) checkReady() {
	layer := p.layer.Load()
	if layer == nil {
		return
	}
	var missing []string
	for _, s := range layer.Sources() {
		if s.Loaded.IsZero() {
			missing = append(missing, s.Name)
		}
	}
	if len(missing) > 0 {
		p.wait("these origin sources have not been loaded yet: " + strings.Join(missing, ", "))
		return
	}
	p.wait("")
	p.ready.Do(func() { close(p.inForce) })
}

// wait notes what is waited for; empty if nothing is.
func (p *Policy) wait(why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.why = why
}

// InForce returns a channel that is closed when the policy is ready for the first time.
func (p *Policy) InForce() <-chan struct{} { return p.inForce }

// Ready reports whether the policy is in force and its origin sources have been loaded once; if not, what is
// waited for.
func (p *Policy) Ready() (ok bool, why string) {
	select {
	case <-p.inForce:
		return true, ""
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return false, p.why
}

// Layer returns the layer; nil while there is none yet.
func (p *Policy) Layer() *corsrpc.Layer { return p.layer.Load() }

// Inspector returns the inspector of the layer; nil while there is none yet.
func (p *Policy) Inspector() *corsinspect.Inspector { return p.inspector.Load() }

// Reload reads the policy and the schema again.
func (p *Policy) Reload() {
	select {
	case p.again <- struct{}{}:
	default:
	}
}

// Wrap returns a handler that enforces the policy in front of next. It answers 503 while the policy is not in
// force yet.
func (p *Policy) Wrap(next http.Handler) http.Handler {
	var wrapped atomic.Pointer[http.Handler]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := wrapped.Load()
		if h == nil {
			layer := p.layer.Load()
			if layer == nil {
				w.Header().Set("Retry-After", "1")
				http.Error(w, "the gateway is not ready", http.StatusServiceUnavailable)
				return
			}
			made := layer.Wrap(next)
			h = &made
			wrapped.Store(h)
		}
		(*h).ServeHTTP(w, r)
	})
}

// Streams reports whether the schema in force declares a procedure as a stream.
func (p *Policy) Streams(service, method string) bool {
	streams := p.streams.Load()
	return streams != nil && (*streams)[service+"/"+method]
}

// setStreams notes the streams of a schema.
func (p *Policy) setStreams(files *protoregistry.Files) {
	streams := map[string]bool{}
	if files != nil {
		files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
			for i := range f.Services().Len() {
				s := f.Services().Get(i)
				for j := range s.Methods().Len() {
					if m := s.Methods().Get(j); m.IsStreamingClient() || m.IsStreamingServer() {
						streams[string(s.FullName())+"/"+string(m.Name())] = true
					}
				}
			}
			return true
		})
	}
	p.streams.Store(&streams)
}

// logOnce logs an error unless it is the one that was logged last.
func (p *Policy) logOnce(message string, err error) {
	p.mu.Lock()
	again := p.logged == err.Error()
	p.logged = err.Error()
	p.mu.Unlock()
	if !again {
		p.config.Log.Error(message, "virtual_host", p.config.Name, "error", err)
	}
}

// fileNames returns the files that are followed.
func (p *Policy) fileNames() []string { return slices.Concat([]string{p.config.File}, p.config.Descriptors) }
