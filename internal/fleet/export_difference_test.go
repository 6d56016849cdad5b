package fleet_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// jar returns a jar with a cookie of the server, or an empty one.
func jar(cookie bool) http.CookieJar {
	j, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // New never fails
	}
	if cookie {
		j.SetCookies(&url.URL{Scheme: "http", Host: "api.example.com", Path: "/"}, []*http.Cookie{{Name: "session", Value: "1"}})
		j.SetCookies(&url.URL{Scheme: "https", Host: "api.example.com", Path: "/"}, []*http.Cookie{{Name: "session", Value: "1"}})
	}
	return j
}

// exportedPolicy is a policy, its layer and its export.
type exportedPolicy struct {
	layer  *corsrpc.Layer
	export *export.Export
}

// drawExports draws policies and exports them.
func drawExports(t *testing.T, target export.Target, first, n int) []exportedPolicy {
	t.Helper()
	all := make([]exportedPolicy, n)
	layers := rapid.Custom(drawLayer)
	for i := range all {
		layer := layers.Example(first + i)
		m, err := export.New(planaccess.Rules(layer.Plan()), export.Options{OwnOrigins: []string{ownOrigin}})
		if err != nil {
			t.Fatal(err)
		}
		x, err := export.Write(target, m)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = exportedPolicy{layer, x}
	}
	return all
}

// loses reports whether the export reports a loss.
func (p exportedPolicy) loses(name export.LossName) bool {
	return slices.ContainsFunc(p.export.Losses, func(l export.Loss) bool { return l.Name == name })
}

// compare makes calls through a program with an export, and through Wrap, and counts what they are.
func (p exportedPolicy) compare(t failer, s *server, transport http.RoundTripper, r *rand.Rand, calls int, counts map[string]int) {
	t.Helper()
	wrap := throughHandler{p.layer.Wrap(s)}
	for range calls {
		c := drawCall(r)
		answer := drawAnswer(r)
		s.set(answer)
		there, here := c.make(t, s, transport), c.make(t, s, wrap)
		wider := p.wider(c, answer)
		for class, is := range map[string]bool{
			"readable in both": there.readable && here.readable, "readable with Wrap only": !there.readable && here.readable, "refused in both": there.hits == 0 && here.hits == 0,
			"refused there only": there.hits == 0 && here.hits > 0, "passed in both": there.hits > 0 && here.hits > 0, "a program passed": c.page == "program" && there.hits > 0,
			"refused there only: " + string(p.strict(c)): there.hits < here.hits, "readable there only, " + string(wider): there.readable && !here.readable, "own page read": c.page == ownOrigin && there.readable, "granted preflight": there.granted, "native gRPC passed": c.header.Get("Content-Type") == "application/grpc" && there.hits > 0,
		} {
			if is {
				counts[class]++
			}
		}
		switch {
		case there.readable && wider != "":
		case there.readable && !here.readable:
			t.Errorf("a page reads what Wrap withholds: %s\nthere %+v\nwith Wrap %+v\n%s", c, there, here, p.layer.Plan().Policy())
		case there.readable && (there.status != here.status || there.body != here.body):
			t.Errorf("a page reads another response than with Wrap: %s\nthere %+v\nwith Wrap %+v\n%s", c, there, here, p.layer.Plan().Policy())
		case there.timing && !here.timing:
			t.Errorf("a page sees timing that Wrap withholds: %s\n%s", c, p.layer.Plan().Policy())
		case there.hits > here.hits && wider == "" && !p.losesFor(export.LossRefusal, p.target(c)):
			t.Errorf("a request reaches the server, and not with Wrap: %s\nthere %+v\nwith Wrap %+v\n%s", c, there, here, p.layer.Plan().Policy())
		case there.origins > 1 && !p.loses(export.LossServerFields):
			t.Errorf("a response has %d lines of Access-Control-Allow-Origin: %s\n%s", there.origins, c, p.layer.Plan().Policy())
		case there.hits < here.hits && p.strict(c) == "":
			t.Errorf("a request does not reach the server, and no loss says why: %s\nthere %+v\nwith Wrap %+v\n%s", c, there, here, p.layer.Plan().Policy())
		case c.page == "program" && there.hits != 1:
			t.Errorf("a program's call does not reach the server: %s", c)
		}
		if there.readable && wider == "" && c.page != ownOrigin { // which reads all headers
			for name := range there.header {
				if here.header[name] == nil && !slices.Contains(byProgram, name) {
					t.Errorf("a page reads the header %s, which Wrap withholds: %s\n%s", name, c, p.layer.Plan().Policy())
				}
			}
		}
	}
}

// losesFor reports whether the export reports a loss for a target, or for all if the policy has no such target.
func (p exportedPolicy) losesFor(name export.LossName, target string) bool {
	return slices.ContainsFunc(p.export.Losses, func(l export.Loss) bool {
		return l.Name == name && (len(l.Targets) == 0 || target == "" && name == export.LossRefusal || slices.Contains(l.Targets, target))
	})
}

// decide returns what the layer's plan decides about a request of a page.
func (p exportedPolicy) decide(method, path, page string) corsrpc.Decision {
	path, _, _ = strings.Cut(path, "?")
	decoded, err := url.PathUnescape(path)
	if err != nil {
		decoded = path
	}
	return p.layer.Plan().Decide(corsrpc.Request{Method: method, Host: "api.example.com", Path: decoded, EscapedPath: path, Header: http.Header{"Origin": {page}}})
}

