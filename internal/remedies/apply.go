// Package remedies applies the text of a corsrpc.Decision's Remedy to the policy and to the request, for
// tests. It reads each form that Remedy has, and refuses all other texts, so that a new form has to be
// added here too.
package remedies

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// Case is a request, and the policy that it is decided by.
type Case struct {
	Policy  *corsrpcv1.Policy
	Options map[string]*corsrpcv1.Rule // the options of the schema, by service or method
	Sources map[string][]string        // the origins of each origin source
	Request corsrpc.Request
	// Place returns the file and the line of a field, as a remedy has to say them, or the field itself
	// if they are not known. If it is nil, places are not compared.
	Place func(field string) string
}

// Applied is the result of Apply.
type Applied struct {
	Case
	// ChangesPolicy and ChangesRequest tell what the remedy changes.
	ChangesPolicy, ChangesRequest bool
	// Nothing is true if the remedy says that no change of the policy grants the request as it is.
	Nothing bool
	// KeepsCredentials is true if this is so only for rules with credentials, and OnlyNames if it is so
	// only for rules that name the origin.
	KeepsCredentials, OnlyNames bool
}

// Apply returns a copy of the case that is changed as the remedy says. It fails if the policy does not have
// what the text says that it has: a rule that exists, a field to replace, a list to extend; or if it has
// what the text says to write anew.
func Apply(c Case, remedy string) (Applied, error) {
	a := Applied{Case: c.clone()}
	for _, clause := range split(remedy, "; ") {
		if err := a.apply(clause); err != nil {
			return a, fmt.Errorf("%w: %q in %q", err, clause, remedy)
		}
	}
	return a, nil
}

// clone returns a deep copy.
func (c Case) clone() Case {
	c.Policy = proto.CloneOf(c.Policy)
	c.Options, c.Sources = maps.Clone(c.Options), maps.Clone(c.Sources)
	for element, o := range c.Options {
		c.Options[element] = proto.CloneOf(o)
	}
	for name, rows := range c.Sources {
		c.Sources[name] = slices.Clone(rows)
	}
	c.Request.Header = c.Request.Header.Clone()
	return c
}

// split splits a text at a separator that is not within double quotes.
func split(s, separator string) (parts []string) {
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && strings.HasPrefix(s[i:], separator):
			parts = append(parts, s[start:i])
			start = i + len(separator)
			i = start - 1
		}
	}
	return append(parts, s[start:])
}

// The parts of the texts. An item is a YAML scalar, quoted or plain.
const (
	itemText  = `("(?:[^"\\]|\\.)*"|[^\s,\]]+)`
	fieldText = `((?:option\(\S+\)|(?:shadow\.)?(?:profiles\["(?:[^"\\]|\\.)*"\]\.)?(?:defaults|rules\[\d+\]))\.\w+)`
	placeText = `(?: \(([^()]+|option\([^()]+\))\))?`
	nameText  = `(?:(a|the) rule with (selector|path) ` + itemText + `|(defaults)|(option\(\S+\)))(?: of the profile ` + itemText + `| of the (shadow) policy)?`
	risksText = `(?:, with accept_risks: \[([A-Z_, ]+)\]|, with ([A-Z_, ]+) added to its accept_risks)?`
	endText   = `(?:, which then allows this origin alone)?(?:, or call without credentials)?$`
)

// A form is one form of a clause: a pattern, and the change that it stands for.
type form struct {
	pattern *regexp.Regexp
	apply   func(a *Applied, m []string) error
}

