package corsinspect_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestFormCost: the time for a form is linear in its size, for each kind of content. The
// largest form takes about 16 times as long as one of a sixteenth of its size; with quadratic
// cost it would take 256 times as long.
func TestFormCost(t *testing.T) {
	_, h := newLayer(t, `
defaults:
  allow_origins: ["*"]
rules:
  - path: /open/{rest...}
    allow_headers: ["*"]
    expose: PRESENT
  - path: /cookies/
    allow_origins: [https://app.example.com]
    allow_credentials: true
    allow_headers: ["x-*"]
`)
	numbered := func(format string) func(i int) string {
		return func(i int) string { return fmt.Sprintf(format, i) }
	}
	const granted = "Access-Control-Allow-Origin: *\n"
	for name, c := range map[string]struct {
		form   url.Values // the other fields
		field  string     // the field that is filled with items
		prefix string     // the start of that field
		item   func(i int) string
	}{
		"script's fields":                   {url.Values{"target": {"/open/a"}}, "headers", "", numbered("x%d\n")},
		"script's fields, without a rule":   {url.Values{"target": {"/elsewhere"}, "response": {granted + "Access-Control-Allow-Headers: *"}}, "headers", "", numbered("x%d\n")},
		"script's fields, with cookies":     {url.Values{"target": {"/cookies/a"}, "credentials": {"on"}}, "headers", "", numbered("x%d\n")},
		"lines of one field":                {url.Values{"target": {"/open/a"}}, "headers", "", numbered("Accept: %d\n")},
		"forbidden fields":                  {url.Values{"target": {"/open/a"}}, "headers", "", numbered("Sec-%d\n")},
		"a method override":                 {url.Values{"target": {"/open/a"}}, "headers", "X-HTTP-Method-Override: ", numbered("%d,")},
		"handler's fields":                  {url.Values{"target": {"/open/a"}, "method": {"GET"}}, "response", "", numbered("x%d\n")},
		"handler's fields, with cookies":    {url.Values{"target": {"/cookies/a"}, "method": {"GET"}, "credentials": {"on"}}, "response", "", numbered("x%d\n")},
		"handler's fields, without a rule":  {url.Values{"target": {"/elsewhere"}, "method": {"GET"}}, "response", granted + "Access-Control-Expose-Headers: *\n", numbered("x%d\n")},
		"names that the handler exposes":    {url.Values{"target": {"/elsewhere"}, "method": {"GET"}}, "response", granted + "Access-Control-Expose-Headers: ", numbered("x%d,")},
		"names that the handler grants":     {url.Values{"target": {"/elsewhere"}, "headers": {"x-a"}}, "response", granted + "Access-Control-Allow-Headers: x-a,", numbered("x%d,")},
		"methods that the handler grants":   {url.Values{"target": {"/elsewhere"}, "method": {"PUT"}}, "response", granted + "Access-Control-Allow-Methods: PUT,", numbered("X%d,")},
		"lines of names that it grants":     {url.Values{"target": {"/elsewhere"}, "headers": {"x-a"}}, "response", granted + "Access-Control-Allow-Headers: x-a\n", numbered("Access-Control-Allow-Headers: x%d\n")},
		"cookies that the handler sets":     {url.Values{"target": {"/elsewhere"}, "method": {"GET"}, "credentials": {"on"}}, "response", "", numbered("Set-Cookie: a%d=b\n")},
		"allowed origins that it repeats":   {url.Values{"target": {"/elsewhere"}, "method": {"GET"}}, "response", "", numbered("Access-Control-Allow-Origin: https://a%d.example\n")},
		"an origin":                         {url.Values{"target": {"/open/a"}, "method": {"GET"}}, "origin", "https://", numbered("%d.")},
		"a server":                          {url.Values{"target": {"/open/a"}, "method": {"GET"}}, "server", "https://", numbered("%d.")},
		"a path":                            {url.Values{"method": {"GET"}}, "target", "/open/", numbered("%d/")},
		"a path of dot segments":            {url.Values{"method": {"GET"}}, "target", "/open/", numbered("%d/../")},
		"a path of escapes":                 {url.Values{"method": {"GET"}}, "target", "/open/", numbered("%%25%d")},
		"a path of semicolons":              {url.Values{"method": {"GET"}}, "target", "/open/", numbered("%d;")},
		"a query":                           {url.Values{"method": {"GET"}}, "target", "/open/?", numbered("a%d=b&")},
		"a name":                            {url.Values{}, "target", "acme.v1.", numbered("X%d.")},
		"a method":                          {url.Values{"target": {"/open/a"}}, "method", "X", numbered("%d")},
		"script's fields, granted by name":  {url.Values{"target": {"/elsewhere"}}, "both", "", numbered("x%d")},
		"handler's fields, exposed by name": {url.Values{"target": {"/elsewhere"}, "method": {"GET"}}, "exposed", "", numbered("x%d")},
	} {
		// of returns a form's query of about size bytes.
		of := func(size int) string {
			form := url.Values{"origin": {page}, "server": {"https://api.example.com"}, "method": {"POST"}}
			for name, values := range c.form {
				form[name] = values
			}
			filled := form.Encode()
			var items, list strings.Builder
			for i := 0; len(filled)+items.Len()+list.Len() < size-100; i++ {
				item := c.item(i)
				switch c.field {
				case "both", "exposed":
					items.WriteString(url.QueryEscape(item + "\n"))
					list.WriteString(url.QueryEscape(item + ","))
				default:
					items.WriteString(url.QueryEscape(item))
				}
			}
			switch c.field {
			case "both":
				return filled + "&headers=" + items.String() + "&response=" + url.QueryEscape(granted+"Access-Control-Allow-Headers: ") + list.String()
			case "exposed":
				return filled + "&response=" + url.QueryEscape(granted+"Access-Control-Expose-Headers: ") + list.String() + "%0A" + items.String()
			}
			form.Del(c.field)
			return form.Encode() + "&" + c.field + "=" + url.QueryEscape(c.prefix) + items.String()
		}
		took := func(query string) time.Duration {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Host, r.URL.RawQuery = "localhost", query
			r.Header.Set("Accept", "application/json")
			w := httptest.NewRecorder()
			start := time.Now()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				t.Fatalf("%s: %d", name, w.Code)
			}
			return time.Since(start)
		}
		// The minimum of several measurements excludes the effect of other load on the machine.
		small, large := time.Hour, time.Hour
		for i := 0; i < 3 || i < 10 && large > 64*small; i++ {
			small, large = min(small, took(of(4<<10))), min(large, took(of(64<<10)))
		}
		if large > 64*small {
			t.Errorf("%s: a form of 4 KiB takes %v, and one of 64 KiB %v", name, small, large)
		}
	}
}
