package corsinspect

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// Bounds on a page.
const (
	maxRules       = 200
	maxNames       = 200 // procedures of a rule
	maxOrigins     = 100 // origins of a rule
	maxPolicyBytes = 256 << 10
)

// inspection holds the data of the page and of the JSON.
type inspection struct {
	Now   string `json:"now"`
	Since string `json:"since"` // the start of the counts

	Policy policyShown  `json:"policy"`
	Shadow *policyShown `json:"shadow,omitempty"`

	Rules      []ruleShown `json:"rules"` // one for all procedures with the same values
	RulesLeft  int         `json:"rules_left,omitempty"`
	Unknown    ruleShown   `json:"unknown"` // the rule of procedures that only defaults and selector * cover
	Paths      []ruleShown `json:"paths"`
	PathsLeft  int         `json:"paths_left,omitempty"`
	Procedures int         `json:"procedures"` // the number of procedures in the schema

	Refusals    []groupShown  `json:"refusals"`
	Differences []groupShown  `json:"differences"`
	Ungoverned  []pageShown   `json:"ungoverned"`        // requests that no rule governs
	Others      int64         `json:"ungoverned_others"` // the number of all other requests that no rule governs
	Missing     []pageShown   `json:"missing_calls"`     // preflights without credentials that no call has followed
	Forgotten   int           `json:"forgotten,omitempty"`
	Sources     []sourceShown `json:"sources"`
	Reloads     []reloadShown `json:"reloads"`

	Trial *trialShown `json:"trial"`
}

// policyShown is a policy: the one in force, or its shadow.
type policyShown struct {
	Digest   string `json:"digest"`
	YAML     string `json:"yaml"`
	Profile  string `json:"profile,omitempty"`
	Observes bool   `json:"observes"` // the decisions are not enforced

	Findings     []findingShown `json:"findings"`
	FindingsLeft int            `json:"findings_left,omitempty"`
}

// findingShown is a part of a policy that loads and that its author should look at.
type findingShown struct {
	Kind    string `json:"kind"`
	Meaning string `json:"meaning"`
	Value   string `json:"value,omitempty"`
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
	From    string `json:"from"`
}

// ruleShown is an effective rule, with the procedures or paths that have it.
type ruleShown struct {
	Names       []string     `json:"names"`
	NamesLeft   int          `json:"names_left,omitempty"`
	Values      []valueShown `json:"values"`
	OriginsLeft int          `json:"origins_left,omitempty"`
}

// valueShown is a value of an effective rule, and its place in the policy.
type valueShown struct {
	Field string `json:"field"`
	Value string `json:"value"`
	From  string `json:"from"`
}

// groupShown is a group of refused requests, or of requests on which the shadow policy
// decides differently.
type groupShown struct {
	Count     int            `json:"count"`
	First     string         `json:"first"`
	Last      string         `json:"last"`
	Preflight bool           `json:"preflight"`
	Target    string         `json:"target,omitempty"` // the known procedure or path rule; empty for other targets
	Path      string         `json:"path"`             // the path of the latest request
	Origins   []string       `json:"origins"`          // distinct origins of the latest requests
	Missing   string         `json:"missing,omitempty"`
	Decision  decisionShown  `json:"decision"`
	Shadow    *decisionShown `json:"shadow,omitempty"`
	Remedy    string         `json:"remedy,omitempty"`  // the text to write so that the latest request is granted; empty for a difference
	Granted   bool           `json:"granted,omitempty"` // the policy in force no longer refuses the latest request
	Try       string         `json:"try,omitempty"`     // the query that fills the form with the latest request
}

// pageShown is a group of requests that no rule governs, or of preflights that no call has followed.
type pageShown struct {
	Count     int    `json:"count"`
	Last      string `json:"last"`
	Method    string `json:"method"` // of the call
	Preflight bool   `json:"preflight"`
	Path      string `json:"path"`
	Origin    string `json:"origin"`
	Answered  bool   `json:"answered,omitempty"` // the handler or another middleware answers
	From      string `json:"from,omitempty"`
	Remedy    string `json:"remedy"`
	Try       string `json:"try"` // the query that fills the form
}

// decisionShown is the decision on the requests of a group.
type decisionShown struct {
	Outcome  string `json:"outcome"`
	Reason   string `json:"reason"`
	Text     string `json:"text"`
	From     string `json:"from"`
	Enforced bool   `json:"enforced"`
}

// sourceShown is the state of an origin source.
type sourceShown struct {
	Name    string `json:"name"`
	Origins int    `json:"origins"`
	Loaded  string `json:"loaded,omitempty"` // the time of the last successful load; empty if there was none
	Age     string `json:"age,omitempty"`
	Expired bool   `json:"expired"`
	Skipped int    `json:"skipped"`
	Sample  string `json:"sample,omitempty"` // one of the skipped rows
	Error   string `json:"error,omitempty"`
}

