package probe

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// TestAuditSendsNoCalls: without SendCalls an audit sends preflights and GETs only, without cookies, even if
// the wire would send calls. With SendCalls it sends the calls that it announces.
func TestAuditSendsNoCalls(t *testing.T) {
	t.Parallel()
	for _, send := range []bool{false, true} {
		var mu sync.Mutex
		count := map[string]int{}
		server := sound()
		server.refuses = false
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			count[r.Method]++
			if r.Header.Get("Cookie") != "" || r.Header.Get("Authorization") != "" {
				t.Errorf("%s has credentials: %v", r.Method, r.Header)
			}
			server.ServeHTTP(w, r)
		})
		ts := httptest.NewServer(handler)
		defer ts.Close()
		u, _ := ParseURL(ts.URL)
		wire := NewWire(Server{URL: u})
		defer wire.Close()
		wire.SendCalls = true
		o := AuditOptions{Call: Call{Origin: page, Target: "acme.v1.S.Get", Method: http.MethodPost, Header: http.Header{}, Credentials: true}, SendCalls: send}
		if _, err := Audit(t.Context(), wire, o); err != nil {
			t.Fatal(err)
		}
		most := AuditRequests(o)
		if count["POST"] > most.Calls || send && count["POST"] == 0 || count["OPTIONS"] > most.Preflights || count["GET"] > most.SimpleGets || len(count) > 3 {
			t.Errorf("send %t: the server got %v, and the announcement is %v", send, count, most)
		}
	}
}

// TestAuditIsBounded: an audit ends at the bound of the wire, and reports that. Its announcement holds for each
// server of the table.
func TestAuditIsBounded(t *testing.T) {
	t.Parallel()
	for most := range 12 {
		ts := httptest.NewServer(sound())
		defer ts.Close()
		u, _ := ParseURL(ts.URL)
		wire := NewWire(Server{URL: u})
		defer wire.Close()
		wire.MaxRequests = most
		findings, err := Audit(t.Context(), wire, AuditOptions{Call: Call{Origin: page, Target: "acme.v1.S.Get", Method: http.MethodPost, Header: http.Header{}}})
		if err != nil {
			t.Fatal(err)
		}
		stopped := func(f Finding) bool { return f.Class == ClassNotExamined && f.Severity == report.Warning }
		if wire.Sent() > most || !slices.ContainsFunc(findings, stopped) {
			t.Errorf("%d requests were sent, at most %d: %s", wire.Sent(), most, describe(findings))
		}
	}
	for _, c := range audits {
		server := sound()
		if c.change != nil {
			c.change(server)
		}
		var o AuditOptions
		_, wire := audit(t, server, func(options *AuditOptions) {
			if c.how != nil {
				c.how(options)
			}
			o = *options
		})
		if most := AuditRequests(o).Total(); wire.Sent() > most {
			t.Errorf("%s: %d requests were sent, and %d announced", c.name, wire.Sent(), most)
		}
	}
}

// TestAuditOfDeadServer: a server that cannot be reached is an error, and one that stops answering ends the
// audit with a finding.
func TestAuditOfDeadServer(t *testing.T) {
	t.Parallel()
	dead := httptest.NewServer(sound())
	u, _ := ParseURL(dead.URL)
	dead.Close()
	o := AuditOptions{Call: Call{Origin: page, Target: "acme.v1.S.Get", Method: http.MethodPost, Header: http.Header{}}}
	if findings, err := Audit(t.Context(), NewWire(Server{URL: u}), o); err == nil {
		t.Errorf("no error, and %q", classesOf(findings))
	}
	server := sound()
	server.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Origin") == page {
			return false
		}
		panic(http.ErrAbortHandler)
	}
	findings, _ := audit(t, server, nil)
	if got := classesOf(findings); !slices.Contains(got, "UNREACHABLE error") {
		t.Errorf("%q", got)
	}
}

// TestAuditRefuses: what cannot be audited is an error that says what to write.
func TestAuditRefuses(t *testing.T) {
	t.Parallel()
	u, _ := ParseURL("https://api.example.com:443")
	s := Server{URL: u}
	for origin, says := range map[string]string{
		"":                        "--from",
		"null":                    "http or https origin",
		"capacitor://localhost":   "http or https origin",
		"https://api.example.com": "own origin",
		"https://App.example.com": "--from",
	} {
		_, err := Audit(t.Context(), NewWire(s), AuditOptions{Call: Call{Origin: origin, Target: "acme.v1.S.Get", Method: http.MethodPost}})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", origin, err, says)
		}
	}
	plain, _ := ParseURL("http://api.example.com")
	findings, err := Audit(t.Context(), NewWire(Server{URL: plain}), AuditOptions{Call: Call{Origin: page, Target: "acme.v1.S.Get", Method: http.MethodPost}})
	if got := classesOf(findings); err != nil || !slices.Equal(got, []string{"MIXED_CONTENT error"}) {
		t.Errorf("an https page and a server without TLS: %q, %v", got, err)
	}
}

