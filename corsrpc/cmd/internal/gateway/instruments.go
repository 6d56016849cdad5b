package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc/status"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/serve"
)

// instruments are the gateway's own metrics. They have the names of OpenTelemetry's semantic conventions where
// there are any. They are safe for concurrent use.
//
// See https://opentelemetry.io/docs/specs/semconv/http/http-metrics/.
type instruments struct {
	duration metric.Float64Histogram
	reloads  metric.Int64Counter
	streams  metric.Int64Counter // of the external processor
	options  optionCache
}

// durations are the bounds of the histogram's buckets, in seconds.
var durations = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600}

// newInstruments registers the instruments. Policies are those in force.
func newInstruments(meter metric.Meter, open *calls, policies func() []*serve.Policy) (*instruments, error) {
	duration, err1 := meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of the requests that have ended."), metric.WithExplicitBucketBoundaries(durations...))
	reloads, err2 := meter.Int64Counter("corsrpc.gateway.reloads", metric.WithUnit("{reload}"), metric.WithDescription("Reloads of the gateway file."))
	streams, err5 := meter.Int64Counter("corsrpc.extproc.streams", metric.WithUnit("{stream}"),
		metric.WithDescription("Streams of Envoy that have ended: one for each request. Those with an error were answered by Envoy with 500, unless the client had gone."))
	active, err3 := meter.Int64ObservableUpDownCounter("http.server.active_requests", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that are being served, upgraded connections included."))
	ready, err4 := meter.Int64ObservableGauge("corsrpc.policy.ready", metric.WithUnit("{policy}"),
		metric.WithDescription("1 if the policy of a virtual host is in force and its origin sources have been loaded, and 0 otherwise."))
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	_, err := meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		to.ObserveInt64(active, int64(open.open()))
		for _, p := range policies() {
			name := attribute.String("corsrpc.policy.name", p.Name())
			isReady := int64(0)
			if ok, _ := p.Ready(); ok {
				isReady = 1
			}
			to.ObserveInt64(ready, isReady, metric.WithAttributes(name))
		}
		return nil
	}, active, ready)
	return &instruments{duration: duration, reloads: reloads, streams: streams, options: optionCache{known: map[served]metric.MeasurementOption{}}}, err
}

// served is what the duration of a request is measured by. Each part has few values.
type served struct {
	method, virtualHost, upstream string
	status                        int
	refused                       bool
}

// served measures a request that has ended.
func (i *instruments) served(r *http.Request, rec *record) {
	method := r.Method
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "_OTHER"
	}
	set := i.options.of(served{method, rec.virtualHost, rec.upstream, rec.status, rec.decision.Refused() && rec.decision.Enforced()})
	i.duration.Record(r.Context(), time.Since(rec.start).Seconds(), set)
}

// reloaded counts a reload of the gateway file.
func (i *instruments) reloaded(ctx context.Context, err error) {
	if err != nil {
		i.reloads.Add(ctx, 1, metric.WithAttributes(attribute.String("error.type", "invalid")))
		return
	}
	i.reloads.Add(ctx, 1)
}

// streamEnded counts a stream of Envoy.
func (i *instruments) streamEnded(ctx context.Context, err error) {
	i.streams.Add(ctx, 1, metric.WithAttributes(attribute.String("rpc.grpc.status_code", status.Code(err).String())))
}
