//go:build nginx

package export_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/export"
)

// reading of a page is what it gets from a call.
type pageReading struct {
	readable bool // a response that is not opaque
	status   int
	header   http.Header
	body     string
	blocked  *corsbrowser.BlockedError
	reached  int // requests at the server, preflights included
}

// pageCall is a call of a script.
type pageCall struct {
	page, method, url string
	engine            corsbrowser.Engine
	init              corsbrowser.Init
	header            http.Header
}

func (c pageCall) String() string {
	return fmt.Sprintf("%s: %s %s %v %v", c.page, c.method, c.url, c.init, c.header)
}

// drawCall draws a call to a host.
func (d draw) drawCall(x *exported) pageCall {
	c := pageCall{
		page: d.one(append(slices.Clone(origins[:8]), "https://"+x.host)), method: d.one([]string{"POST", "POST", "GET", "GET", "DELETE", "HEAD"}),
		engine: []corsbrowser.Engine{corsbrowser.Standard, corsbrowser.Chromium, corsbrowser.Firefox, corsbrowser.WebKit}[d.IntN(4)],
		init: corsbrowser.Init{
			Mode:        []corsbrowser.Mode{corsbrowser.CORS, corsbrowser.CORS, corsbrowser.CORS, corsbrowser.NoCORS}[d.IntN(4)],
			Credentials: []corsbrowser.Credentials{corsbrowser.Omit, corsbrowser.SameOrigin, corsbrowser.Include}[d.IntN(3)],
		},
		header: http.Header{},
	}
	if c.init.Mode == corsbrowser.NoCORS && c.method == http.MethodDelete {
		c.method = http.MethodPost
	}
	var open, closed []export.Route
	for _, r := range x.model.Routes {
		switch {
		case r.Path != "" && r.Answer != nil:
			open = append(open, r)
		case r.Path != "":
			closed = append(closed, r)
		}
	}
	target := ""
	if len(open) > 0 && d.chance(4) { // few, so that the cache has them
		r := open[d.IntN(min(2, len(open)))]
		target, c.method = r.Path, d.one([]string{"GET", "GET", "GET", "POST"})
		if len(r.Answer.Origins) > 0 && d.chance(7) {
			c.page = d.one(r.Answer.Origins)
		}
	} else if i := slices.IndexFunc(open, grantsPrefix); i >= 0 && d.chance(2) {
		target, c.method, c.page, c.init.Mode = open[i].Path, open[i].Answer.Methods[0], open[i].Answer.Origins[0], corsbrowser.CORS
		c.header.Set("X-Acme-A", "1")
	} else if paths := append(open, closed...); len(paths) > 0 && d.chance(8) {
		target = paths[d.IntN(len(paths))].Path
		if d.chance(1) {
			target += d.one([]string{"/", "?encoding=json", "%20"})
		}
	} else {
		for range 1 + d.IntN(3) {
			target += "/" + d.one([]string{"files", "a", "b", "v1", "7", "items", "Path", "api"})
		}
	}
	c.url = "https://" + x.host + target
	for name, n := range map[string]int{"Content-Type": 5, "Authorization": 2, "X-A": 2, "X-Acme-A": 3} {
		if d.chance(n) {
			c.header.Set(name, map[string]string{"Content-Type": "application/json", "Authorization": "Bearer a", "X-A": "1", "X-Acme-A": "1"}[name])
		}
	}
	return c
}

// grantsPrefix reports whether a route grants headers that a prefix covers, to an origin that is spelled out.
func grantsPrefix(r export.Route) bool {
	granted := r.Answer.Rule.GrantedHeaders()
	return granted.Grants("x-acme-a") && len(r.Answer.Origins) > 0
}

// make makes the call in a browser with a cookie of the server.
func (c pageCall) make(t *testing.T, how corsbrowser.Option, hits func() int64) (got pageReading) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(c.url)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(u, []*http.Cookie{{Name: "session", Value: "1", Secure: true, SameSite: http.SameSiteNoneMode}})
	b, err := corsbrowser.New(c.page, how, corsbrowser.WithEngine(c.engine), corsbrowser.WithDefaults(c.init), corsbrowser.WithCookieJar(jar))
	if err != nil {
		t.Fatal(err)
	}
	r := (&http.Request{Method: c.method, URL: u, Header: c.header.Clone()}).WithContext(t.Context())
	if c.method == http.MethodPost {
		r.Body = io.NopCloser(strings.NewReader("{}"))
	}
	before := hits()
	response, err := b.RoundTrip(r)
	if err == nil {
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Error(err)
		}
		_ = response.Body.Close()
		got = pageReading{readable: response.StatusCode != 0, status: response.StatusCode, header: response.Header, body: string(body)}
	} else if !errors.As(err, &got.blocked) {
		t.Fatalf("%s: %v", c, err)
	}
	got.reached = int(hits() - before)
	return got
}

