package corsbrowser

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// Browser is a page in a browser: an http.RoundTripper that does to each
// request what fetch in a script of the page does, and lets through of the
// answer what the script could read. It is safe for concurrent use.
type Browser struct {
	engine    Engine
	origin    origin
	embedder  origin
	init      Init
	transport http.RoundTripper
	cookies   cookies
	now       func() time.Time
	grants    grants

	mu  sync.Mutex
	log []*Exchange
}

// Exchange is a request that went out, and what came back.
type Exchange struct {
	// Preflight tells a preflight from a call.
	Preflight bool
	// Method and URL are the request's; a redirect makes another Exchange.
	Method, URL string
	// Header is what went out, the browser's own headers included.
	Header http.Header
	// Status is the answer's, and 0 as long as there is none.
	Status int
	// Answer is the header of the answer as the server sent it.
	Answer http.Header
	// Readable is what the script could read of it: nil for preflights, for
	// redirects, and for answers that were blocked.
	Readable http.Header
}

// Option is an option of [NewBrowser].
type Option func(*Browser)

// WithTransport has the requests go out by a transport;
// http.DefaultTransport unless set.
func WithTransport(transport http.RoundTripper) Option {
	return func(b *Browser) { b.transport = transport }
}

// WithHandler has the requests answered by a handler, without a network,
// whatever their host. It sees HTTP/1.1, with TLS for https URLs; its answer
// streams, and its context ends with the request's or when the response's body
// is closed. Close bodies: a handler that still writes waits for a reader.
func WithHandler(h http.Handler) Option {
	return func(b *Browser) { b.transport = handlerTransport{h} }
}

// WithEngine chooses the engine; [Standard] unless set.
func WithEngine(engine Engine) Option { return func(b *Browser) { b.engine = engine } }

// WithCredentials chooses the credentials mode of requests that say nothing
// else; same-origin unless set.
func WithCredentials(credentials Credentials) Option {
	return func(b *Browser) { b.init.Credentials = credentials }
}

// WithDefaults chooses what requests say that say nothing else; mode cors,
// credentials same-origin and redirect follow unless set.
func WithDefaults(init Init) Option { return func(b *Browser) { b.init = init } }

// WithCookieJar sets the browser's cookies; an empty jar unless set. What a
// cookie's SameSite says is known of those that an answer sets; the others count
// as cookies that say nothing of it.
func WithCookieJar(jar http.CookieJar) Option { return func(b *Browser) { b.cookies.jar = jar } }

// WithEmbedder says that the page, of an opaque origin, is a sandboxed frame
// in a page of this origin; it panics where that is no origin.
func WithEmbedder(pageOrigin string) Option {
	o, err := parseOrigin(pageOrigin)
	if err != nil {
		panic("corsbrowser: " + err.Error())
	}
	return func(b *Browser) { b.embedder = o }
}

// WithClock sets the clock that preflights expire by; time.Now unless set.
func WithClock(now func() time.Time) Option { return func(b *Browser) { b.now = now } }

// NewBrowser returns a browser on a page of the origin: as browsers write it,
// "https://app.example.com", or "null" for an opaque one. It panics where that
// is no origin: a test that goes on would test something else.
func NewBrowser(pageOrigin string, opts ...Option) *Browser {
	o, err := parseOrigin(pageOrigin)
	if err != nil {
		panic("corsbrowser: " + err.Error())
	}
	b := &Browser{engine: Standard, origin: o, transport: http.DefaultTransport, now: time.Now}
	for _, opt := range opts {
		opt(b)
	}
	if b.engine.knobs == nil {
		b.engine = Standard
	}
	if b.cookies.jar == nil {
		b.cookies.jar, _ = cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List}) // never fails
	}
	return b
}

