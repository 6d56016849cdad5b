package probe

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// written is the policy with which servers are compared.
const written = `defaults:
  allow_origins: [https://app.example.com, https://*.partner.example]
  allow_credentials: true
  allow_headers: [X-Tenant]
  expose_headers: [X-Cost]
  max_age: 600s
`

func planOf(t *testing.T, text string) *corsrpc.Plan {
	t.Helper()
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(new(protoregistry.Files)))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// proxied changes the response header of a handler before it is sent.
func proxied(next http.Handler, change func(h http.Header, r *http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		change(w.Header(), r)
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes())
	})
}

func TestAgainst(t *testing.T) {
	t.Parallel()
	replaced := func(old, text string) func(*testing.T) http.Handler {
		return func(t *testing.T) http.Handler {
			changed := strings.Replace(written, old, text, 1)
			if changed == written {
				t.Fatalf("the policy does not have %q", old)
			}
			return layer(t, changed)
		}
	}
	for _, c := range []struct {
		name   string
		server func(*testing.T) http.Handler
		// want has the aspect, the origin, and the place of each difference.
		want  []string
		cause string
	}{
		{"the same policy", func(t *testing.T) http.Handler { return layer(t, written) }, nil, ""},
		{
			"an old deployment without the partners", replaced(", https://*.partner.example", ""),
			[]string{"ORIGIN partner defaults.allow_origins[1]"}, "has other rules than the policy",
		},
		{
			"another origin", replaced("https://*.partner.example", "https://*.partner.example, https://attacker.example"),
			[]string{"ORIGIN attacker defaults.allow_origins"}, "has other rules than the policy",
		},
		{
			"no credentials", replaced("allow_credentials: true", "allow_credentials: false"),
			[]string{"CREDENTIALS app defaults.allow_credentials", "CREDENTIALS partner defaults.allow_credentials"}, "has other rules than the policy",
		},
		{
			"a header less", replaced("X-Tenant", "X-Other"),
			[]string{"REQUEST_HEADER app defaults.allow_headers[0]", "REQUEST_HEADER partner defaults.allow_headers[0]"},
			"has other rules than the policy",
		},
		{
			"a longer time", replaced("600s", "7200s"),
			[]string{"MAX_AGE app defaults.max_age", "MAX_AGE partner defaults.max_age"}, "has other rules than the policy",
		},
		{
			"a proxy that adds the origin", func(t *testing.T) http.Handler {
				return proxied(layer(t, written), func(h http.Header, _ *http.Request) { h.Add("Access-Control-Allow-Origin", page) })
			},
			[]string{"ORIGIN app defaults.allow_origins[0]", "ORIGIN partner defaults.allow_origins[1]"}, "a proxy in front of the layer",
		},
		{
			"a proxy that removes what is exposed", func(t *testing.T) http.Handler {
				return proxied(layer(t, written), func(h http.Header, _ *http.Request) { h.Del("Access-Control-Expose-Headers") })
			},
			[]string{"RESPONSE_HEADER app built in", "RESPONSE_HEADER partner built in"}, "",
		},
		{
			"a proxy that removes Vary", func(t *testing.T) http.Handler {
				return proxied(layer(t, written), func(h http.Header, _ *http.Request) { h.Del("Vary") })
			},
			[]string{"VARY app built in", "VARY partner built in"}, "",
		},
		{
			"a proxy that answers preflights", func(t *testing.T) http.Handler {
				behind := layer(t, written)
				front := &cors{allows: func(string) bool { return true }, credentials: "true", methods: "GET, POST, DELETE", maxAge: "600", status: 200}
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodOptions {
						front.ServeHTTP(w, r)
						return
					}
					behind.ServeHTTP(w, r)
				})
			},
			[]string{
				"METHOD app built in", "METHOD partner built in", "ORIGIN attacker defaults.allow_origins",
				"REQUEST_HEADER app defaults.allow_headers[0]", "REQUEST_HEADER partner defaults.allow_headers[0]",
			}, "something in front of the layer answers them",
		},
		{
			"no layer", func(*testing.T) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") })
			},
			[]string{"ORIGIN app defaults.allow_origins[0]", "ORIGIN partner defaults.allow_origins[1]", "REFUSAL attacker defaults.allow_origins"},
			"the server has no corsrpc layer",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(c.server(t))
			defer server.Close()
			u, _ := ParseURL(server.URL)
			wire := NewWire(Server{URL: u})
			defer wire.Close()
			call := Call{Target: "acme.v1.S.Get", Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}, "Connect-Protocol-Version": {"1"}}}
			got, err := Against(t.Context(), wire, AgainstOptions{Plan: planOf(t, written), Calls: []Call{call}})
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, d := range got.Differences {
				if strings.Contains(d.Policy, "allows the headers x-tenant") && !strings.Contains(d.Curl, "x-tenant") {
					t.Errorf("%s\nThe command asks for something else: %s", d.Message, d.Curl)
				}
				lines = append(lines, fmt.Sprintf("%s %s %s", d.Aspect, nameOf(d.Origin), d.From.Field))
				if d.From.Field == "" {
					lines[len(lines)-1] += d.From.String()
				}
			}
			slices.Sort(lines)
			lines = slices.Compact(lines)
			if !slices.Equal(lines, c.want) || len(got.Unknown)+len(got.Incomplete) > 0 {
				t.Errorf("got %q, want %q; unknown %q, incomplete %q", lines, c.want, got.Unknown, got.Incomplete)
				for _, d := range got.Differences {
					t.Log(d.Message)
				}
			}
			if causes := strings.Join(got.Causes, "\n"); !strings.Contains(causes, c.cause) || c.cause == "" && len(c.want) == 0 && causes != "" {
				t.Errorf("the causes are %q, want %q", causes, c.cause)
			}
			t.Logf("%d requests, %q", wire.Sent(), got.Compared)
		})
	}
}

