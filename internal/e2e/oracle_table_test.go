package e2e

import (
	"fmt"
	"slices"
	"strings"
)

// oracleCase is a fetch, and the literal responses of its server.
type oracleCase struct {
	name      string
	sandboxed bool // the page is a frame of an opaque origin
	call      oracleCall
	// The calls after the first one. The reading is that of the last call.
	then              []oracleCall
	preflight, answer oracleAnswer
	// The responses of /next, the target of redirects.
	nextPreflight, next oracleAnswer
}

// oracleCall is a fetch. Its URL is that of the case, on the server SELF (the page's own), HERE (the default) or OTHER, followed
// by a suffix.
type oracleCall struct {
	URL         string      `json:"url"`
	Method      string      `json:"method"`
	Headers     [][2]string `json:"headers"`
	Mode        string      `json:"mode,omitempty"`
	Credentials string      `json:"credentials,omitempty"`
	Redirect    string      `json:"redirect,omitempty"`
	Body        string      `json:"body,omitempty"`
	// Upload makes the call with XMLHttpRequest, with a listener for its upload.
	Upload bool `json:"upload,omitempty"`
	// Then is the call after this one.
	Then []oracleCall `json:"then,omitempty"`
}

// oracleAnswer is a literal response. Status 0 is 204 for a preflight and 200 for a call. In values, ORIGIN is the page's origin,
// HERE, OTHER and SELF are the servers' origins, ASKED is the value of Access-Control-Request-Headers, PLACE is the case's path,
// NEXT is the target of redirects, and CASE is the case's number.
type oracleAnswer struct {
	status  int
	headers []string // "Name: value"
}

type oracleTable []oracleCase

// add adds a case, and returns it for further changes.
func (t *oracleTable) add(name string, call oracleCall, preflight, answer oracleAnswer) *oracleCase {
	if call.Method == "" {
		call.Method = "GET"
	}
	*t = append(*t, oracleCase{name: name, call: call, preflight: preflight, answer: answer})
	return &(*t)[len(*t)-1]
}

func answers(headers ...string) oracleAnswer { return oracleAnswer{headers: headers} }

// with returns the response with more headers.
func (a oracleAnswer) with(headers ...string) oracleAnswer {
	a.headers = append(slices.Clone(a.headers), headers...)
	return a
}

func (a oracleAnswer) withStatus(status int) oracleAnswer {
	a.status = status
	return a
}

func header(pairs ...string) (headers [][2]string) {
	for i := 0; i < len(pairs); i += 2 {
		headers = append(headers, [2]string{pairs[i], pairs[i+1]})
	}
	return headers
}

// The responses of most cases: one allows the page, the other also allows credentials.
var (
	allowed      = answers("Access-Control-Allow-Origin: ORIGIN")
	credentialed = allowed.with("Access-Control-Allow-Credentials: true")
)

func oracleCases() []oracleCase {
	var t oracleTable
	for _, credentials := range []string{"", "include"} {
		t.origins(credentials)
		t.lists(credentials)
	}
	t.statuses()
	t.requestHeaders()
	t.methods()
	t.opaqueOrigins()
	t.ownOrigin()
	t.redirects()
	t.redirectModes()
	t.remembered()
	t.cookies()
	t.resourcePolicies()
	t.uploads()
	return t
}

