package export

import (
	"cmp"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// The limits of the CustomResourceDefinition HTTPRoute.
const (
	gatewayHostnames     = 16
	gatewayOrigins       = 64
	gatewayHeaders       = 64 // of allowHeaders, and of exposeHeaders
	gatewayRules         = 16 // of a route
	gatewayMatches       = 64 // of a rule
	gatewayRouteMatches  = 128
	gatewayPathLength    = 1024
	gatewayOriginLength  = 253
	gatewayDefaultServer = "server:8080"
)

// gatewayMethods are the methods that allowMethods and matches take.
var gatewayMethods = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}

// The values that the CustomResourceDefinition takes. Its messages hold the same expressions, apart from "*" alone.
var (
	gatewayOrigin   = regexp.MustCompile(`^https?://(?:(?:\*\.)?(?:[a-zA-Z0-9-]+\.)*[a-zA-Z0-9-]+|\*)(?::[0-9]{1,5})?$`)
	gatewayHostname = regexp.MustCompile(`^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$`)
	gatewayPath     = regexp.MustCompile(`^/(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*$`)
	gatewayOddPath  = regexp.MustCompile(`//|/\.\.?(?:/|$)|%2[fF]`)
	gatewayService  = regexp.MustCompile(`^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$`)
)

// gatewayText is the manifests, as far as they are written.
type gatewayText struct {
	strings.Builder
	model      *Model
	losses     []Loss
	hostnames  []string
	name, port string // of the Service
	filters    map[*Answer]*gatewayFilter
	equal      map[string]*gatewayFilter // by the text of key
}

// writeGatewayAPI writes the model as HTTPRoutes. Only exact paths get the filter CORS: a prefix has spellings that
// the policy refuses. The paths of all other requests have a route without the filter.
func writeGatewayAPI(m *Model) (*Export, error) {
	t := &gatewayText{model: m, losses: slices.Clone(m.Losses), filters: map[*Answer]*gatewayFilter{}, equal: map[string]*gatewayFilter{}}
	if err := t.checkOptions(); err != nil {
		return nil, err
	}
	grants, err := t.grants()
	if err != nil {
		return nil, err
	}
	for _, r := range gatewayRoutes(grants) {
		t.route(r)
	}
	t.rest()
	body := t.String()
	t.Reset()
	t.introduction()
	return &Export{Text: t.String() + body, Losses: t.losses}, nil
}

// checkOptions reads the own origins and the Service.
func (t *gatewayText) checkOptions() error {
	for _, own := range t.model.Options.OwnOrigins {
		p, _ := origin.Parse(own)
		if !gatewayHostname.MatchString(p.Host) || net.ParseIP(p.Host) != nil {
			return fmt.Errorf("the host of --own-origin %s cannot be written in an HTTPRoute, whose hostnames are neither addresses nor have underscores: add the origin of a name that leads there", own)
		}
		t.hostnames = append(t.hostnames, p.Host)
	}
	slices.Sort(t.hostnames)
	if t.hostnames = slices.Compact(t.hostnames); len(t.hostnames) > gatewayHostnames {
		return fmt.Errorf("an HTTPRoute takes %d hostnames, and --own-origin names %d hosts: export the policy in parts", gatewayHostnames, len(t.hostnames))
	}
	upstream := cmp.Or(t.model.Options.Upstream, gatewayDefaultServer)
	name, port, _ := strings.Cut(upstream, ":")
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || !gatewayService.MatchString(name) {
		return fmt.Errorf("--upstream %q is not the name and the port of a Service: write them as in %s", upstream, gatewayDefaultServer)
	}
	t.name, t.port = name, port
	return nil
}

// gatewayGrant is an exact path that gets a filter.
type gatewayGrant struct {
	route  *Route
	filter *gatewayFilter
}

// grants returns the paths that get a filter, in the order of the routes. It adds the losses of the other routes.
func (t *gatewayText) grants() (grants []gatewayGrant, err error) {
	m := t.model
	shadowed := m.shadowed()
	for i := range m.Routes {
		r := &m.Routes[i]
		if r.IgnoreCase {
			continue // the paths of no rule
		}
		t.lose(LossRefusal, r.Name)
		switch {
		case r.Answer == nil:
			continue
		case shadowed[r], !gatewayTakesPath(r.Path):
			t.lose(LossPathPattern, r.Name)
			continue
		}
		f, err := t.filter(r.Answer)
		if err != nil {
			return nil, err
		}
		f.addLosses(t, r.Name)
		if f.isEmpty() {
			continue
		}
		grants = append(grants, gatewayGrant{r, f})
	}
	return grants, nil
}

// filter returns the filter of an answer. Answers that are written alike have the same.
func (t *gatewayText) filter(a *Answer) (*gatewayFilter, error) {
	if f := t.filters[a]; f != nil {
		return f, nil
	}
	f, err := newGatewayFilter(a)
	if err != nil {
		return nil, err
	}
	key := f.key()
	if have := t.equal[key]; have != nil {
		f = have
	}
	t.equal[key], t.filters[a] = f, f
	if place := placeText(a.Place); !slices.Contains(f.places, place) {
		f.places = append(f.places, place)
	}
	return f, nil
}

