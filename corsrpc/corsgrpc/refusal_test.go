package corsgrpc_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsgrpc"
)

func itoa(i int) string { return strconv.Itoa(i) }

func httptestRequest(method, contentType, body string) (*http.Request, *httptest.ResponseRecorder) {
	r := httptest.NewRequest(method, "/test.v1.TestService/Greet", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r, httptest.NewRecorder()
}

// TestOtherRequestsAreRefused: requests that a page can send without a preflight, such
// as forms, do not reach the gRPC handler.
func TestOtherRequestsAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		method, contentType string
		status              int
	}{
		{"POST", "application/x-www-form-urlencoded", 415},
		{"POST", "application/x-www-form-urlencoded;charset=utf-8", 415},
		{"POST", "multipart/form-data; boundary=x", 415},
		{"POST", "text/plain", 415},
		{"POST", "text/plain;application/grpc-web", 415},
		{"POST", "", 415},
		{"POST", "application/json", 415},
		{"POST", "application/proto", 415},
		{"POST", "application/connect+proto", 415},
		{"POST", "application/grpcx", 415},
		{"POST", "application/grpc-webx", 415},
		{"POST", "application/grpc-web-textx", 415},
		{"POST", "application/grpc-web+", 415},
		{"POST", "application/grpc-web+a b", 415},
		{"POST", "application/grpc-web-text+", 415},
		{"POST", "application/grpc-web, text/plain", 415},
		{"POST", "text/plain, application/grpc-web", 415},
		{"GET", "application/grpc-web", 405},
		{"PUT", "application/grpc-web-text", 405},
		{"OPTIONS", "", 405},
		{"GET", "", 405},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.contentType, func(t *testing.T) {
			t.Parallel()
			r, w := httptestRequest(test.method, test.contentType, "AAAAAAA=")
			ran := false
			corsgrpc.Text(corsgrpc.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true }))).ServeHTTP(w, r)
			if ran || w.Code != test.status {
				t.Errorf("%d, the handler ran: %t; want %d", w.Code, ran, test.status)
			}
			if name := map[int]string{415: "Accept-Post", 405: "Allow"}[test.status]; w.Header().Get(name) == "" {
				t.Errorf("the response has no %s: %v", name, w.Header())
			}
		})
	}
	r, w := httptestRequest("POST", "application/grpc-web", "")
	r.Header.Add("Content-Type", "text/plain")
	corsgrpc.Text(corsgrpc.Handler(http.NotFoundHandler())).ServeHTTP(w, r)
	if w.Code != 415 {
		t.Errorf("two Content-Types: %d", w.Code)
	}
}

// TestTextPassesOthersOn: Text passes requests that are not in text mode to its
// handler unchanged.
func TestTextPassesOthersOn(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"application/x-www-form-urlencoded", "text/plain", "application/grpc-web", "application/json", "application/grpc-web-textual", "", "GET application/grpc-web-text"} {
		method := "POST"
		if get, ok := strings.CutPrefix(contentType, "GET "); ok {
			method, contentType = "GET", get
		}
		r, w := httptestRequest(method, contentType, "AAAA")
		same := false
		corsgrpc.Text(http.HandlerFunc(func(gotW http.ResponseWriter, gotR *http.Request) {
			same = gotW == http.ResponseWriter(w) && gotR == r
		})).ServeHTTP(w, r)
		if !same {
			t.Errorf("%q: the handler got another request or writer", contentType)
		}
	}
}

