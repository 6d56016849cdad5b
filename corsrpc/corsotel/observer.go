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
	"slices"
	"sync"
	"weak"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// scope is the name of the instrumentation.
const scope = "github.com/corsrpc/corsrpc-go/corsrpc/corsotel"

// Observer is a corsrpc.Observer that records measurements. It is safe for concurrent
// use, and never blocks: what a reader exports, it exports by itself. One observer
// serves any number of layers, whose counts it adds up.
type Observer struct {
	decisions, differences, reloads, refreshes metric.Int64Counter
	registration                               metric.Registration

	kept keptOptions

	mu     sync.Mutex
	layers []weak.Pointer[corsrpc.Layer] // which the program may drop
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
//	corsrpc.plan.info           gauge    1, with the digest of a plan in force (corsrpc.plan.digest)
//
// The gauges are of the layers that the observer was given to by corsrpc.WithObserver. Of a
// source that several of them name, they show the oldest origins.
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
	}
	origins, err := meter.Int64ObservableGauge("corsrpc.source.origins", metric.WithUnit("{origin}"),
		metric.WithDescription("Origins of a source that are in force."))
	failed = append(failed, err)
	age, err := meter.Float64ObservableGauge("corsrpc.source.age", metric.WithUnit("s"),
		metric.WithDescription("Age of the origins of a source that are in force."))
	failed = append(failed, err)
	info, err := meter.Int64ObservableGauge("corsrpc.plan.info", metric.WithUnit("{plan}"),
		metric.WithDescription("A plan that is in force."))
	failed = append(failed, err)
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	o.registration, err = meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		layers := o.attached()
		for _, l := range layers {
			to.ObserveInt64(info, 1, o.kept.of(plan{l.Plan().Digest()}))
		}
		for name, report := range oldestSources(layers) {
			set := o.kept.of(refresh{name: name})
			to.ObserveInt64(origins, int64(report.Origins), set)
			if !report.Loaded.IsZero() {
				to.ObserveFloat64(age, report.Age.Seconds(), set)
			}
		}
		return nil
	}, origins, age, info)
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Attach adds a layer to the gauges; corsrpc.New calls it. The error says that New did not
// make the observer, which records nothing then.
func (o *Observer) Attach(l *corsrpc.Layer) error {
	if o.registration == nil {
		return errors.New("the observer is not one that corsotel.New made")
	}
	if l == nil || l.Plan() == nil {
		return errors.New("the layer is not one that corsrpc.Load or corsrpc.New made")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.layers = append(o.layers, weak.Make(l))
	return nil
}

// attached returns the layers that the program still has.
func (o *Observer) attached() (layers []*corsrpc.Layer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.layers = slices.DeleteFunc(o.layers, func(p weak.Pointer[corsrpc.Layer]) bool {
		l := p.Value()
		if l != nil {
			layers = append(layers, l)
		}
		return l == nil
	})
	return layers
}

// oldestSources returns what each origin source has, by its name: of several layers the one
// whose origins are the oldest, or that has none yet.
func oldestSources(layers []*corsrpc.Layer) map[string]corsrpc.SourceReport {
	oldest := map[string]corsrpc.SourceReport{}
	for _, l := range layers {
		for _, report := range l.Sources() {
			if have, ok := oldest[report.Name]; !ok || report.Loaded.Before(have.Loaded) {
				oldest[report.Name] = report
			}
		}
	}
	return oldest
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
	case corsrpc.EventRefresh:
		o.refreshes.Add(ctx, 1, o.kept.of(refresh{e.Source.Name, e.Source.Err != nil}))
	}
}
