package corsotel_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsotel"
	"github.com/corsrpc/corsrpc-go/internal/vectors"
)

const policy = `
defaults:
  allow_origins: [https://app.example.com, https://www.example.com]
rules:
  - selector: acme.account.v1.AccountService
    disabled: true
  - path: /files/
shadow:
  defaults:
    allow_origins: [https://app.example.com]
`

const (
	page    = "https://app.example.com"
	listRPC = "/acme.catalog.v1.CatalogService/List"
)

// compile compiles a policy with the schema of the test vectors.
func compile(t *testing.T, text string) *corsrpc.Plan {
	t.Helper()
	files, err := vectors.Schema("acme")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithFiles(files), corsrpc.WithDocument(doc))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// newLayer returns a layer with an observer, and a function that collects its metrics.
func newLayer(t *testing.T, text string, opts ...corsrpc.LayerOption) (*corsrpc.Layer, func() map[string][]string) {
	t.Helper()
	reader := metric.NewManualReader()
	observer, err := corsotel.New(corsotel.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(compile(t, text), append(opts, corsrpc.WithLogger(slog.New(slog.DiscardHandler)), corsrpc.WithObserver(observer))...)
	if err != nil {
		t.Fatal(err)
	}
	return layer, func() map[string][]string { return collect(t, reader) }
}

// collect returns the sorted points of each metric, as "value{attributes}", by the metric's name
// and unit.
func collect(t *testing.T, reader *metric.ManualReader) map[string][]string {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		t.Fatal(err)
	}
	points := map[string][]string{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			name := m.Name + " " + m.Unit
			add := func(value string, attributes attribute.Set) {
				points[name] = append(points[name], value+"{"+attributes.Encoded(attribute.DefaultEncoder())+"}")
			}
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				if !data.IsMonotonic {
					t.Errorf("%s is not a counter", m.Name)
				}
				for _, p := range data.DataPoints {
					add(fmt.Sprint(p.Value), p.Attributes)
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					add(fmt.Sprint(p.Value), p.Attributes)
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					if p.Value < 0 || p.Value > 60 {
						t.Errorf("%s: %v", m.Name, p.Value)
					}
					add("age", p.Attributes)
				}
			default:
				t.Errorf("%s is a %T", m.Name, m.Data)
			}
			slices.Sort(points[name])
		}
	}
	return points
}

// send sends a request from an origin through the layer, with more header fields.
func send(layer *corsrpc.Layer, method, path, origin string, more ...string) {
	r := httptest.NewRequest(method, path, nil)
	r.Host = "api.example.com"
	r.Header.Set("Origin", origin)
	for i := 0; i < len(more); i += 2 {
		r.Header.Set(more[i], more[i+1])
	}
	layer.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
}

// point formats a point as collect does.
func point(value int, attributes ...string) string {
	return fmt.Sprintf("%d{%s}", value, strings.Join(attributes, ","))
}