// target returns the name of the procedure or the pattern that a call is for; "" if the policy has no such target.
func (p exportedPolicy) target(c pageCall) string {
	d := p.decide(c.method, c.path, c.page)
	name, known := d.Procedure()
	if !known {
		name = ""
	}
	return name + d.PathPattern()
}

// wider returns the loss for which a page may read more of a call than with Wrap; "" if there is none.
func (p exportedPolicy) wider(c pageCall, answer http.Header) export.LossName {
	target := p.target(c)
	switch {
	case p.losesFor(export.LossServerFields, target) && slices.ContainsFunc(sortedNames(answer), func(name string) bool { return strings.HasPrefix(name, "Access-Control-") }):
		return export.LossServerFields
	case c.page == oddPage && p.losesFor(export.LossWildcards, target):
		return export.LossWildcards
	case c.page == oddPage && slices.Contains([]corsrpc.Outcome{corsrpc.OutcomeGrant, corsrpc.OutcomeMethodNotAllowed}, p.decide(c.method, c.path, "https://anybody.example").Outcome()):
		return "none, since every origin is allowed"
	}
	return ""
}

// strict returns the loss for which a call that Wrap passes may not reach the server; "" if there is none.
func (p exportedPolicy) strict(c pageCall) export.LossName {
	d, target := p.decide(c.method, c.path, c.page), p.target(c)
	switch {
	case p.losesFor(export.LossPathPattern, target):
		return export.LossPathPattern
	case p.losesFor(export.LossOrigins, target):
		return export.LossOrigins
	case p.loses(export.LossObserve):
		return export.LossObserve
	case d.Reason() == corsrpc.ReasonNotGoverned, slices.Contains(otherSpellings, c.path):
		return export.LossOtherPaths
	case len(c.header) > 0 && p.loses(export.LossHeaderPatterns):
		return export.LossHeaderPatterns
	}
	return ""
}

// byProgram are headers that the programs add and that each page may read.
var byProgram = []string{"Content-Length"}

// sharedCache is a cache in front of a program. It serves each stored GET for ever, as far as Vary allows.
type sharedCache struct {
	next http.RoundTripper

	mu     sync.Mutex
	stored map[string][]storedResponse // by URL
	served int
}

type storedResponse struct {
	request  http.Header
	response http.Response
	body     []byte
}

// RoundTrip serves a stored response, or asks the program.
func (c *sharedCache) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Method != http.MethodGet {
		return c.next.RoundTrip(r)
	}
	for _, s := range c.stored[r.URL.String()] {
		if s.serves(r.Header) {
			c.served++
			response := s.response
			response.Header, response.Body = response.Header.Clone(), io.NopCloser(bytes.NewReader(s.body))
			return &response, nil
		}
	}
	response, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	if response.StatusCode == http.StatusOK {
		c.stored[r.URL.String()] = append(c.stored[r.URL.String()], storedResponse{r.Header.Clone(), *response, body})
		c.stored[r.URL.String()][len(c.stored[r.URL.String()])-1].response.Header = response.Header.Clone()
	}
	return response, err
}

// serves reports whether Vary allows to serve the response to a request.
func (s storedResponse) serves(request http.Header) bool {
	for _, line := range s.response.Header["Vary"] {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.TrimSpace(name)
			if name == "*" || !slices.Equal(request.Values(name), s.request.Values(name)) {
				return false
			}
		}
	}
	return true
}

// compareCached makes GETs of several pages through a cache in front of the program. Each page reads the response
// that is for it, or none, and no page reads more than without the cache.
func (p exportedPolicy) compareCached(t failer, s *server, transport http.RoundTripper, r *rand.Rand, counts map[string]int) {
	t.Helper()
	cache := &sharedCache{next: transport, stored: map[string][]storedResponse{}}
	header := drawAnswer(r)
	delete(header, "Grpc-Status")
	s.set(header)
	path := exportPaths[r.IntN(len(exportPaths))]
	for range 8 {
		c := drawCall(r)
		if c.raw {
			continue
		}
		c.path, c.method, c.init.Mode, c.header = path, http.MethodGet, "", http.Header{}
		cached, direct := c.make(t, s, cache), c.make(t, s, transport)
		if cached.readable && (!direct.readable || cached.body != direct.body || cached.status != direct.status) {
			t.Errorf("a page reads %+v from the cache, and %+v without: %s\n%s", cached, direct, c, p.layer.Plan().Policy())
		}
		if cached.readable && cached.hits == 0 {
			counts["read from the cache"]++
		}
	}
}

// checkClasses fails for a class of calls that was rare.
func checkClasses(t *testing.T, counts map[string]int, classes ...string) {
	t.Helper()
	checkClassesOf(t, counts, 50, classes...)
}

// checkClassesOf fails for a class of which there were less than some calls.
func checkClassesOf(t *testing.T, counts map[string]int, least int, classes ...string) {
	t.Helper()
	t.Log(counts)
	for _, class := range classes {
		if counts[class] < least {
			t.Errorf("%d calls are of the class %q", counts[class], class)
		}
	}
}
