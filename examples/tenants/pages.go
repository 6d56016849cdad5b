package main

import (
	"context"
	"html/template"
	"net/http"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/examples/tenants/domains"
)

// operatorPage lists and changes the table. A real one would authenticate its visitors.
type operatorPage struct {
	table     *domains.Table
	layer     *corsrpc.Layer
	customers []string // origins that the page suggests
}

// newOperatorPage returns the operator's page, with the inspector.
func newOperatorPage(table *domains.Table, layer *corsrpc.Layer, inspector http.Handler, customers []string) http.Handler {
	p := &operatorPage{table, layer, customers}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.list)
	mux.Handle("GET /inspector", inspector)
	mux.HandleFunc("POST /add", p.change((*domains.Table).Add))
	mux.HandleFunc("POST /revoke", p.change((*domains.Table).Remove))
	return http.NewCrossOriginProtection().Handler(mux) // refuses forms of other sites
}

var operatorTemplate = template.Must(template.New("operator").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>Customers</title>
<style>body { font: 1rem/1.6 system-ui; max-width: 44rem; margin: 3rem auto; padding: 0 1rem } td, th { padding: .3rem 1rem .3rem 0; text-align: left }</style>
<h1>Customers' domains</h1>
<table>
<tr><th>origin</th><th>may call</th><th></th></tr>
{{range .Rows}}<tr><td><a href="{{.Origin}}">{{.Origin}}</a></td><td>{{if .Allowed}}yes{{else}}no: not an exact https origin{{end}}</td>
<td><form method="post" action="revoke"><button name="origin" value="{{.Origin}}">revoke</button></form></td></tr>
{{else}}<tr><td colspan="3">The table is empty: no page may call.</td></tr>
{{end}}</table>
<form method="post" action="add"><p><label>An origin: <input name="origin" list="known" placeholder="https://shop.example.com" size="32" required></label> <button>add</button></p>
<datalist id="known">{{range .Customers}}<option value="{{.}}">{{end}}</datalist></form>
<p>The pages of two customers are {{range $i, $c := .Customers}}{{if $i}} and {{end}}<a href="{{$c}}">{{$c}}</a>{{end}}.
<a href="inspector">The inspector</a> shows the decisions of the CORS layer.</p>
`))

type operatorRow struct {
	Origin  string
	Allowed bool
}

func (p *operatorPage) list(w http.ResponseWriter, r *http.Request) {
	origins, err := p.table.List(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var rows []operatorRow
	for _, o := range origins {
		rows = append(rows, operatorRow{o, p.allows(o)})
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'")
	_ = operatorTemplate.Execute(w, map[string]any{"Rows": rows, "Customers": p.customers})
}

// allows reports whether the layer allows a call from the origin.
func (p *operatorPage) allows(origin string) bool {
	return p.layer.Plan().Decide(corsrpc.Request{
		Method: http.MethodPost, Path: "/shop.v1.ShopService/AddToCart",
		Header: http.Header{"Origin": {origin}, "Content-Type": {"application/json"}},
	}).Outcome() == corsrpc.OutcomeGrant
}

// change returns a handler that changes the table. The layer of this server reads the
// table before the handler responds. Other servers read it when they are notified, or
// periodically.
func (p *operatorPage) change(table func(*domains.Table, context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := table(p.table, r.Context(), r.PostFormValue("origin"))
		if err == nil {
			err = p.layer.Refresh(r.Context(), "tenants")
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Location", "./")
		w.WriteHeader(http.StatusSeeOther)
	}
}

var customerTemplate = template.Must(template.New("customer").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>{{.Name}} shop</title>
<style>body { font: 1rem/1.6 system-ui; max-width: 44rem; margin: 3rem auto; padding: 0 1rem }</style>
<h1>{{.Name}} shop</h1>
<p>Products: <output id="products">…</output></p>
<p><button id="buy">Put bread into the cart</button> <output id="cart"></output></p>
<script>
const shop = {{.Shop}} + "/shop.v1.ShopService/";
const list = async () => {
  const response = await fetch(shop + "ListProducts?connect=v1&encoding=json&message=" + encodeURIComponent("{}"));
  return (await response.json()).products.join(", ");
};
const buy = async () => {
  const response = await fetch(shop + "AddToCart", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Connect-Protocol-Version": "1", "X-Cart-Id": location.origin },
    body: JSON.stringify({ product: "bread" }),
  });
  return (await response.json()).inCart + " in the cart, " + response.headers.get("X-Stock") + " in stock";
};
const show = (id, call) => call().then((text) => { document.getElementById(id).value = text; }, (error) => { document.getElementById(id).value = "refused: " + error.message; });
document.getElementById("buy").onclick = () => show("cart", buy);
show("products", list);
</script>
`))

// newCustomerPage returns the page of a customer, which calls the shop.
func newCustomerPage(name, shop string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src "+shop+"; base-uri 'none'; form-action 'none'")
		_ = customerTemplate.Execute(w, map[string]string{"Name": name, "Shop": shop})
	})
}
