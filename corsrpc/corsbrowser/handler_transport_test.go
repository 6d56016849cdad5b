package corsbrowser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestRealServer: a response streams over a network.
func TestRealServer(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "http://localhost:3000")
		io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		select {
		case <-next:
			io.WriteString(w, "second")
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	checkStreams(t, newBrowser(t, "http://localhost:3000"), s.URL, next)
}

// TestHandlerStreams: a response streams from a handler without a network.
func TestHandlerStreams(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", page)
		io.WriteString(w, "first")
		select {
		case <-next:
			io.WriteString(w, "second")
		case <-r.Context().Done():
		}
	})
	checkStreams(t, newBrowser(t, page, WithHandler(handler)), server, next)
}

// checkStreams fails the test unless the client can read "first" before the server
// sends "second".
func checkStreams(t *testing.T, b *Browser, url string, next chan<- struct{}) {
	t.Helper()
	response, err := b.Client().Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	first := make([]byte, 5)
	if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != "first" {
		t.Fatalf("%q %v", first, err)
	}
	next <- struct{}{}
	if rest, err := io.ReadAll(response.Body); err != nil || string(rest) != "second" {
		t.Errorf("%q %v", rest, err)
	}
}

// TestHandlerTransport: handlerTransport behaves as net/http does, to the handler and
// to the client.
func TestHandlerTransport(t *testing.T) {
	t.Parallel()
	get := func(ctx context.Context, handler http.HandlerFunc, method string, body io.Reader) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, method, "https://api.example.com/a%2Fb?q=1", body)
		if err != nil {
			t.Fatal(err)
		}
		return handlerTransport{handler}.RoundTrip(r)
	}
	t.Run("the request", func(t *testing.T) {
		response, err := get(t.Context(), func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprint(w, r.Method, " ", r.Host, " ", r.RequestURI, " ", r.URL.Path, " ", r.URL.RawPath, " ", r.TLS != nil, " ", string(body))
		}, "POST", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(response.Body); string(got) != "POST api.example.com /a%2Fb?q=1 /a/b /a%2Fb true x" {
			t.Errorf("%s", got)
		}
	})
	t.Run("a panic", func(t *testing.T) {
		if _, err := get(t.Context(), func(http.ResponseWriter, *http.Request) { panic("oops") }, "GET", nil); err == nil || !strings.Contains(err.Error(), "oops") {
			t.Error(err)
		}
		response, err := get(t.Context(), func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "half"); panic("oops") }, "GET", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(response.Body); string(got) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q %v", got, err)
		}
	})
	t.Run("HEAD has no body", func(t *testing.T) {
		response, err := get(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "4")
			io.WriteString(w, "body")
		}, "HEAD", nil)
		if err != nil || response.ContentLength != 4 {
			t.Fatal(err, response)
		}
		if got, err := io.ReadAll(response.Body); len(got) != 0 || err != nil {
			t.Errorf("%q %v", got, err)
		}
	})
	t.Run("headers are final at the commit", func(t *testing.T) {
		response, err := get(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Set("X-A", "1")
			w.Header()[http.TrailerPrefix+"X-T"] = []string{"1"}
			w.(http.Flusher).Flush()
			w.Header().Set("X-B", "1")
			w.WriteHeader(500)
			if _, err := w.Write(nil); err != nil {
				t.Error(err)
			}
		}, "GET", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(response.Body)
		if response.StatusCode != 200 || response.Header.Get("X-A") != "1" || len(response.Header) != 1 {
			t.Errorf("%d %v", response.StatusCode, response.Header)
		}
	})
	t.Run("header names in any letter case, and invalid ones", func(t *testing.T) {
		response, err := get(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["x-a"], w.Header()["X-A"], w.Header()["X B"], w.Header()["X-C"] = []string{"1"}, []string{"2"}, []string{"3"}, nil
			w.WriteHeader(http.StatusNoContent)
		}, "GET", nil)
		if err != nil || len(response.Header) != 1 || len(response.Header["X-A"]) != 2 {
			t.Errorf("%v %v", response.Header, err)
		}
	})
	t.Run("the script cancels", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		response, err := get(ctx, func(w http.ResponseWriter, r *http.Request) {
			defer close(ended)
			io.WriteString(w, "x")
			<-r.Context().Done()
		}, "GET", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(response.Body, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		cancel()
		<-ended
		if _, err := io.ReadAll(response.Body); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if _, err := get(ctx, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "GET", nil); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("a closed body ends the handler", func(t *testing.T) {
		ended := make(chan struct{})
		response, err := get(t.Context(), func(w http.ResponseWriter, r *http.Request) {
			defer close(ended)
			io.WriteString(w, "x")
			<-r.Context().Done()
		}, "GET", nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		<-ended
	})
	t.Run("a request body that the handler does not read is closed", func(t *testing.T) {
		body, upload := io.Pipe()
		response, err := get(t.Context(), func(http.ResponseWriter, *http.Request) {}, "POST", body)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if _, err := upload.Write([]byte("x")); err == nil {
			t.Error("the body can still be written after the handler returned")
		}
	})
	t.Run("a status without a body", func(t *testing.T) {
		_, err := get(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			if _, err := io.WriteString(w, "x"); !errors.Is(err, http.ErrBodyNotAllowed) {
				t.Error(err)
			}
		}, "GET", nil)
		if err != nil {
			t.Error(err)
		}
	})
}

// refusing is a handler that tells why it refuses requests.
type refusing struct{ http.Handler }

func (refusing) Refusal(r *http.Request) string {
	if n, _ := io.Copy(io.Discard, r.Body); n > 0 {
		return "the body was read"
	}
	if r.Host == "" || r.RequestURI == "" {
		return "the request is not as it arrives"
	}
	return r.Method + " " + r.Header.Get("Origin")
}

// TestRefusal: the exchanges have the refusal that the handler itself tells, and the handler still gets the body.
func TestRefusal(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "*")
		if body, _ := io.ReadAll(r.Body); r.Method == http.MethodPost && string(body) != "{}" {
			t.Errorf("the handler got the body %q", body)
		}
	})
	for name, test := range map[string]struct {
		handler http.Handler
		want    []string
	}{
		"the handler":    {refusing{handler}, []string{"OPTIONS https://app.example.com", "POST https://app.example.com"}},
		"another around": {http.HandlerFunc(refusing{handler}.ServeHTTP), []string{"", ""}},
	} {
		b, err := New("https://app.example.com", WithHandler(test.handler))
		if err != nil {
			t.Fatal(err)
		}
		if err := Connect("https://api.example.com/acme.v1.Greeter/Greet")(t.Context(), b.Client()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range b.Log() {
			got = append(got, e.Refusal)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: the refusals are %q, want %q", name, got, test.want)
		}
	}
}