// TestMetadataInTheQuery: metadata that grpc-web puts into a query parameter instead
// of headers does not reach the handler, neither as metadata nor as a query.
func TestMetadataInTheQuery(t *testing.T) {
	t.Parallel()
	const smuggled = "?%24httpHeaders=authorization%3ABearer%20x%0D%0A"
	url, client := wires[0].start(t, webHandler(newService()))
	for _, m := range modes {
		r := m.request(t, url, "Metadata"+smuggled, frame(t, "authorization"))
		if got := send(t, client, r); len(got.messages) != 1 || got.messages[0] != `""` {
			t.Errorf("%s: %+v", m.name, got)
		}
		r = m.request(t, url, "Metadata", frame(t, "authorization"))
		r.Header.Set("Authorization", "Bearer y")
		if got := send(t, client, r); len(got.messages) != 1 || got.messages[0] != `"Bearer y"` {
			t.Errorf("%s: a header did not become metadata: %+v", m.name, got)
		}
		var query string
		seen := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { query = r.URL.RawQuery + "#" })
		handlers := []http.Handler{corsgrpc.Text(corsgrpc.Handler(seen))}
		if m.text {
			handlers = append(handlers, corsgrpc.Text(seen))
		} else {
			handlers = append(handlers, corsgrpc.Handler(seen))
		}
		for _, h := range handlers {
			r, w := httptestRequest("POST", m.contentType, "")
			r.URL.RawQuery = strings.TrimPrefix(smuggled, "?")
			query = ""
			h.ServeHTTP(w, r)
			if query != "#" {
				t.Errorf("%s: the handler saw the query %q", m.name, query)
			}
		}
	}
}

// TestMediaTypes: the Content-Types that are accepted, and those that the handler and
// the client get.
func TestMediaTypes(t *testing.T) {
	t.Parallel()
	tests := []struct{ sent, handler, answer, got string }{
		{"application/grpc-web", "application/grpc", "application/grpc", "application/grpc-web"},
		{"application/grpc-web+proto", "application/grpc+proto", "application/grpc+proto", "application/grpc-web+proto"},
		{"application/grpc-web+json", "application/grpc+json", "application/grpc+json", "application/grpc-web+json"},
		{"Application/GRPC-Web+Proto", "application/grpc+proto", "application/grpc+proto", "application/grpc-web+proto"},
		{"application/grpc-web; charset=utf-8", "application/grpc", "application/grpc", "application/grpc-web"},
		{"application/grpc-web-text", "application/grpc", "application/grpc", "application/grpc-web-text"},
		{"application/grpc-web-text+proto", "application/grpc+proto", "application/grpc+proto", "application/grpc-web-text+proto"},
		{"application/grpc-web-text+proto", "application/grpc+proto", "text/plain", "text/plain"},
		{"application/grpc-web-text+proto", "application/grpc+proto", "application/json", "application/json"},
	}
	for _, test := range tests {
		r, w := httptestRequest("POST", test.sent, "")
		r.Header.Set("Content-Length", "0")
		r.Header.Set("Connection", "close, X-Hop")
		hops := []string{"X-Hop", "Upgrade", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding"}
		for _, name := range hops {
			r.Header.Set(name, "1")
		}
		hops = append(hops, "Connection")
		corsgrpc.Text(corsgrpc.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("Content-Type"); got != test.handler {
				t.Errorf("%s: the handler saw %s, want %s", test.sent, got, test.handler)
			}
			if strings.HasPrefix(test.sent, "application/grpc-web-text") && (r.ContentLength != -1 || r.Header.Get("Content-Length") != "") {
				t.Errorf("%s: the handler saw a length of text, %d", test.sent, r.ContentLength)
			}
			if r.ProtoMajor != 2 || r.Proto != "HTTP/2.0" || r.Header.Get("Te") != "trailers" ||
				slices.ContainsFunc(hops, func(name string) bool { return r.Header[name] != nil }) {
				t.Errorf("%s: the handler saw %s with %v", test.sent, r.Proto, r.Header)
			}
			w.Header().Set("Content-Type", test.answer)
			w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
			_, _ = w.Write(nil)
		}))).ServeHTTP(w, r)
		if got := w.Header().Get("Content-Type"); got != test.got {
			t.Errorf("%s: answered with %s, want %s", test.sent, got, test.got)
		}
		body, _ := io.ReadAll(w.Body)
		if isWeb := strings.HasPrefix(test.got, "application/grpc-web"); isWeb != (len(body) > 0) {
			t.Errorf("%s, answered with %s: body %q", test.sent, test.got, body)
		}
	}
}