// TestHostileOrigins: the hostile origins follow from the page's. Each is an origin that browsers can send,
// and none is that of the page.
func TestHostileOrigins(t *testing.T) {
	t.Parallel()
	for page, want := range map[string][]string{
		"https://app.example.com": {
			"null", "https://app.example.com.attacker.example", "https://an-example.com.attacker.example", "https://app.example.co", "https://attackexample.com",
			"https://appaexample.com", "https://forgotten.example.com", "https://forgotten.app.example.com", "https://attackapp.example.com",
			"http://app.example.com", "https://app.example.com:8443", "http://localhost:3000", "http://localhost.attacker.example",
		},
		"https://example.co.uk": {
			"null", "https://example.co.uk.attacker.example", "https://an-example.co.uk.attacker.example", "https://example.co.u", "https://attackexample.co.uk",
			"https://forgotten.example.co.uk", "http://example.co.uk", "https://example.co.uk:8443", "http://localhost:3000", "http://localhost.attacker.example",
		},
		"https://acme.github.io:8443": {
			"null", "https://acme.github.io.attacker.example", "https://an-acme.github.io.attacker.example:8443", "https://acme.github.i", "https://attacker.github.io:8443",
			"https://attackacme.github.io:8443", "https://forgotten.acme.github.io:8443", "http://acme.github.io:8443", "https://acme.github.io:9443",
			"http://localhost:3000", "http://localhost.attacker.example",
		},
		"http://localhost:5173":  {"null", "http://localhost.attacker.example", "http://localhost:8443"},
		"https://192.0.2.1":      {"null", "https://192.0.2.1.attacker.example", "http://192.0.2.1", "https://192.0.2.1:8443", "http://localhost:3000", "http://localhost.attacker.example"},
		"https://[2001:db8::1]":  {"null", "http://[2001:db8::1]", "https://[2001:db8::1]:8443", "http://localhost:3000", "http://localhost.attacker.example"},
		"https://intranet":       {"null", "https://intranet.attacker.example", "http://intranet", "https://intranet:8443", "http://localhost:3000", "http://localhost.attacker.example"},
		"capacitor://localhost":  nil,
		"https://app.example.c_": nil,
	} {
		var got []string
		for _, h := range hostileOrigins(page) {
			got = append(got, h.origin)
		}
		if want != nil && !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", page, got, want)
		}
	}
}

// TestAuditOfOtherPages: the classes about domains that many share, about ports and about plain http.
func TestAuditOfOtherPages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		page   string
		allows func(string) bool
		want   []string
	}{
		{"https://acme.github.io", exactly("https://acme.github.io"), nil},
		{"https://acme.github.io", func(o string) bool { return strings.HasSuffix(o, ".github.io") }, []string{"SHARED_DOMAIN_TRUSTED error"}},
		{"https://app.example.com:8443", exactly("https://app.example.com:8443"), nil},
		{"https://app.example.com:8443", func(o string) bool { return strings.HasPrefix(o, "https://app.example.com:") }, []string{"PORT_IGNORED error"}},
		{"http://app.example.com", exactly("http://app.example.com"), []string{"PLAIN_HTTP_TRUSTED error"}},
		{"http://localhost:5173", exactly("http://localhost:5173"), nil},
		{"https://192.0.2.1", exactly("https://192.0.2.1"), nil},
	} {
		server := sound()
		server.allows = c.allows
		findings, _ := audit(t, server, func(o *AuditOptions) { o.Call.Origin = c.page })
		if got := classesOf(findings); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q\n%s", c.page, got, c.want, describe(findings))
		}
	}
}

// TestClasses: each class has its texts and is on the page about audits, and each is found in some test. Each
// aspect of a comparison is on the page too.
func TestClasses(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/auditing.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, aspect := range []Aspect{AspectOrigin, AspectCredentials, AspectMethod, AspectRequestHeader, AspectResponseHeader, AspectMaxAge, AspectVary, AspectRefusal} {
		if !strings.Contains(string(text), "("+string(aspect)+")") {
			t.Errorf("the page does not have %s", aspect)
		}
	}
	found := map[Class]bool{ClassNotExamined: true, ClassUnreachable: true, ClassMixedContent: true, ClassSharedDomainTrusted: true} // by the tests above
	for _, c := range audits {
		for _, want := range c.want {
			class, _, _ := strings.Cut(want, " ")
			found[Class(class)] = true
		}
	}
	for _, c := range Classes() {
		if c.Fault() == "" || c.Why() == "" || c.Instead() == "" {
			t.Errorf("%s lacks a text", c)
		}
		if !strings.Contains(string(text), "\n| "+string(c)+" | ") {
			t.Errorf("the page does not have %s", c)
		}
		if !found[c] {
			t.Errorf("%s is found in no test", c)
		}
	}
	if Class("X").Fault() != "" {
		t.Error("a class that does not exist has a text")
	}
}
