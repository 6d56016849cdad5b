package corsinspect_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// FuzzForm: no values of the form's fields make the inspector panic or add markup to its page.
func FuzzForm(f *testing.F) {
	_, h := newLayer(f, allowPage)
	f.Add(page, "POST", listRPC, "content-type: application/json", "x-meta: m", true)
	f.Add("null", "PUT", "/files/a", "x-tenant", "", false)
	f.Add("https://<script>", "OPTIONS", "/<script>.v1.S/M", "a'b: \"><script>", "trailer-x: <script>", true)
	f.Add("ttps://evil.example", "GET", "/a%2fb", "\r\n", "\x00", false)
	f.Fuzz(func(t *testing.T, from, method, path, headers, response string, credentials bool) {
		form := url.Values{"origin": {from}, "server": {"https://api.example.com"}, "target": {path}, "method": {method}, "headers": {headers}, "response": {response}}
		if credentials {
			form.Set("credentials", "on")
		}
		if w := inspect(h, form, "application/json"); !json.Valid(w.Body.Bytes()) {
			t.Errorf("the JSON: %s", w.Body)
		}
		if w := inspect(h, form, "text/html"); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("the page: %d %s", w.Code, w.Body)
		}
	})
}
