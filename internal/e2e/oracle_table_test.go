package e2e

import (
	"fmt"
	"strings"
)

func literal(texts ...string) []string { return texts }

// oracleCases are the cases of the comparison.
func oracleCases() (cases []oracleCase) {
	add := func(name string, call oracleCall, preflight, answer oracleAnswer) {
		if call.Method == "" {
			call.Method = "GET"
		}
		cases = append(cases, oracleCase{name: name, call: call, preflight: preflight, answer: answer})
	}
	granted := literal("Access-Control-Allow-Origin: ORIGIN")
	xa := oracleCall{Headers: [][2]string{{"X-A", "1"}}}
	full := literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Headers: x-a", "Access-Control-Max-Age: 0")

	// What the answer to a call has to carry, without credentials and with.
	origins := []string{
		"", "*", "ORIGIN", "null", "ORIGIN/", "ORIGIN ", " ORIGIN", "\tORIGIN", "HTTP://localhost", "http://localhost", "http://localhost:1", "https://example.com",
		"ORIGIN, ORIGIN", "*, *", "ORIGIN,*", "'ORIGIN'", "\"ORIGIN\"", "*.localhost", "http://*", "http://localhost:*", "none", "ORIGIN ORIGIN", "true", "localhost", "ORIGIN#", "ORIGIN?", ",", "ORIGIN,", "\x00", "**",
	}
	for _, credentials := range []string{"", "include"} {
		for _, o := range origins {
			add("allow-origin "+o+" "+credentials, oracleCall{Credentials: credentials}, oracleAnswer{}, oracleAnswer{headers: literal("Access-Control-Allow-Origin: "+o, "Access-Control-Allow-Credentials: true")})
			c := xa
			c.Credentials = credentials
			add("preflight, allow-origin "+o+" "+credentials, c,
				oracleAnswer{headers: literal("Access-Control-Allow-Origin: "+o, "Access-Control-Allow-Credentials: true", "Access-Control-Allow-Headers: x-a")},
				oracleAnswer{headers: literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: true")})
		}
		for _, value := range []string{"true", "True", "TRUE", "false", "", "1", "true, true", " true", "true,", "yes"} {
			add("allow-credentials "+value+" "+credentials, oracleCall{Credentials: credentials}, oracleAnswer{}, oracleAnswer{headers: literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: "+value)})
			c := xa
			c.Credentials = credentials
			add("preflight, allow-credentials "+value+" "+credentials, c,
				oracleAnswer{headers: literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: "+value, "Access-Control-Allow-Headers: x-a")},
				oracleAnswer{headers: literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: true")})
		}
		for _, exposed := range []string{"", "*", "x-b", "X-B", "x-b,x-c", " x-b ,\tx-c ", ",x-b,,", "x-b x-c", "\"x-b\"", "x-b:", "*, x-b", "x-*", "set-cookie", "x-b,\x00", "X-b;x-c", "content-type", "x-missing"} {
			add("expose "+exposed+" "+credentials, oracleCall{Credentials: credentials}, oracleAnswer{}, oracleAnswer{headers: literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: true", "Access-Control-Expose-Headers: "+exposed, "X-B: b", "X-C: c", "X-C: d", "Etag: e", "Cache-Control: no-store", "Set-Cookie: other=1; Path=/nowhere")})
		}
		for _, allowed := range []string{"", "*", "x-a", "X-A", "x-a,x-b", "x-b", ",x-a", "x-a x-b", "\"x-a\"", "*, x-a", "x-*", "x-a:", "authorization"} {
			for _, name := range []string{"X-A", "Authorization", "Content-Type"} {
				c := oracleCall{Credentials: credentials, Headers: [][2]string{{name, "application/json"}}}
				add("allow-headers "+allowed+" for "+name+" "+credentials, c,
					oracleAnswer{headers: literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: true", "Access-Control-Allow-Headers: "+allowed)},
					oracleAnswer{headers: literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: true")})
			}
		}
		for _, allowed := range []string{"", "*", "PUT", "put", "PUT, DELETE", "GET", "\"PUT\"", "PUT;", "PATCH", "*, PUT", "PUT DELETE"} {
			for _, method := range []string{"PUT", "put", "patch", "PATCH", "DELETE", "HEAD", "POST", "OPTIONS", "QUERY"} {
				add("allow-methods "+allowed+" for "+method+" "+credentials, oracleCall{Credentials: credentials, Method: method},
					oracleAnswer{headers: literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: true", "Access-Control-Allow-Methods: "+allowed)},
					oracleAnswer{headers: literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: true")})
			}
		}
	}
	for _, status := range []int{200, 201, 202, 204, 206, 299, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 500, 503} {
		add("preflight status", xa, oracleAnswer{status, append(literal("Location: /elsewhere"), full...)}, oracleAnswer{headers: granted})
		if status/100 != 3 || status == 304 {
			add("call status", oracleCall{}, oracleAnswer{}, oracleAnswer{status, granted})
			add("call status without grant", oracleCall{}, oracleAnswer{}, oracleAnswer{status, nil})
		}
	}
	// What is asked for.
	long := strings.Repeat("a", 128)
	for _, h := range [][2]string{
		{"Accept", "text/html"}, {"Accept", long}, {"Accept", long + "a"}, {"Accept", "\"a\""}, {"Accept", "a(b"}, {"Accept", "é"},
		{"Accept-Language", "de, en;q=0.5"}, {"Accept-Language", "de_AT"}, {"Accept-Language", long + "a"}, {"Content-Language", "de"}, {"Content-Language", "@"},
		{"Content-Type", "text/plain"}, {"Content-Type", "TEXT/PLAIN"}, {"Content-Type", "text/plain;charset=utf-8"}, {"Content-Type", "text/plain; a=\"x\""},
		{"Content-Type", "application/json"}, {"Content-Type", "application/x-www-form-urlencoded"}, {"Content-Type", "multipart/form-data; boundary=x"},
		{"Content-Type", "text/plain,application/json"}, {"Content-Type", ""}, {"Content-Type", "text"}, {"Content-Type", "text/plainx"}, {"Content-Type", " text/plain "}, {"Content-Type", "text/plain;"}, {"Content-Type", "text/plain;" + long},
		{"Range", "bytes=0-"}, {"Range", "bytes=0-10"}, {"Range", "bytes=10-0"}, {"Range", "bytes=-10"}, {"Range", "bytes=0-1,2-3"}, {"Range", "bytes = 0-"},
		{"Authorization", "Basic x"}, {"X-A", ""}, {"x-a", "1"}, {"User-Agent", "x"}, {"DPR", "1"}, {"Save-Data", "on"}, {"Cache-Control", "no-cache"}, {"If-None-Match", "x"}, {"Pragma", "x"}, {"Downlink", "1"}, {"Viewport-Width", "1"}, {"Device-Memory", "1"}, {"Rtt", "1"}, {"Ect", "4g"}, {"Width", "1"},
		{"Origin", "x"}, {"Host", "x"}, {"Cookie", "a=b"}, {"Referer", "x"}, {"Sec-X", "x"}, {"Proxy-X", "x"}, {"Te", "trailers"}, {"Date", "x"}, {"Dnt", "1"}, {"Accept-Encoding", "x"}, {"Accept-Charset", "x"}, {"Access-Control-Request-Method", "x"}, {"Keep-Alive", "x"}, {"Upgrade", "x"}, {"Via", "x"}, {"Expect", "x"}, {"Trailer", "x"},
		{"X-HTTP-Method-Override", "TRACE"}, {"X-HTTP-Method-Override", "PUT"}, {"X-Method-Override", "a, connect"}, {"X-HTTP-Method", "GET"},
		{"x_under", "1"}, {"1num", "1"}, {"a!b", "1"}, {"Grpc-Timeout", "1m"}, {"Connect-Protocol-Version", "1"}, {"X-Grpc-Web", "1"}, {"Idempotency-Key", "1"}, {"Traceparent", "1"},
	} {
		for _, method := range []string{"GET", "POST"} {
			add("header "+h[0]+": "+h[1]+" "+method, oracleCall{Method: method, Headers: [][2]string{h}}, oracleAnswer{headers: append(literal("Access-Control-Allow-Headers: "+strings.ToLower(h[0])), granted...)}, oracleAnswer{headers: granted})
			add("no-cors, header "+h[0]+": "+h[1]+" "+method, oracleCall{Method: method, Mode: "no-cors", Headers: [][2]string{h}}, oracleAnswer{}, oracleAnswer{})
		}
	}
	add("many headers", oracleCall{Headers: [][2]string{{"X-Zed", "1"}, {"x_under", "1"}, {"1num", "1"}, {"X-A", "1"}, {"a!b", "1"}, {"Authorization", "x"}}}, oracleAnswer{headers: append(literal("Access-Control-Allow-Headers: x-zed,x_under,1num,x-a,a!b,authorization"), granted...)}, oracleAnswer{headers: granted})
	add("a header twice", oracleCall{Headers: [][2]string{{"X-A", "1"}, {"X-A", "2"}}}, oracleAnswer{headers: full}, oracleAnswer{headers: granted})
	add("a header twice, in two cases", oracleCall{Headers: [][2]string{{"X-A", "1"}, {"x-a", "2"}}}, oracleAnswer{headers: full}, oracleAnswer{headers: granted})
	add("a body", oracleCall{Method: "POST", Body: "x"}, oracleAnswer{}, oracleAnswer{headers: granted})
	add("two content types", oracleCall{Method: "POST", Body: "x", Headers: [][2]string{{"Content-Type", "text/plain"}, {"Content-Type", "text/plain"}}}, oracleAnswer{headers: append(literal("Access-Control-Allow-Headers: content-type"), granted...)}, oracleAnswer{headers: granted})
	for _, types := range [][2]string{{"text/plain", "application/json"}, {"application/json", "text/plain"}, {"text/plain;a=1", "text/plain;b=2"}} {
		add("two different content types", oracleCall{Method: "POST", Body: "x", Headers: [][2]string{{"Content-Type", types[0]}, {"Content-Type", types[1]}}}, oracleAnswer{headers: append(literal("Access-Control-Allow-Headers: content-type"), granted...)}, oracleAnswer{headers: granted})
	}
	for _, types := range [][2]string{{"text/html", "image/png"}, {strings.Repeat("a", 100), strings.Repeat("b", 100)}, {"a", "\"b"}} {
		add("two values of Accept", oracleCall{Headers: [][2]string{{"Accept", types[0]}, {"Accept", types[1]}}}, oracleAnswer{headers: append(literal("Access-Control-Allow-Headers: accept"), granted...)}, oracleAnswer{headers: granted})
	}
	for _, pair := range [][]string{
		{"Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Origin: ORIGIN"}, {"Access-Control-Allow-Origin: *", "Access-Control-Allow-Origin: *"}, {"access-control-allow-origin: ORIGIN"},
		{"Access-Control-Allow-Origin: ORIGIN", "Access-Control-Expose-Headers: x-b", "Access-Control-Expose-Headers: x-c", "X-B: b", "X-C: c"},
		{"Access-Control-Allow-Origin: ORIGIN", "Access-Control-Expose-Headers: x-b", "Access-Control-Expose-Headers: x c", "X-B: b", "X-C: c"},
	} {
		add("lines "+strings.Join(pair, " / "), oracleCall{}, oracleAnswer{}, oracleAnswer{headers: pair})
	}
	for _, method := range []string{"CONNECT", "TRACE", "track", "get", "post", "options", "delete"} {
		add("method "+method, oracleCall{Method: method}, oracleAnswer{headers: append(literal("Access-Control-Allow-Methods: *"), granted...)}, oracleAnswer{headers: granted})
		add("no-cors method "+method, oracleCall{Method: method, Mode: "no-cors"}, oracleAnswer{}, oracleAnswer{})
	}
	// Pages of an opaque origin.
	for _, o := range []string{"null", "*", "", "ORIGIN", "NULL", "'null'"} {
		for _, credentials := range []string{"", "include"} {
			add("sandboxed, "+o+" "+credentials, oracleCall{Credentials: credentials}, oracleAnswer{}, oracleAnswer{headers: literal("Access-Control-Allow-Origin: "+o, "Access-Control-Allow-Credentials: true")})
			cases[len(cases)-1].sandboxed = true
			c := xa
			c.Credentials, c.Method = credentials, "POST"
			add("sandboxed, preflight, "+o+" "+credentials, c, oracleAnswer{headers: literal("Access-Control-Allow-Origin: "+o, "Access-Control-Allow-Credentials: true", "Access-Control-Allow-Headers: x-a")}, oracleAnswer{headers: literal("Access-Control-Allow-Origin: null", "Access-Control-Allow-Credentials: true")})
			cases[len(cases)-1].sandboxed = true
		}
	}
	// Redirects: to the server itself, to another origin, and back to it.
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, where := range []string{"HERE", "OTHER"} {
			for _, grants := range []string{"ORIGIN", "null", "*"} {
				for _, credentials := range []string{"", "include"} {
					for _, call := range []oracleCall{{}, {Method: "POST", Body: "x"}, {Method: "PUT", Body: "x", Headers: [][2]string{{"Authorization", "x"}, {"Content-Type", "application/json"}, {"X-A", "1"}}}} {
						call.Credentials = credentials
						first := literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: true", "Access-Control-Allow-Methods: PUT", "Access-Control-Allow-Headers: x-a, authorization, content-type")
						second := literal("Access-Control-Allow-Origin: "+grants, "Access-Control-Allow-Credentials: true", "Access-Control-Allow-Methods: PUT", "Access-Control-Allow-Headers: x-a, authorization, content-type")
						add(fmt.Sprintf("redirect %d %s to %s with %s, %s", status, call.Method, where, grants, credentials), call, oracleAnswer{headers: first}, oracleAnswer{status, append(literal("Location: "+where+"NEXT"), first...)})
						cases[len(cases)-1].nextPreflight, cases[len(cases)-1].next = oracleAnswer{headers: second}, oracleAnswer{headers: second}
					}
				}
			}
		}
	}
	for _, mode := range []string{"error", "manual"} {
		for _, m := range []string{"", "no-cors"} {
			add("redirect mode "+mode+m, oracleCall{Redirect: mode, Mode: m}, oracleAnswer{}, oracleAnswer{302, append(literal("Location: NEXT"), granted...)})
		}
	}
	for _, location := range []string{"", "http://user@localhost/", "data:text/plain,x", "ftp://localhost/", "http://[", "?a=b#c", "//", "HERENEXT#f"} {
		add("redirect to "+location, oracleCall{}, oracleAnswer{}, oracleAnswer{302, append(literal("Location: "+location), granted...)})
	}
	add("redirect without a location", oracleCall{}, oracleAnswer{}, oracleAnswer{302, granted})
	add("redirect that is not granted", oracleCall{}, oracleAnswer{}, oracleAnswer{302, literal("Location: NEXT")})
	// What is remembered.
	for _, age := range []string{"600", "0", "-1", "abc", "60.5", "+600", "99999999999999999999", "", "600, 600"} {
		add("max-age "+age, xa, oracleAnswer{headers: append(literal("Access-Control-Allow-Headers: x-a", "Access-Control-Max-Age: "+age), granted...)}, oracleAnswer{headers: granted})
		cases[len(cases)-1].then = []oracleCall{{Method: "GET", Headers: xa.Headers}}
	}
	for _, allowed := range []string{"x-a", "x-a, x-b", "*", "*, x-a"} {
		for _, then := range [][]oracleCall{
			{{Method: "GET", Headers: [][2]string{{"X-B", "1"}}}},
			{{Method: "GET", Headers: [][2]string{{"X-A", "1"}, {"X-B", "1"}}}, {Method: "GET", Headers: xa.Headers}},
			{{Method: "PUT", Headers: xa.Headers}, {Method: "GET", Headers: xa.Headers}, {Method: "PUT", Headers: xa.Headers}},
			{{Method: "GET", Headers: xa.Headers, Credentials: "include"}, {Method: "GET", Headers: xa.Headers}},
			{{Method: "GET", Headers: xa.Headers, URL: "?q"}, {Method: "GET", Headers: xa.Headers, URL: "#f"}},
			{{Method: "HEAD", Headers: xa.Headers}, {Method: "HEAD", Headers: xa.Headers}},
			{{Method: "POST", Headers: xa.Headers}, {Method: "DELETE"}, {Method: "DELETE"}},
		} {
			for _, credentials := range []string{"", "include"} {
				c := xa
				c.Credentials = credentials
				grant := literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: true", "Access-Control-Allow-Headers: "+allowed, "Access-Control-Allow-Methods: PUT, *", "Access-Control-Max-Age: 600")
				add("remembered "+allowed+" "+credentials, c, oracleAnswer{headers: grant}, oracleAnswer{headers: grant})
				cases[len(cases)-1].then = then
			}
		}
	}
	// A preflight that grants something, but not what its call needs.
	for _, grant := range []string{"Access-Control-Allow-Methods: PUT", "Access-Control-Allow-Headers: x-b", "Access-Control-Allow-Headers: x-a", "Access-Control-Allow-Methods: \x01"} {
		for _, first := range []oracleCall{{Method: "PATCH"}, {Method: "PATCH", Headers: xa.Headers}, {Method: "PUT", Headers: xa.Headers}, {Headers: xa.Headers}} {
			add("remembered though refused, "+grant, first, oracleAnswer{headers: append(literal(grant, "Access-Control-Max-Age: 600"), granted...)}, oracleAnswer{headers: granted})
			cases[len(cases)-1].then = []oracleCall{{Method: "PUT"}, {Method: "GET", Headers: xa.Headers}, {Method: "GET", Headers: [][2]string{{"X-B", "1"}}}}
		}
	}
	// A call that fails its check, and the next one.
	for _, credentials := range []string{"", "include"} {
		c := xa
		c.Credentials = credentials
		grant := literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: true", "Access-Control-Allow-Headers: x-a", "Access-Control-Max-Age: 600")
		add("forgotten "+credentials, c, oracleAnswer{headers: grant}, oracleAnswer{})
		cases[len(cases)-1].then = []oracleCall{{Method: "GET", Headers: xa.Headers}, {Method: "GET", Headers: xa.Headers, Credentials: "include"}}
	}
	// Cookies that the server sets, of its own site and of another one.
	for _, where := range []string{"", "OTHER"} {
		for _, attributes := range []string{"", "; SameSite=Lax", "; SameSite=Strict", "; SameSite=None", "; SameSite=None; Secure", "; Secure", "; HttpOnly", "; Path=/other"} {
			for _, credentials := range []string{"include", "same-origin"} {
				c := oracleCall{URL: where, Method: "POST", Credentials: credentials}
				add("set-cookie "+where+attributes+" "+credentials, c, oracleAnswer{}, oracleAnswer{headers: literal("Access-Control-Allow-Origin: ORIGIN", "Access-Control-Allow-Credentials: true", "Set-Cookie: set=CASE; Path=/case/CASE"+attributes)})
				c.Credentials = "include"
				cases[len(cases)-1].then = []oracleCall{c}
			}
		}
	}
	for _, policy := range []string{"same-origin", "same-site", "cross-origin", "Same-Origin", "same-origin, same-origin", "x", ""} {
		for _, where := range []string{"", "OTHER"} {
			add("resource policy "+policy+where, oracleCall{URL: where, Mode: "no-cors"}, oracleAnswer{}, oracleAnswer{headers: literal("Cross-Origin-Resource-Policy: " + policy)})
			add("resource policy by cors "+policy+where, oracleCall{URL: where}, oracleAnswer{}, oracleAnswer{headers: append(literal("Cross-Origin-Resource-Policy: "+policy), granted...)})
			add("resource policy sandboxed "+policy+where, oracleCall{URL: where, Mode: "no-cors"}, oracleAnswer{}, oracleAnswer{headers: literal("Cross-Origin-Resource-Policy: " + policy)})
			cases[len(cases)-1].sandboxed = true
		}
	}
	for _, method := range []string{"GET", "HEAD"} {
		add("a body of "+method, oracleCall{Method: method, Body: "x"}, oracleAnswer{}, oracleAnswer{headers: granted})
	}
	add("same-origin only", oracleCall{Mode: "same-origin"}, oracleAnswer{}, oracleAnswer{headers: granted})
	return cases
}