// origins adds cases with valid and invalid Access-Control-Allow-Origin and -Credentials.
func (t *oracleTable) origins(credentials string) {
	xa := oracleCall{Credentials: credentials, Headers: header("X-A", "1")}
	try := func(name string, headers ...string) {
		t.add(fmt.Sprintf("a call, %q %s", headers, credentials)+name, oracleCall{Credentials: credentials}, oracleAnswer{}, answers(headers...))
		t.add(fmt.Sprintf("a preflight, %q %s", headers, credentials)+name, xa, answers(headers...).with("Access-Control-Allow-Headers: x-a"), credentialed)
	}
	for _, o := range []string{
		"", "*", "ORIGIN", "null", "ORIGIN/", "ORIGIN ", " ORIGIN", "\tORIGIN", " ORIGIN \t ", " * ", "\t*", "HTTP://localhost", "http://localhost", "http://localhost:1", "https://example.com",
		"ORIGIN, ORIGIN", "*, *", "ORIGIN,*", "ORIGIN, *", "*, ORIGIN", "'ORIGIN'", "\"ORIGIN\"", "'*'", "\"*\"", "*.localhost", "http://*", "http://localhost:*", "none", "ORIGIN ORIGIN", "true",
		"localhost", "//localhost", "://localhost", "ftp://localhost", "http:://localhost", "http:/localhost", "http:localhost", ".localhost", "http://.localhost", "http://*.localhost",
		"ORIGIN#", "ORIGIN?", "ORIGIN /", "ORIGIN%23", "ORIGIN\x00", "\x00ORIGIN", "\x00*", "*\x00", ",", "ORIGIN,", "\x00", "**", "-", "* *", "* null", "* ORIGIN", "*ORIGIN", "*http://*", "null ORIGIN", "null *",
		"HERE", "OTHER", "ORIGINCASE", "ORIGIN/.e2e/",
	} {
		try("", "Access-Control-Allow-Origin: "+o, "Access-Control-Allow-Credentials: true")
	}
	for _, lines := range [][2]string{{"", "*"}, {"*", ""}, {"*", "*"}, {"", "ORIGIN"}, {"*", "ORIGIN"}, {"ORIGIN", "ORIGIN"}, {"ORIGIN", "http://localhost"}} {
		try(" in two lines", "Access-Control-Allow-Origin: "+lines[0], "Access-Control-Allow-Origin: "+lines[1], "Access-Control-Allow-Credentials: true")
	}
	try(" in lower case", "access-control-allow-origin: ORIGIN", "access-control-allow-credentials: true")
	for _, value := range []string{"True", "TRUE", "false", "", "0", "1", "\"true\"", "true, true", " true", "true,", "yes"} {
		try("", "Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: "+value)
	}
	try(" in two lines", "Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: true", "Access-Control-Allow-Credentials: true")
}

// lists adds cases with exposed headers, allowed headers and allowed methods.
func (t *oracleTable) lists(credentials string) {
	for _, exposed := range [][]string{
		{""}, {"*"}, {"x-b"}, {"X-B"}, {"x-b,x-c"}, {" x-b ,\tx-c "}, {",x-b,,"}, {"x-b,, \t,"}, {"x-b x-c"}, {"\"x-b\""}, {"x-b:"}, {"*, x-b"}, {"x-*"}, {"set-cookie"}, {"set-cookie2, x-b"}, {"x-b,\x00"},
		{"X-b;x-c"}, {"content-type"}, {"x-missing"}, {"date"}, {"x-b, @#$#%%&^&^*()()11!"}, {"@#$#%%&^&^*()()11!,x-b"}, {"x-b, no no"}, {"x-b,é"}, {"x-b", "x-c"}, {"x-b", "x c"}, {"", "x-b"}, {"x-b", ""}, {"*", "x-b"}, {"x-b", "*"}, {"access-control-allow-origin"},
	} {
		answer := credentialed
		for _, line := range exposed {
			answer = answer.with("Access-Control-Expose-Headers: " + line)
		}
		answer = answer.with("X-B: b", "X-C: c", "X-C: d", "X-Empty: ", "Etag: e", "Cache-Control: no-store", "Content-Language: nn", "Expires: Thu, 01 Dec 1994 16:00:00 GMT",
			"Last-Modified: Thu, 01 Dec 1994 10:00:00 GMT", "Pragma: no-cache", "Server: s", "X-Powered-By: p", "Set-Cookie: other=1; Path=/nowhere")
		t.add(fmt.Sprintf("expose %q %s", exposed, credentials), oracleCall{Credentials: credentials}, oracleAnswer{}, answer)
	}
	for _, allow := range [][]string{
		{""}, {"*"}, {"x-a"}, {"X-A"}, {"x-a,x-b"}, {"x-b"}, {",x-a"}, {",y-lol,x-A, ,,,Y-PRINT"}, {"x-a x-b"}, {"\"x-a\""}, {"*, x-a"}, {"x-*"}, {"x-a:"}, {"authorization"}, {"x-b", "x-a"}, {"x-a", "x b"},
	} {
		for _, name := range []string{"X-A", "Authorization", "Content-Type", "*"} {
			preflight := credentialed
			for _, line := range allow {
				preflight = preflight.with("Access-Control-Allow-Headers: " + line)
			}
			t.add(fmt.Sprintf("allow headers %q for %s %s", allow, name, credentials), oracleCall{Credentials: credentials, Headers: header(name, "application/json")}, preflight, credentialed)
		}
	}
	for _, allow := range []string{"", "*", "PUT", "put", "get", "PUT, DELETE", "GET", "\"PUT\"", "PUT;", "PATCH", "*, PUT", "PUT DELETE", "Bad method name"} {
		for _, method := range []string{"GET", "PUT", "put", "patch", "PATCH", "DELETE", "HEAD", "POST", "OPTIONS", "QUERY", "SUPER", "*"} {
			t.add(fmt.Sprintf("allow methods %q for %s %s", allow, method, credentials), oracleCall{Credentials: credentials, Method: method, Headers: header("X-A", "1")},
				credentialed.with("Access-Control-Allow-Methods: "+allow, "Access-Control-Allow-Headers: x-a"), credentialed)
			t.add(fmt.Sprintf("allow methods %q for %s without headers %s", allow, method, credentials), oracleCall{Credentials: credentials, Method: method},
				credentialed.with("Access-Control-Allow-Methods: "+allow), credentialed)
		}
	}
}

