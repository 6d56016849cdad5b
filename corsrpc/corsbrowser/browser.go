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

// Browser is a page in a browser: an http.RoundTripper that treats each request as
// fetch in a script of the page would, and returns the part of the answer that the
// script could read. [New] makes one. It is safe for concurrent use.
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

// New opens a page of an origin, written as browsers write it:
// "https://app.example.com", or "null" for an opaque one
// (https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin).
// The error names every option that cannot be met.
func New(pageOrigin string, opts ...Option) (*Browser, error) {
	b := &Browser{engine: Standard, transport: http.DefaultTransport, now: time.Now}
	var problems []error
	var err error
	if b.origin, err = parseOrigin(pageOrigin); err != nil {
		problems = append(problems, fmt.Errorf("corsbrowser: the page: %w", err))
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

// Client returns a client whose requests the browser makes. Redirects are the
// browser's: a client of your own over the Browser should return
// http.ErrUseLastResponse from CheckRedirect too.
func (b *Browser) Client() *http.Client {
	return &http.Client{Transport: b, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// RoundTrip is fetch (https://fetch.spec.whatwg.org/#fetch-method): it returns
// the response that the script gets, or a [*BlockedError]. The request's context
// gives the modes; see [WithInit]. Another error says that one of them does not
// exist. The status of a response that is opaque (mode no-cors, redirect mode
// manual) is 0.
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
		return nil, blocked
	}
	b.reads(r, response)
	response.Request = in
	return response, nil
}
