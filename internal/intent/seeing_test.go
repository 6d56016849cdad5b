package intent

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// TestHandshakes: CheckOrigin allows a WebSocket handshake of another origin if and only if a
// rule governs the path and allows the origin with credentials.
func TestHandshakes(t *testing.T) { rapid.Check(t, handshakesAreGuarded) }

func handshakesAreGuarded(t *rapid.T) {
	w := drawWorld(t)
	for range callsPerPolicy {
		c := drawCall(t, w)
		if c.Page == c.API {
			continue
		}
		r := httptest.NewRequest(http.MethodGet, c.API+c.Path, nil)
		r.Header.Set("Origin", c.Page)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Upgrade", "websocket")
		rule, governed := w.RuleFor(c.Path, true)
		want := governed && rule.allowsCall(c.Page) && rule.Credentials()
		if got := w.layer.CheckOrigin(r); got != want {
			t.Fatalf("%s from %s: %t, want %t\npolicy %s", c.Path, c.Page, got, want, prototext.Format(w.Policy))
		}
	}
}

// TestShadows: observers are notified if a shadow policy changes the effect of a call in a
// browser, and not if it is the same policy with another order of rules.
func TestShadows(t *testing.T) { rapid.Check(t, shadowsAreTold) }

func shadowsAreTold(t *rapid.T) {
	w := drawWorld(t)
	policy := proto.CloneOf(w.Policy.Policy)
	policy.Shadow = nil
	active, candidate, reordered := w.with(policy), w.with(drawWorld(t).Policy.Policy), w.with(proto.CloneOf(policy))
	slices.Reverse(reordered.Policy.Rules)
	candidate.Policy.Policy = proto.CloneOf(candidate.Policy.Policy)
	candidate.Policy.Policy.Shadow = nil
	if chance(t, 70, "a candidate that is close") {
		candidate.Policy.Policy = proto.CloneOf(policy)
		if rules := candidate.Policy.Policy.Rules; len(rules) > 0 {
			i := index(t, len(rules), "changed rule")
			changed := drawRule(t, rules[i].Path != "")
			changed.Selector, changed.Path = rules[i].Selector, rules[i].Path
			rules[i] = changed
		}
	}
	if err := active.compile(t); err != nil {
		return // the shadow policy alone takes origins of a profile
	}
	if candidate = newWorld(t, candidate.Policy, w.set); candidate == nil {
		return
	}
	if err := reordered.compile(t); err != nil {
		t.Fatal(err)
	}
	notified := 0
	count := corsrpc.WithObserver(corsrpc.ObserverFunc(func(_ context.Context, e corsrpc.Event) {
		if e.Kind == corsrpc.EventShadow {
			notified++
		}
	}))
	beside := func(shadow *world) *world {
		watched := w.with(policy)
		if err := watched.compile(t, count, corsrpc.WithShadow(shadow.layer.Plan())); err != nil {
			t.Fatal(err)
		}
		return watched
	}
	besideCandidate, besideItself := beside(candidate), beside(reordered)
	for range callsPerPolicy {
		c := drawCall(t, w)
		if c.Page == c.API {
			continue // no policy restricts the server's own pages
		}
		notified = 0
		effect(t, besideItself.layer.Wrap, c)
		if notified > 0 {
			t.Fatalf("%+v: an observer was notified of the same policy in another order\npolicy %s", c, prototext.Format(policy))
		}
		first, logFirst, _ := effect(t, besideCandidate.layer.Wrap, c)
		second, logSecond, _ := effect(t, candidate.layer.Wrap, c)
		if c.Mode == corsbrowser.NoCORS && c.Method != http.MethodPost {
			first.Timing, second.Timing = false, false // decisions on requests without Origin are compared without their fields
		}
		if notified == 0 && (first != second || !reflect.DeepEqual(grantsIn(logFirst), grantsIn(logSecond))) {
			t.Fatalf("%+v: no observer was notified of the difference\none   %+v %+v\nother %+v %+v\npolicy %s\ncandidate %s", c, first, logFirst, second, logSecond, prototext.Format(policy), prototext.Format(candidate.Policy))
		}
	}
}