// statuses adds cases with statuses of preflights and of calls.
func (t *oracleTable) statuses() {
	xa := oracleCall{Headers: header("X-A", "1")}
	grant := allowed.with("Access-Control-Allow-Headers: x-a", "Access-Control-Max-Age: 0")
	for _, status := range []int{200, 201, 202, 204, 206, 299, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 500, 501, 502, 503, 504, 599} {
		t.add(fmt.Sprintf("a preflight answered %d", status), xa, grant.with("Location: /elsewhere").withStatus(status), allowed)
		t.add(fmt.Sprintf("a preflight answered %d, without a grant", status), xa, answers("Location: /elsewhere").withStatus(status), allowed)
		if status/100 != 3 || status == 304 || status == 300 {
			t.add(fmt.Sprintf("a call answered %d", status), oracleCall{}, oracleAnswer{}, allowed.withStatus(status))
			t.add(fmt.Sprintf("a call answered %d after a preflight", status), xa, grant, allowed.withStatus(status))
			t.add(fmt.Sprintf("a call answered %d without a grant", status), oracleCall{}, oracleAnswer{}, oracleAnswer{status: status})
		}
	}
}

// requestHeaders adds cases with request headers, which may need a preflight.
func (t *oracleTable) requestHeaders() {
	long := strings.Repeat("a", 128)
	digits := strings.Repeat("0123456789", 12) + "012345678"
	each := map[string][]string{
		"Accept":           {"text/html", long, long + "a", "\"a\"", "\"", "a(b", "é", "*"},
		"Accept-Language":  {"de, en;q=0.5", "de_AT", long + "a", "bzh", "@", "\x01"},
		"Content-Language": {"de", "@", "\x01"},
		"Content-Type": {
			"text/plain", "TEXT/PLAIN", "text/plain;charset=utf-8", "text/plain; a=\"x\"", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
			"text/plain,application/json", "", "text", "text/plainx", " text/plain ", "text/plain;", "text/plain;" + long, "text /plain", "text\t/\tplain", "text/plain;garbage", "text/plain;garbage\x01\x02",
			"text/plain,", ",text/plain", "text/plain,text/plain", "text/plain,x/x", "text/plain\x0b", "text/plain\x0c", "application/www-form-urlencoded", "application/x-www-form-urlencoded;\x7f",
			"multipart/form-data", "multipart/form-data;\"", "text/html", "text/plain; long=" + digits,
		},
		"Range": {
			"bytes=0-", "bytes=0-10", "bytes=10-0", "bytes=-10", "bytes=0-1,2-3", "bytes = 0-", "bytes 0-", "100-200", "MB=100-200", "bytes=100-200", "bytes =100-200", "bytes\t=100-200", "bytes=  100-200",
			"bytes=100 -200", "bytes=100- 200", "bytes=100-200hello", "bytes=abc-def", "bytes=200-", "bytes=1" + strings.Repeat("0", 60) + "-2" + strings.Repeat("0", 60), ",bytes=100-200", "bytes=,100-200", "BYTES=0-1",
		},
		"Last-Event-ID": {"abc123", "\"", "e5p3n<3k0k0s", digits},
		"Authorization": {"Basic x"}, "X-A": {"", "1"}, "User-Agent": {"x"}, "DPR": {"1"}, "Save-Data": {"on"}, "Cache-Control": {"no-cache"}, "If-None-Match": {"x"}, "Pragma": {"x"}, "Downlink": {"1"},
		"Viewport-Width": {"1"}, "Device-Memory": {"1"}, "Rtt": {"1"}, "Ect": {"4g"}, "Width": {"1"},
		"Origin": {"x"}, "Host": {"x"}, "Cookie": {"a=b"}, "Cookie2": {"a=b"}, "Referer": {"x"}, "Sec-X": {"x"}, "Proxy-X": {"x"}, "Te": {"trailers"}, "Date": {"x"}, "Dnt": {"1"}, "Accept-Encoding": {"x"}, "Accept-Charset": {"x"},
		"Access-Control-Request-Method": {"x"}, "Access-Control-Request-Headers": {"x"}, "Keep-Alive": {"x"}, "Upgrade": {"x"}, "Via": {"x"}, "Expect": {"x"}, "Trailer": {"x"}, "Set-Cookie": {"x"}, "Content-Length": {"1"}, "Connection": {"x"}, "Transfer-Encoding": {"x"},
		"X-HTTP-Method-Override": {"TRACE", "PUT", "GET,track ", " connect"}, "X-Method-Override": {"a, connect", "a"}, "X-HTTP-Method": {"GET", "trace"},
		"x_under": {"1"}, "1num": {"1"}, "a!b": {"1"}, "Grpc-Timeout": {"1m"}, "Connect-Protocol-Version": {"1"}, "X-Grpc-Web": {"1"}, "Idempotency-Key": {"1"}, "Traceparent": {"1"},
		"Mcp-Session-Id": {"1"}, "Mcp-Param-Region": {"eu"},
	}
	for _, name := range sortedKeys(each) {
		for _, value := range each[name] {
			for _, method := range []string{"GET", "POST"} {
				t.add(fmt.Sprintf("%s with %s: %q", method, name, value), oracleCall{Method: method, Headers: header(name, value)}, allowed.with("Access-Control-Allow-Headers: "+strings.ToLower(name)), allowed)
				t.add(fmt.Sprintf("no-cors %s with %s: %q", method, name, value), oracleCall{Method: method, Mode: "no-cors", Headers: header(name, value)}, oracleAnswer{}, oracleAnswer{})
			}
		}
	}
	all := allowed.with("Access-Control-Allow-Headers: x-zed,x_under,1num,x-a,a!b,authorization,content-type,accept,x-test-header-b,x-test-header-c")
	t.add("many headers", oracleCall{Headers: header("X-Zed", "1", "x_under", "1", "1num", "1", "X-A", "1", "a!b", "1", "Authorization", "x")}, all, allowed)
	t.add("many headers, some safelisted", oracleCall{Method: "POST", Headers: header("x-test-header-C", "1", "X-test-header-B", "1", "Content-Type", "x", "Accept", "*", "Accept-Language", "bzh", "Content-Language", "eu")}, all, allowed)
	t.add("one of many is not granted", oracleCall{Headers: header("X-A", "1", "X-Missing", "1")}, all, allowed)
	ofMCP := header("Accept", "application/json, text/event-stream", "Content-Type", "application/json", "Mcp-Method", "tools/call", "Mcp-Name", "lookup", "Mcp-Param-Region", "eu", "Mcp-Protocol-Version", "2026-07-28")
	t.add("a call of a client of MCP", oracleCall{Method: "POST", Headers: ofMCP, Body: "{}"},
		allowed.with("Access-Control-Allow-Headers: content-type, accept, mcp-protocol-version, mcp-session-id, last-event-id, mcp-method, mcp-name, mcp-param-region"), allowed.with("Access-Control-Expose-Headers: mcp-protocol-version, mcp-session-id, www-authenticate", "Mcp-Session-Id: 1", "WWW-Authenticate: Bearer"))
	t.add("a call of a client of MCP, by a list of names", oracleCall{Method: "POST", Headers: ofMCP, Body: "{}"},
		allowed.with("Access-Control-Allow-Headers: content-type, accept, mcp-protocol-version, mcp-session-id, last-event-id, mcp-method, mcp-name"), allowed)
	t.add("a header twice", oracleCall{Headers: header("X-A", "1", "X-A", "2")}, all, allowed)
	t.add("a header twice, in two cases", oracleCall{Headers: header("X-A", "1", "x-a", "2")}, all, allowed)
	t.add("a body", oracleCall{Method: "POST", Body: "x"}, oracleAnswer{}, allowed)
	for _, types := range [][2]string{{"text/plain", "text/plain"}, {"text/plain", "application/json"}, {"application/json", "text/plain"}, {"text/plain;a=1", "text/plain;b=2"}} {
		t.add(fmt.Sprintf("two content types %q", types), oracleCall{Method: "POST", Body: "x", Headers: header("Content-Type", types[0], "Content-Type", types[1])}, all, allowed)
	}
	for _, types := range [][2]string{{"text/html", "image/png"}, {long[:100], long[:100]}, {"a", "\"b"}} {
		t.add(fmt.Sprintf("two values of Accept %q", types), oracleCall{Headers: header("Accept", types[0], "Accept", types[1])}, all, allowed)
	}
}