// Client returns a client whose requests the browser makes. Redirects are the
// browser's: a client of your own over the Browser should return
// http.ErrUseLastResponse from CheckRedirect too.
func (b *Browser) Client() *http.Client {
	return &http.Client{Transport: b, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Log returns a copy of what went out, in order.
func (b *Browser) Log() []Exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	log := make([]Exchange, len(b.log))
	for i, e := range b.log {
		log[i] = *e
		log[i].Header, log[i].Answer, log[i].Readable = e.Header.Clone(), e.Answer.Clone(), e.Readable.Clone()
	}
	return log
}

// Preflights returns how many of them were preflights.
func (b *Browser) Preflights() int {
	n := 0
	for _, e := range b.Log() {
		if e.Preflight {
			n++
		}
	}
	return n
}

// Forget empties the log and the preflight cache, as a new browser would have
// them. The cookies stay.
func (b *Browser) Forget() {
	b.mu.Lock()
	b.log = nil
	b.mu.Unlock()
	b.grants.mu.Lock()
	defer b.grants.mu.Unlock()
	b.grants.entries = nil
}

// sends notes what goes out.
func (b *Browser) sends(r *request, out *http.Request) {
	r.exchange = &Exchange{Preflight: r.isPreflight, Method: out.Method, URL: out.URL.String(), Header: out.Header.Clone()}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = append(b.log, r.exchange)
}

// answered notes what came back.
func (b *Browser) answered(r *request, response *http.Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.exchange.Status, r.exchange.Answer = response.StatusCode, response.Header.Clone()
}

// reads notes what the script gets.
func (b *Browser) reads(r *request, response *http.Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.exchange.Readable = response.Header.Clone()
}

// RoundTrip is fetch (https://fetch.spec.whatwg.org/#fetch-method): what the
// script gets, or a [*BlockedError]. What it says beyond the request comes from
// [WithInit]. The status of an answer that is opaque (mode no-cors, redirect
// mode manual) is 0.
func (b *Browser) RoundTrip(in *http.Request) (*http.Response, error) {
	r, err := b.newRequest(in)
	if err != nil {
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

// newRequest is https://fetch.spec.whatwg.org/#dom-request: the constructor
// of a Request.
func (b *Browser) newRequest(in *http.Request) (*request, error) {
	own, _ := in.Context().Value(initKey{}).(Init)
	init := merge(own, b.init)
	method := normalizeMethod(in.Method)
	if in.Method == "" {
		method = http.MethodGet
	}
	if isForbiddenMethod(method) {
		return nil, &BlockedError{Check: CheckForbiddenMethod, Reason: method + " is no method for scripts"}
	}
	if in.URL.Scheme != "http" && in.URL.Scheme != "https" {
		return nil, &BlockedError{Check: CheckURL, Reason: "the URL is not http or https"}
	}
	if includesCredentials(in.URL) {
		return nil, &BlockedError{Check: CheckURL, Reason: "the URL has a user name, which fetch does not take"}
	}
	copied := *in.URL
	r := &request{
		ctx: in.Context(), method: method, urlList: []*url.URL{&copied}, header: http.Header{},
		body: in.Body, contentLength: in.ContentLength, getBody: in.GetBody,
		origin: b.origin, embedder: b.embedder, mode: init.Mode, credentials: init.Credentials, redirect: init.Redirect,
		useCORSPreflight: init.ForcePreflight,
	}
	if in.Body == http.NoBody {
		r.body = nil
	}
	if r.body != nil && (method == http.MethodGet || method == http.MethodHead) {
		return nil, &BlockedError{Check: CheckBody, Reason: method + " has no body"}
	}
	if r.mode == NoCORS && !isCORSSafelistedMethod(method) {
		return nil, &BlockedError{Check: CheckMode, Reason: "mode no-cors has GET, HEAD and POST only"}
	}
	for name, values := range in.Header {
		lower := fetch.Lower(name)
		unasked := lower == "user-agent" || lower == "accept-encoding"
		if unasked && !(slices.ContainsFunc(init.ScriptSets, func(s string) bool { return strings.EqualFold(s, name) }) && b.engine.userAgentSets) {
			continue
		}
		for _, value := range values {
			value = strings.Trim(value, " \t\r\n")
			if isForbiddenRequestHeader(name, value) || r.mode == NoCORS && !isNoCORSSafelistedRequestHeader(name, value) {
				continue
			}
			r.header[http.CanonicalHeaderKey(name)] = append(r.header[http.CanonicalHeaderKey(name)], value)
		}
	}
	r.firstHeader = r.header.Clone()
	return r, nil
}

// merge is a, with b's answers where a has none and the standard's where
// neither has one.
func merge(a, b Init) Init {
	pick := func(values ...string) string {
		for _, v := range values {
			if v != "" {
				return v
			}
		}
		return ""
	}
	return Init{
		Mode:           Mode(pick(string(a.Mode), string(b.Mode), string(CORS))),
		Credentials:    Credentials(pick(string(a.Credentials), string(b.Credentials), string(SameOrigin))),
		Redirect:       Redirect(pick(string(a.Redirect), string(b.Redirect), string(RedirectFollow))),
		ForcePreflight: a.ForcePreflight || b.ForcePreflight,
		ScriptSets:     append(slices.Clip(a.ScriptSets), b.ScriptSets...),
	}
}

// decode undoes the content coding, as browsers do before the script reads.
func decode(response *http.Response) (*http.Response, error) {
	if !strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip") || response.Uncompressed {
		return response, nil
	}
	response.Header = response.Header.Clone()
	response.Header.Del("Content-Encoding")
	response.Header.Del("Content-Length")
	response.ContentLength, response.Uncompressed = -1, true
	response.Body = &gunzip{body: response.Body}
	return response, nil
}

// gunzip opens the stream at the first read, so that a response without a
// body has none.
type gunzip struct {
	body   io.ReadCloser
	reader *gzip.Reader
	err    error
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	if g.reader == nil {
		if g.reader, g.err = gzip.NewReader(g.body); g.err != nil {
			return 0, g.err
		}
	}
	n, err := g.reader.Read(p)
	g.err = err
	return n, err
}

func (g *gunzip) Close() error {
	g.err = errors.New("corsbrowser: the body is closed")
	return g.body.Close()
}
