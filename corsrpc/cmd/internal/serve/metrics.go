package serve

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsotel"
)

// Metrics are the metrics of a program, for Prometheus: those of its policies, of Go's runtime, of the
// process, and those that Meter makes. Its methods are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	provider *sdk.MeterProvider
}

// NewMetrics returns metrics that are independent of all others of the program.
func NewMetrics() (*Metrics, error) {
	m := &Metrics{registry: prometheus.NewRegistry()}
	reader, err := exporter.New(exporter.WithRegisterer(m.registry), exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo())
	if err != nil {
		return nil, err
	}
	m.provider = sdk.NewMeterProvider(sdk.WithReader(reader))
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector(),
	} {
		if err := m.registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Meter returns a meter for instruments of the program. The name is that of the package that uses it.
func (m *Metrics) Meter(name string) metric.Meter { return m.provider.Meter(name) }

// Handler returns a handler that answers with the metrics in a format of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError, MaxRequestsInFlight: 4})
}

// Close ends the metrics.
func (m *Metrics) Close() error { return m.provider.Shutdown(context.Background()) }

// policyKey is the attribute of a policy's metrics.
const policyKey = attribute.Key("corsrpc.policy.name")

// observer returns an observer of the layer of a policy; nil if there are no metrics.
func (m *Metrics) observer(policy string) (*corsotel.Observer, error) {
	if m == nil {
		return nil, nil
	}
	return corsotel.New(corsotel.WithMeterProvider(m.provider), corsotel.WithAttributes(policyKey.String(policy)))
}
