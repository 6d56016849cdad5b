// Package corsotel exports a corsrpc layer's behavior to OpenTelemetry: metrics of its
// decisions, its policy and its origin sources, and an event on the span of each refused
// request.
//
//	observer, err := corsotel.New()
//	if err != nil {
//		log.Fatal(err)
//	}
//	layer, err := corsrpc.Load("cors.yaml", corsrpc.WithObserver(observer))
//
// The cardinality of the attributes is bounded: their values are procedures of the schema,
// path patterns and rules of the policy, reasons and outcomes, and never values from a
// request. The value for a procedure that is neither in the schema nor in the policy is
// "_OTHER", as in the semantic conventions for RPC
// (https://opentelemetry.io/docs/specs/semconv/rpc/).
//
// The package is a separate module, so that programs without it do not depend on
// OpenTelemetry.
package corsotel

import (
	"context"
	"errors"
	"slices"
	"sync"
	"weak"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// scope is the name of the instrumentation.
const scope = "github.com/corsrpc/corsrpc-go/corsrpc/corsotel"

// Observer is a corsrpc.Observer that records measurements. New returns one. It is safe for
// concurrent use. It does not block on exports, which the SDK's readers make. An observer can
// have several layers; its counters add up their counts.
type Observer struct {
	decisions, differences, reloads, refreshes metric.Int64Counter
	registration                               metric.Registration

	options optionCache

	mu     sync.Mutex
	layers []weak.Pointer[corsrpc.Layer] // weak, so that the observer does not keep a layer alive
}

// Option is an option of New.
type Option interface{ apply(*config) error }

type option func(*config) error

func (o option) apply(c *config) error { return o(c) }

type config struct {
	provider   metric.MeterProvider
	attributes []attribute.KeyValue
}

// WithMeterProvider sets the provider of the meter. Default: otel.GetMeterProvider(). New
// fails if the provider is nil.
func WithMeterProvider(p metric.MeterProvider) Option {
	return option(func(c *config) error {
		if p == nil {
			return &corsrpc.OptionError{Option: "corsotel.WithMeterProvider", Reason: "the provider is nil: omit the option to use otel.GetMeterProvider()"}
		}
		c.provider = p
		return nil
	})
}

// WithAttributes adds attributes to all measurements and span events, such as a name that tells the layers of a
// program apart. Their values must not come from requests. New fails if a key is empty. Default: none.
func WithAttributes(attributes ...attribute.KeyValue) Option {
	return option(func(c *config) error {
		for _, a := range attributes {
			if !a.Valid() {
				return &corsrpc.OptionError{Option: "corsotel.WithAttributes", Reason: "an attribute has no key or no value: leave it out"}
			}
		}
		c.attributes = append(c.attributes, attributes...)
		return nil
	})
}

func newConfig(opts []Option) (*config, error) {
	c := &config{provider: otel.GetMeterProvider()}
	var problems []error
	for _, o := range opts {
		if o == nil {
			problems = append(problems, &corsrpc.OptionError{Option: "corsotel.Option", Reason: "the option is nil"})
			continue
		}
		problems = append(problems, o.apply(c))
	}
	return c, errors.Join(problems...)
}

// New returns an observer; pass it to corsrpc.WithObserver. The error joins a
// *corsrpc.OptionError for each option that is not valid, or the errors of creating the
// instruments.
//
// The observer records these metrics:
//
//	corsrpc.decisions           counter  decisions, also on requests that no rule governs
//	corsrpc.shadow.differences  counter  requests on which the shadow policy decides differently
//	corsrpc.policy.reloads      counter  reloads of the policy; a failed one has error.type
//	corsrpc.source.refreshes    counter  refreshes of origin sources; a failed one has error.type
//	corsrpc.source.origins      gauge    the number of origins of a source that are in force
//	corsrpc.source.age          gauge    the age of these origins, in seconds
//	corsrpc.plan.info           gauge    1, with the digest of a plan in force (corsrpc.plan.digest)
//
// The gauges cover all layers of the observer. If several layers have a source of the same
// name, the gauges show the one with the oldest origins.
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
		decisions:   counter("corsrpc.decisions", "{decision}", "Decisions of the CORS layer on requests."),
		differences: counter("corsrpc.shadow.differences", "{difference}", "Requests on which the shadow policy decides differently."),
		reloads:     counter("corsrpc.policy.reloads", "{reload}", "Reloads of the policy."),
		refreshes:   counter("corsrpc.source.refreshes", "{refresh}", "Refreshes of origin sources."),
	}
	origins, err := meter.Int64ObservableGauge("corsrpc.source.origins", metric.WithUnit("{origin}"),
		metric.WithDescription("Number of origins of a source that are in force."))
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
	o.options.common = c.attributes
	o.registration, err = meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		layers := o.attached()
		for _, l := range layers {
			to.ObserveInt64(info, 1, o.options.of(plan{l.Plan().Digest()}))
		}
		for name, report := range oldestSources(layers) {
			set := o.options.of(refresh{name: name})
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

// Attach adds a layer to the gauges. corsrpc.New calls it. It returns an error if the
// observer or the layer is a zero value.
func (o *Observer) Attach(l *corsrpc.Layer) error {
	if o.registration == nil {
		return errors.New("the observer is a zero value: make it with corsotel.New")
	}
	if l == nil || l.Plan() == nil {
		return errors.New("the layer is nil or a zero value: make it with corsrpc.Load or corsrpc.New")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.layers = append(o.layers, weak.Make(l))
	return nil
}

// attached returns the layers that were not garbage-collected.
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

// oldestSources returns the reports of the origin sources, by name. Of sources with the same
// name it returns the one with the oldest origins, or one that was not loaded yet.
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

// Close stops the gauges. A program needs it only if it drops the observer before it exits.
// The counters and span events continue.
func (o *Observer) Close() error { return o.registration.Unregister() }

// Observe records an event.
func (o *Observer) Observe(ctx context.Context, e corsrpc.Event) {
	switch e.Kind {
	case corsrpc.EventDecision:
		d := decisionOf(e.Decision)
		o.decisions.Add(ctx, 1, o.options.of(d))
		if span := trace.SpanFromContext(ctx); e.Decision.Refused() && span.IsRecording() {
			span.AddEvent("corsrpc.refused", trace.WithAttributes(append(d.attributes(), o.options.common...)...))
		}
	case corsrpc.EventShadow:
		o.differences.Add(ctx, 1, o.options.of(difference{decisionOf(e.Decision), decisionOf(e.Shadow)}))
	case corsrpc.EventReload:
		o.reloads.Add(ctx, 1, o.options.of(reload{e.Err != nil}))
	case corsrpc.EventRefresh:
		o.refreshes.Add(ctx, 1, o.options.of(refresh{e.Source.Name, e.Source.Err != nil}))
	}
}
