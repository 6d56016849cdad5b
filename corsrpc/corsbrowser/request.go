package corsbrowser

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
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

// Init holds the options of one fetch that an http.Request has no fields for
// (https://fetch.spec.whatwg.org/#requestinit). An empty field takes the value of
// [WithDefaults]. Fields may be added.
type Init struct {
	// The three modes.
	Mode        Mode
	Credentials Credentials
	Redirect    Redirect
	// ForcePreflight makes the browser send a preflight even for a request that
	// needs none. A real browser does so if an XMLHttpRequest has a listener for
	// upload progress, or if the body is a stream.
	ForcePreflight bool
	// ScriptSets lists the header fields that the script itself sets, of those that
	// Go's clients set by themselves: only "User-Agent" has an effect. Without it the
	// browser replaces the client's User-Agent by its own.
	ScriptSets []string
}

// check returns an error if a mode is unknown.
func (i Init) check() error {
	switch i.Mode {
	case "", CORS, NoCORS, SameOriginOnly:
	default:
		return fmt.Errorf("corsbrowser: %q is not a mode: write %s, %s or %s", i.Mode, CORS, NoCORS, SameOriginOnly)
	}
	switch i.Credentials {
	case "", Omit, SameOrigin, Include:
	default:
		return fmt.Errorf("corsbrowser: %q is not a credentials mode: write %s, %s or %s", i.Credentials, Omit, SameOrigin, Include)
	}
	switch i.Redirect {
	case "", RedirectFollow, RedirectError, RedirectManual:
	default:
		return fmt.Errorf("corsbrowser: %q is not a redirect mode: write %s, %s or %s", i.Redirect, RedirectFollow, RedirectError, RedirectManual)
	}
	return nil
}

// or returns i with its empty fields taken from defaults.
func (i Init) or(defaults Init) Init {
	return Init{
		Mode:           cmp.Or(i.Mode, defaults.Mode),
		Credentials:    cmp.Or(i.Credentials, defaults.Credentials),
		Redirect:       cmp.Or(i.Redirect, defaults.Redirect),
		ForcePreflight: i.ForcePreflight || defaults.ForcePreflight,
		ScriptSets:     append(slices.Clip(i.ScriptSets), defaults.ScriptSets...),
	}
}

// standardInit holds the standard's defaults.
var standardInit = Init{Mode: CORS, Credentials: SameOrigin, Redirect: RedirectFollow}

type initKey struct{}

// WithInit returns a context that carries init to a [Browser], for requests with
// this context. A request fails if init has an unknown mode.
func WithInit(ctx context.Context, init Init) context.Context {
	return context.WithValue(ctx, initKey{}, init)
}

// tainting is the response tainting of a request
// (https://fetch.spec.whatwg.org/#concept-request-response-tainting).
type tainting int

const (
	basic tainting = iota
	cors
	opaqueTainting
)

// request is a request (https://fetch.spec.whatwg.org/#concept-request), with the
// fields that a script's fetch needs.
type request struct {
	ctx           context.Context
	method        string
	urlList       []*url.URL
	header        http.Header
	dropped       http.Header // the script's fields that the browser does not send
	body          io.ReadCloser
	contentLength int64
	getBody       func() (io.ReadCloser, error) // nil if the body can be read only once

	origin           origin
	embedder         origin // the origin of the embedding page, if this page is a sandboxed frame
	mode             Mode
	credentials      Credentials
	redirect         Redirect
	useCORSPreflight bool
	tainting         tainting
	redirects        int
	isPreflight      bool
	firstHeader      http.Header       // a copy of header before any redirect
	response         *http.Response    // the last response, also to a preflight; nil if the last request got none
	ungranted        []string          // the header fields that the last preflight does not grant, in lower case, sorted
	spelling         map[string]string // the names of the script's header fields as the script spells them, by the names in lower case
	exchange         *Exchange         // the last exchange, preflights excepted; nil before the first
	sentOrigin       bool              // true if one of the redirected requests had an Origin header
	preflighted      bool              // true if one of the redirected requests needed a preflight
	keepsPageOrigin  bool              // the Origin header is the page's origin even after redirects

	timingAllowFailed bool // the timing allow failed flag: one of the responses did not pass the TAO check
}

