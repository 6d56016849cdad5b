package corsbrowser

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Browser is a browser with one open page. It is an http.RoundTripper that treats
// each request as fetch does in a script of the page, and returns the part of the
// response that the script can read. [New] returns one. It is safe for concurrent
// use.
type Browser struct {
	engine    Engine
	origin    origin
	embedder  origin
	init      Init
	transport http.RoundTripper
	cookies   cookies
	now       func() time.Time
	cache     preflightCache

	mu  sync.Mutex
	log []*Exchange
}

// New opens a page of an origin. The origin is written as browsers serialize it:
// "https://app.example.com", or "null" for an opaque origin
// (https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin).
// New fails if the origin or an option is not valid; the error lists every problem.
func New(pageOrigin string, opts ...Option) (*Browser, error) {
	b := &Browser{engine: Standard, transport: http.DefaultTransport, now: time.Now}
	var problems []error
	var err error
	if b.origin, err = parseOrigin(pageOrigin); err != nil {
		problems = append(problems, fmt.Errorf("corsbrowser: the page's origin: %w", err))
	}
	for i, opt := range opts {
		if opt == nil {
			problems = append(problems, fmt.Errorf("corsbrowser: option %d is nil", i))
			continue
		}
		problems = append(problems, opt.applyToBrowser(b))
	}
	problems = append(problems, b.init.check())
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if b.cookies.jar == nil {
		b.cookies.jar, _ = cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List}) // never fails
	}
	return b, nil
}

// Client returns an HTTP client that makes its requests in the page. The browser
// follows redirects, and the client does not: an http.Client of your own that has
// the Browser as its Transport should likewise return http.ErrUseLastResponse from
// CheckRedirect.
func (b *Browser) Client() *http.Client {
	return &http.Client{Transport: b, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// RoundTrip implements fetch (https://fetch.spec.whatwg.org/#fetch-method). It
// returns the response that the script gets, or a [*BlockedError]. The request's
// context carries the modes; see [WithInit]. RoundTrip returns another error if a
// mode is unknown, or if New did not make the Browser. An opaque response (mode
// no-cors, or redirect mode manual) has the status 0.
func (b *Browser) RoundTrip(in *http.Request) (*http.Response, error) {
	r, err := b.newRequest(in)
	if err != nil { // nothing was sent
		if in.Body != nil {
			_ = in.Body.Close()
		}
		return nil, err
	}
	response, blocked := b.mainFetch(r, false)
	if blocked != nil {
		if in.Body != nil {
			_ = in.Body.Close()
		}
		blocked.Sent = r.exchange != nil
		blocked.ConsoleText = b.consoleText(r, blocked)
		return nil, blocked
	}
	b.logReadable(r, response)
	response.Request = in
	return response, nil
}
