package corsotel

import (
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// The keys of the attributes. The first three are from OpenTelemetry's semantic conventions.
const (
	methodKey    = attribute.Key("rpc.method") // acme.v1.CatalogService/Get, or _OTHER
	routeKey     = attribute.Key("http.route") // the pattern of a path rule
	errorTypeKey = attribute.Key("error.type") // the reason of a refusal, or _OTHER

	outcomeKey   = attribute.Key("corsrpc.outcome")
	reasonKey    = attribute.Key("corsrpc.reason")
	ruleKey      = attribute.Key("corsrpc.rule") // the field of the policy, or the .proto option, that decided
	preflightKey = attribute.Key("corsrpc.preflight")
	enforcedKey  = attribute.Key("corsrpc.enforced") // false if enforcement is OBSERVE

	shadowOutcomeKey = attribute.Key("corsrpc.shadow.outcome")
	shadowReasonKey  = attribute.Key("corsrpc.shadow.reason")
	shadowRuleKey    = attribute.Key("corsrpc.shadow.rule")

	shadowEnforcedKey = attribute.Key("corsrpc.shadow.enforced")

	sourceKey = attribute.Key("corsrpc.source.name")
	digestKey = attribute.Key("corsrpc.plan.digest") // corsrpc.Plan.Digest
)

// measured is the source of a measurement's attributes. It is comparable, so that its
// attributes can be cached.
type measured interface{ attributes() []attribute.KeyValue }

// decision holds the parts of a corsrpc.Decision that come from the schema and the policy,
// and none that come from the request.
type decision struct {
	method, route                string
	outcome                      corsrpc.Outcome
	reason                       corsrpc.Reason
	rule                         string
	preflight, enforced, refused bool
}

// decisionOf returns the decision for the attributes.
func decisionOf(d corsrpc.Decision) decision {
	of := decision{
		route: d.PathPattern(), outcome: d.Outcome(), reason: d.Reason(), rule: d.From().FieldWithoutIndex(),
		preflight: d.Preflight(), enforced: d.Enforced(), refused: d.Refused(),
	}
	switch name, known := d.Procedure(); {
	case known:
		dot := strings.LastIndexByte(name, '.')
		of.method = name[:dot] + "/" + name[dot+1:]
	case name != "":
		of.method = "_OTHER"
	}
	return of
}

func (d decision) attributes() []attribute.KeyValue {
	all := []attribute.KeyValue{
		outcomeKey.String(d.outcome.String()), reasonKey.String(string(d.reason)),
		preflightKey.Bool(d.preflight), enforcedKey.Bool(d.enforced),
	}
	for _, optional := range []attribute.KeyValue{methodKey.String(d.method), routeKey.String(d.route), ruleKey.String(d.rule)} {
		if optional.Value.AsString() != "" {
			all = append(all, optional)
		}
	}
	if d.refused {
		all = append(all, errorTypeKey.String(string(d.reason)))
	}
	return all
}

// difference holds the decisions of the policy in force and of its shadow policy.
type difference struct{ decision, shadow decision }

func (d difference) attributes() []attribute.KeyValue {
	all := append(d.decision.attributes(),
		shadowOutcomeKey.String(d.shadow.outcome.String()), shadowReasonKey.String(string(d.shadow.reason)), shadowEnforcedKey.Bool(d.shadow.enforced))
	if d.shadow.rule != "" {
		all = append(all, shadowRuleKey.String(d.shadow.rule))
	}
	return all
}

// reload is the result of a reload.
type reload struct{ failed bool }

func (r reload) attributes() []attribute.KeyValue { return failure(r.failed) }

// refresh is the result of a refresh of an origin source.
type refresh struct {
	name   string
	failed bool
}

func (r refresh) attributes() []attribute.KeyValue {
	return append(failure(r.failed), sourceKey.String(r.name))
}

// plan identifies a plan by its digest.
type plan struct{ digest string }

func (p plan) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{digestKey.String(p.digest)}
}

// failure returns the attribute of an error, or nil if nothing failed. The kinds of errors
// are not distinguished.
func failure(failed bool) []attribute.KeyValue {
	if !failed {
		return nil
	}
	return []attribute.KeyValue{errorTypeKey.String("_OTHER")}
}

// optionCache caches the MeasurementOption of each measured. The schema and the policy bound
// the number of distinct ones, but each reload can add new ones. So the cache is cleared when
// it has maxCached entries. It is safe for concurrent use.
type optionCache struct {
	common []attribute.KeyValue // added to the attributes of each measurement; set before the first use

	mu      sync.RWMutex
	entries map[measured]metric.MeasurementOption
}

const maxCached = 10_000

// of returns the option of m.
func (c *optionCache) of(m measured) metric.MeasurementOption {
	c.mu.RLock()
	cached, ok := c.entries[m]
	c.mu.RUnlock()
	if ok {
		return cached
	}
	made := metric.WithAttributeSet(attribute.NewSet(append(m.attributes(), c.common...)...))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || len(c.entries) >= maxCached {
		c.entries = map[measured]metric.MeasurementOption{}
	}
	c.entries[m] = made
	return made
}
