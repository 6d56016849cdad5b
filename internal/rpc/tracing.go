package rpc

import "slices"

// TracingHeader is one row of TracingTable: a request header in which browser clients of tracing
// systems send the identifiers of a trace.
type TracingHeader struct {
	// Name is in lower case.
	Name string
	// SentBy names the clients that send the header.
	SentBy string
	// Source is the URL of a page or a source file about it.
	Source string
}

const (
	traceContext = "https://www.w3.org/TR/trace-context/"
	w3cBaggage   = "https://www.w3.org/TR/baggage/"
	sentry       = "https://docs.sentry.io/platforms/javascript/distributed-tracing/dealing-with-cors-issues"
	b3           = "https://github.com/openzipkin/b3-propagation"
	otelB3       = "https://www.npmjs.com/package/@opentelemetry/propagator-b3"
	datadog      = "https://github.com/DataDog/browser-sdk/blob/0015bd3832acb8deb7092333b2673b63ad35e5ea/packages/rum-core/src/domain/tracing/tracer.ts"
	datadogTags  = "https://app.unpkg.com/@datadog/mobile-react-native@2.11.0/files/src/rum/instrumentation/resourceTracking/distributedTracing/distributedTracingHeaders.ts"
	otelJaeger   = "https://open-telemetry.github.io/opentelemetry-js/modules/_opentelemetry_propagator-jaeger.html"
	otelOTTrace  = "https://npmjs.com/package/@opentelemetry/propagator-ot-trace"
	xray         = "https://docs.aws.amazon.com/xray/latest/devguide/xray-services-RUM.html"
	googleCloud  = "https://www.github.com/GoogleCloudPlatform/opentelemetry-operations-js/blob/main/packages/opentelemetry-cloud-trace-propagator/README.md"
	newRelic     = "https://docs.newrelic.com/docs/distributed-tracing/ui-data/browser-data/"
	elastic      = "https://elastic.co/guide/en/apm/agent/rum-js/4.x/distributed-tracing-guide.html"
	appInsights  = "https://microsoft.github.io/ApplicationInsights-JS/webSdk/applicationinsights-core-js/enums/eDistributedTracingModes.html"
	appContext   = "https://brettmckenzie.net/posts/things-i-wish-i-knew-earlier-about-distributed-tracing-in-azure-application-insights/"
	instana      = "https://npmjs.com/package/@opentelemetry/propagator-instana"
	skyWalking   = "https://github.com/apache/skywalking-client-js/blob/04e1fbebb4acbf24690219755a2e924a2a158983/src/trace/interceptors/fetch.ts"
	dynatrace    = "https://docs.dynatrace.com/docs/observe/digital-experience/web-applications/initial-setup/link-cross-origin-xhrs"
)

// TracingTable holds the request headers that `tracing: true` grants, in the order of the answer
// to a preflight. It has no header that turns debugging on for a request (x-b3-flags,
// jaeger-debug-id) and none that carries data of the application (uberctx-*, ot-baggage-*,
// sw8-correlation, jaeger-baggage, EagleEye's session and application), apart from the W3C's baggage.
var TracingTable = []TracingHeader{
	{"traceparent", "OpenTelemetry, Grafana Faro, Elastic, Datadog, New Relic, Dynatrace, Application Insights and others", traceContext},
	{"tracestate", "the same clients", traceContext},
	{"baggage", "OpenTelemetry, Sentry", w3cBaggage},
	{"sentry-trace", "Sentry", sentry},
	{"b3", "OpenTelemetry's B3 propagator, Datadog, Alibaba Cloud ARMS", otelB3},
	{"x-b3-traceid", "OpenTelemetry's B3 propagator, Zipkin, Datadog, Oracle APM", b3},
	{"x-b3-spanid", "the same clients", b3},
	{"x-b3-parentspanid", "the same clients", b3},
	{"x-b3-sampled", "the same clients", b3},
	{"x-datadog-trace-id", "Datadog", datadog},
	{"x-datadog-parent-id", "Datadog", datadog},
	{"x-datadog-origin", "Datadog", datadog},
	{"x-datadog-sampling-priority", "Datadog", datadog},
	{"x-datadog-tags", "Datadog, for the upper half of a trace's identifier", datadogTags},
	{"uber-trace-id", "OpenTelemetry's Jaeger propagator, Alibaba Cloud ARMS", otelJaeger},
	{"ot-tracer-traceid", "OpenTelemetry's OT Trace propagator, LightStep", otelOTTrace},
	{"ot-tracer-spanid", "the same clients", otelOTTrace},
	{"ot-tracer-sampled", "the same clients", otelOTTrace},
	{"x-amzn-trace-id", "Amazon CloudWatch RUM, OpenTelemetry's X-Ray propagator", xray},
	{"x-cloud-trace-context", "OpenTelemetry's Google Cloud propagator", googleCloud},
	{"newrelic", "New Relic", newRelic},
	{"elastic-apm-traceparent", "Elastic's RUM agent before version 5", elastic},
	{"request-id", "Application Insights", appInsights},
	{"request-context", "Application Insights", appContext},
	{"x-instana-t", "OpenTelemetry's Instana propagator", instana},
	{"x-instana-s", "OpenTelemetry's Instana propagator", instana},
	{"x-instana-l", "OpenTelemetry's Instana propagator", instana},
	{"sw8", "SkyWalking, Alibaba Cloud ARMS", skyWalking},
	{"x-dtc", "Dynatrace, for requests to another origin", dynatrace},
}

// tracing is TracingTable's names, to look them up.
var tracing = func() map[string]bool {
	names := map[string]bool{}
	for _, h := range TracingTable {
		names[h.Name] = true
	}
	return names
}()

// IsTracing reports whether TracingTable has the lower-case name.
func IsTracing(lower string) bool { return tracing[lower] }

// TracingNames returns the names of TracingTable, in its order.
func TracingNames() []string { return slices.Clone(tracingNames) }

var tracingNames = func() (names []string) {
	for _, h := range TracingTable {
		names = append(names, h.Name)
	}
	return names
}()