// methods adds cases with forbidden methods, and methods in other letter cases.
func (t *oracleTable) methods() {
	for _, method := range []string{"CONNECT", "TRACE", "track", "get", "post", "options", "delete", "pAtCh"} {
		t.add("method "+method, oracleCall{Method: method}, allowed.with("Access-Control-Allow-Methods: *"), allowed)
		t.add("no-cors method "+method, oracleCall{Method: method, Mode: "no-cors"}, oracleAnswer{}, oracleAnswer{})
	}
	for _, method := range []string{"GET", "HEAD"} {
		t.add("a body of "+method, oracleCall{Method: method, Body: "x"}, oracleAnswer{}, allowed)
	}
}

// opaqueOrigins adds cases in a sandboxed frame.
func (t *oracleTable) opaqueOrigins() {
	for _, o := range []string{"null", "*", "", "ORIGIN", "NULL", "'null'"} {
		for _, credentials := range []string{"", "include"} {
			answer := answers("Access-Control-Allow-Origin: "+o, "Access-Control-Allow-Credentials: true")
			t.add("sandboxed, "+o+" "+credentials, oracleCall{Credentials: credentials}, oracleAnswer{}, answer).sandboxed = true
			t.add("sandboxed, preflight, "+o+" "+credentials, oracleCall{Method: "POST", Credentials: credentials, Headers: header("X-A", "1")}, answer.with("Access-Control-Allow-Headers: x-a"), credentialed).sandboxed = true
			t.add("sandboxed, the page's server, "+o+" "+credentials, oracleCall{URL: "SELF", Credentials: credentials}, oracleAnswer{}, answer).sandboxed = true
		}
	}
}

