package main

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/corsrpc/corstest"
	"github.com/corsrpc/corsrpc-go/examples/tenants/domains"
	"github.com/corsrpc/corsrpc-go/examples/tenants/gen/shop/v1/shopv1connect"
)

// newServer returns a new table, and the shop wrapped by a layer.
func newServer(t *testing.T) (*domains.Table, *corsrpc.Layer, http.Handler) {
	t.Helper()
	table, err := domains.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "tenants.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := table.Close(); err != nil {
			t.Error(err)
		}
	})
	layer, err := newLayer("cors.yaml", table)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(shopv1connect.NewShopServiceHandler(newShop()))
	return table, layer, layer.Wrap(mux)
}

// TestTenants: a customer's pages may call, with the headers of the schema, while their
// domain is in the table. No page may call a method that the schema disables.
func TestTenants(t *testing.T) {
	table, layer, server := newServer(t)
	const anna, bert, shop = "https://anna.example.com", "https://bert.example.com", "https://shop.example.com/shop.v1.ShopService/"
	add := corsbrowser.Connect(shop+"AddToCart", "X-Cart-Id", "7")
	whoMayCall := func(origins ...string) {
		t.Helper()
		var cases []corstest.Case
		for _, o := range []string{anna, bert} {
			c := corstest.Case{From: o, Call: add, Blocked: corstest.AnyCheck, NotSent: true}
			for _, allowed := range origins {
				if o == allowed {
					c = corstest.Case{From: o, Call: add, Readable: []string{"X-Stock"}}
				}
			}
			cases = append(cases, c,
				corstest.Case{From: o, Call: corsbrowser.Connect(shop + "Restock"), Blocked: corstest.AnyCheck, NotSent: true})
		}
		corstest.Run(t, cases, corsbrowser.WithHandler(server))
	}
	change := func(change func(*domains.Table, context.Context, string) error, origin string) {
		t.Helper()
		if err := change(table, t.Context(), origin); err != nil {
			t.Fatal(err)
		}
		if err := layer.Refresh(t.Context(), "tenants"); err != nil {
			t.Fatal(err)
		}
	}
	whoMayCall()
	change((*domains.Table).Add, anna)
	whoMayCall(anna)
	change((*domains.Table).Add, bert)
	for _, skipped := range []string{"*", "http://localhost:5173", "https://localhost"} { // the source takes exact https origins of other hosts only
		change((*domains.Table).Add, skipped)
	}
	whoMayCall(anna, bert)
	change((*domains.Table).Remove, anna)
	whoMayCall(bert)
}

// TestDevProfile: with the profile dev, pages on any port of localhost may call.
func TestDevProfile(t *testing.T) {
	t.Setenv("CORSRPC_PROFILE", "dev")
	_, _, server := newServer(t)
	call := corsbrowser.Connect("http://localhost:8080/shop.v1.ShopService/AddToCart", "X-Cart-Id", "7")
	corstest.Run(t, []corstest.Case{
		{From: "http://localhost:5173", Call: call},
		{From: "http://localhost:3000", Call: call},
		{From: "https://evil.example", Call: call, Blocked: corstest.AnyCheck, NotSent: true},
	}, corsbrowser.WithHandler(server))
	script, err := corsbrowser.New("http://localhost:5173", corsbrowser.WithHandler(server))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost:8080/shop.v1.ShopService/AddToCart", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Tenant-Id", "7")
	answer, err := script.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(said), "x-tenant-id is not granted: ") {
		t.Errorf("a script on localhost reads %q, %v", said, err)
	}
}

// TestOperatorsPage runs the program, and uses the operator's page: a customer's page can call
// the shop from the addition of its origin to the revocation, even with a cached preflight.
func TestOperatorsPage(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-policy", "cors.yaml", "-sqlite", filepath.Join(t.TempDir(), "tenants.db"),
			"-shop", "localhost:0", "-operator", "localhost:0"}, in)
		in.Close()
	}()
	text := make([]byte, 4096)
	n, err := io.ReadAtLeast(out, text, 100)
	if err != nil {
		t.Fatal(err, <-ended)
	}
	go io.Copy(io.Discard, out)
	origins := regexp.MustCompile(`http://localhost:\d+`).FindAllString(string(text[:n]), -1)
	if len(origins) != 2 {
		t.Fatalf("%s", text[:n])
	}
	operator := origins[1]
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	page := func(path string, form url.Values, header http.Header) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, operator+path, nil)
		if form != nil {
			r, err = http.NewRequestWithContext(t.Context(), http.MethodPost, operator+path, strings.NewReader(form.Encode()))
		}
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range header {
			r.Header[name] = values
		}
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	const (
		anna, bert = "https://anna.example.com", "https://bert.example.com"
		mayCall    = anna + "</td><td>yes"
		blocked    = "TypeError: Failed to fetch"
	)
	origin := func(origin string) url.Values { return url.Values{"origin": {origin}} }
	for _, step := range []struct {
		path   string
		form   url.Values
		header http.Header
		status int
		has    []string
		not    string
	}{
		{"/", nil, nil, 200, []string{"The table is empty"}, mayCall},
		{"/open", origin(anna), nil, 200, []string{
			"<td>ListProducts</td><td>0</td><td>" + blocked + "<br><small>corsbrowser: blocked at ALLOW_ORIGIN_ABSENT of the call",
			"<td>AddToCart</td><td>1</td><td>" + blocked + "<br><small>corsbrowser: blocked at ALLOW_ORIGIN_ABSENT of the preflight"}, mayCall},
		{"/add", origin(anna), http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403, nil, mayCall},
		{"/add", origin(anna), nil, 200, []string{mayCall}, blocked},
		{"/open", origin(anna), nil, 200, []string{
			"<td>ListProducts</td><td>0</td><td>bread, cheese</td>",
			"<td>AddToCart</td><td>1</td><td>1 in the cart, 41 in stock</td>"}, blocked},
		{"/open", origin(anna), nil, 200, []string{"<td>AddToCart</td><td>0</td><td>2 in the cart, 41 in stock</td>"}, blocked},
		{"/open", origin(bert), nil, 200, []string{blocked}, "bread, cheese"},
		{"/revoke", origin(anna), nil, 200, []string{"The table is empty"}, mayCall},
		{"/open", origin(anna), nil, 200, []string{
			"<td>AddToCart</td><td>0</td><td>" + blocked + "<br><small>corsbrowser: blocked at ALLOW_ORIGIN_ABSENT of the call"}, "bread, cheese"},
		{"/add", origin("http://localhost:5173"), nil, 200, []string{"http://localhost:5173</td><td>no: not an exact https origin"}, mayCall},
		{"/open", origin("anna.example.com"), nil, 400, nil, mayCall}, // not an origin
	} {
		status, body := page(step.path, step.form, step.header)
		if status != step.status || strings.Contains(body, step.not) {
			t.Errorf("%s %v: status %d, want %d without %q\n%s", step.path, step.form, status, step.status, step.not, body)
		}
		for _, part := range step.has {
			if !strings.Contains(body, part) {
				t.Errorf("%s %v: the page does not contain %q\n%s", step.path, step.form, part, body)
			}
		}
	}
	if status, body := page("/inspector", nil, nil); status != 200 || !strings.Contains(body, "Origin sources (1)") {
		t.Errorf("the inspector: %d %s", status, body)
	}
	cancel()
	if err := <-ended; err != nil && !strings.Contains(err.Error(), "closed") {
		t.Error(err)
	}
}
