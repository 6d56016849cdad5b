// Package export writes the effective rules of a policy as the configuration of other systems, which cannot say
// all of it: Envoy's own filters, the Gateway API and nginx. An export never grants more than the policy. Each exporter
// reports what is lost.
//
// The package does not depend on these systems' modules. Its values are immutable and safe for concurrent use once they
// are made.
package export

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/origin"
	"github.com/corsrpc/corsrpc-go/internal/regexpsyntax"
	"github.com/corsrpc/corsrpc-go/internal/route"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Options say what a policy does not.
type Options struct {
	// OwnOrigins are the origins at which browsers reach the server, http or https. Requests from their pages pass, as
	// Host says in the layer. There is at least one.
	OwnOrigins []string
	// Sources are origins of the policy's origin sources, by name. The export has them as of now.
	Sources map[string][]string
	// Upstream is the server behind the system: the name of a cluster for Envoy, a URL for nginx, name:port of a
	// Service for the Gateway API.
	Upstream string
}

// Model is what an exporter writes: routes, of which the first that matches governs a request. A request that comes from
// a page of another origin is called cross-origin below: Sec-Fetch-Site is neither same-origin nor none, or it is absent
// and there is an Origin header other than the own origins.
type Model struct {
	// Options are those that the model was made with.
	Options Options
	// Answers are the distinct rules, in the order of the routes that use them first.
	Answers []*Answer
	// Routes are in order of precedence. A cross-origin request that none of them matches is refused, unless it is a GET or HEAD without Origin
	// whose path and query OddTarget does not match.
	Routes []Route
	// OddTarget is a regular expression, to be looked for in any letter case in the path and query. It matches if the path may be
	// read in several ways, or the request may be a call of a procedure that the schema does not have.
	OddTarget string
	// Losses are what no exporter can say, or none says exactly.
	Losses []Loss
}

// Route applies to requests whose path, as it was sent and without its query, is Path or matches Regexp.
type Route struct {
	// Name is the full name of a procedure, the pattern of a path rule, or a description of the paths.
	Name string
	// Path is the only path; "" if Regexp is set.
	Path string
	// Regexp has to match the whole path. It is in the syntax of route.Pattern.Regexp.
	Regexp string
	// IgnoreCase is true if Regexp has to match without regard to letter case.
	IgnoreCase bool
	// Answer is what the route grants. Every cross-origin request is refused if it is nil.
	Answer *Answer
}

// Answer is what an effective rule grants, as far as a static configuration can say it. Cross-origin requests that it does
// not grant are refused, as Decide does:
//
//   - with Origin: unless the origin is allowed, and if there is an Upgrade header without Credentials;
//   - to a procedure, with Origin: if Sec-Fetch-Mode is neither absent nor cors, and if there is a Cookie header
//     without Credentials;
//   - to a path, with Origin: if the method is not one of Methods;
//   - with another method than GET and HEAD, if RefusesAmbient: with a Cookie header; with an Authorization header, if
//     Sec-Fetch-Mode is neither absent nor cors, or the rule does not grant authorization;
//   - without Origin: unless the method is GET or HEAD and there is no Upgrade, and to a procedure unless Everyone is true, and
//     to a path if Credentials is true unless Sec-Fetch-Mode is navigate.
type Answer struct {
	// ID is the number of the answer, from 1.
	ID int
	// Rule is the effective rule.
	Rule *rules.Effective
	// Place is where the narrowest rule is written.
	Place rules.Place
	// ToPath is true for a path, and false for procedures.
	ToPath bool

	// Everyone is true if every origin is allowed.
	Everyone bool
	// Origins are the allowed origins that are spelled out, sorted. Patterns are regular expressions in
	// the syntax of origin.Pattern.Regexp, each with the pattern that it says, sorted by that.
	Origins  []string
	Patterns []OriginPattern
	// Credentials is allow_credentials.
	Credentials bool
	// RefusesAmbient is true if everyone may call, or pages of unrelated owners have one of the origins.
	RefusesAmbient bool
	// GrantsAuthorization is true if scripts may send the header authorization.
	GrantsAuthorization bool
	// Methods, RequestHeaders and ResponseHeaders are the granted methods, the granted request headers, and the exposed
	// response headers, the names in lower case. RequestHeaders and ResponseHeaders are sorted.
	Methods, RequestHeaders, ResponseHeaders []string
	// MaxAge is how long browsers may cache a preflight, in whole seconds.
	MaxAge time.Duration
}

// OriginPattern is a pattern of allow_origins, and its regular expression.
type OriginPattern struct{ Pattern, Regexp string }

// serverFields are the response header fields of a server that an export replaces by those of the policy, in lower case.
var serverFields = []string{
	"access-control-allow-credentials", "access-control-allow-headers", "access-control-allow-methods", "access-control-allow-origin",
	"access-control-allow-private-network", "access-control-expose-headers", "access-control-max-age", "timing-allow-origin",
}

