package corsinspect

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// sample holds the parts of a request that its decision depends on, in one buffer that is used again
// for the next request. It has no secrets: of cookies, an Authorization header and a query it only
// holds whether they are there.
type sample struct {
	text []byte
	ends [sampleFields]uint16 // the end of each field in text

	tls, getCall, upgrade, cookie, authorization, originRepeated bool
}

// The fields of a sample. After them come the fields of sampledHeaders.
const (
	sampleMethod = iota
	sampleHost
	samplePath
	sampleEscapedPath
	sampleHeaders
	sampleFields = sampleHeaders + len(sampledHeaders)
)

// sampledHeaders are the header fields of which a sample holds the value.
var sampledHeaders = [...]string{"Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Content-Type", "Access-Control-Request-Method", "Access-Control-Request-Headers"}

const maxSampleField = 1 << 10 // bytes of a field; the rest is cut off

// keep replaces the sample by that of another request.
func (s *sample) keep(r corsrpc.Request) {
	s.text = s.text[:0]
	for i, field := range [...]string{r.Method, r.Host, r.Path, r.EscapedPath} {
		s.put(i, field)
	}
	for i, name := range sampledHeaders {
		lines := r.Header[name]
		value := ""
		if len(lines) > 0 {
			value = lines[0]
		}
		if len(lines) > 1 && name == "Access-Control-Request-Headers" {
			value = strings.Join(lines[:min(len(lines), fetch.MaxRequestedLines)], ",")
		}
		s.put(sampleHeaders+i, value)
	}
	s.tls = r.TLS
	s.getCall = r.Method == http.MethodGet && rpc.IsGetCall(r.Query)
	s.upgrade = len(r.Header["Upgrade"]) > 0
	s.cookie = len(r.Header["Cookie"]) > 0
	s.authorization = len(r.Header["Authorization"]) > 0
	s.originRepeated = len(r.Header["Origin"]) > 1
}

// put sets a field. Fields are set in order.
func (s *sample) put(i int, value string) {
	s.text = append(s.text, value[:min(len(value), maxSampleField)]...)
	s.ends[i] = uint16(len(s.text))
}

// clone returns a copy that does not share the buffer.
func (s *sample) clone() sample {
	c := *s
	c.text = append([]byte(nil), s.text...)
	return c
}

// field returns a field.
func (s *sample) field(i int) string {
	start := uint16(0)
	if i > 0 {
		start = s.ends[i-1]
	}
	return string(s.text[start:s.ends[i]])
}

// request returns the request. A decision on it is that on the request of which the sample was taken,
// unless a field was cut.
func (s *sample) request() corsrpc.Request {
	r := corsrpc.Request{
		Method: s.field(sampleMethod), Host: s.field(sampleHost), Path: s.field(samplePath), EscapedPath: s.field(sampleEscapedPath),
		TLS: s.tls, Header: http.Header{},
	}
	for i, name := range sampledHeaders {
		if value := s.field(sampleHeaders + i); value != "" {
			r.Header[name] = []string{value}
		}
	}
	if s.getCall {
		r.Query = rpc.GetCallQuery
	}
	for name, has := range map[string]bool{"Upgrade": s.upgrade, "Cookie": s.cookie, "Authorization": s.authorization} {
		if has {
			r.Header[name] = []string{"1"}
		}
	}
	if s.originRepeated {
		r.Header["Origin"] = append(r.Header["Origin"], "")
	}
	return r
}

// link returns the URL of the page with the form filled with the request.
func (s *sample) link() string {
	r := s.request()
	form := url.Values{"origin": r.Header["Origin"], "method": {r.Method}, "server": {s.server(r)}, "target": {s.target(r)}}
	var headers []string
	if asked := r.Header["Access-Control-Request-Method"]; r.Method == http.MethodOptions && len(asked) > 0 {
		form["method"] = asked
		names, _ := fetch.AppendRequested(nil, r.Header["Access-Control-Request-Headers"])
		for _, name := range names {
			value := "1"
			if name == "content-type" {
				value = "application/json"
			}
			headers = append(headers, name+": "+value)
		}
	} else {
		for _, value := range r.Header["Content-Type"] {
			headers = append(headers, "content-type: "+value)
		}
		if s.authorization {
			headers = append(headers, "authorization: 1")
		}
	}
	if len(headers) > 0 {
		form.Set("headers", strings.Join(headers, "\n"))
	}
	if s.cookie {
		form.Set("credentials", "on")
	}
	return "?" + form.Encode() + "#try"
}

// target returns the path of a request as the form takes it.
func (s *sample) target(r corsrpc.Request) string {
	target := r.EscapedPath
	if target == "" {
		target = (&url.URL{Path: r.Path}).EscapedPath()
	}
	if s.getCall {
		target += "?" + rpc.GetCallQuery
	}
	return target
}

// server returns the URL of the server of a request. A proxy in front of the server may have
// terminated TLS: browsers do not let a page of an https origin call a server over plain http.
func (s *sample) server(r corsrpc.Request) string {
	scheme := "http://"
	if r.TLS || strings.HasPrefix(s.field(sampleHeaders), "https://") {
		scheme = "https://"
	}
	if u, err := url.Parse(scheme + r.Host); err != nil || u.Host == "" || u.Host != r.Host {
		return "https://api.example.com"
	}
	return scheme + r.Host
}
