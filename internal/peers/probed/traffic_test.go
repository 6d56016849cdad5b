package probed

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// traffic is what a server got.
type traffic struct {
	mu                      sync.Mutex
	preflights, gets, calls int
	// unexpected are the requests that a probe without --send must not send.
	unexpected     []string
	inFlight, most int
	// last completes the counts, of requests that only a log of the server has; nil: they are complete.
	last func()
}

// later has the counts completed by a function when they are checked.
func (tr *traffic) later(complete func()) { tr.last = complete }

// count counts a request.
func (tr *traffic) count(r *http.Request) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	switch {
	case r.Method == http.MethodOptions && len(r.Header["Origin"]) == 1 && len(r.Header["Access-Control-Request-Method"]) == 1 && r.ContentLength == 0:
		tr.preflights++
	case r.Method == http.MethodGet && r.ContentLength == 0 && len(unsafeNames(r.Header)) == 0:
		tr.gets++
	default:
		tr.calls++
		tr.unexpected = append(tr.unexpected, fmt.Sprintf("%s %s with %q", r.Method, r.URL, unsafeNames(r.Header)))
	}
}

// unsafeNames returns the names of the fields that make a preflight necessary. It is stricter than
// browsers are: Accept-Language for example is not on its list, since a probe does not need it.
func unsafeNames(header http.Header) (names []string) {
	for name := range header {
		if !slices.Contains([]string{"Accept", "Accept-Encoding", "Connection", "Cookie", "Origin", "Referer", "User-Agent"}, name) && !strings.HasPrefix(name, "Sec-Fetch-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// watch counts the requests to a handler, and how many are in it at once.
func (tr *traffic) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tr.count(r)
		tr.enter(1)
		defer tr.enter(-1)
		next.ServeHTTP(w, r)
	})
}

func (tr *traffic) enter(n int) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.inFlight += n
	tr.most = max(tr.most, tr.inFlight)
}

// problems returns what is wrong. The server has to get at most as many requests as were announced, and
// one at a time. It has to get as many as the probe says that it sent; a negative number means that the
// probe does not say it. It may get calls only if they are allowed.
func (tr *traffic) problems(announced, sent int, callsAllowed bool) (all []string) {
	if tr.last != nil {
		tr.last()
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	got := tr.preflights + tr.gets + tr.calls
	if got > announced {
		all = append(all, fmt.Sprintf("the server got %d requests, more than the %d announced", got, announced))
	}
	if sent >= 0 && got != sent {
		all = append(all, fmt.Sprintf("the server got %d requests, and the probe says that it sent %d", got, sent))
	}
	if !callsAllowed && tr.calls > 0 {
		all = append(all, "without --send, the server got calls: "+strings.Join(tr.unexpected, ", "))
	}
	if tr.most > 1 {
		all = append(all, fmt.Sprintf("%d requests were in the server at once", tr.most))
	}
	return all
}

// TestTraffic: the counts can fail.
func TestTraffic(t *testing.T) {
	for _, c := range []struct {
		name, method     string
		fields           []string
		preflights, gets int
	}{
		{"a preflight", "OPTIONS", []string{"Origin", "null", "Access-Control-Request-Method", "POST"}, 1, 0},
		{"OPTIONS without a method", "OPTIONS", []string{"Origin", "null"}, 0, 0},
		{"a GET", "GET", []string{"Origin", "null", "Sec-Fetch-Mode", "cors"}, 0, 1},
		{"a GET with a token", "GET", []string{"Authorization", "Bearer x"}, 0, 0},
		{"a POST", "POST", nil, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tr traffic
			r, err := http.NewRequestWithContext(t.Context(), c.method, "http://api.example.com/", nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(c.fields); i += 2 {
				r.Header.Add(c.fields[i], c.fields[i+1])
			}
			tr.count(r)
			if tr.preflights != c.preflights || tr.gets != c.gets || tr.calls != 1-c.preflights-c.gets {
				t.Errorf("%d preflights, %d GETs, %d calls", tr.preflights, tr.gets, tr.calls)
			}
		})
	}
	var tr traffic
	inside := tr.watch(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	outside := tr.watch(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inside.ServeHTTP(w, r) }))
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://api.example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	outside.ServeHTTP(nil, r)
	if tr.most != 2 {
		t.Errorf("two requests at once are counted as %d", tr.most)
	}
	for _, c := range []struct {
		announced, sent int
		callsAllowed    bool
		problems        int
	}{{2, 2, false, 1}, {1, 2, false, 2}, {2, 1, false, 2}, {1, 1, false, 3}} {
		if got := tr.problems(c.announced, c.sent, c.callsAllowed); len(got) != c.problems {
			t.Errorf("two GETs at once, %d announced, %d sent: %q", c.announced, c.sent, got)
		}
	}
	call := traffic{calls: 1}
	if refused, allowed := call.problems(1, 1, false), call.problems(1, 1, true); len(refused) != 1 || len(allowed) != 0 {
		t.Errorf("a call: %q without --send, %q with it", refused, allowed)
	}
}

// counter counts executed procedures. A nil counter does not count.
type counter struct{ n atomic.Int64 }

func (c *counter) add() {
	if c != nil {
		c.n.Add(1)
	}
}