// expect fails the test unless got equals want.
func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant:\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestDecisions: decisions are counted by procedure, path pattern, reason and rule.
func TestDecisions(t *testing.T) {
	t.Parallel()
	layer, collected := newLayer(t, policy)
	send(layer, "POST", listRPC, page)
	send(layer, "POST", listRPC, page)
	send(layer, "OPTIONS", listRPC, page, "Access-Control-Request-Method", "POST")
	send(layer, "OPTIONS", listRPC, page, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-tenant")
	send(layer, "POST", listRPC, "https://evil.example")
	send(layer, "POST", "/acme.account.v1.AccountService/Get", page)
	send(layer, "PUT", "/files/a", page)
	send(layer, "GET", "/elsewhere", page)
	got := collected()
	expect(t, "corsrpc.decisions", got["corsrpc.decisions {decision}"],
		point(1,
			"corsrpc.enforced=true", "corsrpc.outcome=method_not_allowed", "corsrpc.preflight=false",
			"corsrpc.reason=METHOD_NOT_ALLOWED", "corsrpc.rule=rules[1]", "error.type=METHOD_NOT_ALLOWED", "http.route=/files/"),
		point(1,
			"corsrpc.enforced=true", "corsrpc.outcome=preflight", "corsrpc.preflight=true", "corsrpc.reason=HEADERS_NOT_GRANTED",
			"corsrpc.rule=defaults", "error.type=HEADERS_NOT_GRANTED", "rpc.method=acme.catalog.v1.CatalogService/List"),
		point(1,
			"corsrpc.enforced=true", "corsrpc.outcome=preflight", "corsrpc.preflight=true", "corsrpc.reason=ORIGIN_ALLOWED",
			"corsrpc.rule=defaults.allow_origins", "rpc.method=acme.catalog.v1.CatalogService/List"),
		point(1,
			"corsrpc.enforced=true", "corsrpc.outcome=refuse", "corsrpc.preflight=false", "corsrpc.reason=DISABLED",
			"corsrpc.rule=rules[0].disabled", "error.type=DISABLED", "rpc.method=acme.account.v1.AccountService/Get"),
		point(1,
			"corsrpc.enforced=true", "corsrpc.outcome=refuse", "corsrpc.preflight=false", "corsrpc.reason=ORIGIN_NOT_ALLOWED",
			"corsrpc.rule=defaults.allow_origins", "error.type=ORIGIN_NOT_ALLOWED", "rpc.method=acme.catalog.v1.CatalogService/List"),
		`1{corsrpc.enforced=true,corsrpc.outcome=untouched,corsrpc.preflight=false,corsrpc.reason=NOT_GOVERNED}`,
		point(2,
			"corsrpc.enforced=true", "corsrpc.outcome=grant", "corsrpc.preflight=false", "corsrpc.reason=ORIGIN_ALLOWED",
			"corsrpc.rule=defaults.allow_origins", "rpc.method=acme.catalog.v1.CatalogService/List"),
	)
	send(layer, "POST", listRPC, "https://www.example.com")
	expect(t, "corsrpc.shadow.differences", slices.DeleteFunc(collected()["corsrpc.shadow.differences {difference}"],
		func(point string) bool { return !strings.Contains(point, "CatalogService/List") }),
		point(1,
			"corsrpc.enforced=true", "corsrpc.outcome=grant", "corsrpc.preflight=false", "corsrpc.reason=ORIGIN_ALLOWED",
			"corsrpc.rule=defaults.allow_origins", "corsrpc.shadow.enforced=true", "corsrpc.shadow.outcome=refuse",
			"corsrpc.shadow.reason=ORIGIN_NOT_ALLOWED", "corsrpc.shadow.rule=shadow.defaults.allow_origins",
			"rpc.method=acme.catalog.v1.CatalogService/List"),
	)
}

// TestShadowThatEnforces: a shadow policy with the same decision differs if only one of the
// two policies is enforced.
func TestShadowThatEnforces(t *testing.T) {
	t.Parallel()
	layer, collected := newLayer(t, "defaults: {allow_origins: [https://app.example.com]}\nenforcement: OBSERVE\nshadow: {defaults: {allow_origins: [https://app.example.com]}}\n")
	send(layer, "POST", listRPC, "https://evil.example")
	expect(t, "corsrpc.shadow.differences", collected()["corsrpc.shadow.differences {difference}"],
		point(1,
			"corsrpc.enforced=false", "corsrpc.outcome=refuse", "corsrpc.preflight=false", "corsrpc.reason=ORIGIN_NOT_ALLOWED",
			"corsrpc.rule=defaults.allow_origins", "corsrpc.shadow.enforced=true", "corsrpc.shadow.outcome=refuse",
			"corsrpc.shadow.reason=ORIGIN_NOT_ALLOWED", "corsrpc.shadow.rule=shadow.defaults.allow_origins",
			"error.type=ORIGIN_NOT_ALLOWED", "rpc.method=acme.catalog.v1.CatalogService/List"),
	)
}

// TestObserved: the attribute corsrpc.enforced is false if enforcement is OBSERVE.
func TestObserved(t *testing.T) {
	t.Parallel()
	layer, collected := newLayer(t, "defaults:\n  allow_origins: [https://app.example.com]\nenforcement: OBSERVE\n")
	send(layer, "POST", listRPC, "https://evil.example")
	expect(t, "corsrpc.decisions", collected()["corsrpc.decisions {decision}"],
		point(1,
			"corsrpc.enforced=false", "corsrpc.outcome=refuse", "corsrpc.preflight=false", "corsrpc.reason=ORIGIN_NOT_ALLOWED",
			"corsrpc.rule=defaults.allow_origins", "error.type=ORIGIN_NOT_ALLOWED", "rpc.method=acme.catalog.v1.CatalogService/List"))
}

// TestAttributesAreBounded: many distinct requests cause few points, and no attribute has a
// value from a request.
func TestAttributesAreBounded(t *testing.T) {
	t.Parallel()
	layer, collected := newLayer(t, policy)
	for i := range 3000 {
		mark := fmt.Sprintf("mark%d", i)
		send(layer, "POST", listRPC, "https://"+mark+".example")
		send(layer, "POST", listRPC, mark)
		send(layer, "POST", "/acme.catalog.v1.CatalogService/"+mark, page)
		send(layer, "POST", "/acme."+mark+".v1.Service/Get", "https://"+mark+".example")
		send(layer, "PUT", "/files/"+mark, page)
		send(layer, "GET", "/"+mark, page)
		send(layer, "OPTIONS", listRPC, page, "Access-Control-Request-Method", mark, "Access-Control-Request-Headers", mark)
	}
	points := 0
	for name, all := range collected() {
		points += len(all)
		if strings.Contains(fmt.Sprint(all), "mark") {
			t.Errorf("%s: an attribute has a value from a request: %s", name, all)
		}
	}
	if points > 20 {
		t.Errorf("%d points", points)
	}
}

// TestMemoryIsBounded: the cache of measurement options is bounded.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	observer, err := corsotel.New(corsotel.WithMeterProvider(noop.NewMeterProvider()))
	if err != nil {
		t.Fatal(err)
	}
	cached := 0
	for i := range 25_000 {
		observer.Observe(t.Context(), corsrpc.Event{Kind: corsrpc.EventRefresh, Source: corsrpc.SourceReport{Name: fmt.Sprint("tenants", i)}})
		if cached = observer.Cached(); cached > 10_000 {
			t.Fatalf("%d options are cached after %d sources", cached, i+1)
		}
	}
	if cached == 0 {
		t.Error("no option is cached")
	}
}