// TestNginxBrowsers makes calls in pages of all kinds of origins, through nginx, through nginx behind a shared cache, and through Wrap: a page reads
// there only what it reads with Wrap, and no call reaches the server there only.
func TestNginxBrowsers(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	seen := map[string]int{}
	const batch = 40
	for first := 0; first < nginxPolicies; first += batch {
		t.Run(fmt.Sprint(first), func(t *testing.T) {
			s, all := serveMany(t, b, uint64(first), batch)
			client := s.Transport()
			defer client.CloseIdleConnections()
			for i, x := range all {
				d := draw{rand.New(rand.NewPCG(uint64(first), uint64(2000+i)))}
				cache := &sharedCache{next: client}
				for range nginxCalls {
					x.call(t, b, client, cache, d, seen)
				}
				seen["from the cache"] += cache.served
			}
		})
	}
	t.Log(seen)
	for _, class := range []string{"readable in both", "blocked in both", "opaque in both", "stricter: other-paths", "stricter: header-patterns", "from the cache", "readable from the cache"} {
		if seen[class] < nginxPolicies/20 {
			t.Errorf("%d calls are %s", seen[class], class)
		}
	}
}

// call makes a call in all ways.
func (x *exported) call(t *testing.T, b *backend, client, cache http.RoundTripper, d draw, seen map[string]int) {
	t.Helper()
	c := d.drawCall(x)
	own := d.one([]string{"", "*", c.page})
	handler := func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "public, max-age=60")
		h.Set("X-Cost", "1")
		if own != "" {
			h.Set("Access-Control-Allow-Origin", own)
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Set("Access-Control-Expose-Headers", "x-secret, x-cost")
		}
		h.Set("X-Secret", "1")
		_, _ = io.WriteString(w, "for "+r.Header.Get("Origin"))
	}
	b.serve(handler)
	there := c.make(t, corsbrowser.WithTransport(client), b.hits.Load)
	cached := c.make(t, corsbrowser.WithTransport(cache), b.hits.Load)
	var ran int64
	here := c.make(t, corsbrowser.WithHandler(x.layer.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran++
		handler(w, r)
	}))), func() int64 { return ran })

	for how, got := range map[string]pageReading{"nginx": there, "a shared cache": cached} {
		if got.reached > 0 && here.reached == 0 {
			t.Errorf("%s: the call reaches the server only there: %s, %s", how, c, x.plan.Policy())
		}
		if got.readable && !(here.readable && here.status == got.status && (here.body == got.body || c.method == http.MethodHead)) {
			t.Errorf("%s: the page reads %d %q, and with Wrap %v %d %q: %s, %s", how, got.status, got.body, here.readable, here.status, here.body, c, x.plan.Policy())
		}
		for name := range got.header {
			if strings.HasPrefix(name, "X-") && here.header[name] == nil {
				t.Errorf("%s: the page reads %s: %s, %s", how, name, c, x.plan.Policy())
			}
		}
	}
	if cached.readable && cached.reached == 0 {
		seen["readable from the cache"]++
	}
	found := reading{x.model}.route(strings.TrimPrefix(c.url, "https://"+x.host))
	switch {
	case there.readable && here.readable:
		seen["readable in both"]++
	case !there.readable && here.readable && (found == nil || found.Answer == nil):
		seen["stricter: "+string(export.LossOtherPaths)]++
	case !there.readable && here.status == http.StatusMethodNotAllowed:
		seen["stricter: "+string(export.LossReasons)]++
	case !there.readable && here.readable:
		if !slices.ContainsFunc(x.model.Losses, func(l export.Loss) bool {
			return l.Name == export.LossHeaderPatterns && slices.Contains(l.Targets, found.Name)
		}) || c.header.Get("X-Acme-A") == "" {
			t.Errorf("the page reads the answer with Wrap only (%v): %s, %s", there.blocked, c, x.plan.Policy())
		}
		seen["stricter: "+string(export.LossHeaderPatterns)]++
	case there.blocked != nil:
		seen["blocked in both"]++
	default:
		seen["opaque in both"]++
	}
}

// sharedCache is a cache that honours Vary (RFC 9111, section 4.1), and keeps responses without end.
type sharedCache struct {
	next   http.RoundTripper
	mu     sync.Mutex
	stored []storedResponse
	served int
}

// storedResponse is a response in the cache.
type storedResponse struct {
	method, url string
	vary        []string
	request     http.Header
	response    *http.Response
	body        string
}

// RoundTrip serves a response from the cache, or from the next transport.
func (c *sharedCache) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Method != http.MethodGet || r.Header.Get("Authorization") != "" {
		return c.next.RoundTrip(r)
	}
	for _, s := range c.stored {
		if s.method == r.Method && s.url == r.URL.String() && !slices.ContainsFunc(s.vary, func(name string) bool { return r.Header.Get(name) != s.request.Get(name) }) {
			c.served++
			response := *s.response
			response.Body, response.Header = io.NopCloser(strings.NewReader(s.body)), s.response.Header.Clone()
			return &response, nil
		}
	}
	response, err := c.next.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusOK || strings.Contains(response.Header.Get("Cache-Control"), "no-store") {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close()
	s := storedResponse{r.Method, r.URL.String(), nil, r.Header.Clone(), response, string(body)}
	for _, line := range response.Header["Vary"] {
		for name := range strings.SplitSeq(line, ",") {
			s.vary = append(s.vary, strings.TrimSpace(name))
		}
	}
	c.stored = append(c.stored, s)
	out := *response
	out.Body, out.Header = io.NopCloser(strings.NewReader(s.body)), response.Header.Clone()
	return &out, nil
}
