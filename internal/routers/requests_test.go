package routers

import (
	"net/http"
	"net/url"
	"strings"
)

// call is a request from a page on another site, its path apart.
type call struct {
	method   string
	origin   string // empty for none
	noCORS   bool   // Sec-Fetch-Mode: no-cors, with a cookie
	encoding bool   // a query as Connect's GET has it
	program  bool   // no browser: neither Origin nor Sec-Fetch
}

const evil = "https://evil.example"

// calls draws who tries a path: always a stranger, and some whom a rule names.
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

// origins are those that the rules name.
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

// request is the call as net/http's server would hand it on; nil for a path that the
// server answers with 400.
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

// lets reports whether a handler of this grant may run for the call: the table in
// the design, below "What happens to a request".
func (g grant) lets(c call) bool {
	if g.kind == kindShape {
		if c.method != "POST" && !c.encoding {
			return true // a page that looks like a procedure
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