// grantsIn returns the Access-Control-* fields and Timing-Allow-Origin of each response to a request
// with an Origin, with sorted lists.
func grantsIn(log []corsbrowser.Exchange) (grants []http.Header) {
	for _, e := range log {
		if e.Header.Get("Origin") == "" {
			continue
		}
		grant := e.Answer.Clone()
		maps.DeleteFunc(grant, func(name string, _ []string) bool {
			return !strings.HasPrefix(name, "Access-Control-") && name != "Timing-Allow-Origin"
		})
		for _, lines := range grant {
			names := strings.Split(strings.Join(lines, ", "), ", ")
			slices.Sort(names)
			lines[0] = strings.Join(names, ", ")
		}
		grants = append(grants, grant)
	}
	return grants
}

// TestRemedies: if the policy is changed as the remedy of each refusal says, the request is
// granted in the end.
func TestRemedies(t *testing.T) { rapid.Check(t, remediesGrant) }

func remediesGrant(t *rapid.T) {
	w := drawWorld(t)
	if w.Profile != "" {
		return // the rules of a profile can override the rule that a remedy changes
	}
	for range callsPerPolicy {
		c := drawCall(t, w)
		header := http.Header{
			"Origin": {c.Page}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"},
			"Access-Control-Request-Method": {c.Method}, "Access-Control-Request-Headers": {strings.Join(c.Header, ",")},
		}
		if len(c.Header) == 0 {
			delete(header, "Access-Control-Request-Headers")
		}
		granted(t, w, c, "OPTIONS", header)
		call := http.Header{"Origin": {c.Page}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}, "Cookie": {"session=1"}}
		granted(t, w, c, c.Method, call)
	}
}

// granted applies the remedies until the request is granted.
func granted(t *rapid.T, w *world, c call, method string, header http.Header) {
	r := httptest.NewRequest(method, c.API+c.Path, nil)
	r.Header = header
	request := corsrpc.RequestOf(r)
	var followed []string
	for {
		plan := w.layer.Plan()
		d := plan.Decide(request)
		steps := plan.Explain(request)
		if last := steps[len(steps)-1]; !reflect.DeepEqual(last.Decision, d) {
			t.Fatalf("Explain ends in %s, and Decide in %s", last.Decision.Reason(), d.Reason())
		}
		if !d.Refused() {
			return
		}
		remedy := d.Remedy()
		if remedy == d.Reason().Remedy() || nobodyRemedy.MatchString(remedy) {
			return // no policy can grant the request
		}
		next, err := w.mended(t, remedy)
		if err == nil {
			err = next.compile(t)
		}
		var problems *corsrpc.PolicyError
		if errors.As(err, &problems) && slices.ContainsFunc(problems.Violations, contradicts) {
			return // the policy forbids the request on purpose, and the error gives that reason
		}
		if err != nil || len(followed) > 6 {
			t.Fatalf("%s %s from %s %v\nafter %q\n%s: %s\n%v\npolicy %s", method, c.Path, c.Page, header, followed, d.Reason(), remedy, err, prototext.Format(w.Policy))
		}
		followed, w = append(followed, remedy), next
	}
}

// contradicts reports whether a violation means that the policy forbids the request on purpose.
func contradicts(v corsrpc.Violation) bool {
	switch v.Check {
	case corsrpc.CheckWildcardWithCredentials, corsrpc.CheckNullWithCredentials, corsrpc.CheckHeaderContradiction:
		return true
	case corsrpc.CheckRuleIneffective: // because of a profile that is not selected
		return strings.HasPrefix(v.Field, "profiles") || len(v.Related) > 0 && strings.HasPrefix(v.Related[0].Field, "profiles")
	case corsrpc.CheckNoOrigins: // likewise
		return addedField.MatchString(v.Field)
	}
	return false
}

var (
	writeRemedy  = regexp.MustCompile(`^write (.+) in (?:(?:a|the) rule with (selector|path): (\S+?)|(\S+?)(?: at \S+)?)(?:, with accept_risks: \[(.+)\])?(?:, or call without credentials|; an origin source allows.*|; if it is this server's own.*)?$`)
	addRemedy    = regexp.MustCompile(`^add (\S+) to (\S+?)(?: at \S+?)?(?:, with accept_risks: \[(.+)\])?; if it is this server's own`)
	sourceRemedy = regexp.MustCompile(`^add (\S+) to the origin source (\w+)(?: or .*)?; if it is this server's own`)
	nobodyRemedy = regexp.MustCompile(`^(?:no policy|no rule with credentials) can allow the origin|^call without credentials: no rule`)
)

