package gateway

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// maxOptions bounds the number of sets that are kept: upstreams send few statuses.
const maxOptions = 10_000

// optionCache keeps the attribute sets of measurements, which are costly to build. It is safe for concurrent use.
type optionCache struct {
	mu    sync.RWMutex
	known map[served]metric.MeasurementOption
}

// of returns the attributes of a request.
func (c *optionCache) of(s served) metric.MeasurementOption {
	c.mu.RLock()
	option, ok := c.known[s]
	c.mu.RUnlock()
	if ok {
		return option
	}
	option = metric.WithAttributeSet(attribute.NewSet(
		attribute.String("http.request.method", s.method), attribute.Int("http.response.status_code", s.status),
		attribute.String("corsrpc.virtual_host", s.virtualHost), attribute.String("corsrpc.upstream", s.upstream), attribute.Bool("corsrpc.refused", s.refused),
	))
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) < maxOptions {
		c.known[s] = option
	}
	return option
}