// ownOrigin adds same-origin cases.
func (t *oracleTable) ownOrigin() {
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "QUERY", "TRACE"} {
		for _, mode := range []string{"", "no-cors", "same-origin"} {
			t.add("own origin "+method+" "+mode, oracleCall{URL: "SELF", Method: method, Mode: mode, Headers: header("X-A", "1", "Content-Type", "application/json")}, oracleAnswer{}, answers("X-B: b", "Set-Cookie: own=1; Path=PLACE"))
		}
	}
	for _, credentials := range []string{"omit", "same-origin", "include"} {
		call := oracleCall{URL: "SELF", Credentials: credentials}
		t.add("own origin, credentials "+credentials, call, oracleAnswer{}, answers("Set-Cookie: own=1; Path=PLACE")).then = []oracleCall{{URL: "SELF", Method: "GET"}}
	}
	t.add("mode same-origin", oracleCall{Mode: "same-origin"}, oracleAnswer{}, allowed)
	for _, where := range []string{"HERE", "SELF"} {
		t.add("mode same-origin, redirected to "+where, oracleCall{URL: "SELF", Mode: "same-origin"}, oracleAnswer{}, answers("Location: "+where+"NEXT").withStatus(302)).next = allowed
	}
}

// redirects adds cases with redirects between the page's own server and two others, with each status.
func (t *oracleTable) redirects() {
	grant := func(o string) oracleAnswer {
		if o == "" {
			return oracleAnswer{}
		}
		return answers("Access-Control-Allow-Origin: "+o, "Access-Control-Allow-Credentials: true", "Access-Control-Allow-Methods: PUT, TESTING", "Access-Control-Allow-Headers: x-a, authorization, content-type, content-encoding, content-location")
	}
	put := oracleCall{Method: "PUT", Body: "x", Headers: header("Authorization", "x", "Content-Type", "application/json", "X-A", "1")}
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, way := range [][2]string{{"", "HERE"}, {"", "OTHER"}, {"", "SELF"}, {"SELF", "HERE"}, {"SELF", "SELF"}} {
			for _, o := range []string{"ORIGIN", "null", "*", ""} {
				for _, credentials := range []string{"", "include"} {
					for _, call := range []oracleCall{{}, {Method: "POST", Body: "x"}, put} {
						call.URL, call.Credentials = way[0], credentials
						c := t.add(fmt.Sprintf("redirect %d %s from %s to %s with %q %s", status, call.Method, way[0], way[1], o, credentials), call, grant("ORIGIN"),
							grant("ORIGIN").with("Location: "+way[1]+"NEXT").withStatus(status))
						c.nextPreflight, c.next = grant(o), grant(o)
					}
				}
			}
		}
		for _, call := range []oracleCall{{Method: "HEAD"}, {Method: "TESTING"}, {Method: "POST", Body: "x", Headers: header("Content-Encoding", "identity", "Content-Language", "en", "Content-Location", "foo")}} {
			c := t.add(fmt.Sprintf("redirect %d %s", status, call.Method), call, grant("ORIGIN"), grant("ORIGIN").with("Location: NEXT").withStatus(status))
			c.nextPreflight, c.next = grant("ORIGIN"), grant("ORIGIN")
		}
		t.add(fmt.Sprintf("redirect %d that is not granted", status), oracleCall{}, oracleAnswer{}, answers("Location: NEXT").withStatus(status)).next = allowed
		t.add(fmt.Sprintf("redirect %d whose preflight grants less at the second server", status), oracleCall{Headers: header("X-A", "1")}, grant("*"), grant("*").with("Location: OTHERNEXT").withStatus(status)).nextPreflight = answers("Access-Control-Allow-Origin: *")
		t.add(fmt.Sprintf("no-cors redirect %d back to the page's server", status), oracleCall{Method: "POST", Mode: "no-cors"}, oracleAnswer{}, answers("Location: SELFNEXT").withStatus(status))
	}
	for _, location := range []string{"", "data:text/plain,x", "ftp://localhost/", "http://[", "?a=b#c", "//", "HERENEXT#f", "invalidurl:", "#invalidurl:", "http://localhost:99999/", "blob:x", "about:blank", "javascript:1"} {
		t.add("redirect to "+location, oracleCall{}, oracleAnswer{}, allowed.with("Location: "+location).withStatus(302))
		t.add("redirect of the page's server to "+location, oracleCall{URL: "SELF"}, oracleAnswer{}, allowed.with("Location: "+location).withStatus(302))
	}
	for _, user := range []string{"user:password@", "user:@", ":password@", "user@", "@"} {
		for _, way := range [][2]string{{"", "HERE"}, {"", "OTHER"}, {"", "SELF"}, {"SELF", "HERE"}} {
			c := t.add("redirect from "+way[0]+" to "+user+" at "+way[1], oracleCall{URL: way[0]}, oracleAnswer{}, answers("Access-Control-Allow-Origin: *", "Location: "+way[1]+"NEXT with "+user).withStatus(302))
			c.next = answers("Access-Control-Allow-Origin: *")
		}
	}
	t.add("redirect without a location", oracleCall{}, oracleAnswer{}, allowed.withStatus(302))
	t.add("redirect without an end", oracleCall{}, oracleAnswer{}, allowed.with("Location: HEREPLACE").withStatus(302))
}

