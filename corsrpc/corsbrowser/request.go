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

// Init holds what a script says of one fetch and an http.Request does not hold
// (https://fetch.spec.whatwg.org/#requestinit). Empty fields take the browser's
// value; see [WithDefaults]. Fields may be added.
type Init struct {
	// The three modes.
	Mode        Mode
	Credentials Credentials
	Redirect    Redirect
	// ForcePreflight sends a preflight for what needs none, as a listener for
	// upload progress of an XMLHttpRequest does, or a stream as the body.
	ForcePreflight bool
	// ScriptSets names header fields that count as the script's own, although Go's
	// clients set them unasked: User-Agent.
	ScriptSets []string
}

// check reports a mode that does not exist.
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

// or fills in the empty fields of i.
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

// WithInit returns a context for requests of a [Browser], which fetches them as
// init says. A request fails where init holds a mode that does not exist.
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

// request is https://fetch.spec.whatwg.org/#concept-request, with what a script's
// fetch needs of it.
type request struct {
	ctx           context.Context
	method        string
	urlList       []*url.URL
	header        http.Header
	dropped       http.Header // the script's fields that are not in header
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
	firstHeader      http.Header // as it was before any redirect
	exchange         *Exchange   // the last one, without preflights; nil for none
	sentOrigin       bool        // one of the requests had an Origin header
	preflighted      bool        // one of the requests needed a preflight
	namesPageOrigin  bool        // the Origin header is the page's after redirects, too
}

// newRequest is https://fetch.spec.whatwg.org/#dom-request, the constructor of a
// Request.
func (b *Browser) newRequest(in *http.Request) (*request, error) {
	if b.transport == nil {
		return nil, errors.New("corsbrowser: a Browser needs its page: New did not make it")
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
		useCORSPreflight: init.ForcePreflight,
	}
	if in.Body == http.NoBody {
		r.body = nil
	}
	if r.body != nil && (method == http.MethodGet || method == http.MethodHead) {
		return nil, &BlockedError{Check: CheckBody, Reason: "a request with method " + method + " cannot have a body"}
	}
	if r.mode == NoCORS && !fetch.SafelistedMethod(method) {
		return nil, &BlockedError{Check: CheckMode, Reason: "mode no-cors allows GET, HEAD and POST only"}
	}
	for name, values := range in.Header {
		key := http.CanonicalHeaderKey(name)
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
	case "user-agent", "accept-encoding": // Go's clients set them unasked
		if !b.engine.scriptSetsUserAgent || !slices.ContainsFunc(init.ScriptSets, func(s string) bool { return strings.EqualFold(s, name) }) {
			return true
		}
	}
	return fetch.ForbiddenRequestField(name, value) || init.Mode == NoCORS && !fetch.NoCORSSafelistedRequestHeader(name, value)
}

// drop leaves the fields of this name out of the request.
func (r *request) drop(name string) {
	if values, ok := r.header[name]; ok {
		delete(r.header, name)
		r.dropped[name] = append(r.dropped[name], values...)
	}
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
	if !r.namesPageOrigin && r.redirectTaint() != "same-origin" {
		return "null"
	}
	return r.origin.String()
}

// appendOriginHeader is https://fetch.spec.whatwg.org/#append-a-request-origin-header,
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

// appendFetchMetadata is https://w3c.github.io/webappsec-fetch-metadata/#abstract-opdef-append-the-fetch-metadata-headers-for-a-request.
func (r *request) appendFetchMetadata(e Engine, to http.Header) {
	if !originOf(r.currentURL()).isTrustworthy() {
		return
	}
	urls := r.urlList
	if r.isPreflight && e.preflightForgetsRedirects {
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
	case redirected && !r.isPreflight && e.noMetadataAfterRedirect && r.mode == CORS && r.leftOrigin():
		return
	case redirected && !r.isPreflight && e.crossSiteAfterRedirect && site != "same-origin",
		redirected && r.isPreflight && e.nullOriginIsCrossSite && r.serializeOrigin() == "null":
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

// referrer is the part of the page's address that the default policy,
// strict-origin-when-cross-origin, sends (https://w3c.github.io/webappsec-referrer-policy/#determine-requests-referrer).
func (r *request) referrer() string {
	if r.origin == opaque || r.origin.isTrustworthy() && !originOf(r.currentURL()).isTrustworthy() {
		return ""
	}
	return r.origin.String() + "/"
}
