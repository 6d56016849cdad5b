package corsotel_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsotel"
)

// A server with metrics. They go to the global meter provider.
func Example_server() {
	observer, err := corsotel.New()
	if err != nil {
		log.Fatal(err)
	}
	layer, err := corsrpc.Load("cors.yaml", corsrpc.WithObserver(observer))
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(":8080", layer.Wrap(http.DefaultServeMux)))
}

// The example reads the metrics with a reader of the SDK and prints them. A program exports
// them together with its other metrics.
func Example() {
	reader := metric.NewManualReader()
	observer, err := corsotel.New(corsotel.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))))
	if err != nil {
		log.Fatal(err)
	}
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte("defaults: {allow_origins: [https://app.example.com]}"))
	if err != nil {
		log.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy())
	if err != nil {
		log.Fatal(err)
	}
	layer, err := corsrpc.New(plan, corsrpc.WithObserver(observer), corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}

	call := httptest.NewRequest(http.MethodPost, "/acme.v1.CatalogService/Get", nil)
	call.Header.Set("Origin", "https://elsewhere.example")
	layer.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), call)

	var collected metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &collected); err != nil {
		log.Fatal(err)
	}
	for _, m := range collected.ScopeMetrics[0].Metrics {
		counts, ok := m.Data.(metricdata.Sum[int64])
		if !ok {
			continue // the gauge corsrpc.plan.info
		}
		for _, point := range counts.DataPoints {
			reason, _ := point.Attributes.Value("corsrpc.reason")
			method, _ := point.Attributes.Value("rpc.method")
			fmt.Println(m.Name, point.Value, reason.AsString(), method.AsString())
		}
	}
	// Output: corsrpc.decisions 1 ORIGIN_NOT_ALLOWED _OTHER
}
