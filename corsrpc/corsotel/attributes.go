package corsotel

import (
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// The attributes. The first three are those of the semantic conventions.
const (
	methodKey    = attribute.Key("rpc.method") // acme.v1.CatalogService/Get, or _OTHER
	routeKey     = attribute.Key("http.route") // of a path rule
	errorTypeKey = attribute.Key("error.type") // a refusal's reason

	outcomeKey   = attribute.Key("corsrpc.outcome")
	reasonKey    = attribute.Key("corsrpc.reason")
	ruleKey      = attribute.Key("corsrpc.rule") // the field of the policy, or the .proto option, behind it
	preflightKey = attribute.Key("corsrpc.preflight")
	enforcedKey  = attribute.Key("corsrpc.enforced") // false where enforcement is OBSERVE

	shadowOutcomeKey = attribute.Key("corsrpc.shadow.outcome")
	shadowReasonKey  = attribute.Key("corsrpc.shadow.reason")
	shadowRuleKey    = attribute.Key("corsrpc.shadow.rule")

	shadowEnforcedKey = attribute.Key("corsrpc.shadow.enforced")

	sourceKey = attribute.Key("corsrpc.source.name")
	digestKey = attribute.Key("corsrpc.plan.digest") // of corsrpc.Plan.Digest
)

// measured is what a measurement says, comparable, so that it is made into
// attributes once.
type measured interface{ attributes() []attribute.KeyValue }

// decision is what of a corsrpc.Decision comes from the schema and the policy.
type decision struct {
	method, route                string
	outcome                      corsrpc.Outcome
	reason                       corsrpc.Reason
	rule                         string
	preflight, enforced, refused bool
}

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

// difference is what of two decisions comes from the schema and the policies.
type difference struct{ decision, shadow decision }

func (d difference) attributes() []attribute.KeyValue {
	all := append(d.decision.attributes(),
		shadowOutcomeKey.String(d.shadow.outcome.String()), shadowReasonKey.String(string(d.shadow.reason)), shadowEnforcedKey.Bool(d.shadow.enforced))
	if d.shadow.rule != "" {
		all = append(all, shadowRuleKey.String(d.shadow.rule))
	}
	return all
}

type reload struct{ failed bool }

func (r reload) attributes() []attribute.KeyValue { return failure(r.failed) }

type refresh struct {
	name   string
	failed bool
}

func (r refresh) attributes() []attribute.KeyValue {
	return append(failure(r.failed), sourceKey.String(r.name))
}

// plan is a plan by its digest.
type plan struct{ digest string }

func (p plan) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{digestKey.String(p.digest)}
}

// failure is an error of no kind that would be told apart.
func failure(failed bool) []attribute.KeyValue {
	if !failed {
		return nil
	}
	return []attribute.KeyValue{errorTypeKey.String("_OTHER")}
}

// keptOptions keeps what was measured in the form that instruments take. Its number is
// that of attribute sets, which the schema and the policy bound; with every reload that
// moves rules it could grow, so there is an end to it.
type keptOptions struct {
	mu   sync.RWMutex
	kept map[measured]metric.MeasurementOption
}

const maxKept = 10_000

func (k *keptOptions) of(m measured) metric.MeasurementOption {
	k.mu.RLock()
	have, ok := k.kept[m]
	k.mu.RUnlock()
	if ok {
		return have
	}
	made := metric.WithAttributeSet(attribute.NewSet(m.attributes()...))
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil || len(k.kept) >= maxKept {
		k.kept = map[measured]metric.MeasurementOption{}
	}
	k.kept[m] = made
	return made
}
