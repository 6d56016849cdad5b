package intent

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// TestFindingsChangeNothing: a policy without a rule or a value that a finding says changes nothing
// decides every request alike, and so does the policy without all of them. For a rule of the policy
// itself this holds under each profile.
func TestFindingsChangeNothing(t *testing.T) {
	t.Parallel()
	tried := map[corsrpc.FindingKind]int{}
	rapid.Check(t, func(t *rapid.T) { findingsChangeNothing(t, tried) })
	t.Log(tried)
	for _, kind := range changeNothing {
		if tried[kind] == 0 {
			t.Errorf("no policy has a %s", kind)
		}
	}
}

// changeNothing are the kinds of findings about values that may be removed.
var changeNothing = []corsrpc.FindingKind{
	corsrpc.FindingRuleChangesNothing, corsrpc.FindingOriginCovered, corsrpc.FindingOriginsUnused,
	corsrpc.FindingHeaderChangesNothing, corsrpc.FindingRiskNotNeeded, corsrpc.FindingDuplicateValue,
}

// removedFindings is findingsChangeNothing without the numbers.
func removedFindings(t *rapid.T) { findingsChangeNothing(t, map[corsrpc.FindingKind]int{}) }

func findingsChangeNothing(t *rapid.T, tried map[corsrpc.FindingKind]int) {
	drawn := drawWorld(t)
	from := drawn.Policy
	from.Policy = proto.CloneOf(from.Policy)
	addRedundancies(t, from.Policy)
	w := newWorld(t, from, drawn.set)
	if w == nil {
		return // it cannot be repaired so that it loads
	}
	var removable []corsrpc.Finding
	for _, f := range w.layer.Plan().Findings() {
		if slices.Contains(changeNothing, f.Kind) && removeFinding(proto.CloneOf(w.Policy.Policy), f) {
			if !slices.ContainsFunc(removable, func(have corsrpc.Finding) bool { return have.Field == f.Field }) {
				removable = append(removable, f)
			}
			tried[f.Kind]++
		}
	}
	if len(removable) == 0 {
		return
	}
	without := proto.CloneOf(w.Policy.Policy)
	if index(t, 2, "one or all") == 0 {
		removable = []corsrpc.Finding{pick(t, removable, "finding")}
	}
	for _, f := range slices.Backward(byIndex(removable)) {
		if !removeFinding(without, f) {
			return // a covered origin and its cover are duplicates of each other, and one is gone
		}
	}
	profiles := []string{w.Profile}
	if !slices.ContainsFunc(removable, func(f corsrpc.Finding) bool {
		return f.Kind != corsrpc.FindingRuleChangesNothing || strings.HasPrefix(f.Field, "profiles[")
	}) {
		profiles = append(slices.Sorted(maps.Keys(w.Profiles)), "")
	}
	for _, profile := range profiles {
		before, after := w.with(w.Policy.Policy), w.with(without)
		before.Profile, after.Profile = profile, profile
		if before.compile(t) != nil {
			continue // the profile needs an environment variable
		}
		if err := after.compile(t); err != nil {
			t.Fatalf("without %v: %v\npolicy %s", removable, err, prototext.Format(w.Policy))
		}
		for range callsPerPolicy {
			sameDecision(t, before, after, removable, drawCall(t, before))
		}
	}
}

// sameDecision fails the test if the policies of two worlds decide a call or its preflight
// differently.
func sameDecision(t *rapid.T, before, after *world, removed []corsrpc.Finding, c call) {
	header := http.Header{"Origin": {c.Page}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"cross-site"}}
	call := httptest.NewRequest(c.Method, c.API+c.Path, nil)
	call.Header = header.Clone()
	if c.HasCookie {
		call.Header.Set("Cookie", "session=1")
	}
	preflight := httptest.NewRequest(http.MethodOptions, c.API+c.Path, nil)
	preflight.Header = header.Clone()
	preflight.Header.Set("Access-Control-Request-Method", c.Method)
	preflight.Header.Set("Access-Control-Request-Headers", strings.ToLower(strings.Join(c.Header, ",")))
	for _, r := range []*http.Request{call, preflight} {
		a, b := before.layer.Plan().Decide(corsrpc.RequestOf(r)), after.layer.Plan().Decide(corsrpc.RequestOf(r))
		if a.Reason() == corsrpc.ReasonPathNotCanonical || b.Reason() == corsrpc.ReasonPathNotCanonical {
			continue // whether two names share a rule matters here, and not only what the rules say
		}
		answers := [2]http.Header{c.Answer.Clone(), c.Answer.Clone()}
		a.Apply(c.Status, answers[0])
		b.Apply(c.Status, answers[1])
		for _, answer := range answers {
			sortNames(answer, "Access-Control-Allow-Headers")
		}
		if a.Outcome() != b.Outcome() || a.Reason() != b.Reason() || a.Missing() != b.Missing() || !reflect.DeepEqual(answers[0], answers[1]) {
			t.Fatalf("%s %s %+v\nbefore %v %v %v\nafter  %v %v %v\nwithout %v\npolicy %s\nafter %s",
				r.Method, r.URL, r.Header, a.Outcome(), a.Reason(), answers[0], b.Outcome(), b.Reason(), answers[1], removed, prototext.Format(before.Policy), prototext.Format(after.Policy))
		}
	}
}

// sortNames sorts the items of a header field that is a list of names, whose order has no meaning.
func sortNames(h http.Header, field string) {
	if list := h.Get(field); list != "" {
		names := strings.Split(list, ", ")
		slices.Sort(names)
		h.Set(field, strings.Join(names, ", "))
	}
}

