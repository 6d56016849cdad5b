package corsbrowser

import (
	"context"
	"io"
	"net/http"
	"net/url"
)

// Mode is a request's mode (https://fetch.spec.whatwg.org/#concept-request-mode).
type Mode string

// The modes that a script can choose.
const (
	CORS           Mode = "cors" // the default
	NoCORS         Mode = "no-cors"
	SameOriginOnly Mode = "same-origin"
)

// Credentials is a request's credentials mode
// (https://fetch.spec.whatwg.org/#concept-request-credentials-mode).
type Credentials string

// The credentials modes.
const (
	Omit       Credentials = "omit"
	SameOrigin Credentials = "same-origin" // the default
	Include    Credentials = "include"
)

// Redirect is a request's redirect mode
// (https://fetch.spec.whatwg.org/#concept-request-redirect-mode).
type Redirect string

// The redirect modes.
const (
	RedirectFollow Redirect = "follow" // the default
	RedirectError  Redirect = "error"
	RedirectManual Redirect = "manual"
)

// Init is what a script says of one fetch beyond what an http.Request holds.
// Fields that are empty are the browser's.
type Init struct {
	// The three modes of https://fetch.spec.whatwg.org/#requestinit.
	Mode        Mode
	Credentials Credentials
	Redirect    Redirect
	// ForcePreflight is what an upload listener of XMLHttpRequest sets, or a
	// stream as the body.
	ForcePreflight bool
	// ScriptSets names headers that the script set itself, although a Go client
	// sets them unasked: User-Agent.
	ScriptSets []string
}

type initKey struct{}

// WithInit returns a context whose requests are fetched so.
func WithInit(ctx context.Context, init Init) context.Context {
	return context.WithValue(ctx, initKey{}, init)
}

// tainting is https://fetch.spec.whatwg.org/#concept-request-response-tainting.
type tainting int

const (
	basic tainting = iota
	cors
	opaqueTainting
)

// request is https://fetch.spec.whatwg.org/#concept-request, as far as a
// script's fetch needs it.
type request struct {
	ctx           context.Context
	method        string
	urlList       []*url.URL
	header        http.Header
	body          io.ReadCloser
	contentLength int64
	getBody       func() (io.ReadCloser, error) // nil where the body is a stream

	origin           origin
	embedder         origin // of the page around a frame of an opaque origin
	mode             Mode
	credentials      Credentials
	redirect         Redirect
	useCORSPreflight bool
	tainting         tainting
	redirects        int
	isPreflight      bool
	firstHeader      http.Header // before any redirect
	exchange         *Exchange   // the last one
	sentOrigin       bool        // one of the requests had an Origin header
	preflighted      bool        // one of the requests needed a preflight
	asFirst          bool        // the origin is the page's, whatever redirects there were
}

func (r *request) currentURL() *url.URL { return r.urlList[len(r.urlList)-1] }

// redirectTaint is https://fetch.spec.whatwg.org/#concept-request-tainted-origin.
func (r *request) redirectTaint() string {
	taint := "same-origin"
	for i, u := range r.urlList[1:] {
		last, next := originOf(r.urlList[i]), originOf(u)
		if !next.sameSite(last) && !r.origin.sameSite(last) {
			return "cross-site"
		}
		if !next.sameOrigin(last) && !r.origin.sameOrigin(last) {
			taint = "same-site"
		}
	}
	return taint
}

// serializeOrigin is https://fetch.spec.whatwg.org/#serializing-a-request-origin.
func (r *request) serializeOrigin() string {
	if !r.asFirst && r.redirectTaint() != "same-origin" {
		return "null"
	}
	return r.origin.String()
}

// appendOriginHeader is https://fetch.spec.whatwg.org/#append-a-request-origin-header,
// under the default referrer policy.
func (r *request) appendOriginHeader(e Engine, to http.Header) {
	serialized := r.serializeOrigin()
	if r.tainting != cors {
		if (r.method == http.MethodGet || r.method == http.MethodHead) && !(e.keepsOrigin && r.sentOrigin && r.mode == CORS) {
			return
		}
		if r.mode != CORS && r.origin.scheme == "https" && r.currentURL().Scheme != "https" {
			serialized = "null"
		}
	}
	to.Set("Origin", serialized)
	r.sentOrigin = true
}

// appendFetchMetadata is https://w3c.github.io/webappsec-fetch-metadata/#abstract-opdef-append-the-fetch-metadata-headers-for-a-request.
func (r *request) appendFetchMetadata(e Engine, to http.Header) {
	if !originOf(r.currentURL()).isTrustworthy() {
		return
	}
	urls := r.urlList
	if r.isPreflight && e.preflightIsFresh {
		urls = urls[len(urls)-1:]
	}
	site := "same-origin"
	for _, u := range urls {
		switch o := originOf(u); {
		case o.sameOrigin(r.origin):
		case o.sameSite(r.origin):
			if site == "same-origin" {
				site = "same-site"
			}
		default:
			site = "cross-site"
		}
	}
	switch redirected := len(r.urlList) > 1; {
	case redirected && !r.isPreflight && e.silentAfter && r.mode == CORS && r.leftOrigin():
		return
	case redirected && !r.isPreflight && e.farAfter && site != "same-origin",
		redirected && r.isPreflight && e.nullIsFar && r.serializeOrigin() == "null":
		site = "cross-site"
	}
	to.Set("Sec-Fetch-Dest", "empty")
	to.Set("Sec-Fetch-Mode", string(r.mode))
	to.Set("Sec-Fetch-Site", site)
}

// leftOrigin reports whether a redirect led from one origin to another.
func (r *request) leftOrigin() bool {
	for i, u := range r.urlList[1:] {
		if !originOf(u).sameOrigin(originOf(r.urlList[i])) {
			return true
		}
	}
	return false
}

// referrer is what the default policy, strict-origin-when-cross-origin, leaves of
// the page's address (https://w3c.github.io/webappsec-referrer-policy/#determine-requests-referrer).
func (r *request) referrer() string {
	if r.origin == opaque || r.origin.isTrustworthy() && !originOf(r.currentURL()).isTrustworthy() {
		return ""
	}
	return r.origin.String() + "/"
}