// redirectModes adds cases with each redirect mode in each request mode.
func (t *oracleTable) redirectModes() {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, redirect := range []string{"follow", "error", "manual"} {
			for _, mode := range []string{"cors", "no-cors"} {
				for _, where := range []string{"", "SELF"} {
					c := t.add(fmt.Sprintf("redirect %d in mode %s, %s, %s", status, redirect, mode, where), oracleCall{URL: where, Redirect: redirect, Mode: mode}, oracleAnswer{}, allowed.with("Location: NEXT").withStatus(status))
					c.next = allowed
				}
			}
		}
	}
	t.add("no redirect, though none is taken", oracleCall{Redirect: "error"}, oracleAnswer{}, allowed)
	t.add("a redirect that is not granted, in mode manual", oracleCall{Redirect: "manual"}, oracleAnswer{}, answers("Location: NEXT").withStatus(302))
	t.add("a redirect without a location, in mode manual", oracleCall{Redirect: "manual"}, oracleAnswer{}, allowed.withStatus(302))
}

// remembered adds cases with cached preflights that do not depend on time.
func (t *oracleTable) remembered() {
	xa := oracleCall{Method: "GET", Headers: header("X-A", "1")}
	xb := oracleCall{Method: "GET", Headers: header("X-B", "1")}
	for _, age := range []string{"600", "0", "-1", "abc", "60.5", "+600", "99999999999999999999", "", "600, 600"} {
		t.add("max-age "+age, xa, allowed.with("Access-Control-Allow-Headers: x-a", "Access-Control-Max-Age: "+age), allowed).then = []oracleCall{xa}
	}
	for _, allow := range []string{"x-a", "x-a, x-b", "*", "*, x-a"} {
		for i, then := range [][]oracleCall{
			{xb},
			{{Method: "GET", Headers: header("X-A", "1", "X-B", "1")}, xa},
			{{Method: "PUT", Headers: xa.Headers}, xa, {Method: "PUT", Headers: xa.Headers}},
			{{Method: "GET", Headers: xa.Headers, Credentials: "include"}, xa},
			{{Method: "GET", Headers: xa.Headers, URL: "?q"}, {Method: "GET", Headers: xa.Headers, URL: "#f"}},
			{{Method: "HEAD", Headers: xa.Headers}, {Method: "HEAD", Headers: xa.Headers}},
			{{Method: "POST", Headers: xa.Headers}, {Method: "DELETE"}, {Method: "DELETE"}},
		} {
			for _, credentials := range []string{"", "include"} {
				c := xa
				c.Credentials = credentials
				grant := credentialed.with("Access-Control-Allow-Headers: "+allow, "Access-Control-Allow-Methods: PUT, *", "Access-Control-Max-Age: 600")
				t.add(fmt.Sprintf("remembered %s %s, sequence %d", allow, credentials, i), c, grant, grant).then = then
			}
		}
	}
	for _, grant := range []string{"Access-Control-Allow-Methods: PUT", "Access-Control-Allow-Headers: x-b", "Access-Control-Allow-Headers: x-a", "Access-Control-Allow-Methods: \x01"} {
		for i, first := range []oracleCall{{Method: "PATCH"}, {Method: "PATCH", Headers: xa.Headers}, {Method: "PUT", Headers: xa.Headers}, xa} {
			t.add(fmt.Sprintf("not enough, %s, call %d", grant, i), first, allowed.with(grant, "Access-Control-Max-Age: 600"), allowed).then = []oracleCall{{Method: "PUT"}, xa, xb}
		}
	}
	// A server that allows the headers that each preflight requests.
	asked := allowed.with("Access-Control-Allow-Headers: ASKED", "Access-Control-Allow-Methods: PUT", "Access-Control-Max-Age: 600")
	both := oracleCall{Method: "GET", Headers: header("X-A", "1", "X-B", "1")}
	for i, then := range [][]oracleCall{{xb, xa, xb}, {xb, both}, {both, xa, xb}, {{Method: "PATCH", Headers: xa.Headers}, xa}, {{Method: "PUT"}, xb, {Method: "PUT"}}} {
		t.add(fmt.Sprintf("granted as asked for, sequence %d", i), xa, asked, allowed).then = then
	}
	head := oracleCall{Method: "HEAD", Headers: xa.Headers}
	t.add("HEAD, which no list names", head, asked, allowed).then = []oracleCall{head}
	for _, length := range []string{"1022", "1023", "1024", "2000"} {
		call := xa
		call.URL = "?LENGTH=" + length
		t.add("an address of "+length+" characters", call, asked, allowed).then = []oracleCall{call}
	}
	for _, credentials := range []string{"", "include"} {
		c := xa
		c.Credentials = credentials
		t.add("a call that fails its check, after a preflight "+credentials, c, credentialed.with("Access-Control-Allow-Headers: x-a", "Access-Control-Max-Age: 600"), oracleAnswer{}).then =
			[]oracleCall{xa, {Method: "GET", Headers: xa.Headers, Credentials: "include"}}
	}
}