// byIndex returns findings in an order in which removing the last first leaves the indexes of the
// others.
func byIndex(findings []corsrpc.Finding) []corsrpc.Finding {
	at := func(f corsrpc.Finding) (rule, item int) {
		parts := fieldPath.FindStringSubmatch(f.Field)
		rule, _ = strconv.Atoi(parts[5])
		if item, _ = strconv.Atoi(parts[8]); parts[7] == "" {
			item = -1 // the whole rule: after its items
		}
		if parts[6] != "" {
			item, _ = strconv.Atoi(parts[6])
		}
		return rule, item
	}
	sorted := slices.Clone(findings)
	slices.SortStableFunc(sorted, func(a, b corsrpc.Finding) int {
		aRule, aItem := at(a)
		bRule, bItem := at(b)
		return (aRule-bRule)*1000 + aItem - bItem
	})
	return sorted
}

// removeFinding removes from a policy the value that a finding is about. It returns false if it does
// not find it.
func removeFinding(policy *corsrpcv1.Policy, f corsrpc.Finding) bool {
	at := fieldPath.FindStringSubmatch(f.Field)
	if at == nil || at[1] != "" || at[2] != "" {
		return false
	}
	if at[6] != "" {
		p := policy.GetProfiles()[at[3]]
		i, _ := strconv.Atoi(at[6])
		p.AddOrigins = slices.Delete(p.AddOrigins, i, i+1)
		return true
	}
	defaults, rules := &policy.Defaults, &policy.Rules
	if profile := policy.GetProfiles()[at[3]]; profile != nil {
		defaults, rules = &profile.Defaults, &profile.Rules
	}
	i, _ := strconv.Atoi(at[5])
	switch {
	case at[7] == "" && at[4] != "":
		*defaults = nil
		return true
	case at[7] == "":
		*rules = slices.Delete(slices.Clone(*rules), i, i+1)
		return true
	}
	r := *defaults
	if at[4] == "" {
		r = (*rules)[i]
	}
	if f.Kind == corsrpc.FindingOriginCovered && f.Value == "*" {
		r.AllowOrigins = []string{"*"}
		return true
	}
	return dropValue(r, at[7], at[8])
}

// addRedundancies adds values that change nothing, and rules all of whose values are inherited, to
// some rules of a policy.
func addRedundancies(t *rapid.T, policy *corsrpcv1.Policy) {
	rules, defaults := slices.Clone(policy.GetRules()), policy.GetDefaults()
	for _, name := range slices.Sorted(maps.Keys(policy.GetProfiles())) {
		rules = append(rules, policy.GetProfiles()[name].GetRules()...)
	}
	for _, r := range rules {
		if chance(t, 60, "inherits") {
			inherit(t, r, defaults)
		} else if chance(t, 20, "is disabled") {
			r.Disabled, r.AllowOrigins, r.AllowCredentials = proto.Bool(true), []string{"https://app.example.com"}, nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(policy.GetProfiles())) {
		if p := policy.GetProfiles()[name]; len(p.GetAddOrigins()) > 0 && chance(t, 40, "adds what rules have") {
			p.AddOrigins = append(p.AddOrigins, some(t, slices.Concat(defaults.GetAllowOrigins(), []string{"https://app.example.com", "https://q.a.example.com"}), 2, "added in vain")...)
		}
	}
	if defaults != nil {
		rules = append(rules, defaults)
	}
	for _, r := range rules {
		if chance(t, 30, "adds values") {
			addIdleValues(t, r)
		}
	}
}

// inherit replaces the fields of a rule by some fields of the defaults.
func inherit(t *rapid.T, r, defaults *corsrpcv1.Rule) {
	m := r.ProtoReflect()
	m.Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if name := f.Name(); name != "selector" && name != "path" && name != "accept_risks" {
			m.Clear(f)
		}
		return true
	})
	if defaults == nil {
		return
	}
	copied := proto.CloneOf(defaults).ProtoReflect()
	fields := copied.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if copied.Has(f) && f.Name() != "accept_risks" && (f.Name() != "protocols" || r.GetPath() == "") && chance(t, 40, "a value of the defaults") {
			m.Set(f, copied.Get(f))
		}
	}
}

// addIdleValues adds values to the lists of a rule that may change nothing.
func addIdleValues(t *rapid.T, r *corsrpcv1.Rule) {
	r.AllowHeaders = append(r.AllowHeaders, some(t, []string{"content-type", "x-user-agent", "connect-timeout-ms", "traceparent", "x-b3-traceid", "x-acme-*", "x-*", "x-a"}, 3, "granted anyway")...)
	r.DenyHeaders = append(r.DenyHeaders, some(t, []string{"cookie", "sec-fetch-mode", "x-b", "x-acme-on-*"}, 2, "never sent")...)
	r.ExposeHeaders = append(r.ExposeHeaders, some(t, []string{"content-type", "Cache-Control", "etag"}, 2, "shown anyway")...)
	r.HideHeaders = append(r.HideHeaders, some(t, []string{"set-cookie", "x-internal-*", "x-internal-id"}, 2, "never shown")...)
	if len(r.GetAllowOrigins()) > 0 {
		r.AllowOrigins = append(r.AllowOrigins, some(t, []string{"https://a.example.com", "https://app.example.com", "https://*.a.example.com", "http://localhost:3000"}, 2, "covered")...)
	}
	if len(r.GetAllowMethods()) > 0 {
		r.AllowMethods = append(r.AllowMethods, r.GetAllowMethods()[0])
	}
}
