package corsinspect

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// Bounds on what a page shows.
const (
	maxRules       = 200
	maxNames       = 200 // of a rule's procedures
	maxOrigins     = 100 // of a rule
	maxPolicyBytes = 256 << 10
)

// inspection holds what the inspector shows, as a page and as JSON.
type inspection struct {
	Now   string `json:"now"`
	Since string `json:"since"` // when the counts begin

	Policy policyShown  `json:"policy"`
	Shadow *policyShown `json:"shadow,omitempty"`

	Rules      []ruleShown `json:"rules"` // of procedures with the same values
	RulesLeft  int         `json:"rules_left,omitempty"`
	Unknown    ruleShown   `json:"unknown"` // what procedures get that nothing but defaults and * cover
	Paths      []ruleShown `json:"paths"`
	PathsLeft  int         `json:"paths_left,omitempty"`
	Procedures int         `json:"procedures"` // how many there are

	Refusals    []groupShown  `json:"refusals"`
	Differences []groupShown  `json:"differences"`
	Forgotten   int           `json:"forgotten,omitempty"`
	Sources     []sourceShown `json:"sources"`
	Reloads     []reloadShown `json:"reloads"`

	Trial *trialShown `json:"trial"`
}

type policyShown struct {
	Digest   string `json:"digest"`
	YAML     string `json:"yaml"`
	Profile  string `json:"profile,omitempty"`
	Observes bool   `json:"observes"`
}

type ruleShown struct {
	Names       []string     `json:"names"`
	NamesLeft   int          `json:"names_left,omitempty"`
	Values      []valueShown `json:"values"`
	OriginsLeft int          `json:"origins_left,omitempty"`
}

type valueShown struct {
	Field string `json:"field"`
	Value string `json:"value"`
	From  string `json:"from"`
}

type groupShown struct {
	Count     int            `json:"count"`
	First     string         `json:"first"`
	Last      string         `json:"last"`
	Preflight bool           `json:"preflight"`
	Target    string         `json:"target,omitempty"` // empty for all that neither schema nor policy name
	Path      string         `json:"path"`             // of the latest
	Origins   []string       `json:"origins"`          // the latest ones
	Missing   string         `json:"missing,omitempty"`
	Decision  decisionShown  `json:"decision"`
	Shadow    *decisionShown `json:"shadow,omitempty"`
}

type decisionShown struct {
	Outcome  string `json:"outcome"`
	Reason   string `json:"reason"`
	Text     string `json:"text"`
	From     string `json:"from"`
	Enforced bool   `json:"enforced"`
}

type sourceShown struct {
	Name    string `json:"name"`
	Origins int    `json:"origins"`
	Loaded  string `json:"loaded,omitempty"` // empty before the first good load
	Age     string `json:"age,omitempty"`
	Expired bool   `json:"expired"`
	Skipped int    `json:"skipped"`
	Sample  string `json:"sample,omitempty"` // of what was skipped
	Error   string `json:"error,omitempty"`
}

type reloadShown struct {
	At     string `json:"at"`
	Error  string `json:"error,omitempty"`
	Digest string `json:"digest,omitempty"` // of the plan that was put in force
}

// inspect puts together what is shown, with a trial of what a form asks.
func (i *Inspector) inspect(layer *corsrpc.Layer, form url.Values) *inspection {
	plan, h := layer.Plan(), i.history
	unknown := plan.Unknown()
	shown := &inspection{
		Now: stamp(time.Now()), Since: stamp(h.since), Policy: showPolicy(plan),
		Unknown: showRule(unknown[len(unknown)-1], nil), Trial: showTrial(plan, form),
		Sources: showSources(layer),
	}
	if candidate := plan.Shadow(); candidate != nil {
		shadow := showPolicy(candidate)
		shown.Shadow = &shadow
	}
	procedures := plan.Procedures()
	shown.Procedures = len(procedures)
	shown.Rules, shown.RulesLeft = showRules(procedures)
	shown.Paths, shown.PathsLeft = showRules(plan.Paths())

	h.mu.Lock()
	defer h.mu.Unlock()
	shown.Forgotten = h.forgotten
	shown.Refusals = showGroups(sorted(h.refusals))
	shown.Differences = showGroups(sorted(h.differences))
	for _, r := range slices.Backward(h.reloads) {
		shown.Reloads = append(shown.Reloads, reloadShown{At: stamp(r.at), Error: r.failed, Digest: r.digest})
	}
	return shown
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func showPolicy(p *corsrpc.Plan) policyShown {
	shown := policyShown{Digest: p.Digest(), Profile: p.Profile(), Observes: !p.Enforced()}
	if size := p.PolicySize(); size > maxPolicyBytes {
		shown.YAML = fmt.Sprintf("# the policy has about %d bytes: too many to show", size)
		return shown
	}
	policy := p.Policy()
	policy.Shadow = nil // it is shown by itself
	text, err := policyfile.YAML(policy)
	if err != nil {
		text = "# the policy cannot be shown: " + err.Error()
	}
	shown.YAML = text
	return shown
}

// showRules shows each rule once, with the procedures or paths that share it. The rules
// come sorted by name.
func showRules(rules []corsrpc.EffectiveRule) (shown []ruleShown, left int) {
	names := map[corsrpc.EffectiveRule][]string{} // by the rule without its name
	var each []corsrpc.EffectiveRule              // once
	for _, r := range rules {
		name := r.Name
		r.Name = ""
		if names[r] == nil {
			each = append(each, r)
		}
		names[r] = append(names[r], name)
	}
	left = max(len(each)-maxRules, 0)
	for _, r := range each[:len(each)-left] {
		shown = append(shown, showRule(r, names[r]))
	}
	return shown, left
}

func showRule(r corsrpc.EffectiveRule, names []string) ruleShown {
	shown := ruleShown{NamesLeft: max(len(names)-maxNames, 0)}
	shown.Names = names[:len(names)-shown.NamesLeft]
	var values []corsrpc.EffectiveValue
	values, shown.OriginsLeft = r.FirstValues(maxOrigins)
	for _, v := range values {
		shown.Values = append(shown.Values, valueShown{v.Field, v.Value, v.From.String()})
	}
	return shown
}

func showGroups(groups []keyedGroup) (shown []groupShown) {
	for _, g := range groups {
		s := groupShown{
			Count: g.count, First: stamp(g.first), Last: stamp(g.last), Preflight: g.preflight, Target: g.target,
			Path: g.path, Origins: g.origins, Missing: g.missing,
			Decision: decisionShown{g.outcome.String(), string(g.reason), g.reason.Text(), g.from.String(), !g.observed},
		}
		if g.shadowReason != "" {
			s.Shadow = &decisionShown{g.shadowOutcome.String(), string(g.shadowReason), g.shadowReason.Text(), g.shadowFrom.String(), !g.shadowObserved}
		}
		shown = append(shown, s)
	}
	return shown
}

func showSources(layer *corsrpc.Layer) (shown []sourceShown) {
	for _, r := range layer.Sources() {
		s := sourceShown{Name: r.Name, Origins: r.Origins, Expired: r.Expired, Skipped: r.Skipped, Sample: r.Sample}
		if !r.Loaded.IsZero() {
			s.Loaded, s.Age = stamp(r.Loaded), r.Age.Round(time.Second).String()
		}
		if r.Err != nil {
			s.Error = cutText(r.Err.Error(), maxReason)
		}
		shown = append(shown, s)
	}
	return shown
}
