package probed

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// policy is the policy that the servers of corsrpc are supposed to have.
const policy = `defaults:
  allow_origins: [https://app.example.com]
  allow_credentials: true
  allow_headers: [authorization]
`

// corsrpcServer returns a server with a policy.
func corsrpcServer(text string) func(*testing.T, *traffic) server {
	return func(t *testing.T, seen *traffic) server {
		t.Helper()
		return newServer(t, seen.watch(corsrpcHandler(t, text)))
	}
}

func corsrpcHandler(t *testing.T, text string) http.Handler {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(schemaFiles(t)))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := corsrpc.New(plan, corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	return layer.Wrap(account(nil, "Acme-Region", "eu"))
}

// behindProxy returns a server of corsrpc behind a proxy that removes a field of each answer.
func behindProxy(field string) func(*testing.T, *traffic) server {
	return func(t *testing.T, seen *traffic) server {
		t.Helper()
		backend := newServer(t, corsrpcHandler(t, policy))
		u, err := url.Parse(backend.url)
		if err != nil {
			t.Fatal(err)
		}
		proxy := &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(u)
				r.Out.Host = r.In.Host
			},
			ModifyResponse: func(r *http.Response) error {
				r.Header.Del(field)
				return nil
			},
		}
		return newServer(t, seen.watch(proxy))
	}
}

// soundCorsrpc are servers of corsrpc without a fault.
var soundCorsrpc = []row{
	{name: "corsrpc", policy: policy, start: corsrpcServer(policy)},
	{name: "corsrpc, calls sent", policy: policy, sends: true, start: corsrpcServer(policy)},
	{name: "corsrpc, for everyone without credentials", anonymous: true, start: corsrpcServer("defaults: {allow_origins: [\"*\"]}")},
	{name: "corsrpc behind nginx", start: func(t *testing.T, seen *traffic) server {
		t.Helper()
		return newNginx(t, seen, newServer(t, corsrpcHandler(t, policy)), "proxy_pass BACKEND;")
	}},
	{name: "corsrpc, HTTP/2 with an authority of its own", start: func(t *testing.T, seen *traffic) server {
		t.Helper()
		return newHTTP2(t, seen.watch(corsrpcHandler(t, policy)))
	}},
}

// These are later versions of the policy.
var (
	twoOrigins  = strings.ReplaceAll(policy, "[https://app.example.com]", "[https://app.example.com, https://admin.example.com]")
	moreHeaders = strings.ReplaceAll(policy, "[authorization]", "[authorization, x-tenant-id]")
	shorterTime = policy + "  max_age: 600s\n"
)

// corsrpcRows are servers of corsrpc that differ from their policy.
var corsrpcRows = []row{
	{
		name: "corsrpc with an old policy", fault: "Its policy does not allow a second origin.", differs: []string{"ORIGIN"},
		policy: twoOrigins, start: corsrpcServer(policy), fixed: corsrpcServer(twoOrigins),
	},
	{
		name: "corsrpc with an old policy, of headers", fault: "Its policy does not allow a header.", differs: []string{"REQUEST_HEADER"},
		policy: moreHeaders, start: corsrpcServer(policy), fixed: corsrpcServer(moreHeaders),
	},
	{
		name: "corsrpc with an old policy, of time", fault: "Its preflights are kept for another time.", differs: []string{"MAX_AGE"},
		policy: shorterTime, start: corsrpcServer(policy), fixed: corsrpcServer(shorterTime),
	},
	{
		name: "corsrpc behind a proxy, Vary", fault: "The proxy removes Vary.", policy: policy, found: []string{"VARY_MISSING"}, differs: []string{"VARY"},
		start: behindProxy("Vary"), fixed: corsrpcServer(policy),
	},
	{
		name: "corsrpc behind a proxy, exposure", fault: "The proxy removes Access-Control-Expose-Headers.", policy: policy, sends: true, notes: true,
		found: []string{"METADATA_NOT_EXPOSED"}, differs: []string{"RESPONSE_HEADER"},
		start: behindProxy("Access-Control-Expose-Headers"), fixed: corsrpcServer(policy),
	},
}