var forms = []form{
	// Notes that change nothing, or are another way.
	{regexp.MustCompile(`^if it is this server's own origin, make the proxy in front keep the Host header$`), note},
	{regexp.MustCompile(`^only if it is this server's own public origin, or one whose pages may call$`), note},
	{regexp.MustCompile(`^an origin source allows exact https origins only$`), note},
	{regexp.MustCompile(`^otherwise call without credentials$`), note},
	{regexp.MustCompile(`^or request the path as that rule spells it$`), note},
	{regexp.MustCompile(`^repeat the origins of \S+ there to keep them$`), note},

	// The policy cannot grant the request.
	{regexp.MustCompile(`^no rule can name the origin, since it .+$`), func(a *Applied, m []string) error {
		a.OnlyNames = true
		return nothing(a, m)
	}},
	{regexp.MustCompile(`^no rule can grant credentials to this origin, and a handshake always has them$`), nothing},
	{regexp.MustCompile(`^no rule with credentials can allow the origin, since pages of unrelated owners have it$`), func(a *Applied, m []string) error {
		a.KeepsCredentials = true
		return nothing(a, m)
	}},
	{regexp.MustCompile(`^call without credentials: no rule can grant them to this origin$`), func(a *Applied, m []string) error {
		a.Request.Header.Del("Cookie")
		a.Request.Header.Del("Authorization")
		return a.onlyOtherRequest()
	}},
	{regexp.MustCompile(`^leave (.+) out of the page's request, which no rule can name$`), leaveOut},
	{regexp.MustCompile(`^call with another method: no policy can grant ` + itemText + `$`), func(a *Applied, _ []string) error {
		return a.otherMethod("POST")
	}},
	{regexp.MustCompile(`^call procedures by POST, or by GET if they are declared NO_SIDE_EFFECTS: no policy can grant another method$`), func(a *Applied, _ []string) error {
		return a.otherMethod("POST")
	}},
	{regexp.MustCompile(`^write the method as ` + itemText + ` in the page's request: methods are case-sensitive, and no policy can grant ` + itemText + `$`), func(a *Applied, m []string) error {
		return a.otherMethod(unquoted(m[1]))
	}},
	{regexp.MustCompile(`^request the path as its rule spells it: ` + itemText + `$`), func(a *Applied, m []string) error {
		return a.otherPath(instance(unquoted(m[1])))
	}},
	{regexp.MustCompile(`^request the path as RPC clients spell it: (\S+)$`), func(a *Applied, m []string) error {
		return a.otherPath(m[1])
	}},

	// The remedies of reasons.
	{regexp.MustCompile(`^request the path as the RPC client generates it, or as its rule spells it$`), note},
	{regexp.MustCompile(`^call with fetch in mode cors, as the RPC clients do$`), func(a *Applied, _ []string) error {
		a.Request.Header.Set("Sec-Fetch-Mode", "cors")
		if a.Request.Header.Get("Origin") == "" {
			a.Request.Header.Set("Origin", "https://page.example")
		}
		return a.otherRequest()
	}},
	{regexp.MustCompile(`^send no Origin header from programs other than browsers$`), func(a *Applied, _ []string) error {
		for _, name := range []string{"Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode"} {
			a.Request.Header.Del(name)
		}
		return a.otherRequest()
	}},
	{regexp.MustCompile(`^if the page is this server's own, make the proxy in front pass on the Host header that the browser sends$`), func(a *Applied, _ []string) error {
		a.Request.Host = "localhost"
		return a.otherRequest()
	}},
	{regexp.MustCompile(`^make the proxy in front of the server pass on exactly one Origin header$`), func(a *Applied, _ []string) error {
		a.Request.Header["Origin"] = a.Request.Header["Origin"][:1]
		return a.otherRequest()
	}},
	{regexp.MustCompile(`^call with at most \d+ headers, each with a valid name: no policy can grant such a list$`), func(a *Applied, _ []string) error {
		a.Request.Header.Del("Access-Control-Request-Headers")
		return a.onlyOtherRequest()
	}},

	// Changes of the policy.
	{regexp.MustCompile(`^write path: ` + itemText + ` in place of ` + itemText + `, so that one rule covers every reading of the path$`), (*Applied).replacePath},
	{regexp.MustCompile(`^add ` + itemText + ` to the origin source (\S+?)(?: or .+)?$`), (*Applied).addToSource},
	{regexp.MustCompile(`^add (.+) to ` + fieldText + placeText + risksText + endText), (*Applied).addToList},
	{regexp.MustCompile(`^move (.+) from ` + fieldText + placeText + ` to allow_headers of the same rule$`), (*Applied).moveHeaders},
	{regexp.MustCompile(`^remove (.+) from ` + fieldText + placeText + `$`), (*Applied).removeHeaders},
	{regexp.MustCompile(`^remove disabled: true at (\S+) from ` + nameText + risksText + `$`), (*Applied).removeDisabled},
	{regexp.MustCompile(`^write (\w+): (.+) in place of ` + fieldText + placeText + risksText + endText), (*Applied).replaceField},
	{regexp.MustCompile(`^write (.+) in ` + nameText + placeText + risksText + endText), (*Applied).writeFields},
}