// New returns the model of the rules. It returns an error if the options are invalid, or if the rules need a schema
// and do not have one.
func New(r *rules.Rules, o Options) (*Model, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if len(r.Services) == 0 && (len(r.Selectors) > 0 || len(r.Paths) == 0) {
		return nil, errors.New("the schema is not known, so that the export cannot list the procedures: add --descriptors with a FileDescriptorSet, or --reflect with the URL of the running server")
	}
	if err := checkMCP(r); err != nil {
		return nil, err
	}
	m := &Model{Options: o}
	b := builder{model: m, rules: r, answers: map[*rules.Effective]*Answer{}}
	b.addProcedures()
	b.addSelectors()
	b.addPaths()
	m.OddTarget = "^[^?]*(?:" + route.OddRegexp + ")|^" + b.anyPrefix() + route.ShapeRegexp + "/?[?](?:.*[&;])?" + escapable("encoding") + "(?:[=&;]|$)"
	b.addLosses()
	return m, nil
}

// escapable returns a regular expression for the name of a query parameter, each letter of which may be escaped. It has to match
// without regard to letter case.
func escapable(name string) string {
	var b strings.Builder
	for i := range len(name) {
		fmt.Fprintf(&b, "(?:%c|%%%02X)", name[i], name[i])
	}
	return b.String()
}

// checkMCP returns the error of a path rule with protocols: [MCP]. It does not trust the host of a request, which
// the own origins of an export do.
func checkMCP(r *rules.Rules) error {
	for _, p := range r.Paths {
		if p.Rule.ServesMCP() {
			field := p.Rule.ValueField("protocols")
			at := p.Rule.Place(field)
			return fmt.Errorf("%s:%d:%d: %s: an export cannot say protocols: [MCP], which the path %s has: put the library or the gateway in front of the server of MCP, and leave the rule out of the policy that is exported",
				at.File, at.Line, at.Column, field, p.Pattern)
		}
	}
	return nil
}

// check returns the error of invalid options.
func (o *Options) check() error {
	if len(o.OwnOrigins) == 0 {
		return errors.New("the server's own origin is not known: add --own-origin, such as --own-origin https://api.example.com")
	}
	for _, own := range o.OwnOrigins {
		if p, ok := origin.Parse(own); !ok || p.Scheme != "https" && p.Scheme != "http" {
			return fmt.Errorf("--own-origin %q is not the origin of a server, as browsers write it: a scheme, a host, and a port unless it is the scheme's default, such as https://api.example.com", own)
		}
	}
	return nil
}

// builder builds a model.
type builder struct {
	model   *Model
	rules   *rules.Rules
	answers map[*rules.Effective]*Answer
}

// prefixes returns the prefixes of procedures' paths; the first is "".
func (b *builder) prefixes() []string { return append([]string{""}, b.rules.Prefixes...) }

// anyPrefix returns a regular expression for all prefixes of procedures' paths.
func (b *builder) anyPrefix() string {
	if len(b.rules.Prefixes) == 0 {
		return ""
	}
	literals := make([]string, len(b.rules.Prefixes))
	for i, prefix := range b.rules.Prefixes {
		literals[i] = regexpsyntax.Literal(prefix)
	}
	return "(?:" + strings.Join(literals, "|") + ")?"
}

// add adds a route.
func (b *builder) add(r Route) { b.model.Routes = append(b.model.Routes, r) }

// addProcedures adds a route for each procedure, and refuses the other paths of their services, however they are spelled.
func (b *builder) addProcedures() {
	for _, prefix := range b.prefixes() {
		for _, p := range b.rules.Procedures {
			b.add(Route{Name: p.Name, Path: prefix + "/" + p.Service + "/" + p.Method, Answer: b.answer(p.Rule)})
		}
	}
	for _, prefix := range b.prefixes() {
		for _, service := range b.rules.Services {
			b.add(Route{Name: "other paths of " + service, Regexp: loosePrefix(prefix) + regexpsyntax.Literal(service) + "/.*", IgnoreCase: true})
		}
	}
}

// loosePrefix returns a regular expression for a prefix and the slash behind it. A server that cuts the prefix off may take a path
// without that slash, or without one within the prefix, for one with it.
func loosePrefix(prefix string) string {
	return "/" + strings.TrimPrefix(strings.ReplaceAll(regexpsyntax.Literal(prefix+"/"), "/", "/?"), "/?")
}

