package fromgo

import (
	"go/token"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// grants is what a configuration of a library grants, as the library behaves.
type grants struct {
	library string
	// refuses is true if the library refuses a request of another origin before the handler.
	refuses bool
	// everyone is true if every origin is allowed, and everyoneAt where that is said.
	everyone   bool
	everyoneAt token.Pos
	// origins are the items that the library compares origins with. In a wildcard item, a star stands for any text.
	origins []originItem
	// unknowns are the settings whose values are not known, apart from origins.
	unknowns map[string]value
	// unknownOrigins are the values that allow origins, and are not known.
	unknownOrigins []item
	// ignored are origins that the library ignores, because a function decides.
	ignored []item

	credentials   bool
	credentialsAt token.Pos

	// post and get say whether a call by POST and by GET is allowed. everyGet is false if some calls by GET or HEAD are
	// not.
	post, get, everyGet bool
	methodsAt           token.Pos
	// methods are the methods that are allowed and that procedures do not have.
	methods []string
	// allMethods is true if pages may use every method.
	allMethods bool

	// headers are the request headers that scripts may send, in lower case; allHeaders allows all, and
	// authorization says whether that includes authorization. starIgnored is true if the star works without
	// credentials only.
	headers                   []header
	allHeaders, authorization bool
	starIgnored               bool
	headersAt                 token.Pos

	// exposed are the response headers that scripts may read, in lower case; allExposed exposes all.
	exposed            []header
	allExposed         bool
	exposedAt          token.Pos
	maxAge             int64 // in seconds
	maxAgeAt           token.Pos
	preflightByHandler string // the setting by which the handler, or a status, decides about preflights
	preflightAt        token.Pos
	notes              []Change
}

// header is a header name as it is written.
type header struct {
	name string // in lower case
	pos  token.Pos
}

// originItem is an origin, or a pattern in the library's own language.
type originItem struct {
	item
	// written is the text that the library compares with, after its own changes.
	written string
	// prefix and suffix are what an origin has to begin and end with, if wildcard is true.
	wildcard       bool
	prefix, suffix string
	// overlap is true if prefix and suffix may overlap in an origin.
	overlap bool
}

// matches reports whether the library allows an origin because of the item.
func (o originItem) matches(origin string) bool {
	if !o.wildcard {
		return o.written == origin
	}
	return strings.HasPrefix(origin, o.prefix) && strings.HasSuffix(origin, o.suffix) && (o.overlap || len(origin) >= len(o.prefix)+len(o.suffix))
}

// takeStar makes a configuration with the item * one that allows everyone.
func (g *grants) takeStar() {
	for _, o := range g.origins {
		if o.kind == text && o.text == "*" {
			g.everyone, g.everyoneAt, g.origins, g.unknownOrigins = true, o.pos, nil, nil
			return
		}
	}
}

// setDefaults sets the request headers that a library allows by itself.
func (g *grants) setDefaults(names ...string) {
	for _, n := range names {
		g.headers = append(g.headers, header{name: n})
	}
}

// addHeaders adds request headers. The item * allows all.
func (g *grants) addHeaders(items []item, normalize func(string) string) {
	for _, i := range items {
		if i.text == "*" {
			g.allHeaders = true
			continue
		}
		name := normalize(i.text)
		if !slices.ContainsFunc(g.headers, func(h header) bool { return h.name == name }) {
			g.headers = append(g.headers, header{name, i.pos})
		}
	}
}

// setMethods sets the methods that a library compares with.
func (g *grants) setMethods(methods []string, pos token.Pos) {
	g.post, g.get = slices.Contains(methods, http.MethodPost), slices.Contains(methods, http.MethodGet)
	g.everyGet, g.methodsAt = g.get && slices.Contains(methods, http.MethodHead), pos
	for _, m := range methods {
		g.addMethod(m)
	}
}

// addMethod adds a method, if it is one that procedures do not have.
func (g *grants) addMethod(method string) {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodOptions, http.MethodHead, "", "*":
		return
	}
	if !slices.Contains(g.methods, method) && fetch.IsToken(method) && !fetch.ForbiddenMethod(method) {
		g.methods = append(g.methods, method)
	}
}