// shadowed returns the routes with a path for which a route before them comes first.
func (m *Model) shadowed() map[*Route]bool {
	shadowed, paths := map[*Route]bool{}, map[string]bool{}
	var expressions []*regexp.Regexp
	for i := range m.Routes {
		r := &m.Routes[i]
		if r.Regexp != "" {
			expression := "^(?:" + r.Regexp + ")$"
			if r.IgnoreCase {
				expression = "(?i)" + expression
			}
			expressions = append(expressions, regexp.MustCompile(expression))
			continue
		}
		shadowed[r] = paths[r.Path] || slices.ContainsFunc(expressions, func(e *regexp.Regexp) bool { return e.MatchString(r.Path) })
		paths[r.Path] = true
	}
	return shadowed
}

// gatewayTakesPath reports whether an exact match takes the path. "" is the path of a pattern with wildcards.
func gatewayTakesPath(path string) bool {
	return len(path) <= gatewayPathLength && gatewayPath.MatchString(path) && !gatewayOddPath.MatchString(path)
}

// lose adds a loss.
func (t *gatewayText) lose(name LossName, targets ...string) {
	t.losses = addLoss(t.losses, name, targets...)
}

// gatewayFilter is an answer as the filter CORS.
type gatewayFilter struct {
	answer         *Answer  // the first of those that are written so
	places         []string // of all answers, in the order of the routes
	origins        []string // sorted, with "*" alone
	methods        []string // in the order of gatewayMethods
	maxAge         int64    // seconds
	missingOrigins []string // those that cannot be written
	missingMethods []string
	wildcards      bool
}

// newGatewayFilter returns the filter of an answer. It returns an error if the answer has more than a filter takes.
func newGatewayFilter(a *Answer) (*gatewayFilter, error) {
	f := &gatewayFilter{answer: a, maxAge: max(1, int64(a.MaxAge/time.Second))}
	for _, method := range gatewayMethods {
		if slices.Contains(a.Methods, method) {
			f.methods = append(f.methods, method)
		}
	}
	for _, method := range a.Methods {
		if !slices.Contains(gatewayMethods, method) {
			f.missingMethods = append(f.missingMethods, method)
		}
	}
	if a.Everyone {
		f.origins = []string{"*"}
		if a.Credentials {
			return nil, fmt.Errorf("%s: every origin has credentials", placeText(a.Place))
		}
	}
	for _, o := range a.Origins {
		f.addOrigin(o)
	}
	for _, p := range a.Patterns {
		f.addOrigin(p.Pattern)
	}
	slices.Sort(f.origins)
	for _, list := range []struct {
		what    string
		has, of int
	}{{"origins", len(f.origins), gatewayOrigins}, {"request headers", len(a.RequestHeaders), gatewayHeaders}, {"response headers", len(a.ResponseHeaders), gatewayHeaders}} {
		if list.has > list.of {
			return nil, fmt.Errorf("%s: the filter CORS takes %d %s, and the rule has %d: write fewer, or use the gateway of corsrpc", placeText(a.Place), list.of, list.what, list.has)
		}
	}
	return f, nil
}

// key returns a text that only equal filters share.
func (f *gatewayFilter) key() string {
	a := f.answer
	return fmt.Sprintf("%t %t %s %q %q %q %q %q %q", a.ToPath, a.Credentials, a.MaxAge, f.origins, f.missingOrigins, f.methods, f.missingMethods, a.RequestHeaders, a.ResponseHeaders)
}

// addOrigin adds an origin or a pattern, if the filter takes it and reads it alike.
func (f *gatewayFilter) addOrigin(text string) {
	if text == "https://*" || text == "http://*" || !gatewayOrigin.MatchString(text) || len(text) > gatewayOriginLength {
		f.missingOrigins = append(f.missingOrigins, text)
		return
	}
	f.origins = append(f.origins, text)
	f.wildcards = f.wildcards || strings.Contains(text, "*")
}

// isEmpty reports whether no page may call. The meaning of an empty list is not specified, so that none is written.
func (f *gatewayFilter) isEmpty() bool { return len(f.origins) == 0 || len(f.methods) == 0 }

// addLosses adds the losses of a target.
func (f *gatewayFilter) addLosses(t *gatewayText, target string) {
	if len(f.missingOrigins) > 0 {
		t.losses = addLostValues(t.losses, LossOrigins, target, f.missingOrigins)
	}
	if len(f.missingMethods) > 0 {
		t.losses = addLostValues(t.losses, LossMethods, target, f.missingMethods)
	}
	if f.isEmpty() {
		return
	}
	t.lose(LossServerFields, target)
	if f.wildcards {
		t.lose(LossWildcards, target)
	}
	if f.answer.MaxAge < time.Second {
		t.lose(LossMaxAge, target)
	}
}
