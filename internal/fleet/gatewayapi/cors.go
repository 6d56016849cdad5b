package gatewayapi

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// The fields of the filter CORS.
const (
	allowOrigin      = "Access-Control-Allow-Origin"
	allowCredentials = "Access-Control-Allow-Credentials"
	allowMethods     = "Access-Control-Allow-Methods"
	allowHeaders     = "Access-Control-Allow-Headers"
	exposeHeaders    = "Access-Control-Expose-Headers"
	maxAge           = "Access-Control-Max-Age"
)

// isPreflight reports whether a request is a preflight.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// answersPreflight answers a preflight. It reports false if the request is not one, or if the server answers it.
func (g *Gateway) answersPreflight(f *gatewayv1.HTTPCORSFilter, r *http.Request, answer *response) bool {
	if !isPreflight(r) && !(g.choices.answersEveryOptions && r.Method == http.MethodOptions && r.Header.Get("Origin") != "") {
		return false
	}
	if !g.allows(f, r.Header.Get("Origin")) {
		// "If the request `Origin` does not match the configured allowed origins, the gateway returns 204/200 response but doesn't
		// set the relevant cross-origin response headers. Alternatively, the gateway responds with 403 status to the "preflight"
		// request is denied, coupled with omitting the CORS headers."
		answer.status = g.choices.refusedStatus
		return answer.status != 0
	}
	// "The status code of a successful response to a "preflight" request is always an OK status ..., 204 or 200."
	answer.status = g.choices.preflightStatus
	h := answer.header
	g.setOrigin(f, r, h)
	credentials := f.AllowCredentials != nil && *f.AllowCredentials

	// "When the `allowMethods` field is configured with one or more methods, the gateway must return the
	// `Access-Control-Allow-Methods` response header which value is present in the `allowMethods` field."
	var methods []string
	for _, m := range f.AllowMethods {
		methods = append(methods, string(m))
	}
	// "The CORS-safelisted methods are always allowed, regardless of whether they are specified in the `allowMethods` field."
	if g.choices.listsSafelistedMethods {
		methods = append(methods, "GET", "HEAD", "POST")
	}
	setList(h, allowMethods, g.wildcard(methods, credentials, r.Header.Get("Access-Control-Request-Method")))

	// "When the `allowHeaders` field is configured with one or more headers, the gateway must return the
	// `Access-Control-Allow-Headers` response header which value is present in the `allowHeaders` field."
	setList(h, allowHeaders, g.wildcard(names(f.AllowHeaders), credentials, r.Header.Get("Access-Control-Request-Headers")))

	// "When the `MaxAge` field is unspecified, the gateway sets the response header "Access-Control-Max-Age: 5" by default."
	seconds := f.MaxAge
	if seconds == 0 {
		seconds = 5
	}
	h.Set(maxAge, strconv.Itoa(int(seconds)))
	return true
}

// grant adds the fields of the filter to the response of a request that is not a preflight.
func (g *Gateway) grant(f *gatewayv1.HTTPCORSFilter, r *http.Request, h http.Header) {
	if !g.allows(f, r.Header.Get("Origin")) {
		// The text does not say that the server's own fields are removed.
		if g.choices.removesServerFields {
			for _, name := range []string{allowOrigin, allowCredentials, exposeHeaders} {
				h.Del(name)
			}
		}
		return
	}
	own := http.Header{}
	g.setOrigin(f, r, own)
	// "If the configuration contains the wildcard `*` in `exposeHeaders` and `allowCredentials` is set to `true`, the gateway
	// cannot use the `*`".
	exposed := names(f.ExposeHeaders)
	if f.AllowCredentials != nil && *f.AllowCredentials {
		exposed = slices.DeleteFunc(exposed, func(name string) bool { return name == "*" })
	}
	setList(own, exposeHeaders, exposed)
	for name, lines := range own {
		// "the gateway sets the response header": the text does not say what becomes of one that is there.
		switch g.choices.serverFields {
		case addsFields:
			h[name] = append(h[name], lines...)
		case keepsFields:
			if h[name] == nil {
				h[name] = lines
			}
		default:
			h[name] = lines
		}
	}
}

// setOrigin sets Access-Control-Allow-Origin and Access-Control-Allow-Credentials.
func (g *Gateway) setOrigin(f *gatewayv1.HTTPCORSFilter, r *http.Request, h http.Header) {
	credentials := f.AllowCredentials != nil && *f.AllowCredentials
	// "If the configuration contains the wildcard `*` in `allowOrigins` and `allowCredentials` is set to `false`, the
	// `Access-Control-Allow-Origin` response header may either contain the wildcard `*` or echo the value of the `Origin`
	// request header." "If [...] `allowCredentials` is set to `true`, the gateway must not return `*`".
	if slices.Contains(f.AllowOrigins, "*") && !credentials && g.choices.writesStar {
		h.Set(allowOrigin, "*")
	} else {
		h.Set(allowOrigin, r.Header.Get("Origin"))
	}
	// "When set to true, the gateway will include the `Access-Control-Allow-Credentials` response header with value true
	// (case-sensitive)." "When set to false or omitted the gateway will omit the header".
	if credentials {
		h.Set(allowCredentials, "true")
	}
}

// allows reports whether the filter allows an origin. "" stands for a request without Origin.
func (g *Gateway) allows(f *gatewayv1.HTTPCORSFilter, from string) bool {
	if from == "" {
		return false
	}
	for _, allowed := range f.AllowOrigins {
		// "An origin value that includes _only_ the `*` character indicates requests from all `Origin`s are allowed."
		if allowed == "*" || g.origins[allowed].MatchString(from) {
			return true
		}
	}
	return false
}

// pattern returns the expression of an allowed origin.
func (c *choices) pattern(allowed string) *regexp.Regexp {
	scheme, rest, _ := strings.Cut(allowed, "://")
	// "`*` is a greedy match to the _left_, including any number of DNS labels to the left of its position. This also means
	// that `*` will include any number of period `.` characters to the left of its position." The text says neither what a label
	// is made of, nor whether the number may be zero.
	host, star := strings.CutPrefix(rest, "*")
	expression := regexp.QuoteMeta(host)
	if star {
		expression = c.wildcard + expression
	}
	// "Note that, if not included, port `80` is assumed for `http` scheme origins, and port `443` is assumed for `https`
	// origins. This may affect origin matching."
	if !strings.Contains(rest, ":") && c.assumesPort {
		expression += map[string]string{"http": "(?::80)?", "https": "(?::443)?"}[scheme]
	}
	flags := ""
	if c.ignoresCase {
		flags = "(?i)"
	}
	return regexp.MustCompile(flags + "^" + scheme + "://" + expression + "$")
}

// wildcard returns the items of a list. Without credentials, "*" may be written or answered with what the
// preflight asks for; with them, only the latter.
func (g *Gateway) wildcard(items []string, credentials bool, requested string) []string {
	switch {
	case !slices.Contains(items, "*"), !credentials && g.choices.writesStar:
		return items
	case requested == "":
		return nil
	}
	return []string{requested}
}

// names returns the names of headers.
func names(list []gatewayv1.HTTPHeaderName) (items []string) {
	for _, name := range list {
		items = append(items, string(name))
	}
	return items
}

// setList sets a field with a list, unless it is empty.
func setList(h http.Header, name string, items []string) {
	if len(items) > 0 {
		h.Set(name, strings.Join(items, ", "))
	}
}
