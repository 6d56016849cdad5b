// Package corsotel reports what a layer of corsrpc does to OpenTelemetry: metrics of
// its decisions, of its policy and of its origin sources, and an event on the span of a
// request that is refused.
//
//	observer, err := corsotel.New()
//	if err != nil {
//		log.Fatal(err)
//	}
//	layer, err := corsrpc.Load("cors.yaml", corsrpc.WithObserver(observer))
//
// Attributes are bounded in number: they hold procedures of the schema, path patterns
// and rules of the policy, reasons and outcomes, and never a value from a request. A
// procedure that neither schema nor policy names is "_OTHER", as the semantic
// conventions for RPC have it (https://opentelemetry.io/docs/specs/semconv/rpc/).
//
// The package is a module of its own: nobody else needs OpenTelemetry.
package corsotel

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// scope is the name of the instrumentation.
const scope = "github.com/corsrpc/corsrpc-go/corsrpc/corsotel"

// Observer is a corsrpc.Observer that records measurements. It is safe for concurrent
// use, and never blocks: what a reader exports, it exports by itself. One observer
// serves one layer.
type Observer struct {
	decisions, differences, reloads, refreshes metric.Int64Counter
	registration                               metric.Registration

	kept keptOptions

	mu      sync.Mutex
	sources map[string]source
}

// source is what is known of an origin source.
type source struct {
	set     metric.MeasurementOption
	origins int64
	loaded  time.Time // zero for never
}

// Option changes how New makes an observer.
type Option interface{ apply(*config) error }

type option func(*config) error

func (o option) apply(c *config) error { return o(c) }

type config struct{ provider metric.MeterProvider }

// WithMeterProvider sets whose meter the measurements go to. A nil provider is an error of
// New. Default: otel.GetMeterProvider().
func WithMeterProvider(p metric.MeterProvider) Option {
	return option(func(c *config) error {
		if p == nil {
			return &corsrpc.OptionError{Option: "corsotel.WithMeterProvider", Reason: "the provider is nil; leave the option out for otel.GetMeterProvider()"}
		}
		c.provider = p
		return nil
	})
}

func newConfig(opts []Option) (*config, error) {
	c := &config{provider: otel.GetMeterProvider()}
	var wrong []error
	for _, o := range opts {
		if o == nil {
			wrong = append(wrong, &corsrpc.OptionError{Option: "corsotel.Option", Reason: "the option is nil"})
			continue
		}
		wrong = append(wrong, o.apply(c))
	}
	return c, errors.Join(wrong...)
}

// New returns an observer for WithObserver. The error joins a *corsrpc.OptionError for each
// option that has no meaning, or says which instrument could not be made.
//
// It records:
//
//	corsrpc.decisions           counter  requests decided on, those that are not governed included
//	corsrpc.shadow.differences  counter  requests that a shadow policy decides otherwise
//	corsrpc.policy.reloads      counter  policies put in force, or not (error.type)
//	corsrpc.source.refreshes    counter  origin sources asked, in vain perhaps (error.type)
//	corsrpc.source.origins      gauge    the origins of a source that are in force
//	corsrpc.source.age          gauge    how old they are, in seconds
func New(opts ...Option) (*Observer, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	meter := c.provider.Meter(scope)
	var failed []error
	counter := func(name, unit, description string) metric.Int64Counter {
		made, err := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		failed = append(failed, err)
		return made
	}
	o := &Observer{
		decisions:   counter("corsrpc.decisions", "{decision}", "Requests that the CORS layer decided on."),
		differences: counter("corsrpc.shadow.differences", "{difference}", "Requests that the shadow policy decides otherwise."),
		reloads:     counter("corsrpc.policy.reloads", "{reload}", "Policies that were put in force, or could not be."),
		refreshes:   counter("corsrpc.source.refreshes", "{refresh}", "Times that an origin source was asked."),
		sources:     map[string]source{},
	}
	origins, err := meter.Int64ObservableGauge("corsrpc.source.origins", metric.WithUnit("{origin}"),
		metric.WithDescription("Origins of a source that are in force."))
	failed = append(failed, err)
	age, err := meter.Float64ObservableGauge("corsrpc.source.age", metric.WithUnit("s"),
		metric.WithDescription("Age of the origins of a source that are in force."))
	failed = append(failed, err)
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	o.registration, err = meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		for _, s := range o.sources {
			to.ObserveInt64(origins, s.origins, s.set)
			if !s.loaded.IsZero() {
				to.ObserveFloat64(age, time.Since(s.loaded).Seconds(), s.set)
			}
		}
		return nil
	}, origins, age)
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Close ends the gauges, where the observer does not live as long as the program. The
// rest goes on.
func (o *Observer) Close() error { return o.registration.Unregister() }

// Observe records an event.
func (o *Observer) Observe(ctx context.Context, e corsrpc.Event) {
	switch e.Kind {
	case corsrpc.EventDecision:
		d := decisionOf(e.Decision)
		o.decisions.Add(ctx, 1, o.kept.of(d))
		if span := trace.SpanFromContext(ctx); e.Decision.Refused() && span.IsRecording() {
			span.AddEvent("corsrpc.refused", trace.WithAttributes(d.attributes()...))
		}
	case corsrpc.EventShadow:
		o.differences.Add(ctx, 1, o.kept.of(difference{decisionOf(e.Decision), decisionOf(e.Shadow)}))
	case corsrpc.EventReload:
		o.reloads.Add(ctx, 1, o.kept.of(reload{e.Err != nil}))
		o.forget(e.Plan)
	case corsrpc.EventRefresh:
		o.refreshed(ctx, e.Source)
	}
}

// refreshed records that a source was asked, and keeps what the gauges show.
func (o *Observer) refreshed(ctx context.Context, report corsrpc.SourceReport) {
	o.refreshes.Add(ctx, 1, o.kept.of(refresh{report.Name, report.Err != nil}))
	s := source{origins: int64(report.Origins), set: o.kept.of(refresh{name: report.Name})}
	if report.Age > 0 {
		s.loaded = time.Now().Add(-report.Age)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sources[report.Name] = s
}

// forget drops the sources that the plan in force does not name.
func (o *Observer) forget(plan *corsrpc.Plan) {
	if plan == nil {
		return
	}
	named := plan.Sources()
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.DeleteFunc(o.sources, func(name string, _ source) bool { return !slices.Contains(named, name) })
}