// addSelectors refuses the paths of procedures that selectors cover and the schema does not have.
func (b *builder) addSelectors() {
	for _, prefix := range b.prefixes() {
		for _, s := range b.rules.Selectors {
			if b.isInSchema(s.Name) {
				continue // addProcedures has the paths of its service
			}
			expression := loosePrefix(prefix)
			if pkg, ok := strings.CutSuffix(s.Name, ".*"); ok {
				expression += regexpsyntax.Literal(pkg) + "[.][^/]*/.*"
			} else {
				service, method := s.Name[:strings.LastIndexByte(s.Name, '.')], s.Name[strings.LastIndexByte(s.Name, '.')+1:]
				expression += "(?:" + regexpsyntax.Literal(s.Name) + "/.*|" + regexpsyntax.Literal(service+"/"+method) + "/?)"
			}
			b.add(Route{Name: "procedures of " + s.Name + " that the schema does not have", Regexp: expression, IgnoreCase: true})
		}
	}
}

// isInSchema reports whether a selector names a service of the schema, or a method of one.
func (b *builder) isInSchema(selector string) bool {
	if _, ok := slices.BinarySearch(b.rules.Services, selector); ok {
		return true
	}
	_, ok := slices.BinarySearchFunc(b.rules.Procedures, selector, func(p rules.Procedure, name string) int { return strings.Compare(p.Name, name) })
	return ok
}

// addPaths adds a route for each path rule, from the most to the least specific, and refuses other spellings of its paths.
func (b *builder) addPaths() {
	paths := slices.Clone(b.rules.Paths)
	slices.SortFunc(paths, func(a, b rules.Path) int { return route.CompareSpecificity(a.Pattern, b.Pattern) })
	for _, p := range paths {
		r := Route{Name: p.Pattern.String(), Answer: b.answer(p.Rule)}
		if path, ok := p.Pattern.Spelled(); ok {
			r.Path = path
			b.add(r)
		} else if expression, ok := p.Pattern.Regexp(); ok {
			r.Regexp = expression
			b.add(r)
		} else {
			b.model.lose(LossPathPattern, r.Name)
		}
		slash := !slices.ContainsFunc(paths, func(other rules.Path) bool { return route.DifferInSlash(p.Pattern, other.Pattern) })
		// Where each GET without Origin passes, a path that Regexp leaves out may be one without a rule.
		closed := r.Answer == nil || r.Answer.Credentials
		b.add(Route{Name: "other spellings of " + r.Name, Regexp: p.Pattern.LooseRegexp(slash, closed), IgnoreCase: true})
	}
}

// answer returns the answer of a rule; nil if no page may call.
func (b *builder) answer(rule *rules.Effective) *Answer {
	if rule.Disabled() || !rule.Kind().Path && !b.allowsSomebody(rule) {
		return nil
	}
	if have := b.answers[rule]; have != nil {
		return have
	}
	granted, exposed := rule.GrantedHeaders(), rule.ExposedHeaders()
	a := &Answer{
		ID: len(b.model.Answers) + 1, Rule: rule, Place: rule.Place(rule.Narrowest()), ToPath: rule.Kind().Path,
		Everyone: rule.Origins().Any() != 0, Credentials: rule.Credentials(),
		RefusesAmbient: rule.Origins().HasShared(), GrantsAuthorization: granted.Grants("authorization"),
		Methods: slices.Clone(rule.Methods()), RequestHeaders: slices.Sorted(slices.Values(granted.Names())), ResponseHeaders: exposed.Declared(),
		MaxAge: rule.MaxAge().Truncate(time.Second),
	}
	b.addOrigins(a)
	b.answers[rule] = a
	b.model.Answers = append(b.model.Answers, a)
	return a
}

// allowsSomebody reports whether an origin is known that the rule allows.
func (b *builder) allowsSomebody(rule *rules.Effective) bool {
	if rule.Origins().Len() > 0 {
		return true
	}
	return slices.ContainsFunc(rule.Sources(), func(name string) bool { return len(b.model.Options.Sources[name]) > 0 })
}

// addOrigins adds the origins of the answer's rule.
func (b *builder) addOrigins(a *Answer) {
	if a.Everyone {
		return // the others make no difference
	}
	for _, text := range a.Rule.Origins().Patterns().All {
		if p, _ := origin.ParsePattern(text); p.IsExact() {
			a.Origins = append(a.Origins, p.String())
		} else {
			a.Patterns = append(a.Patterns, OriginPattern{p.String(), p.Regexp()})
		}
	}
	for _, name := range a.Rule.Sources() {
		for _, row := range b.model.Options.Sources[name] {
			if origin.IsTenant(row) {
				a.Origins = append(a.Origins, row)
			}
		}
	}
	slices.Sort(a.Origins)
	a.Origins = slices.Compact(a.Origins)
	slices.SortFunc(a.Patterns, func(x, y OriginPattern) int { return strings.Compare(x.Pattern, y.Pattern) })
	a.Patterns = slices.Compact(a.Patterns)
}
