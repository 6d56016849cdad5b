package serve

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsotel"
)

// Metrics are the metrics of a program, in the form of Prometheus. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	provider *sdk.MeterProvider
}

// NewMetrics returns metrics with those of the Go runtime and the process.
func NewMetrics() (*Metrics, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	return &Metrics{registry, sdk.NewMeterProvider(sdk.WithReader(exporter))}, nil
}

// Meter returns a meter for a program's own instruments.
func (m *Metrics) Meter() metric.Meter {
	return m.provider.Meter("github.com/corsrpc/corsrpc-go/corsrpc/cmd")
}

// Observer returns an observer for the layers of one policy.
func (m *Metrics) Observer() (corsrpc.Observer, error) {
	return corsotel.New(corsotel.WithMeterProvider(m.provider))
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
