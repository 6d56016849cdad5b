package routers

import (
	"net/http"
	"net/url"
	"strings"
)

// call is a request of a cross-site page, without its path.
type call struct {
	method   string
	origin   string // empty for a request without Origin
	noCORS   bool   // Sec-Fetch-Mode: no-cors, with a cookie
	encoding bool   // with the query of a Connect GET
	program  bool   // from a program: without Origin and Sec-Fetch headers
}

const evil = "https://evil.example"

// calls draws calls: one of an unknown origin, and some of origins that rules list.
func (d draws) calls(p *policy) []call {
	origin := evil
	if named := p.origins(); len(named) > 0 {
		origin = d.one(named...)
	}
	return []call{
		{method: "POST", origin: evil},
		{method: "POST", origin: origin},
		pick(d, []call{
			{method: "GET", origin: evil}, {method: "GET", origin: origin}, {method: "GET", origin: origin, encoding: true},
			{method: "POST", origin: evil, noCORS: true}, {method: "POST", origin: origin, noCORS: true}, {method: "GET", noCORS: true},
		}),
	}
}

// origins returns the origins that the rules list.
func (p *policy) origins() []string {
	all := strings.Fields(p.defaults.origins)
	for _, rules := range [][]rule{p.selectors, p.paths} {
		for _, r := range rules {
			if r.origins != "*" {
				all = append(all, strings.Fields(r.origins)...)
			}
		}
	}
	if len(all) > 0 && all[0] == "*" {
		all = all[1:]
	}
	return all
}

// request returns the call as a handler of net/http's server gets it, or nil for a path that
// the server answers with 400.
func (c call) request(raw string) *http.Request {
	if c.encoding {
		raw += "?encoding=json&message=%7B%7D"
	}
	u, err := url.ParseRequestURI(raw)
	if err != nil || !strings.HasPrefix(raw, "/") {
		return nil
	}
	header := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}, "Content-Type": {"application/json"}}
	if c.program {
		header = http.Header{"Content-Type": {"application/json"}}
	}
	if c.origin != "" {
		header["Origin"] = []string{c.origin}
	}
	if c.noCORS {
		header["Sec-Fetch-Mode"], header["Cookie"], header["Content-Type"] = []string{"no-cors"}, []string{"session=1"}, []string{"text/plain"}
	}
	return &http.Request{
		Method: c.method, URL: u, RequestURI: raw, Host: "api.example.com", Header: header, Body: http.NoBody,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "192.0.2.1:1234",
	}
}

// allows reports whether a handler with this grant may run for the call.
func (g grant) allows(c call) bool {
	if g.kind == kindShape {
		if c.method != "POST" && !c.encoding {
			return true // a navigation to a page whose path has the form of a procedure
		}
		g.kind = kindProcedure
	}
	everyone, procedure := g.origins == "*", g.kind == kindProcedure
	switch {
	case g.kind == kindNone:
		return true
	case g.disabled:
		return false
	case c.origin == "" && procedure:
		return everyone
	case c.origin == "":
		return !g.credentials
	case !g.names(c.origin):
		return false
	case procedure:
		return !c.noCORS
	}
	return !everyone || !c.noCORS || c.method == "GET"
}