// cookies adds cases with cookies that a same-site or a cross-site server sets.
func (t *oracleTable) cookies() {
	for _, where := range []string{"", "OTHER", "SELF"} {
		for _, attributes := range []string{"", "; SameSite=Lax", "; SameSite=Strict", "; SameSite=None", "; SameSite=None; Secure", "; Secure", "; HttpOnly", "; Path=/other", "; Max-Age=0"} {
			for _, credentials := range []string{"include", "same-origin", "omit"} {
				call := oracleCall{URL: where, Method: "POST", Credentials: credentials}
				c := t.add("set-cookie "+where+attributes+" "+credentials, call, oracleAnswer{}, credentialed.with("Set-Cookie: set=CASE; Path=PLACE"+attributes))
				call.Credentials = "include"
				c.then = []oracleCall{call, {URL: where, Method: "POST"}}
			}
		}
	}
	c := t.add("a cookie of the second server, after a redirect", oracleCall{Method: "GET", Credentials: "include", Headers: header("X-A", "1")},
		credentialed.with("Access-Control-Allow-Headers: x-a"), credentialed.with("Location: NEXT", "Set-Cookie: set=CASE; Path=PLACE").withStatus(301))
	c.nextPreflight, c.next = credentialed.with("Access-Control-Allow-Headers: x-a"), credentialed
}