// mended returns a copy of the world, changed as a remedy says.
func (w *world) mended(t *rapid.T, remedy string) (*world, error) {
	other := w.with(proto.CloneOf(w.Policy.Policy))
	other.Options = maps.Clone(w.Options)
	for element, o := range other.Options {
		other.Options[element] = proto.CloneOf(o)
	}
	if m := sourceRemedy.FindStringSubmatch(remedy); m != nil {
		other.Sources = maps.Clone(w.Sources)
		other.Sources[m[2]] = append(slices.Clone(w.Sources[m[2]]), unquoted(m[1]))
		return other, nil
	}
	if m := addRemedy.FindStringSubmatch(remedy); m != nil {
		rule := other.ruleAt(m[2])
		if rule == nil {
			return nil, errors.New("there is no " + m[2])
		}
		rule.AllowOrigins = append(rule.AllowOrigins, unquoted(m[1]))
		accept(rule, m[3])
		return other, nil
	}
	m := writeRemedy.FindStringSubmatch(remedy)
	if m == nil {
		return nil, errors.New("the test does not know this form of a remedy")
	}
	doc, err := corsrpc.ParsePolicy("remedy.yaml", []byte("defaults:\n  "+strings.ReplaceAll(m[1], " and ", "\n  ")))
	if err != nil {
		return nil, err
	}
	rule := other.ruleOf(m[2], unquoted(m[3]), m[4])
	if rule == nil {
		return nil, errors.New("there is no such rule")
	}
	headers := slices.Concat(rule.AllowHeaders, doc.Policy().GetDefaults().GetAllowHeaders())
	if origins := doc.Policy().GetDefaults().GetAllowOrigins(); len(origins) > 0 {
		rule.AllowOrigins, rule.AllowOriginsFrom = nil, nil
	}
	if methods := doc.Policy().GetDefaults().GetAllowMethods(); len(methods) > 0 {
		rule.AllowMethods = nil
	}
	proto.Merge(rule, doc.Policy().GetDefaults())
	slices.Sort(headers)
	rule.AllowHeaders = slices.Compact(headers)
	accept(rule, m[5])
	return other, nil
}

// accept adds the risks of a remedy to accept_risks.
func accept(rule *corsrpcv1.Rule, risks string) {
	for name := range strings.SplitSeq(risks, ", ") {
		if risk, ok := corsrpcv1.Risk_value["RISK_"+name]; ok {
			rule.AcceptRisks = append(rule.AcceptRisks, corsrpcv1.Risk(risk))
		}
	}
}

// ruleOf returns the rule of a selector or path, which it adds if there is none. Without a
// key it returns the rule at a field.
func (w *world) ruleOf(key, name, field string) *corsrpcv1.Rule {
	if key == "" {
		return w.ruleAt(field)
	}
	for _, r := range w.Policy.Policy.Rules {
		if key == "selector" && r.GetSelector() == name || key == "path" && r.GetPath() == name {
			return r
		}
	}
	r := &corsrpcv1.Rule{}
	if key == "selector" {
		r.Selector = name
	} else {
		r.Path = name
	}
	w.Policy.Policy.Rules = append(w.Policy.Policy.Rules, r)
	return r
}

// ruleAt returns the rule, option or defaults that a field belongs to, or nil.
func (w *world) ruleAt(field string) *corsrpcv1.Rule {
	m := fieldPath.FindStringSubmatch(field)
	switch {
	case m == nil:
		return nil
	case m[1] != "":
		return w.Options[m[1]]
	case m[4] != "":
		if w.Policy.Policy.Defaults == nil {
			w.Policy.Policy.Defaults = &corsrpcv1.Rule{}
		}
		return w.Policy.Policy.Defaults
	}
	i, err := strconv.Atoi(m[5])
	if err != nil {
		return nil
	}
	return w.Policy.Policy.Rules[i]
}

// unquoted returns a quoted text without its quotes, and other texts unchanged.
func unquoted(s string) string {
	if u, err := strconv.Unquote(s); err == nil {
		return u
	}
	return s
}
