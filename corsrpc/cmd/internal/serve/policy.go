package serve

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/schema"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
	"github.com/corsrpc/corsrpc-go/internal/filewatch"
)

// PolicyConfig says what a Policy is made of. NewPolicy does not modify it.
type PolicyConfig struct {
	// Name tells the policies of a program apart, in logs, metrics and paths of the internal port:
	// letters, digits, - and _. Default: "default".
	Name string
	// File is the name of the policy file. Required.
	File string
	// Profile is the profile of the policy. Default: that of the environment variable
	// CORSRPC_PROFILE; without it, none.
	Profile string
	// LookupEnv looks up environment variables. Default: os.LookupEnv.
	LookupEnv func(name string) (string, bool)
	// Prefixes are path prefixes below which procedures are served too. Default: none.
	Prefixes []string
	// Descriptors are files with the schema. Default: none.
	Descriptors []string
	// Reflect are servers that tell the schema by gRPC server reflection. Without them and without
	// descriptors, selectors are taken by name. Default: none.
	Reflect []ReflectedServer
	// ReflectEvery is how long after one answer a server is asked for its schema again. Default: one
	// minute.
	ReflectEvery time.Duration
	// Sources are the origin sources that the policy may name, by name. Default: none.
	Sources map[string]Source
	// Logger gets what the policy and its layer report. Default: slog.Default().
	Logger *slog.Logger
	// Observers observe the layer, in addition to the inspector and the metrics. Default: none.
	Observers []corsrpc.Observer
	// Metrics receives the metrics of the layer, with the attribute corsrpc.policy.name. Nil: none.
	Metrics *Metrics
	// InspectorHosts are further host names under which the inspector answers, as
	// corsinspect.WithHosts takes them. Default: none.
	InspectorHosts []string
}

// Source is an origin source of a policy.
type Source struct {
	// From is the source. It belongs to one policy.
	From corsrpc.OriginSource
	// Options are the options that the source is loaded with.
	Options []corsrpc.SourceOption
}

// Policy keeps a policy file in force in one layer, while Run runs: it follows the file, the schema and
// the origin sources. Its methods are safe for concurrent use.
type Policy struct {
	config    PolicyConfig
	log       *slog.Logger
	inspector *corsinspect.Inspector
	byName    bool // whether selectors are taken by name

	first inputs // the inputs that NewPolicy has read; Run takes them over

	layer   atomic.Pointer[corsrpc.Layer] // nil until the policy is in force
	streams atomic.Pointer[streams]       // nil if the schema is not known
	waiting atomic.Pointer[string]        // the reason why there is no layer yet
	loaded  atomic.Bool                   // whether all origin sources have been loaded once

	running     atomic.Bool
	sourcesWait time.Duration // bounds the time that Run waits for origin sources before it puts a policy in force
	readTimeout time.Duration // bounds the time that a server may take to tell its schema
	retryPause  time.Duration // the first pause before a policy is tried again one of whose sources could not be loaded
	reread      chan struct{} // holds one item while Reload waits for Run
}