// apply applies one clause.
func (a *Applied) apply(clause string) error {
	clause = strings.TrimPrefix(clause, "if a proxy adds Authorization, ")
	for _, f := range forms {
		if m := f.pattern.FindStringSubmatch(clause); m != nil {
			return f.apply(a, m)
		}
	}
	return errors.New("this form is not known")
}

func note(*Applied, []string) error { return nil }

func nothing(a *Applied, _ []string) error {
	a.Nothing = true
	return nil
}

// otherRequest records that the page has to send another request.
func (a *Applied) otherRequest() error {
	a.ChangesRequest = true
	return nil
}

// onlyOtherRequest is otherRequest if the remedy says that no policy grants the request.
func (a *Applied) onlyOtherRequest() error {
	a.Nothing = true
	return a.otherRequest()
}

func leaveOut(a *Applied, m []string) error {
	names := items(m[1])
	lines := a.Request.Header["Access-Control-Request-Headers"]
	kept := slices.DeleteFunc(strings.Split(strings.Join(lines, ","), ","), func(name string) bool {
		return slices.Contains(names, strings.ToLower(strings.Trim(name, " \t")))
	})
	if len(lines) == 0 || len(kept) == len(strings.Split(strings.Join(lines, ","), ",")) {
		return errors.New("the request does not have these headers")
	}
	a.Request.Header["Access-Control-Request-Headers"] = []string{strings.Join(kept, ",")}
	return a.onlyOtherRequest()
}

func (a *Applied) otherMethod(method string) error {
	if a.Request.Method == http.MethodOptions && a.Request.Header.Get("Access-Control-Request-Method") != "" {
		a.Request.Header.Set("Access-Control-Request-Method", method)
	} else {
		a.Request.Method = method
	}
	return a.onlyOtherRequest()
}

func (a *Applied) otherPath(path string) error {
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return err
	}
	a.Request.Path, a.Request.EscapedPath = u.Path, u.RawPath
	return a.otherRequest()
}

// instance returns a path that a pattern matches.
func instance(pattern string) string {
	path := wildcard.ReplaceAllString(pattern, "x")
	return strings.ReplaceAll(path, "{$}", "")
}

var wildcard = regexp.MustCompile(`\{[a-zA-Z_]\w*(\.\.\.)?\}`)

func (a *Applied) replacePath(m []string) error {
	found := 0
	for _, r := range a.allRules() {
		if r.GetPath() == unquoted(m[2]) {
			r.Path = unquoted(m[1])
			found++
		}
	}
	a.ChangesPolicy = true
	if found == 0 {
		return errors.New("the policy has no rule with this path")
	}
	return nil
}

// allRules returns the rules of the policy and of its profiles.
func (a *Applied) allRules() []*corsrpcv1.Rule {
	rules := slices.Clone(a.Policy.GetRules())
	for _, p := range a.Policy.GetProfiles() {
		rules = append(rules, p.GetRules()...)
	}
	return rules
}

func (a *Applied) addToSource(m []string) error {
	if slices.Contains(a.Sources[m[2]], unquoted(m[1])) {
		return errors.New("the source has the origin")
	}
	a.Sources[m[2]] = append(a.Sources[m[2]], unquoted(m[1]))
	a.ChangesPolicy = true
	return nil
}

func (a *Applied) addToList(m []string) error {
	rule, field, err := a.field(m[2], m[3], true)
	if err != nil {
		return err
	}
	add, err := parsed(field + ": [" + m[1] + "]")
	if err != nil {
		return err
	}
	list := values(rule, field)
	for _, v := range values(add, field) {
		if slices.Contains(list, v) {
			return fmt.Errorf("%s has %s", m[2], v)
		}
	}
	if len(list) == 0 {
		return errors.New("the list does not exist")
	}
	proto.Merge(rule, add)
	return a.accept(rule, m[4], m[5])
}

func (a *Applied) moveHeaders(m []string) error {
	if err := a.removeHeaders(m); err != nil {
		return err
	}
	rule, _, err := a.field(m[2], m[3], false)
	if err != nil {
		return err
	}
	rule.AllowHeaders = append(rule.AllowHeaders, items(m[1])...)
	return nil
}

func (a *Applied) removeHeaders(m []string) error {
	rule, field, err := a.field(m[2], m[3], true)
	if err != nil || field != "deny_headers" {
		return cmpErr(err, "not deny_headers")
	}
	for _, name := range items(m[1]) {
		before := len(rule.DenyHeaders)
		rule.DenyHeaders = slices.DeleteFunc(rule.DenyHeaders, func(item string) bool { return strings.EqualFold(item, name) })
		if len(rule.DenyHeaders) == before {
			return errors.New("deny_headers does not have " + name)
		}
	}
	a.ChangesPolicy = true
	return nil
}