// TestOtherProcedures: all procedures outside the schema and the policy have the same
// rpc.method, _OTHER.
func TestOtherProcedures(t *testing.T) {
	t.Parallel()
	layer, collected := newLayer(t, "defaults:\n  allow_origins: [https://app.example.com]\n")
	send(layer, "POST", "/other.v1.Service/Get", page)
	send(layer, "POST", "/acme.catalog.v1.CatalogService/Newer", page)
	expect(t, "corsrpc.decisions", collected()["corsrpc.decisions {decision}"],
		point(2,
			"corsrpc.enforced=true", "corsrpc.outcome=grant", "corsrpc.preflight=false", "corsrpc.reason=ORIGIN_ALLOWED",
			"corsrpc.rule=defaults.allow_origins", "rpc.method=_OTHER"))
}

// TestSources: refreshes and reloads are counted, and the gauges show the origins of a source
// and their age.
func TestSources(t *testing.T) {
	t.Parallel()
	fails := false
	source := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			if fails {
				yield("", errors.New("the database is down"))
				return
			}
			yield("https://a.example", nil)
		}
	})
	const text = "defaults:\n  allow_origins_from: [tenants]\n"
	layer, collected := newLayer(t, text, corsrpc.WithOriginSource("tenants", source))
	ctx := context.Background()
	for i, want := range []string{"0{corsrpc.source.name=tenants}", "1{corsrpc.source.name=tenants}", "1{corsrpc.source.name=tenants}"} {
		fails = i != 1
		if err := layer.Refresh(ctx, "tenants"); (err != nil) != fails {
			t.Fatal(err)
		}
		got := collected()
		expect(t, "corsrpc.source.origins", got["corsrpc.source.origins {origin}"], want)
		if hasSet := i > 0; (got["corsrpc.source.age s"] != nil) != hasSet {
			t.Errorf("after %d refreshes: age %s", i+1, got["corsrpc.source.age s"])
		}
	}
	if err := layer.Reload(ctx, compile(t, text)); err != nil {
		t.Fatal(err)
	}
	if err := layer.Reload(ctx, compile(t, "defaults:\n  allow_origins_from: [others]\n")); err == nil {
		t.Fatal("no error for a policy with an unknown source")
	}
	got := collected()
	expect(t, "corsrpc.source.refreshes", got["corsrpc.source.refreshes {refresh}"],
		"1{corsrpc.source.name=tenants}", "2{corsrpc.source.name=tenants,error.type=_OTHER}")
	expect(t, "corsrpc.source.origins", got["corsrpc.source.origins {origin}"], "1{corsrpc.source.name=tenants}")
	expect(t, "corsrpc.source.age", got["corsrpc.source.age s"], "age{corsrpc.source.name=tenants}")
	expect(t, "corsrpc.policy.reloads", got["corsrpc.policy.reloads {reload}"], "1{error.type=_OTHER}", "1{}")
	if err := layer.Reload(ctx, compile(t, policy)); err != nil {
		t.Fatal(err)
	}
	if got := collected(); got["corsrpc.source.age s"] != nil || got["corsrpc.source.origins {origin}"] != nil {
		t.Errorf("the gauges show a source that the policy does not use any more: %s", got)
	}
}