// resourcePolicies adds cases with Cross-Origin-Resource-Policy in each mode.
func (t *oracleTable) resourcePolicies() {
	for _, policy := range []string{"same-origin", "same-site", "cross-origin", "Same-Origin", "SAME-ORIGIN", "same-origin, same-origin", "same, same-origin", "same-origin, <>", "https://www.example.com", "same", "x", ""} {
		answer := answers("Cross-Origin-Resource-Policy: " + policy)
		for _, where := range []string{"", "OTHER", "SELF"} {
			t.add("resource policy "+policy+" "+where, oracleCall{URL: where, Mode: "no-cors"}, oracleAnswer{}, answer)
			t.add("resource policy in mode cors "+policy+" "+where, oracleCall{URL: where}, oracleAnswer{}, allowed.with(answer.headers...))
			t.add("resource policy, sandboxed "+policy+" "+where, oracleCall{URL: where, Mode: "no-cors"}, oracleAnswer{}, answer).sandboxed = true
		}
		for _, way := range [][2]string{{"SELF", "OTHER"}, {"OTHER", "SELF"}} {
			t.add("resource policy after a redirect "+policy+" to "+way[1], oracleCall{URL: way[0], Mode: "no-cors"}, oracleAnswer{}, answers("Location: "+way[1]+"NEXT").withStatus(302)).next = answer
			t.add("resource policy of a redirect "+policy+" to "+way[1], oracleCall{URL: way[0], Mode: "no-cors"}, oracleAnswer{}, answer.with("Location: "+way[1]+"NEXT").withStatus(302))
		}
	}
}

// uploads adds cases of XMLHttpRequest with an upload listener, which forces a preflight.
func (t *oracleTable) uploads() {
	for _, method := range []string{"POST", "PUT"} {
		for _, preflight := range []oracleAnswer{allowed, allowed.with("Access-Control-Allow-Methods: PUT"), allowed.with("Access-Control-Allow-Methods: POST"), {}} {
			for _, where := range []string{"", "SELF"} {
				t.add(fmt.Sprintf("upload by %s %q %s", method, preflight.headers, where), oracleCall{URL: where, Method: method, Body: "x", Upload: true}, preflight, allowed)
			}
		}
	}
}

func sortedKeys(m map[string][]string) (keys []string) {
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
