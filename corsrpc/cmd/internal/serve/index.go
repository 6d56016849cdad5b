package serve

import (
	"bytes"
	"html/template"
	"net/http"
)

// indexPage is the page with links to what the internal port serves. Its Content-Security-Policy allows no
// scripts and no other resources.
var indexPage = template.Must(template.New("index").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>corsrpc</title>
<h1>corsrpc</h1>
<ul>
{{range .Policies}}<li><a href="/inspect/{{.Name}}/">inspector of the policy {{.Name}}</a>: {{.State}}</li>
{{end}}<li><a href="/readyz">readiness</a></li>
<li><a href="/livez">liveness</a></li>
{{if .Metrics}}<li><a href="/metrics">metrics</a></li>
{{end}}{{if .Pprof}}<li><a href="/debug/pprof/">profiles</a></li>
{{end}}</ul>
`))

// indexPolicy is a policy on the page.
type indexPolicy struct{ Name, State string }

// index serves the page with links.
func (i *internalPort) index(w http.ResponseWriter, _ *http.Request) {
	shown := struct {
		Policies       []indexPolicy
		Metrics, Pprof bool
	}{Metrics: i.Metrics != nil, Pprof: i.Pprof}
	for _, p := range i.sorted() {
		state := p.Digest()
		if ok, why := p.Ready(); !ok {
			state = "waits for " + oneLine(why)
		}
		shown.Policies = append(shown.Policies, indexPolicy{p.Name(), state})
	}
	var page bytes.Buffer
	if err := indexPage.Execute(&page, shown); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_, _ = page.WriteTo(w) // an error means that the client is gone
}
