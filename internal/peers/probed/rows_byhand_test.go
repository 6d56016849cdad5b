package probed

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// handRow returns a row of a server by hand with one knob turned. Its fix is the server with the knob
// turned back, unless the row says otherwise.
func handRow(name, fault string, b byHand, found ...string) row {
	return row{
		name: "net/http by hand: " + name, fault: fault, found: found, hand: &b,
		start: handServer(b), fixed: handServer(byHand{}),
	}
}

func handServer(b byHand) func(*testing.T, *traffic) server {
	return func(t *testing.T, seen *traffic) server {
		t.Helper()
		return newServer(t, seen.watch(b.wrap(account(nil))))
	}
}

// but returns the row with other values than those of handRow.
func (r row) but(change func(*row)) row {
	change(&r)
	return r
}

// hostname returns the host of an origin, without its port.
func hostname(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// isPreflight reports whether a request of the probe is a preflight.
func isPreflight(r *http.Request) bool { return r.Method == http.MethodOptions }

// onlyFor returns a change of preflights, or of other requests.
func onlyFor(preflights bool, change func(http.Header, *http.Request)) func(http.Header, *http.Request) {
	return func(h http.Header, r *http.Request) {
		if isPreflight(r) == preflights {
			change(h, r)
		}
	}
}

// originRows are servers that grant other origins than they should.
var originRows = []row{
	handRow("reflects", "It grants every origin, with credentials.", byHand{allows: func(string) bool { return true }}, "REFLECTS_ORIGIN"),
	handRow("null", "It grants the origin `null`.", byHand{allows: func(o string) bool { return o == intended || o == "null" }}, "NULL_TRUSTED"),
	handRow("http", "It ignores the scheme.", byHand{allows: func(o string) bool { return o == intended || o == "http://app.example.com" }}, "PLAIN_HTTP_TRUSTED"),
	handRow("port", "It ignores the port.", byHand{allows: func(o string) bool { return strings.HasPrefix(o, "https://") && hostname(o) == "app.example.com" }}, "PORT_IGNORED"),
	handRow("loopback", "It grants a developer's machine.", byHand{allows: func(o string) bool { return o == intended || hostname(o) == "localhost" }}, "LOOPBACK_TRUSTED"),
	handRow("subdomains", "It grants every host of the domain, with a dot before the domain.", byHand{allows: func(o string) bool {
		return strings.HasPrefix(o, "https://") && strings.HasSuffix(o, ".example.com")
	}}, "SUBDOMAINS_TRUSTED"),
	handRow("other origin", "It grants another origin only.", byHand{allows: func(o string) bool { return o == "https://admin.example.com" }}, "ORIGIN_NOT_GRANTED").gets("ALLOW_ORIGIN_ABSENT"),
}

// answerRows are servers whose answers to the intended origin have a fault.
var answerRows = []row{
	handRow("wildcard", "It sends `*` and allows credentials.", byHand{change: set(allowOrigin, "*")}, "WILDCARD_WITH_CREDENTIALS").gets("ALLOW_ORIGIN_WILDCARD"),
	handRow("list", "Its Access-Control-Allow-Origin is a list.", byHand{change: set(allowOrigin, intended+", https://admin.example.com")}, "ALLOW_ORIGIN_INVALID").gets("ALLOW_ORIGIN_REPEATED"),
	handRow("slash", "Its Access-Control-Allow-Origin ends with a slash.", byHand{change: set(allowOrigin, intended+"/")}, "ALLOW_ORIGIN_INVALID").gets("ALLOW_ORIGIN_MISMATCH"),
	handRow("two lines", "It sends Access-Control-Allow-Origin twice.", byHand{change: func(h http.Header, _ *http.Request) { h.Add(allowOrigin, intended) }}, "ALLOW_ORIGIN_REPEATED").gets("ALLOW_ORIGIN_REPEATED").telling("ALLOW_ORIGIN_REPEATED", "2 times"),
	handRow("True", "It sends `Access-Control-Allow-Credentials: True`.", byHand{change: set(allowCredentials, "True")}, "ALLOW_CREDENTIALS_INVALID").gets("ALLOW_CREDENTIALS"),
	handRow("no Vary", "It sends no Vary.", byHand{changeAll: remove("Vary")}, "VARY_MISSING"),
	handRow("Vary of granted origins", "It sends Vary to origins that it grants only.", byHand{changeAll: func(h http.Header, _ *http.Request) {
		if h.Get(allowOrigin) == "" {
			h.Del("Vary")
		}
	}}, "VARY_MISSING").onlyNotes(),
	handRow("status", "It answers preflights with 403, and all headers.", byHand{status: http.StatusForbidden}, "PREFLIGHT_STATUS").gets("PREFLIGHT_STATUS"),
	handRow("methods", "It separates methods by semicolons.", byHand{change: set(allowMethods, "GET; POST")}, "METHODS_INVALID").gets("ALLOW_METHODS_MALFORMED"),
	handRow("Connect's header", "Its preflights do not allow connect-protocol-version.", byHand{
		change: set(allowHeaders, strings.ReplaceAll(requestHeaders, "connect-protocol-version, ", "")),
	}, "HEADERS_NOT_GRANTED").gets("ALLOW_HEADERS").with("--protocol", "connect").telling("HEADERS_NOT_GRANTED", "Add connect-protocol-version to Access-Control-Allow-Headers."),
	handRow("headers", "It separates header names by spaces.", byHand{change: set(allowHeaders, strings.ReplaceAll(requestHeaders, ",", ""))}, "HEADERS_INVALID").gets("ALLOW_HEADERS_MALFORMED"),
	handRow("all headers", "It allows the headers `*` beside credentials.", byHand{change: set(allowHeaders, "*")}, "WILDCARD_HEADERS").gets("ALLOW_HEADERS"),
	handRow("echo", "It allows the headers that a preflight asks for.", byHand{change: onlyFor(true, func(h http.Header, r *http.Request) {
		h.Set(allowHeaders, r.Header.Get("Access-Control-Request-Headers"))
	})}, "PREFLIGHT_PER_MIX").onlyNotes(),
	handRow("no Max-Age", "It sends no Access-Control-Max-Age.", byHand{change: remove(maxAge)}, "MAX_AGE_MISSING").onlyNotes(),
	handRow("Max-Age", "It sends `Access-Control-Max-Age: 2h`.", byHand{change: set(maxAge, "2h")}, "MAX_AGE_INVALID"),
	handRow("preflights only", "Only its preflights have CORS headers.", byHand{change: onlyFor(false, func(h http.Header, _ *http.Request) {
		for _, name := range []string{allowOrigin, allowCredentials, exposeHeaders} {
			h.Del(name)
		}
	})}, "RESPONSE_NOT_GRANTED").sent("ALLOW_ORIGIN_ABSENT"),
	handRow("exposed names", "It separates exposed names by spaces.", byHand{change: set(exposeHeaders, strings.ReplaceAll(statusHeaders, ",", ""))}, "EXPOSE_INVALID"),
	handRow("nothing exposed", "It exposes no response header.", byHand{change: remove(exposeHeaders)}, "STATUS_NOT_EXPOSED"),
	handRow("all exposed", "It exposes `*` beside credentials.", byHand{change: set(exposeHeaders, "*")}, "STATUS_NOT_EXPOSED"),
	handRow("metadata", "It sends a header that it does not expose.", byHand{}, "METADATA_NOT_EXPOSED").sent("readable").onlyNotes().telling("METADATA_NOT_EXPOSED", "acme-region").but(func(r *row) {
		metadata := func(b byHand) func(*testing.T, *traffic) server {
			return func(t *testing.T, seen *traffic) server {
				t.Helper()
				return newServer(t, seen.watch(b.wrap(account(nil, "Acme-Region", "eu"))))
			}
		}
		r.hand, r.start, r.fixed = nil, metadata(byHand{}), metadata(byHand{change: set(exposeHeaders, statusHeaders+", acme-region")})
	}),
}

// callRows are servers that execute calls of pages that they refuse.
var callRows = []row{
	handRow("runs", "It has the handler execute calls of refused pages, which browsers do not send.", byHand{runs: true}, "REFUSED_CALL_RUNS").sent("readable").onlyNotes(),
	{
		name: "net/http by hand: runs any content type", fault: "It has the handler execute calls of refused pages, of a content type for which browsers send no preflight too.",
		found: []string{"REFUSED_CALL_RUNS"}, sends: true, start: anyContentType(byHand{runs: true}), fixed: anyContentType(byHand{}),
	},
}

// secureRows are servers of HTTP/2, and one with a certificate that the probe does not trust.
var secureRows = []row{
	{
		name: "HTTP/2 with an authority of its own: null", fault: "It grants the origin `null`.", found: []string{"NULL_TRUSTED"},
		start: overHTTP2(byHand{allows: func(o string) bool { return o == intended || o == "null" }}), fixed: overHTTP2(byHand{}),
	},
	{
		name: "HTTP/2 without TLS: reflects", fault: "It grants every origin, with credentials.", found: []string{"REFLECTS_ORIGIN"},
		start: overH2C(byHand{allows: func(string) bool { return true }}), fixed: overH2C(byHand{}),
	},
	{
		name: "TLS with an unknown authority", fault: "An authority that is not known has signed its certificate.", words: "is not signed by an authority that is trusted here: write --ca FILE", fixed: overHTTP2(byHand{}),
		start: func(t *testing.T, seen *traffic) server {
			t.Helper()
			s := overHTTP2(byHand{})(t, seen)
			s.args = nil
			return s
		},
	},
}

func overHTTP2(b byHand) func(*testing.T, *traffic) server {
	return func(t *testing.T, seen *traffic) server {
		t.Helper()
		return newHTTP2(t, seen.watch(b.wrap(account(nil))))
	}
}

func overH2C(b byHand) func(*testing.T, *traffic) server {
	return func(t *testing.T, seen *traffic) server {
		t.Helper()
		return newH2C(t, seen.watch(b.wrap(account(nil))))
	}
}

// anyContentType returns a server whose handler does not look at the content type of a call.
func anyContentType(b byHand) func(*testing.T, *traffic) server {
	return func(t *testing.T, seen *traffic) server {
		t.Helper()
		return newServer(t, seen.watch(b.wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("{}"))
		}))))
	}
}

// wildcard is a sound server that allows everyone, without credentials.
var wildcard = byHand{
	allows: func(string) bool { return true },
	changeAll: func(h http.Header, r *http.Request) {
		h.Set(allowOrigin, "*")
		h.Del(allowCredentials)
		h.Del("Vary")
		if !isPreflight(r) {
			h.Set(exposeHeaders, statusHeaders)
		}
	},
}

// soundByHand are servers by hand without a fault.
var soundByHand = []row{
	{name: "net/http by hand", start: handServer(byHand{})},
	{name: "net/http by hand, calls sent", sends: true, start: handServer(byHand{})},
	{name: "net/http by hand, for everyone without credentials", anonymous: true, start: handServer(wildcard)},
	{name: "net/http by hand, HTTP/2 with an authority of its own", start: overHTTP2(byHand{})},
	{name: "net/http by hand, HTTP/2 without TLS", start: overH2C(byHand{})},
	{name: "net/http by hand, two origins", start: handServer(byHand{allows: func(o string) bool {
		return slices.Contains([]string{intended, "https://admin.example.com"}, o)
	}})},
}
