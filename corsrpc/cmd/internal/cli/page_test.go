package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsinspect"
)

const pagePolicy = `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.account.v1.AccountService
    allow_credentials: true
    allow_headers: [authorization]
  - selector: acme.internal.v1.*
    disabled: true
  - path: /items/{id}
    allow_methods: [GET, PUT]
    expose_headers: [x-cost]
`

// TestExplainSaysWhatThePageSays: the form of the inspector's page and the command say the same about
// a call, word for word: verdicts, steps, answers, remedies and curl, in the same engines. The default
// call of the page is that of the command.
func TestExplainSaysWhatThePageSays(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "cors.yaml")
	if err := os.WriteFile(name, []byte(pagePolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	inspector, err := corsinspect.New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := corsrpc.Load(name, corsrpc.WithObserver(inspector), corsrpc.WithFiles(filesOf(t))); err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(t.TempDir(), "image.binpb")
	if err := os.WriteFile(image, schema(t), 0o600); err != nil {
		t.Fatal(err)
	}
	defaults := formOfPage(t, inspector, url.Values{})
	for _, c := range []struct {
		flags, form string // besides the default form
		target      string
	}{
		{"", "", "acme.account.v1.AccountService.Update"},
		{"--from https://app.example.com", "origin=https://app.example.com", "acme.account.v1.AccountService.Update"},
		{"--from https://evil.example", "origin=https://evil.example", "acme.account.v1.AccountService.Update"},
		{"--from https://app.example.com --credentials", "origin=https://app.example.com&credentials=on", "acme.account.v1.AccountService.Update"},
		{"--from https://app.example.com --credentials", "origin=https://app.example.com&credentials=on", "acme.catalog.v1.CatalogService.List"},
		{"--from https://app.example.com", "origin=https://app.example.com", "acme.internal.v1.AdminService.Reset"},
		{"--from https://app.example.com", "origin=https://app.example.com", "elsewhere.v1.Service.Method"},
		{"--from https://app.example.com --server http://127.0.0.1:8080", "origin=https://app.example.com&server=http://127.0.0.1:8080", "acme.catalog.v1.CatalogService.List"},
		{"--from https://app.example.com --header X-Extra:1 --header User-Agent:x", "origin=https://app.example.com&headers=" + url.QueryEscape(defaults["headers"].(string)+"\nX-Extra: 1\nUser-Agent: x"), "acme.account.v1.AccountService.Update"},
		{"--from https://app.example.com --protocol grpc-web", "origin=https://app.example.com&headers=" + url.QueryEscape("Content-Type: application/grpc-web+proto\nX-Grpc-Web: 1") + "&response=" + url.QueryEscape("Content-Type: application/grpc-web+proto\nX-Request-Id: 1"), "acme.account.v1.AccountService.Update"},
		{"--from https://app.example.com --method PUT --header Content-Type:application/json --answer-header X-Cost:7", "origin=https://app.example.com&method=PUT&headers=Content-Type:application/json&response=" + url.QueryEscape("Content-Type: application/json\nX-Cost: 7"), "/items/7"},
		{"--from https://app.example.com --method DELETE", "origin=https://app.example.com&method=DELETE&headers=&response=" + url.QueryEscape("Content-Type: application/json\nX-Request-Id: 1"), "/items/7"},
		{"--from https://app.example.com --method POST", "origin=https://app.example.com&method=POST&headers=&response=" + url.QueryEscape("Content-Type: application/json\nX-Request-Id: 1"), "/elsewhere"},
		{"--from null", "origin=null&method=GET&headers=&response=" + url.QueryEscape("Content-Type: application/json\nX-Request-Id: 1"), "/acme.account.v1.AccountService//Update"},
	} {
		form := url.Values{"target": {c.target}}
		for key, value := range defaults {
			if text, ok := value.(string); ok && form[key] == nil {
				form.Set(key, text)
			}
		}
		changes, err := url.ParseQuery(c.form)
		if err != nil {
			t.Fatal(err)
		}
		for key := range changes {
			form[key] = changes[key]
		}
		args := append(strings.Fields("explain -o json --descriptors "+image+" "+c.flags), name, c.target)
		page, command := trialOfPage(t, inspector, form)["outcomes"], explainJSON(t, args)["outcomes"]
		if page == nil || !reflect.DeepEqual(page, command) {
			t.Errorf("%s %s:\nthe page says\n%s\nthe command says\n%s", c.flags, c.target, asJSON(t, page), asJSON(t, command))
		}
	}
}

// trialOfPage returns the trial that the page shows for a form.
func trialOfPage(t *testing.T, page http.Handler, form url.Values) map[string]any {
	r := httptest.NewRequest(http.MethodGet, "/?"+form.Encode(), nil)
	r.Host = "localhost"
	r.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	var shown struct{ Trial map[string]any }
	if err := json.Unmarshal(w.Body.Bytes(), &shown); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return shown.Trial
}

func formOfPage(t *testing.T, page http.Handler, form url.Values) map[string]any {
	return trialOfPage(t, page, form)["form"].(map[string]any)
}

func explainJSON(t *testing.T, args []string) map[string]any {
	var out, errs bytes.Buffer
	if code := Run(t.Context(), Streams{Out: &out, Err: &errs}, args); code != exitFine {
		t.Fatalf("%q: exit %d: %s", args, code, &errs)
	}
	var document map[string]any
	if err := json.Unmarshal(out.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func asJSON(t *testing.T, value any) string {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
