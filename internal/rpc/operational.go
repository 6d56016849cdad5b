package rpc

import (
	"iter"
	"maps"
	"strings"
)

// operational holds the services that servers link in for their own operation: health checks,
// reflection, channelz, load reports and the xDS APIs, each with the file that defines it. They
// are those of the modules google.golang.org/grpc v1.79.3,
// github.com/envoyproxy/go-control-plane (v0.9.1, v0.10.3 and envoy v1.40.0) and
// github.com/cncf/xds/go. The list has full names, since an application may have services in
// packages whose names begin with grpc or envoy.
var operational = map[string]bool{
	"envoy.api.v2.ClusterDiscoveryService":                        true, // envoy/api/v2/cds.proto
	"envoy.api.v2.EndpointDiscoveryService":                       true, // envoy/api/v2/eds.proto
	"envoy.api.v2.ListenerDiscoveryService":                       true, // envoy/api/v2/lds.proto
	"envoy.api.v2.RouteDiscoveryService":                          true, // envoy/api/v2/rds.proto
	"envoy.api.v2.ScopedRoutesDiscoveryService":                   true, // envoy/api/v2/srds.proto
	"envoy.api.v2.VirtualHostDiscoveryService":                    true, // envoy/api/v2/rds.proto
	"envoy.api.v3alpha.ClusterDiscoveryService":                   true, // envoy/api/v3alpha/cds.proto
	"envoy.api.v3alpha.EndpointDiscoveryService":                  true, // envoy/api/v3alpha/eds.proto
	"envoy.api.v3alpha.ListenerDiscoveryService":                  true, // envoy/api/v3alpha/lds.proto
	"envoy.api.v3alpha.RouteDiscoveryService":                     true, // envoy/api/v3alpha/rds.proto
	"envoy.api.v3alpha.ScopedRoutesDiscoveryService":              true, // envoy/api/v3alpha/srds.proto
	"envoy.api.v3alpha.VirtualHostDiscoveryService":               true, // envoy/api/v3alpha/rds.proto
	"envoy.service.accesslog.v2.AccessLogService":                 true, // envoy/service/accesslog/v2/als.proto
	"envoy.service.accesslog.v3.AccessLogService":                 true, // envoy/service/accesslog/v3/als.proto
	"envoy.service.accesslog.v3alpha.AccessLogService":            true, // envoy/service/accesslog/v3alpha/als.proto
	"envoy.service.accesslog.v4alpha.AccessLogService":            true, // envoy/service/accesslog/v4alpha/als.proto
	"envoy.service.auth.v2.Authorization":                         true, // envoy/service/auth/v2/external_auth.proto
	"envoy.service.auth.v2alpha.Authorization":                    true, // envoy/service/auth/v2alpha/external_auth.proto
	"envoy.service.auth.v3.Authorization":                         true, // envoy/service/auth/v3/external_auth.proto
	"envoy.service.auth.v3alpha.Authorization":                    true, // envoy/service/auth/v3alpha/external_auth.proto
	"envoy.service.auth.v4alpha.Authorization":                    true, // envoy/service/auth/v4alpha/external_auth.proto
	"envoy.service.cluster.v3.ClusterDiscoveryService":            true, // envoy/service/cluster/v3/cds.proto
	"envoy.service.discovery.v2.AggregatedDiscoveryService":       true, // envoy/service/discovery/v2/ads.proto
	"envoy.service.discovery.v2.HealthDiscoveryService":           true, // envoy/service/discovery/v2/hds.proto
	"envoy.service.discovery.v2.RuntimeDiscoveryService":          true, // envoy/service/discovery/v2/rtds.proto
	"envoy.service.discovery.v2.SecretDiscoveryService":           true, // envoy/service/discovery/v2/sds.proto
	"envoy.service.discovery.v3.AggregatedDiscoveryService":       true, // envoy/service/discovery/v3/ads.proto
	"envoy.service.discovery.v3alpha.AggregatedDiscoveryService":  true, // envoy/service/discovery/v3alpha/ads.proto
	"envoy.service.discovery.v3alpha.HealthDiscoveryService":      true, // envoy/service/discovery/v3alpha/hds.proto
	"envoy.service.discovery.v3alpha.RuntimeDiscoveryService":     true, // envoy/service/discovery/v3alpha/rtds.proto
	"envoy.service.discovery.v3alpha.SecretDiscoveryService":      true, // envoy/service/discovery/v3alpha/sds.proto
	"envoy.service.discovery.v4alpha.AggregatedDiscoveryService":  true, // envoy/service/discovery/v4alpha/ads.proto
	"envoy.service.endpoint.v3.EndpointDiscoveryService":          true, // envoy/service/endpoint/v3/eds.proto
	"envoy.service.endpoint.v3.LocalityEndpointDiscoveryService":  true, // envoy/service/endpoint/v3/leds.proto
	"envoy.service.event_reporting.v2alpha.EventReportingService": true, // envoy/service/event_reporting/v2alpha/event_reporting_service.proto
	"envoy.service.event_reporting.v3.EventReportingService":      true, // envoy/service/event_reporting/v3/event_reporting_service.proto
	"envoy.service.event_reporting.v4alpha.EventReportingService": true, // envoy/service/event_reporting/v4alpha/event_reporting_service.proto
	"envoy.service.ext_proc.v3.ExternalProcessor":                 true, // envoy/service/ext_proc/v3/external_processor.proto
	"envoy.service.ext_proc.v3alpha.ExternalProcessor":            true, // envoy/service/ext_proc/v3alpha/external_processor.proto
	"envoy.service.extension.v3.ExtensionConfigDiscoveryService":  true, // envoy/service/extension/v3/config_discovery.proto
	"envoy.service.filter.v3.FilterConfigDiscoveryService":        true, // envoy/service/filter/v3/filter_config_discovery.proto
	"envoy.service.health.v3.HealthDiscoveryService":              true, // envoy/service/health/v3/hds.proto
	"envoy.service.health.v4alpha.HealthDiscoveryService":         true, // envoy/service/health/v4alpha/hds.proto
	"envoy.service.listener.v3.ListenerDiscoveryService":          true, // envoy/service/listener/v3/lds.proto
	"envoy.service.load_stats.v2.LoadReportingService":            true, // envoy/service/load_stats/v2/lrs.proto
	"envoy.service.load_stats.v3.LoadReportingService":            true, // envoy/service/load_stats/v3/lrs.proto
	"envoy.service.load_stats.v3alpha.LoadReportingService":       true, // envoy/service/load_stats/v3alpha/lrs.proto
	"envoy.service.load_stats.v4alpha.LoadReportingService":       true, // envoy/service/load_stats/v4alpha/lrs.proto
	"envoy.service.metrics.v2.MetricsService":                     true, // envoy/service/metrics/v2/metrics_service.proto
	"envoy.service.metrics.v3.MetricsService":                     true, // envoy/service/metrics/v3/metrics_service.proto
	"envoy.service.metrics.v3alpha.MetricsService":                true, // envoy/service/metrics/v3alpha/metrics_service.proto
	"envoy.service.metrics.v4alpha.MetricsService":                true, // envoy/service/metrics/v4alpha/metrics_service.proto
	"envoy.service.network_ext_proc.v3.NetworkExternalProcessor":  true, // envoy/service/network_ext_proc/v3/network_external_processor.proto
	"envoy.service.rate_limit_quota.v3.RateLimitQuotaService":     true, // envoy/service/rate_limit_quota/v3/rlqs.proto
	"envoy.service.ratelimit.v2.RateLimitService":                 true, // envoy/service/ratelimit/v2/rls.proto
	"envoy.service.ratelimit.v3.RateLimitService":                 true, // envoy/service/ratelimit/v3/rls.proto
	"envoy.service.ratelimit.v3alpha.RateLimitService":            true, // envoy/service/ratelimit/v3alpha/rls.proto
	"envoy.service.redis_auth.v3.RedisProxyExternalAuth":          true, // envoy/service/redis_auth/v3/redis_external_auth.proto
	"envoy.service.route.v3.RouteDiscoveryService":                true, // envoy/service/route/v3/rds.proto
	"envoy.service.route.v3.ScopedRoutesDiscoveryService":         true, // envoy/service/route/v3/srds.proto
	"envoy.service.route.v3.VirtualHostDiscoveryService":          true, // envoy/service/route/v3/rds.proto
	"envoy.service.runtime.v3.RuntimeDiscoveryService":            true, // envoy/service/runtime/v3/rtds.proto
	"envoy.service.secret.v3.SecretDiscoveryService":              true, // envoy/service/secret/v3/sds.proto
	"envoy.service.status.v2.ClientStatusDiscoveryService":        true, // envoy/service/status/v2/csds.proto
	"envoy.service.status.v3.ClientStatusDiscoveryService":        true, // envoy/service/status/v3/csds.proto
	"envoy.service.status.v4alpha.ClientStatusDiscoveryService":   true, // envoy/service/status/v4alpha/csds.proto
	"envoy.service.tap.v2alpha.TapDiscoveryService":               true, // envoy/service/tap/v2alpha/tapds.proto
	"envoy.service.tap.v2alpha.TapSinkService":                    true, // envoy/service/tap/v2alpha/tap.proto
	"envoy.service.tap.v3.TapDiscoveryService":                    true, // envoy/service/tap/v3/tapds.proto
	"envoy.service.tap.v3.TapSinkService":                         true, // envoy/service/tap/v3/tap.proto
	"envoy.service.tap.v3alpha.TapDiscoveryService":               true, // envoy/service/tap/v3alpha/tapds.proto
	"envoy.service.tap.v3alpha.TapSinkService":                    true, // envoy/service/tap/v3alpha/tap.proto
	"envoy.service.tap.v4alpha.TapDiscoveryService":               true, // envoy/service/tap/v4alpha/tapds.proto
	"envoy.service.tap.v4alpha.TapSinkService":                    true, // envoy/service/tap/v4alpha/tap.proto
	"envoy.service.trace.v2.TraceService":                         true, // envoy/service/trace/v2/trace_service.proto
	"envoy.service.trace.v3.TraceService":                         true, // envoy/service/trace/v3/trace_service.proto
	"envoy.service.trace.v3alpha.TraceService":                    true, // envoy/service/trace/v3alpha/trace_service.proto
	"envoy.service.trace.v4alpha.TraceService":                    true, // envoy/service/trace/v4alpha/trace_service.proto
	"grpc.channelz.v1.Channelz":                                   true, // grpc/channelz/v1/channelz.proto
	"grpc.gcp.HandshakerService":                                  true, // grpc/gcp/handshaker.proto
	"grpc.go.profiling.v1alpha.Profiling":                         true, // profiling/proto/service.proto
	"grpc.health.v1.Health":                                       true, // grpc/health/v1/health.proto
	"grpc.lb.v1.LoadBalancer":                                     true, // grpc/lb/v1/load_balancer.proto
	"grpc.lookup.v1.RouteLookupService":                           true, // grpc/lookup/v1/rls.proto
	"grpc.reflection.v1.ServerReflection":                         true, // grpc/reflection/v1/reflection.proto
	"grpc.reflection.v1alpha.ServerReflection":                    true, // grpc/reflection/v1alpha/reflection.proto
	"udpa.service.orca.v1.OpenRcaService":                         true, // udpa/service/orca/v1/orca.proto
	"xds.service.orca.v3.OpenRcaService":                          true, // xds/service/orca/v3/orca.proto
}

// operationalFolded holds the names of the operational services in lower case.
var operationalFolded = func() map[string]bool {
	folded := make(map[string]bool, len(operational))
	for name := range operational {
		folded[strings.ToLower(name)] = true
	}
	return folded
}()

// IsOperational reports whether a service with this full name is an operational service, which
// only a rule that names it opens to browsers.
func IsOperational(service string) bool { return operational[service] }

// IsOperationalFolded is IsOperational for a name in lower case.
func IsOperationalFolded(lower string) bool { return operationalFolded[lower] }

// OperationalServices returns the full names of the operational services, in no order.
func OperationalServices() iter.Seq[string] { return maps.Keys(operational) }
