package corsinspect_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// curled is a request that a curl command sent, and the reason of the decision on it.
type curled struct {
	method, uri, body string
	header            http.Header
	reason            corsrpc.Reason
}

// TestCurlSendsWhatWasTried runs the curl commands that the inspector shows. Each sends the
// request that the form describes.
func TestCurlSendsWhatWasTried(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("curl is missing: install it (`make setup` does), since this test runs the curl commands of the inspector")
	}
	layer, h := newLayer(t, `
defaults:
  allow_origins: [https://app.example.com]
rules:
  - selector: acme.account.v1.AccountService
    allow_credentials: true
    allow_headers: [x-*]
  - path: /files/
    allow_methods: [GET, HEAD, PATCH, POST]
`)
	arrived := make(chan curled, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		arrived <- curled{r.Method, r.RequestURI, string(body), r.Header, layer.Plan().Decide(corsrpc.RequestOf(r)).Reason()}
		w.Header().Set("Content-Length", "5") // curl waits for the body, unless it knows that there is none
		_, _ = io.WriteString(w, "hello")
	}))
	t.Cleanup(server.Close)

	const json = "Content-Type: application/json"
	fromPage := http.Header{"Origin": {page}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"cross-site"}}
	with := func(header http.Header, more http.Header) http.Header {
		all := maps.Clone(header)
		maps.Copy(all, more)
		return all
	}
	for _, c := range []struct {
		name                                         string
		origin, target, method, headers, credentials string
		want                                         []curled
	}{
		{"a query", page, getRPC + "?message=%7B%7D&encoding=json&connect=v1", "GET", "", "", []curled{
			{"GET", getRPC + "?message=%7B%7D&encoding=json&connect=v1", "", fromPage, "ORIGIN_ALLOWED"},
		}},
		{"a procedure's name with a query that is not encoded", page, `acme.catalog.v1.CatalogService.Get?message={"a.b": "it's"}&n=[1-2]#part`, "GET", "", "", []curled{
			{"GET", getRPC + "?message={%22a.b%22:%20%22it%27s%22}&n=[1-2]", "", fromPage, "ORIGIN_ALLOWED"},
		}},
		{"a fragment", page, "/files/a#b/c", "GET", "", "", []curled{{"GET", "/files/a", "", fromPage, "ORIGIN_ALLOWED"}}},
		{"an empty query", "", "/files/?", "GET", "", "", []curled{{"GET", "/files/?", "", http.Header{}, "NO_ORIGIN"}}},
		{"HEAD", page, "/files/a", "HEAD", "", "", []curled{{"HEAD", "/files/a", "", fromPage, "ORIGIN_ALLOWED"}}},
		{"a path that is not cleaned up", page, "/acme.catalog.v1.CatalogService/x/.././List", "POST", json, "", []curled{
			{"OPTIONS", "/acme.catalog.v1.CatalogService/x/.././List", "", with(fromPage, http.Header{"Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type"}}), "PATH_NOT_CANONICAL"},
		}},
		{"a path of two slashes", "", "//acme.catalog.v1.CatalogService/List", "GET", "", "", []curled{
			{"GET", "//acme.catalog.v1.CatalogService/List", "", http.Header{}, "NO_ORIGIN"},
		}},
		{"brackets", page, "/files/[1-3]{a,b}", "GET", "", "", []curled{{"GET", "/files/[1-3]%7Ba,b%7D", "", fromPage, "ORIGIN_ALLOWED"}}},
		{"escapes", page, "/files/a b%2Fc/ü'$HOME", "GET", "", "", []curled{{"GET", "/files/a%20b%2Fc/%C3%BC'$HOME", "", fromPage, "ORIGIN_ALLOWED"}}},
		{"a body without a type", page, "/files/a", "POST", "", "", []curled{{"POST", "/files/a", "{}", fromPage, "ORIGIN_ALLOWED"}}},
		{"a preflight and a call with cookies", page, "/acme.account.v1.AccountService/Get", "POST", json + "\nX-Tenant-Id: 7", "on", []curled{
			{"OPTIONS", "/acme.account.v1.AccountService/Get", "", with(fromPage, http.Header{"Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type,x-tenant-id"}}), "ORIGIN_ALLOWED"},
			{"POST", "/acme.account.v1.AccountService/Get", "{}", with(fromPage, http.Header{"Content-Type": {"application/json"}, "X-Tenant-Id": {"7"}, "Cookie": {"session=1"}}), "ORIGIN_ALLOWED"},
		}},
		{"a method in lower case", page, "/files/a", "patch", "", "", []curled{
			{"OPTIONS", "/files/a", "", with(fromPage, http.Header{"Access-Control-Request-Method": {"patch"}}), "METHOD_NOT_GRANTED"},
		}},
		{"a method that only a program can send", "", "/files/a", "it's", "", "", []curled{{"it's", "/files/a", "", http.Header{}, "NO_ORIGIN"}}},
		{"a server's own page", "SERVER", listRPC, "POST", json, "", []curled{
			{"POST", listRPC, "{}", http.Header{"Origin": {"SERVER"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"same-origin"}, "Content-Type": {"application/json"}}, "SAME_ORIGIN"},
		}},
		{"a User-Agent that the script sets", page, "/files/a", "GET", "Accept: text/html\nUser-Agent: mine/1\nAccept: text/plain", "", []curled{
			{"OPTIONS", "/files/a", "", with(fromPage, http.Header{"Access-Control-Request-Method": {"GET"}, "Access-Control-Request-Headers": {"user-agent"}}), "HEADERS_NOT_GRANTED"},
		}},
		{"header fields of a page, on two lines", page, "/files/a", "GET", "Accept: text/html\nAccept: text/plain", "", []curled{
			{"GET", "/files/a", "", with(fromPage, http.Header{"Accept": {"text/html, text/plain"}}), "ORIGIN_ALLOWED"},
		}},
		{"header fields of all kinds", "", listRPC, "POST", "content-type: text/plain\nX-Empty:\nX-Quoted: it's \"so\" $HOME `id` \\\nX-Two: 2\nX-Two: 1\nAccept: text/html\nUser-Agent: mine/1", "", []curled{
			{"POST", listRPC, "{}", http.Header{
				"Content-Type": {"text/plain"}, "X-Empty": {""}, "X-Quoted": {"it's \"so\" $HOME `id` \\"}, "X-Two": {"2", "1"}, "Accept": {"text/html"}, "User-Agent": {"mine/1"},
			}, "NO_ORIGIN"},
		}},
	} {
		form := url.Values{"origin": {strings.ReplaceAll(c.origin, "SERVER", server.URL)}, "server": {server.URL}, "target": {c.target}, "method": {c.method}, "headers": {c.headers}, "credentials": {c.credentials}}
		tried := inspectJSON(t, h, form).Trial
		if len(tried.Outcomes) == 0 || len(tried.Outcomes[0].Exchanges) != len(c.want) {
			t.Errorf("%s: want %d exchanges: %+v", c.name, len(c.want), tried)
			continue
		}
		for i, e := range tried.Outcomes[0].Exchanges {
			if last := e.Steps[len(e.Steps)-1]; last.Code != "OUTCOME" || !strings.HasPrefix(last.Found, string(c.want[i].reason)+": ") {
				t.Errorf("%s: the last step of the form is %s, want %s", c.name, last.Found, c.want[i].reason)
			}
			want := c.want[i]
			if want.header = maps.Clone(want.header); want.header.Get("Origin") == "SERVER" {
				want.header.Set("Origin", server.URL)
			}
			runCurl(t, e.Curl)
			select {
			case got := <-arrived:
				got.dropDefaults(want.header)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %s\nsends %+v\nwant  %+v", c.name, e.Curl, got, want)
				}
			default:
				t.Errorf("%s: no request arrived from %s", c.name, e.Curl)
			}
			if len(arrived) > 0 {
				t.Fatalf("%s: more than one request arrived from %s", c.name, e.Curl)
			}
		}
	}
}

// runCurl runs a command in a shell, without curl's configuration files.
func runCurl(t *testing.T, command string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-c", "exec "+command) // with exec, the context ends curl itself
	shell.Env = append(os.Environ(), "HOME="+t.TempDir(), "CURL_HOME=", "XDG_CONFIG_HOME=", "NO_PROXY=*", "no_proxy=*")
	if out, err := shell.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", command, err, out)
	} else if !strings.Contains(string(out), "HTTP/1.1 200 OK") {
		t.Errorf("%s: curl printed no response: %s", command, out)
	}
}

// dropDefaults removes the header fields that curl adds by default, unless they are wanted.
func (c *curled) dropDefaults(want http.Header) {
	c.header.Del("Content-Length") // the test compares the body itself
	if c.header.Get("Accept") == "*/*" {
		c.header.Del("Accept")
	}
	if strings.HasPrefix(c.header.Get("User-Agent"), "curl/") && want["User-Agent"] == nil {
		c.header.Del("User-Agent")
	}
}
