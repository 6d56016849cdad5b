package corsbrowser

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// FuzzBrowser: no request and response makes the browser panic, and a script of
// another origin reads only responses that Access-Control-Allow-Origin allows, and
// only headers that Access-Control-Expose-Headers lists.
func FuzzBrowser(f *testing.F) {
	f.Add("GET", "X-A", "1", page, "true", "x-a", "PUT", "x-b", "600", "/next", 200, false)
	f.Add("POST", "Mcp-Param-Region", "eu", page, "", "mcp-session-id, mcp-param-region", "POST, GET, DELETE", "mcp-session-id", "7200", "/next", 200, false)
	f.Add("PUT", "Content-Type", "application/json", "*", "", "*", "*", "*", "-1", "https://other.example/", 307, true)
	f.Add("post", "Range", "bytes=0-", "null", "True", "x a", "", "x-b, x c", "99999999999999999999", "http://[", 302, true)
	f.Fuzz(func(t *testing.T, method, name, value, origin, credentials, headers, methods, exposed, maxAge, location string, status int, include bool) {
		if !fetch.IsToken(method) || !fetch.IsToken(name) || status < 200 || status > 999 {
			return
		}
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for name, value := range map[string]string{
				"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": credentials, "Access-Control-Allow-Headers": headers,
				"Access-Control-Allow-Methods": methods, "Access-Control-Expose-Headers": exposed, "Access-Control-Max-Age": maxAge, "X-B": "b", "Set-Cookie": value,
			} {
				w.Header().Set(name, value)
			}
			if r.Method != http.MethodOptions {
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			}
		})
		for _, engine := range Engines() {
			init := Init{}
			if include {
				init.Credentials = Include
			}
			b := newBrowser(t, page, WithHandler(handler), WithEngine(engine), WithDefaults(init))
			r, err := http.NewRequestWithContext(t.Context(), method, server+"/", nil)
			if err != nil {
				return
			}
			r.Header[http.CanonicalHeaderKey(name)] = []string{value}
			response, err := b.RoundTrip(r)
			if err != nil {
				if blocked := (*BlockedError)(nil); !errors.As(err, &blocked) || blocked.Reason == "" || blocked.Check == "" {
					t.Fatalf("%#v", err)
				}
				continue
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			last := b.Log()[len(b.Log())-1]
			from := strings.Trim(origin, " \t\r\n")
			if from != last.Header.Get("Origin") && (from != "*" || include) {
				t.Fatalf("%s: the script reads a response that is for %q: %+v", engine, origin, last)
			}
			for name := range response.Header {
				named := slices.ContainsFunc(strings.Split(exposed, ","), func(item string) bool {
					item = strings.TrimSpace(item)
					return strings.EqualFold(item, name) || item == "*" && !include
				})
				if !named && !fetch.SafelistedResponseHeader(fetch.Lower(name)) || name == "Set-Cookie" {
					t.Fatalf("%s: the script reads %s, exposed are %q", engine, name, exposed)
				}
			}
		}
	})
}