// TestSpanEvents: a refused request adds an event to its span, and an allowed one does not.
func TestSpanEvents(t *testing.T) {
	t.Parallel()
	layer, _ := newLayer(t, policy)
	recorder := tracetest.NewSpanRecorder()
	tracer := trace.NewTracerProvider(trace.WithSpanProcessor(recorder)).Tracer("test")
	for _, origin := range []string{page, "https://evil.example"} {
		ctx, span := tracer.Start(context.Background(), origin)
		r := httptest.NewRequest(http.MethodPost, listRPC, nil).WithContext(ctx)
		r.Header.Set("Origin", origin)
		layer.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
		span.End()
	}
	spans := recorder.Ended()
	if events := spans[0].Events(); len(events) != 0 {
		t.Errorf("an allowed call: %v", events)
	}
	events := spans[1].Events()
	if len(events) != 1 || events[0].Name != "corsrpc.refused" {
		t.Fatalf("a refused call: %v", events)
	}
	set := attribute.NewSet(events[0].Attributes...)
	if got := set.Encoded(attribute.DefaultEncoder()); !strings.Contains(got, "error.type=ORIGIN_NOT_ALLOWED,rpc.method=acme.catalog.v1.CatalogService/List") || strings.Contains(got, "evil") {
		t.Errorf("%s", got)
	}
}

// TestPlanInfo: the gauge has a point for the plan of each layer until the layer is
// garbage-collected. Of sources with the same name, the gauges show the oldest.
func TestPlanInfo(t *testing.T) {
	t.Parallel()
	const text = "defaults: {allow_origins_from: [tenants]}"
	reader := metric.NewManualReader()
	observer, err := corsotel.New(corsotel.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))))
	if err != nil {
		t.Fatal(err)
	}
	newLayer := func(text string, rows ...string) *corsrpc.Layer {
		source := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
			return func(yield func(string, error) bool) {
				for _, row := range rows {
					yield(row, nil)
				}
			}
		})
		layer, err := corsrpc.New(compile(t, text), corsrpc.WithLogger(slog.New(slog.DiscardHandler)), corsrpc.WithObserver(observer), corsrpc.WithOriginSource("tenants", source))
		if err != nil {
			t.Fatal(err)
		}
		return layer
	}
	expectDigests := func(when string, layers ...*corsrpc.Layer) {
		t.Helper()
		var want []string
		for _, l := range layers {
			want = append(want, "1{corsrpc.plan.digest="+l.Plan().Digest()+"}")
		}
		slices.Sort(want)
		expect(t, when, collect(t, reader)["corsrpc.plan.info {plan}"], slices.Compact(want)...)
	}
	expectDigests("no layer")
	first, second := newLayer(policy), newLayer(text, "https://a.example", "https://b.example")
	expectDigests("two layers", first, second)
	if err := first.Reload(t.Context(), compile(t, text)); err != nil {
		t.Fatal(err)
	}
	expectDigests("two layers with one plan", first, second)

	for _, step := range []struct {
		layer *corsrpc.Layer
		want  string
	}{{second, "0"}, {first, "2"}} {
		if err := step.layer.Refresh(t.Context(), "tenants"); err != nil {
			t.Fatal(err)
		}
		expect(t, "origins", collect(t, reader)["corsrpc.source.origins {origin}"], step.want+"{corsrpc.source.name=tenants}")
	}

	if err := first.Reload(t.Context(), compile(t, policy)); err != nil {
		t.Fatal(err)
	}
	runtime.KeepAlive(second)
	second = nil
	runtime.GC()
	expectDigests("a layer is dropped", first)
	if n := observer.Layers(); n != 1 {
		t.Errorf("the observer refers to %d layers, want 1", n)
	}
	runtime.KeepAlive(first)
}

