package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
)

// openCustomer opens the customer's page, puts bread into the cart, and reads the page's content.
const openCustomer = `
	const frame = document.createElement("iframe");
	frame.src = "/";
	document.body.append(frame);
	await new Promise((done) => { frame.onload = done; });
	const page = frame.contentDocument;
	const says = (id) => new Promise((done) => {
		const output = page.getElementById(id);
		const look = () => output.value !== "" && output.value !== "…" && (observer.disconnect(), done(output.value));
		const observer = new MutationObserver(look);
		observer.observe(output, {childList: true, subtree: true, characterData: true});
		look();
	});
	const products = await says("products");
	page.getElementById("buy").click();
	const shown = {Products: products, Cart: await says("cart")};
	frame.remove();
	return shown;
`

// changeTable opens the operator's page, adds or revokes an origin with its form, and reads the table.
const changeTable = `
	const frame = document.createElement("iframe");
	frame.src = "/operator/";
	document.body.append(frame);
	const loaded = () => new Promise((done) => { frame.onload = done; });
	await loaded();
	const next = loaded();
	if (args.add) {
		frame.contentDocument.querySelector("input").value = args.add;
		frame.contentDocument.querySelector("form[action=add] button").click();
	} else {
		frame.contentDocument.querySelector("button[value='" + args.revoke + "']").click();
	}
	await next;
	const rows = [...frame.contentDocument.querySelectorAll("tr")].slice(1).map((row) => [...row.cells].slice(0, 2).map((cell) => cell.textContent).join(": "));
	frame.remove();
	return rows.join("; ");
`

// TestTenants: a customer's page may call as soon as the operator has added its origin with the operator's page, and no longer
// after the operator has revoked it. The schema's options declare the headers that it sends.
func TestTenants(t *testing.T) {
	program := buildExample(t, "tenants")
	type shownShop struct{ Products, Cart string }
	forEachEngine(t, func(t *testing.T, engine browser.Engine) {
		servers := startExample(t, program, "-sqlite", filepath.Join(t.TempDir(), "tenants.db"),
			"-shop", "localhost:0", "-operator", "localhost:0", "-anna", "localhost:0", "-bert", "localhost:0")
		// A browser shows one page at a time here, so the operator's page is at a path of the customer's origin.
		open := func(customer string) *browser.Page {
			site := http.NewServeMux()
			site.Handle("/", &exampleProxy{servers[customer]})
			site.Handle("/operator/", http.StripPrefix("/operator", &exampleProxy{servers["operator"]}))
			return pool.PageBeside(t, engine, site)
		}
		change := func(page *browser.Page, how, origin, want string) {
			t.Helper()
			var table string
			page.Run(t, changeTable, map[string]string{how: origin}, &table)
			if table != want {
				t.Errorf("%s %s: the table shows %q, want %q", how, origin, table, want)
			}
		}
		look := func(page *browser.Page, want shownShop) {
			t.Helper()
			var shown shownShop
			page.Run(t, openCustomer, nil, &shown)
			if want == (shownShop{}) {
				if !strings.HasPrefix(shown.Products, "refused: ") || !strings.HasPrefix(shown.Cart, "refused: ") {
					t.Errorf("%s shows %+v, but may not call", page.Origin, shown)
				}
			} else if shown != want {
				t.Errorf("%s shows %+v, want %+v", page.Origin, shown, want)
			}
		}
		const wild = "https://*.example.com"
		anna := open("anna")
		look(anna, shownShop{})
		change(anna, "add", anna.Origin, anna.Origin+": yes")
		look(anna, shownShop{"bread, cheese", "1 in the cart, 41 in stock"})
		change(anna, "add", wild, anna.Origin+": yes; "+wild+": no: not an exact https origin")
		look(anna, shownShop{"bread, cheese", "2 in the cart, 41 in stock"})
		change(anna, "revoke", anna.Origin, wild+": no: not an exact https origin")
		look(anna, shownShop{}) // even if the browser has cached its preflight

		bert := open("bert")
		look(bert, shownShop{})
		change(bert, "revoke", wild, "The table is empty: no page may call.")
		change(bert, "add", bert.Origin, bert.Origin+": yes")
		look(bert, shownShop{"bread, cheese", "1 in the cart, 41 in stock"})
	})
}
