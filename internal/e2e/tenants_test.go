package e2e

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// useOperatorsPage opens the operator's page and submits one of its forms: args.how is add, revoke or open. It returns the table
// of domains, and what the script of an opened page got.
const useOperatorsPage = `
	const frame = document.createElement("iframe");
	frame.src = "/operator/";
	document.body.append(frame);
	const loaded = () => new Promise((done) => { frame.onload = done; });
	await loaded();
	const next = loaded();
	if (args.how === "revoke") {
		frame.contentDocument.querySelector("button[value='" + args.origin + "']").click();
	} else {
		frame.contentDocument.querySelector("input").value = args.origin;
		frame.contentDocument.querySelector(args.how === "add" ? "form[action=add] button" : "form[action=add] button[formaction=open]").click();
	}
	await next;
	const rows = (table) => [...frame.contentDocument.querySelectorAll(table + " tr")].slice(1).map((row) => [...row.cells]);
	const shown = {
		Table: rows("#domains").map((cells) => cells.slice(0, 2).map((cell) => cell.textContent).join(": ")).join("; "),
		Opened: rows("#visit").map((cells) => cells[2].firstChild.textContent).join("; "),
	};
	frame.remove();
	return shown;
`

// renamingProxy returns a proxy between the browser and the shop that renames the page's origin to a customer's in the requests,
// and back in the responses. It is needed since the pages of these tests have plain http origins, and an origin source holds https
// origins only.
func renamingProxy(shop *url.URL, page, customer string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(shop)
			if r.In.Header.Get("Origin") == page {
				r.Out.Header.Set("Origin", customer)
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if r.Header.Get("Access-Control-Allow-Origin") == customer {
				r.Header.Set("Access-Control-Allow-Origin", page)
			}
			return nil
		},
	}
}

// TestTenants: a customer's page may call as soon as the operator has added its origin with the operator's page, and no longer
// after the operator has revoked it, even if the browser has cached its preflight. The schema's options declare the headers that
// it sends. The operator's page shows the calls of a simulated browser, which have the results of those in the real one.
func TestTenants(t *testing.T) {
	program := buildExample(t, "tenants")
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		servers := startExample(t, program, "-sqlite", filepath.Join(t.TempDir(), "tenants.db"), "-shop", "localhost:0", "-operator", "localhost:0")
		// A browser shows one page at a time here, so the operator's page is at a path of the customer's origin.
		page := pool.PageBeside(t, engine, http.StripPrefix("/operator", &exampleProxy{servers["operator"]}))
		warmUp(t, page)
		use := func(how, origin string) (shown struct{ Table, Opened string }) {
			t.Helper()
			page.Run(t, useOperatorsPage, map[string]string{"how": how, "origin": origin}, &shown)
			return shown
		}
		change := func(how, origin, want string) {
			t.Helper()
			if shown := use(how, origin); shown.Table != want {
				t.Errorf("%s %s: the table shows %q, want %q", how, origin, shown.Table, want)
			}
		}
		// look makes the calls of the customer's page. It asserts the number of products in the cart after them, or that both are
		// blocked if that is 0; and the number of preflights.
		look := func(customer string, shop *api, inCart, preflights int) {
			t.Helper()
			list := fetchRaw(t, page, shop.URL+"/shop.v1.ShopService/ListProducts?connect=v1&encoding=json&message=%7B%7D", fetchInit{Method: "GET"})
			add := fetchRaw(t, page, shop.URL+"/shop.v1.ShopService/AddToCart", fetchInit{Method: "POST", Body: `{"product": "bread"}`, Headers: map[string]string{
				"Content-Type": "application/json", "Connect-Protocol-Version": "1", "X-Cart-Id": customer + " in " + string(engine),
			}})
			opened := "TypeError: Failed to fetch; TypeError: Failed to fetch"
			if inCart == 0 {
				if list.Threw != refused.Threw || add.Threw != refused.Threw {
					t.Errorf("a page of %s reads %+v and %+v, but may not call", customer, list, add)
				}
			} else {
				opened = fmt.Sprintf("bread, cheese; %d in the cart, 41 in stock", inCart)
				if !sameBody(list.Body, `{"products": ["bread", "cheese"]}`) || !sameBody(add.Body, fmt.Sprintf(`{"inCart": %d}`, inCart)) || add.Headers["x-stock"] != "41" {
					t.Errorf("a page of %s reads %+v and %+v, want %s", customer, list, add, opened)
				}
			}
			if asked, _ := shop.take(); len(asked) != preflights {
				t.Errorf("a page of %s sent %d preflights, want %d: %s", customer, len(asked), preflights, describe(asked))
			}
			if shown := use("open", customer); shown.Opened != opened {
				t.Errorf("the operator's page shows the calls of a page of %s as %q, want %q", customer, shown.Opened, opened)
			}
		}
		const (
			anna, bert, wild = "https://anna.example.com", "https://bert.example.com", "https://*.example.com"
			skipped          = ": no: not an exact https origin, or of a loopback host"
		)
		shop := serveAPI(t, renamingProxy(servers["shop"], page.Origin, anna))
		look(anna, shop, 0, 1)
		change("add", anna, anna+": yes")
		look(anna, shop, 1, 1)
		change("add", wild, strings.Join([]string{wild + skipped, anna + ": yes"}, "; "))
		look(anna, shop, 2, 0)
		change("add", page.Origin, strings.Join([]string{page.Origin + skipped, wild + skipped, anna + ": yes"}, "; "))
		change("revoke", anna, strings.Join([]string{page.Origin + skipped, wild + skipped}, "; "))
		look(anna, shop, 0, 0) // the preflight is cached

		shop = serveAPI(t, renamingProxy(servers["shop"], page.Origin, bert)) // on a new port, without cached preflights
		look(bert, shop, 0, 1)
		change("revoke", wild, page.Origin+skipped)
		change("revoke", page.Origin, "The table is empty: no page may call.")
		change("add", bert, bert+": yes")
		look(bert, shop, 1, 1)
	})
}