// nameOf shortens an origin of the test.
func nameOf(origin string) string {
	for _, name := range []string{"app", "partner", "attacker"} {
		if strings.Contains(origin, name+".") {
			return name
		}
	}
	return origin
}

// TestAgainstUnknownOrigins: a grant that depends on origins which are not known is not a difference.
func TestAgainstUnknownOrigins(t *testing.T) {
	t.Parallel()
	policy := planOf(t, "defaults: {allow_origins: [https://app.example.com], allow_origins_from: [tenants], allow_credentials: true}")
	server := httptest.NewServer(layer(t, "defaults: {allow_origins: [https://app.example.com, https://tenant.example.org], allow_credentials: true}"))
	defer server.Close()
	u, _ := ParseURL(server.URL)
	for _, known := range []bool{false, true} {
		wire := NewWire(Server{URL: u})
		defer wire.Close()
		o := AgainstOptions{Plan: policy, Calls: []Call{{Target: "acme.v1.S.Get", Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}}}, Origins: []string{"https://tenant.example.org"}}
		if !known {
			o.With = func(origin string) map[string]*corsrpc.Plan {
				return map[string]*corsrpc.Plan{"the source tenants": policy.WithSets(map[string][]string{"tenants": {origin}})}
			}
		}
		got, err := Against(t.Context(), wire, o)
		if err != nil {
			t.Fatal(err)
		}
		if known != (len(got.Differences) > 0) || known == (len(got.Unknown) > 0) {
			t.Errorf("known %t: differences %v, unknown %v", known, got.Differences, got.Unknown)
		}
	}
}

// TestAgainstIsBounded: a comparison ends at the bound of the wire, reports that, and sends no calls unless they are
// allowed.
func TestAgainstIsBounded(t *testing.T) {
	t.Parallel()
	calls := make(chan string, 100)
	behind := layer(t, written)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			calls <- r.Header.Get("Origin")
		}
		behind.ServeHTTP(w, r)
	}))
	defer server.Close()
	u, _ := ParseURL(server.URL)
	call := Call{Target: "acme.v1.S.Get", Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}, "Connect-Protocol-Version": {"1"}}}
	for _, c := range []struct {
		most  int
		send  bool
		calls int
	}{{3, false, 0}, {100, false, 0}, {100, true, 2}} {
		wire := NewWire(Server{URL: u})
		defer wire.Close()
		wire.MaxRequests, wire.SendCalls = c.most, true
		got, err := Against(t.Context(), wire, AgainstOptions{Plan: planOf(t, written), Calls: []Call{call}, SendCalls: c.send})
		if err != nil {
			t.Fatal(err)
		}
		if len(calls) != c.calls || wire.Sent() > c.most || (len(got.Incomplete) > 0) != (c.most < 10) || len(got.Differences) > 0 {
			t.Errorf("%+v: %d calls, %d requests, incomplete %q, differences %v", c, len(calls), wire.Sent(), got.Incomplete, got.Differences)
		}
		for range c.calls {
			if origin := <-calls; strings.Contains(origin, "attacker") {
				t.Errorf("a page that the server refuses sends a call")
			}
		}
	}
}

// TestAgainstWithoutRule: a call for which the policy has no rule is not compared, and the result has that call:
// two servers without a grant may have different policies.
func TestAgainstWithoutRule(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }))
	defer server.Close()
	for prefix, says := range map[string]string{"": "name a procedure or a path", "/api": "--path-prefix /api"} {
		u, _ := ParseURL(server.URL + prefix)
		o := AgainstOptions{Plan: planOf(t, written), Calls: []Call{{Target: "/healthz", Method: http.MethodGet}}}
		got, err := Against(t.Context(), NewWire(Server{URL: u}), o)
		if err != nil || len(got.Incomplete) != 1 || !strings.Contains(got.Incomplete[0], says) || AgainstRequests(Server{URL: u}, o).Total() > 0 {
			t.Errorf("%q: %+v %v", prefix, got, err)
		}
	}
}