// TestClose: Close stops the gauges, but not the counters.
func TestClose(t *testing.T) {
	t.Parallel()
	reader := metric.NewManualReader()
	observer, err := corsotel.New(corsotel.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(compile(t, "defaults: {allow_origins_from: [tenants]}"), corsrpc.WithLogger(slog.New(slog.DiscardHandler)), corsrpc.WithObserver(observer),
		corsrpc.WithOriginSource("tenants", corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
			return func(yield func(string, error) bool) { yield("https://a.example", nil) }
		})))
	if err != nil {
		t.Fatal(err)
	}
	for i, gauges := range []int{1, 0} {
		if err := layer.Refresh(t.Context(), "tenants"); err != nil {
			t.Fatal(err)
		}
		got := collect(t, reader)
		for _, name := range []string{"corsrpc.source.origins {origin}", "corsrpc.source.age s", "corsrpc.plan.info {plan}"} {
			if len(got[name]) != gauges {
				t.Errorf("closed %d times: %s: %s", i, name, got[name])
			}
		}
		expect(t, "refreshes", got["corsrpc.source.refreshes {refresh}"], fmt.Sprintf("%d{corsrpc.source.name=tenants}", i+1))
		if err := observer.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNewDefaults: without options, the observer uses the global MeterProvider.
func TestNewDefaults(t *testing.T) {
	reader := metric.NewManualReader()
	before := otel.GetMeterProvider()
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(reader)))
	defer otel.SetMeterProvider(before)
	observer, err := corsotel.New()
	if err != nil {
		t.Fatal(err)
	}
	observer.Observe(context.Background(), corsrpc.Event{Kind: corsrpc.EventReload})
	if got := collect(t, reader)["corsrpc.policy.reloads {reload}"]; !slices.Equal(got, []string{"1{}"}) {
		t.Errorf("%s", got)
	}
}

// TestMeaninglessOptions: New fails for an option that is not valid.
func TestMeaninglessOptions(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]corsotel.Option{"corsotel.Option": nil, "corsotel.WithMeterProvider": corsotel.WithMeterProvider(nil)} {
		var optionError *corsrpc.OptionError
		if _, err := corsotel.New(option); !errors.As(err, &optionError) || optionError.Option != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestZeroObserver: corsrpc.New fails for a zero Observer.
func TestZeroObserver(t *testing.T) {
	t.Parallel()
	if _, err := corsrpc.New(compile(t, policy), corsrpc.WithObserver(&corsotel.Observer{})); err == nil {
		t.Error("no error")
	}
}

// TestUnknownEvents: the observer ignores events of an unknown kind.
func TestUnknownEvents(t *testing.T) {
	t.Parallel()
	reader := metric.NewManualReader()
	observer, err := corsotel.New(corsotel.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))))
	if err != nil {
		t.Fatal(err)
	}
	observer.Observe(context.Background(), corsrpc.Event{Kind: 200})
	if got := collect(t, reader); len(got) != 0 {
		t.Errorf("%s", got)
	}
}
