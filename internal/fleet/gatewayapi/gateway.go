// Package gatewayapi is a model of a Gateway of the Kubernetes Gateway API: it reads HTTPRoutes and forwards requests as
// the texts of sigs.k8s.io/gateway-api/apis/v1 say. Where they leave a choice to implementations, the choice is drawn at
// random. It stands in for the real programs in proofs.
package gatewayapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

// Gateway forwards requests by HTTPRoutes. It is a http.Handler, and safe for concurrent use.
type Gateway struct {
	routes  []*gatewayv1.HTTPRoute                  // by name
	origins map[gatewayv1.CORSOrigin]*regexp.Regexp // those of the filters
	choices choices
	server  http.Handler
}

// New returns a Gateway with the HTTPRoutes of a text in YAML, in front of a server: all backends are that server. random
// draws the choices of the implementation. It returns an error if a manifest is not an HTTPRoute or has fields that the type
// lacks.
func New(manifests string, server http.Handler, random *rand.Rand) (*Gateway, error) {
	g := &Gateway{choices: drawChoices(random), server: server, origins: map[gatewayv1.CORSOrigin]*regexp.Regexp{}}
	for text := range strings.SplitSeq(manifests, "\n---\n") {
		route := new(gatewayv1.HTTPRoute)
		if isComment(text) {
			continue
		}
		if err := yaml.UnmarshalStrict([]byte(text), route); err != nil {
			return nil, err
		}
		if route.Kind != "HTTPRoute" || route.APIVersion != gatewayv1.GroupVersion.String() {
			return nil, fmt.Errorf("a manifest is a %q of %q: the model has HTTPRoutes only", route.Kind, route.APIVersion)
		}
		if err := check(route); err != nil {
			return nil, fmt.Errorf("%s: %w", route.Name, err)
		}
		g.routes = append(g.routes, route)
		for _, rule := range route.Spec.Rules {
			for _, f := range rule.Filters {
				if f.CORS == nil {
					continue
				}
				for _, allowed := range f.CORS.AllowOrigins {
					g.origins[allowed] = g.choices.pattern(string(allowed))
				}
			}
		}
	}
	// "The Route appearing first in alphabetical order by "{namespace}/{name}"."
	slices.SortFunc(g.routes, func(a, b *gatewayv1.HTTPRoute) int { return strings.Compare(a.Name, b.Name) })
	return g, nil
}

// isComment reports whether a text holds comments only.
func isComment(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return false
		}
	}
	return true
}

// check returns the error of a route that the model cannot follow.
func check(route *gatewayv1.HTTPRoute) error {
	if route.Name == "" || len(route.Spec.ParentRefs) == 0 {
		return errors.New("a route needs a name and a parent")
	}
	for _, rule := range route.Spec.Rules {
		if len(rule.BackendRefs) == 0 || len(rule.Matches) == 0 {
			return errors.New("a rule has no backend, or no match")
		}
		for _, f := range rule.Filters {
			if is := f.Type == gatewayv1.HTTPRouteFilterCORS; is != (f.CORS != nil) || is == (f.ResponseHeaderModifier != nil) {
				return fmt.Errorf("a filter %s has no values, or the model does not have it", f.Type)
			}
		}
		for _, m := range rule.Matches {
			if len(m.Headers)+len(m.QueryParams) > 0 || m.Path == nil || m.Path.Type == nil || m.Path.Value == nil || *m.Path.Type == gatewayv1.PathMatchRegularExpression {
				return errors.New("the model has no matches of headers and parameters, and those of paths need a type, Exact or PathPrefix, and a value")
			}
		}
	}
	return nil
}