func (a *Applied) removeDisabled(m []string) error {
	rule, field, err := a.named(m[2:9])
	if err != nil {
		return err
	}
	if !rule.GetDisabled() {
		return errors.New("the rule is not disabled")
	}
	if err := a.comparePlace(field+".disabled", m[1], field+".disabled"); err != nil {
		return err
	}
	rule.Disabled = nil
	return a.accept(rule, m[9], m[10])
}

func (a *Applied) replaceField(m []string) error {
	rule, field, err := a.field(m[3], m[4], true)
	if err != nil {
		return err
	}
	replacement, err := parsed(m[1] + ": " + m[2])
	if err != nil || field != m[1] {
		return cmpErr(err, "another field")
	}
	r := rule.ProtoReflect()
	f := r.Descriptor().Fields().ByTextName(field)
	if !r.Has(f) {
		return errors.New("the field does not exist")
	}
	r.Clear(f)
	proto.Merge(rule, replacement)
	return a.accept(rule, m[5], m[6])
}

func (a *Applied) writeFields(m []string) error {
	rule, field, err := a.named(m[2:9])
	if err != nil {
		return err
	}
	if m[2] != "a" {
		if err := a.comparePlace(field, m[9], field); err != nil {
			return err
		}
	}
	for _, line := range split(m[1], " and ") {
		written, err := parsed(line)
		if err != nil {
			return err
		}
		name, _, _ := strings.Cut(line, ":")
		r := rule.ProtoReflect()
		if f := r.Descriptor().Fields().ByTextName(name); f == nil || r.Has(f) {
			return errors.New("the rule has the field " + name)
		}
		proto.Merge(rule, written)
	}
	return a.accept(rule, m[10], m[11])
}

// accept adds risks to accept_risks, which the rule must not have for written, and must have for added.
func (a *Applied) accept(rule *corsrpcv1.Rule, written, added string) error {
	a.ChangesPolicy = true
	names := written + added
	if names == "" {
		return nil
	}
	if (len(rule.GetAcceptRisks()) == 0) != (added == "") {
		return fmt.Errorf("accept_risks is %v", rule.GetAcceptRisks())
	}
	for name := range strings.SplitSeq(names, ", ") {
		risk, ok := corsrpcv1.Risk_value["RISK_"+name]
		if !ok || slices.Contains(rule.GetAcceptRisks(), corsrpcv1.Risk(risk)) {
			return errors.New("accept_risks has " + name)
		}
		rule.AcceptRisks = append(rule.AcceptRisks, corsrpcv1.Risk(risk))
	}
	return nil
}

// comparePlace fails if a text has another place than the field's.
func (a *Applied) comparePlace(field, said, unknown string) error {
	if a.Place == nil {
		return nil
	}
	want := a.Place(field)
	if want == field {
		want = unknown
	}
	if said != want {
		return fmt.Errorf("the place is %q, and not %q", want, said)
	}
	return nil
}

// parsed returns a rule with one line of YAML.
func parsed(line string) (*corsrpcv1.Rule, error) {
	doc, err := corsrpc.ParsePolicy("remedy.yaml", []byte("defaults:\n  "+line+"\n"))
	if err != nil {
		return nil, err
	}
	return doc.Policy().GetDefaults(), nil
}

// values returns the items of a list as texts.
func values(r *corsrpcv1.Rule, field string) (texts []string) {
	m := r.ProtoReflect()
	f := m.Descriptor().Fields().ByTextName(field)
	if f == nil || !f.IsList() {
		return nil
	}
	list := m.Get(f).List()
	for i := range list.Len() {
		texts = append(texts, fmt.Sprint(list.Get(i)))
	}
	return texts
}

// items returns the items of the content of a YAML flow sequence.
func items(s string) (all []string) {
	for _, item := range split(s, ", ") {
		all = append(all, unquoted(item))
	}
	return all
}

// unquoted returns a quoted text without its quotes, and other texts unchanged.
func unquoted(s string) string {
	if u, err := strconv.Unquote(s); err == nil {
		return u
	}
	return s
}

// cmpErr returns err, or an error with the text if it is nil.
func cmpErr(err error, text string) error {
	if err != nil {
		return err
	}
	return errors.New(text)
}