// reloadShown is the result of a reload.
type reloadShown struct {
	At     string `json:"at"`
	Error  string `json:"error,omitempty"`  // empty for a successful reload
	Digest string `json:"digest,omitempty"` // the digest of the new plan; empty for a failed reload
}

// inspect collects the data of a page, with a trial of the form's call.
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
	refusals, differences, policies := sorted(h.refusals), sorted(h.differences), h.policies
	ungoverned, missing := sortedPages(h.ungoverned), sortedPages(h.missing)
	shown.Forgotten = h.forgotten
	for _, r := range slices.Backward(h.reloads) {
		shown.Reloads = append(shown.Reloads, reloadShown{At: stamp(r.at), Error: r.failed, Digest: r.digest})
	}
	h.mu.Unlock() // every refusal locks it
	shown.Refusals, shown.Differences = showGroups(refusals), showGroups(differences)
	for i, g := range refusals {
		shown.Refusals[i].showRemedy(plan, g, policies)
	}
	shown.Ungoverned, shown.Missing, shown.Others = showPages(ungoverned), showPages(missing), layer.UngovernedOthers()
	return shown
}

// showRemedy adds the remedy of a group's latest request under the policy in force, and the link that
// fills the form with it. policies is the number of successful reloads.
func (s *groupShown) showRemedy(plan *corsrpc.Plan, g keyedGroup, policies int) {
	s.Try = g.sample.link()
	switch d := plan.Decide(g.sample.request()); {
	case d.Refused() && d.Reason() == g.reason:
		s.Remedy = cutText(d.Remedy(), maxRemedy)
	case d.Refused() || g.policies == policies:
		s.Remedy = g.remedy // the layer refused it for another reason than that of Decide, such as CheckOrigin
	default:
		s.Granted = true
	}
}

// showPages returns the groups as the page shows them.
func showPages(groups []keyedPageGroup) (shown []pageShown) {
	for _, g := range groups {
		from := ""
		if g.from.Field != "" {
			from = g.from.String()
		}
		shown = append(shown, pageShown{
			Count: g.count, Last: stamp(g.last), Method: g.method, Preflight: g.sample.field(sampleMethod) == http.MethodOptions && g.method != http.MethodOptions,
			Path: g.target, Origin: g.origin, Answered: g.answered, From: from, Remedy: g.remedy, Try: g.sample.link(),
		})
	}
	return shown
}

// stamp formats a time.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// showPolicy returns the policy of a plan, without its shadow policy.
func showPolicy(p *corsrpc.Plan) policyShown {
	shown := policyShown{Digest: p.Digest(), Profile: p.Profile(), Observes: !p.Enforced(), FindingsLeft: p.FindingsLeft()}
	for _, f := range p.Findings() {
		from := corsrpc.Provenance{Field: f.Field, File: f.File, Position: f.Position}
		shown.Findings = append(shown.Findings, findingShown{string(f.Kind), f.Kind.Meaning(), f.Value, f.Message, f.Remedy, from.String()})
	}
	if size := p.PolicySize(); size > maxPolicyBytes {
		shown.YAML = fmt.Sprintf("# the policy has about %d bytes: too many to show", size)
		return shown
	}
	policy := p.Policy()
	policy.Shadow = nil // the page shows the shadow policy separately
	text, err := policyfile.YAML(policy)
	if err != nil {
		text = "# the policy cannot be shown: " + err.Error()
	}
	shown.YAML = text
	return shown
}

// showRules returns each distinct rule once, with the procedures or paths that have it, and
// the number of distinct rules beyond maxRules. rules is sorted by name.
func showRules(rules []corsrpc.EffectiveRule) (shown []ruleShown, left int) {
	names := map[corsrpc.EffectiveRule][]string{} // by the rule without its name
	var distinct []corsrpc.EffectiveRule
	for _, r := range rules {
		name := r.Name
		r.Name = ""
		if names[r] == nil {
			distinct = append(distinct, r)
		}
		names[r] = append(names[r], name)
	}
	left = max(len(distinct)-maxRules, 0)
	for _, r := range distinct[:len(distinct)-left] {
		shown = append(shown, showRule(r, names[r]))
	}
	return shown, left
}

// showRule returns a rule with the names of its procedures or paths, each list up to its bound.
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

// showGroups returns the groups as the page shows them.
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

// showSources returns the state of the layer's origin sources.
func showSources(layer *corsrpc.Layer) (shown []sourceShown) {
	for _, r := range layer.Sources() {
		s := sourceShown{Name: r.Name, Origins: r.Origins, Expired: r.Expired, Skipped: r.Skipped, Sample: r.Sample}
		if !r.Loaded.IsZero() {
			s.Loaded, s.Age = stamp(r.Loaded), r.Age.Round(time.Second).String()
		}
		if r.Err != nil {
			s.Error = cutText(r.Err.Error(), maxError)
		}
		shown = append(shown, s)
	}
	return shown
}