// ServeHTTP answers a request, by the rule that governs it.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rule := g.rule(r)
	if rule == nil {
		// "When no rules matching a request have been successfully attached to the parent a request is coming from, a HTTP 404
		// status code MUST be returned."
		w.WriteHeader(http.StatusNotFound)
		return
	}
	var cors *gatewayv1.HTTPCORSFilter
	var modifier *gatewayv1.HTTPHeaderFilter
	for _, f := range rule.Filters {
		switch f.Type {
		case gatewayv1.HTTPRouteFilterCORS:
			cors = f.CORS
		case gatewayv1.HTTPRouteFilterResponseHeaderModifier:
			modifier = f.ResponseHeaderModifier
		}
	}
	answer := &response{header: http.Header{}}
	local := cors != nil && g.answersPreflight(cors, r, answer)
	if !local {
		g.server.ServeHTTP(answer, r)
	}
	answer.WriteHeader(http.StatusOK)
	// "Wherever possible, implementations SHOULD implement filters in the order they are specified."
	steps := []func(){
		func() {
			if cors != nil && !local {
				g.grant(cors, r, answer.header)
			}
		},
		func() {
			if modifier != nil && (!local || g.choices.modifiesOwnAnswers) {
				modify(modifier, answer.header)
			}
		},
	}
	if g.choices.modifierFirst {
		slices.Reverse(steps)
	}
	for _, step := range steps {
		step()
	}
	for name, lines := range answer.header {
		w.Header()[name] = lines
	}
	w.WriteHeader(answer.status)
	_, _ = io.Copy(w, &answer.body)
}

// rule returns the rule that governs a request; nil if there is none.
func (g *Gateway) rule(r *http.Request) *gatewayv1.HTTPRouteRule {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	method := r.Method
	if g.choices.matchesRequestedMethod && isPreflight(r) {
		method = r.Header.Get("Access-Control-Request-Method")
	}
	var best *gatewayv1.HTTPRouteRule
	var rank [3]int
	for _, route := range g.routes {
		if !slices.Contains(route.Spec.Hostnames, gatewayv1.Hostname(strings.ToLower(host))) {
			continue
		}
		for i := range route.Spec.Rules {
			rule := &route.Spec.Rules[i]
			for _, m := range rule.Matches {
				// "matching precedence MUST be granted to the FIRST matching rule (in list order)"
				if got := precedence(m, r.URL.EscapedPath(), method); got[0] > 0 && slices.Compare(got[:], rank[:]) > 0 {
					best, rank = rule, got
				}
			}
		}
	}
	return best
}

// precedence returns the rank of a match, as three numbers of falling importance. The first is 0 if the request does not match.
//
// "precedence must be given to the match having: "Exact" path match. "Prefix" path match with largest number of characters.
// Method match."
func precedence(m gatewayv1.HTTPRouteMatch, path, method string) [3]int {
	if m.Method != nil && string(*m.Method) != method {
		return [3]int{}
	}
	hasMethod := 0
	if m.Method != nil {
		hasMethod = 1
	}
	value := *m.Path.Value
	if *m.Path.Type == gatewayv1.PathMatchExact {
		// "Matches the URL path exactly and with case sensitivity. This means that an exact path match on `/abc` will only match
		// requests to `/abc`, NOT `/abc/`, `/Abc`, or `/abcd`."
		if path != value {
			return [3]int{}
		}
		return [3]int{2, 0, hasMethod}
	}
	// "Matches based on a URL path prefix split by `/`. [...] When specified, a trailing `/` is ignored."
	value = strings.TrimSuffix(value, "/")
	if rest, ok := strings.CutPrefix(path, value); !ok || rest != "" && rest[0] != '/' {
		return [3]int{}
	}
	return [3]int{1, len(value), hasMethod}
}

// modify changes a header as a ResponseHeaderModifier says.
func modify(f *gatewayv1.HTTPHeaderFilter, header http.Header) {
	for _, h := range f.Set {
		header[http.CanonicalHeaderKey(string(h.Name))] = []string{h.Value}
	}
	// "Add adds the given header(s) (name, value) to the request before the action. It appends to any existing values
	// associated with the header name."
	for _, h := range f.Add {
		header.Add(string(h.Name), h.Value)
	}
	// "Note that the header names are case-insensitive"
	for _, name := range f.Remove {
		header.Del(name)
	}
}

// response is the server's response, or that of the Gateway.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the header.
func (r *response) Header() http.Header { return r.header }

// WriteHeader sets the status, once.
func (r *response) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write adds to the body.
func (r *response) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}