// newRequest implements the constructor of a Request
// (https://fetch.spec.whatwg.org/#dom-request).
func (b *Browser) newRequest(in *http.Request) (*request, error) {
	if b.transport == nil {
		return nil, errors.New("corsbrowser: the Browser has no page: make it with New")
	}
	own, _ := in.Context().Value(initKey{}).(Init)
	if err := own.check(); err != nil {
		return nil, err
	}
	init := own.or(b.init).or(standardInit)
	method := fetch.NormalizeMethod(in.Method)
	if in.Method == "" {
		method = http.MethodGet
	}
	if fetch.ForbiddenMethod(method) {
		return nil, &BlockedError{Check: CheckForbiddenMethod, Reason: method + " is a forbidden method"}
	}
	if in.URL.Scheme != "http" && in.URL.Scheme != "https" {
		return nil, &BlockedError{Check: CheckURL, Reason: "the URL is not http or https"}
	}
	if includesCredentials(in.URL) {
		return nil, &BlockedError{Check: CheckURL, Reason: "the URL has a user name, which fetch does not accept"}
	}
	copied := *in.URL
	r := &request{
		ctx: in.Context(), method: method, urlList: []*url.URL{&copied}, header: http.Header{}, dropped: http.Header{},
		body: in.Body, contentLength: in.ContentLength, getBody: in.GetBody,
		origin: b.origin, embedder: b.embedder, mode: init.Mode, credentials: init.Credentials, redirect: init.Redirect,
		useCORSPreflight: init.ForcePreflight, spelling: map[string]string{},
	}
	if in.Body == http.NoBody {
		r.body = nil
	}
	if r.body != nil && (method == http.MethodGet || method == http.MethodHead) {
		return nil, &BlockedError{Check: CheckBody, Reason: "a request with method " + method + " cannot have a body"}
	}
	if r.mode == NoCORS && !fetch.SafelistedMethod(method) {
		return nil, &BlockedError{Check: CheckMode, Reason: "mode no-cors allows only GET, HEAD and POST"}
	}
	for name, values := range in.Header {
		key := http.CanonicalHeaderKey(name)
		r.spelling[fetch.Lower(name)] = name
		for _, value := range values {
			value = strings.Trim(value, " \t\r\n")
			to := r.header
			if b.drops(init, name, value) {
				to = r.dropped
			}
			to[key] = append(to[key], value)
		}
	}
	r.firstHeader = r.header.Clone()
	return r, nil
}

// drops reports whether the browser ignores a field that the script sets.
func (b *Browser) drops(init Init, name, value string) bool {
	switch fetch.Lower(name) {
	case "user-agent", "accept-encoding": // Go's clients set these by themselves
		if !b.engine.scriptSetsUserAgent || !slices.ContainsFunc(init.ScriptSets, func(s string) bool { return strings.EqualFold(s, name) }) {
			return true
		}
	}
	return fetch.ForbiddenRequestField(name, value) || init.Mode == NoCORS && !fetch.NoCORSSafelistedRequestHeader(name, value)
}

// drop moves the field of this name from header to dropped.
func (r *request) drop(name string) {
	if values, ok := r.header[name]; ok {
		delete(r.header, name)
		r.dropped[name] = append(r.dropped[name], values...)
	}
}

// currentURL implements https://fetch.spec.whatwg.org/#concept-request-current-url.
func (r *request) currentURL() *url.URL { return r.urlList[len(r.urlList)-1] }

// redirectTaint implements https://fetch.spec.whatwg.org/#concept-request-tainted-origin.
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

// serializeOrigin implements https://fetch.spec.whatwg.org/#serializing-a-request-origin.
func (r *request) serializeOrigin() string {
	if !r.keepsPageOrigin && r.redirectTaint() != "same-origin" {
		return "null"
	}
	return r.origin.String()
}

// appendOriginHeader implements https://fetch.spec.whatwg.org/#append-a-request-origin-header,
// under the default referrer policy.
func (r *request) appendOriginHeader(e Engine, to http.Header) {
	serialized := r.serializeOrigin()
	if r.tainting != cors {
		if (r.method == http.MethodGet || r.method == http.MethodHead) && !(e.keepsOriginOnGET && r.sentOrigin && r.mode == CORS) {
			return
		}
		if r.mode != CORS && r.origin.scheme == "https" && r.currentURL().Scheme != "https" {
			serialized = "null"
		}
	}
	to.Set("Origin", serialized)
	r.sentOrigin = true
}

// appendFetchMetadata implements https://w3c.github.io/webappsec-fetch-metadata/#abstract-opdef-append-the-fetch-metadata-headers-for-a-request.
func (r *request) appendFetchMetadata(e Engine, to http.Header) {
	if !originOf(r.currentURL()).isTrustworthy() {
		return
	}
	urls := r.urlList
	if r.isPreflight && e.preflightIgnoresRedirects {
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
	case redirected && !r.isPreflight && e.noFetchMetadataAfterRedirect && r.mode == CORS && r.leftOrigin():
		return
	case redirected && !r.isPreflight && e.crossSiteAfterRedirect && site != "same-origin",
		redirected && r.isPreflight && e.nullOriginIsCrossSite && r.serializeOrigin() == "null":
		site = "cross-site"
	}
	to.Set("Sec-Fetch-Dest", "empty")
	to.Set("Sec-Fetch-Mode", string(r.mode))
	to.Set("Sec-Fetch-Site", site)
}

// leftOrigin reports whether a redirect went from one origin to another.
func (r *request) leftOrigin() bool {
	for i, u := range r.urlList[1:] {
		if !originOf(u).sameOrigin(originOf(r.urlList[i])) {
			return true
		}
	}
	return false
}

// referrer returns the value of the Referer header under the default policy,
// strict-origin-when-cross-origin, or "" if there is none
// (https://w3c.github.io/webappsec-referrer-policy/#determine-requests-referrer).
func (r *request) referrer() string {
	if r.origin == opaque || r.origin.isTrustworthy() && !originOf(r.currentURL()).isTrustworthy() {
		return ""
	}
	return r.origin.String() + "/"
}
