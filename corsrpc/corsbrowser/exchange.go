package corsbrowser

import "net/http"

// Exchange is a request that was sent, and its response. Fields may be added.
type Exchange struct {
	// Preflight is true for a preflight, and false for a call.
	Preflight bool
	// Method and URL are those of the request. A redirected call has an Exchange for
	// each request.
	Method, URL string
	// Header is the request header as sent, with the browser's own fields.
	Header http.Header
	// Dropped holds the fields of the script's request that the browser did not
	// send. These are forbidden names, overrides of a forbidden method, fields that
	// mode no-cors does not allow, and fields that a redirect removes. A User-Agent
	// or Accept-Encoding that the script cannot set is here too. A preflight has the Dropped of its
	// call.
	Dropped http.Header
	// Status is the status of the response, or 0 while there is none.
	Status int
	// Answer is the header of the response, as the server sent it.
	Answer http.Header
	// Readable is the part of Answer that the script can read. It is nil for
	// preflights, redirects and blocked responses.
	Readable http.Header
	// TimingAllowed is true if the page sees the timing details of the response in
	// the Resource Timing API, such as requestStart: the TAO check passed for this
	// response and for those that redirected to it
	// (https://fetch.spec.whatwg.org/#tao-check). It is false for preflights and
	// blocked responses.
	TimingAllowed bool
	// Refusal is the reason for which the server's CORS layer refuses the request, and what
	// the layer advises. It is "" if the layer does not refuse the request, or if nothing is
	// known. The browser asks only the handler of [WithHandler], by its method
	// Refusal(*http.Request) string. The handler that Wrap of a corsrpc.Layer returns has it.
	Refusal string
}

// Log returns a copy of the exchanges since the page was opened or since
// [Browser.Forget], in the order of their requests.
func (b *Browser) Log() []Exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	log := make([]Exchange, len(b.log))
	for i, e := range b.log {
		log[i] = *e
		log[i].Header, log[i].Dropped = e.Header.Clone(), e.Dropped.Clone()
		log[i].Answer, log[i].Readable = e.Answer.Clone(), e.Readable.Clone()
	}
	return log
}

// Preflights returns the number of preflights in the log.
func (b *Browser) Preflights() int {
	n := 0
	for _, e := range b.Log() {
		if e.Preflight {
			n++
		}
	}
	return n
}

// Forget clears the log and the preflight cache. It keeps the cookies.
func (b *Browser) Forget() {
	b.mu.Lock()
	b.log = nil
	b.mu.Unlock()
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	b.cache.entries = nil
}

// logRequest appends the exchange of a request to the log.
func (b *Browser) logRequest(r *request, out *http.Request) {
	r.exchange = &Exchange{Preflight: r.isPreflight, Method: out.Method, URL: out.URL.String(), Header: out.Header.Clone(), Dropped: r.dropped.Clone()}
	if t, ok := b.transport.(handlerTransport); ok {
		r.exchange.Refusal = t.refusal(out)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = append(b.log, r.exchange)
}

// logResponse adds the response to the exchange of the request.
func (b *Browser) logResponse(r *request, response *http.Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.exchange.Status, r.exchange.Answer = response.StatusCode, response.Header.Clone()
}

// logTiming adds the result of the TAO check to the exchange of the request.
func (b *Browser) logTiming(r *request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.exchange.TimingAllowed = !r.timingAllowFailed
}

// logReadable adds the response fields that the script can read to the exchange of the request.
func (b *Browser) logReadable(r *request, response *http.Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.exchange.Readable = response.Header.Clone()
}
