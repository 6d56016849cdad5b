package main

import (
	"context"
	"html/template"
	"net/http"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/examples/tenants/domains"
)

// operatorPage lists and changes the table, and opens customers' pages. A real one would
// authenticate its visitors.
type operatorPage struct {
	table     *domains.Table
	layer     *corsrpc.Layer
	customers *customers
}

// newOperatorPage returns the operator's page, with the inspector.
func newOperatorPage(table *domains.Table, layer *corsrpc.Layer, inspector http.Handler, customers *customers) http.Handler {
	p := &operatorPage{table, layer, customers}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.list)
	mux.HandleFunc("POST /open", p.open)
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
<style>body { font: 1rem/1.6 system-ui; max-width: 56rem; margin: 3rem auto; padding: 0 1rem } td, th { padding: .3rem 1rem .3rem 0; text-align: left; vertical-align: top }</style>
<h1>Customers' domains</h1>
<table id="domains">
<tr><th>origin</th><th>may call</th><th></th></tr>
{{range .Rows}}<tr><td>{{.Origin}}</td><td>{{if .Allowed}}yes{{else}}no: not an exact https origin, or of a loopback host{{end}}</td>
<td><form method="post" action="revoke"><button name="origin" value="{{.Origin}}">revoke</button>
<button name="origin" value="{{.Origin}}" formaction="open">open the shop</button></form></td></tr>
{{else}}<tr><td colspan="3">The table is empty: no page may call.</td></tr>
{{end}}</table>
<form method="post" action="add"><p><label>An origin: <input name="origin" list="known" value="{{or .Origin "https://anna.example.com"}}" size="32" required></label>
<button>add</button> <button formaction="open">open the shop as a page of this origin</button></p>
<datalist id="known"><option value="https://anna.example.com"><option value="https://bert.example.com"></datalist></form>
{{with .Visit}}<h2>The shop in a page of {{.Origin}}</h2>
<table id="visit">
<tr><th>call</th><th>preflights</th><th>the script gets</th></tr>
{{range .Calls}}<tr><td>{{.Name}}</td><td>{{.Preflights}}</td><td>{{.Got}}{{with .Blocked}}<br><small>{{.}}</small>{{end}}</td></tr>
{{end}}</table>
{{end}}<p><a href="inspector">The inspector</a> shows the decisions of the CORS layer.</p>
`))

type operatorRow struct {
	Origin  string
	Allowed bool
}

func (p *operatorPage) list(w http.ResponseWriter, r *http.Request) { p.show(w, r, nil) }

// open opens a page of an origin and shows the calls of its script.
func (p *operatorPage) open(w http.ResponseWriter, r *http.Request) {
	v, err := p.customers.open(r.Context(), r.PostFormValue("origin"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.show(w, r, &v)
}

// show writes the page, with the calls of a customer's page unless v is nil.
func (p *operatorPage) show(w http.ResponseWriter, r *http.Request, v *visit) {
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
	_ = operatorTemplate.Execute(w, map[string]any{"Rows": rows, "Visit": v, "Origin": r.PostFormValue("origin")})
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