// NewPolicy reads and checks the policy file and the descriptor files. It compiles the policy by name, or
// with the schema if the descriptor files are all of it. The error is a *corsrpc.PolicyError that lists
// every problem of the policy with file, line and column, or says why a file cannot be read. The policy
// is not in force before Run has put it in force.
func NewPolicy(config PolicyConfig) (*Policy, error) {
	config.Name = cmp.Or(config.Name, "default")
	config.ReflectEvery = cmp.Or(config.ReflectEvery, time.Minute)
	if config.LookupEnv == nil {
		config.LookupEnv = os.LookupEnv
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	chosenBy := "the configuration"
	if config.Profile == "" {
		config.Profile, _ = config.LookupEnv("CORSRPC_PROFILE")
		chosenBy = "CORSRPC_PROFILE"
	}
	p := &Policy{
		config: config, log: config.Logger.With("policy", config.Name), reread: make(chan struct{}, 1),
		sourcesWait: 5 * time.Second, readTimeout: 10 * time.Second, retryPause: 2 * time.Second,
	}
	p.byName = len(config.Descriptors)+len(config.Reflect) == 0
	if err := p.readFirst(); err != nil {
		return nil, err
	}
	var err error
	if p.inspector, err = corsinspect.New(corsinspect.WithHosts(config.InspectorHosts...)); err != nil {
		return nil, err
	}
	p.waitFor("the start of the program")
	if config.Profile != "" {
		p.log.Info("corsrpc: policy loaded with a profile", "file", config.File, "profile", config.Profile, "chosen_by", chosenBy)
	}
	if p.byName {
		p.log.Warn("corsrpc: the schema is not known, so selectors are taken by name: a mistake in a name is not found, and no procedure may be called with GET",
			"remedy", "let the program ask the server for it (reflect), or give it files with the schema (descriptors)")
	}
	return p, nil
}

// readFirst reads the files and compiles the policy as far as it is known without servers.
func (p *Policy) readFirst() error {
	text, err := readPolicy(p.config.File)
	if err != nil {
		return err
	}
	p.first.text = text
	p.first.watched = append(p.first.watched, filewatch.New(p.config.File, maxPolicyBytes(p.config.File), text))
	for _, name := range p.config.Descriptors {
		data, err := filewatch.Read(name, schema.MaxFileBytes+1)
		if err != nil {
			_, err = schema.ReadFile(name) // its error says what to do
			return cmp.Or(err, fmt.Errorf("%s changed while it was read", name))
		}
		part, err := schema.ParseFile(name, data)
		if err != nil {
			return err
		}
		p.first.files = append(p.first.files, part)
		p.first.watched = append(p.first.watched, filewatch.New(name, schema.MaxFileBytes+1, data))
	}
	for _, server := range p.config.Reflect {
		p.first.servers = append(p.first.servers, serverState{server: server})
	}
	plan, err := p.compileFirst()
	if err != nil {
		return err
	}
	// A layer without observers finds out about sources and options that are missing or wrong.
	_, err = corsrpc.New(plan, p.layerOptions(slog.New(slog.DiscardHandler))...)
	return explainSources(err)
}

// compileFirst compiles the policy with the schema of the descriptor files, or by name if servers tell
// more of the schema.
func (p *Policy) compileFirst() (*corsrpc.Plan, error) {
	if len(p.config.Reflect) > 0 || p.byName {
		return p.compile(p.first.text, nil)
	}
	files, err := schema.Merge(p.first.files...)
	if err != nil {
		return nil, err
	}
	return p.compile(p.first.text, files)
}

// layerOptions returns the options of the layer, apart from observers.
func (p *Policy) layerOptions(log *slog.Logger) []corsrpc.LayerOption {
	options := []corsrpc.LayerOption{corsrpc.WithLogger(log)}
	for _, name := range slices.Sorted(maps.Keys(p.config.Sources)) {
		s := p.config.Sources[name]
		options = append(options, corsrpc.WithOriginSource(name, s.From, s.Options...))
	}
	return options
}

// explainSources says in an error about unknown origin sources where the sources of a program are set.
func explainSources(err error) error {
	var problems *corsrpc.PolicyError
	if !errors.Is(err, corsrpc.ErrUnknownSource) || !errors.As(err, &problems) {
		return err
	}
	explained := &corsrpc.PolicyError{Violations: slices.Clone(problems.Violations)}
	for i := range explained.Violations {
		explained.Violations[i].Reason = "is not the name of an origin source of this program: add one with this name to origin_sources, or with --origins"
	}
	return explained
}

// Name returns the name of the policy.
func (p *Policy) Name() string { return p.config.Name }

// Inspector returns the inspector of the layer. It answers with 503 until the policy is in force.
func (p *Policy) Inspector() *corsinspect.Inspector { return p.inspector }

// Layer returns the layer that enforces the policy; nil until the policy is in force.
func (p *Policy) Layer() *corsrpc.Layer { return p.layer.Load() }

// Digest returns the digest of the plan in force; empty until the policy is in force.
func (p *Policy) Digest() string {
	if l := p.layer.Load(); l != nil {
		return l.Plan().Digest()
	}
	return ""
}

// Streams reports whether the schema declares a method as a stream of requests, of responses or of both. It
// is false where the schema is not known. The service is its full name, such as acme.v1.CatalogService.
func (p *Policy) Streams(service, method string) bool {
	s := p.streams.Load()
	return s != nil && (*s)[procedure{service, method}]
}

// Ready reports whether the policy is in force and all its origin sources have been loaded once. If not,
// why says what it waits for; it may name servers and databases, so it is not for clients. A policy that
// was ready once stays ready: later failures keep what is in force.
func (p *Policy) Ready() (ok bool, why string) {
	layer := p.layer.Load()
	switch {
	case layer == nil:
		return false, *p.waiting.Load()
	case p.loaded.Load():
		return true, ""
	}
	named := sourcesOf(layer.Plan())
	for _, report := range layer.Sources() {
		if slices.Contains(named, report.Name) && report.Loaded.IsZero() {
			return false, waitsForSource(report)
		}
	}
	p.loaded.Store(true)
	return true, ""
}

// waitsForSource says why an origin source has not been loaded.
func waitsForSource(report corsrpc.SourceReport) string {
	if report.Err != nil {
		return report.Err.Error()
	}
	return "the origin source " + report.Name
}

// waitFor sets what the policy waits for.
func (p *Policy) waitFor(what string) { p.waiting.Store(&what) }

// Reload makes Run read everything again now: the policy file, the descriptor files, the schema of the
// servers and the origin sources. It does not wait. Inputs that have not changed stay in force.
func (p *Policy) Reload() {
	select {
	case p.reread <- struct{}{}:
	default: // Run is about to do so
	}
}
