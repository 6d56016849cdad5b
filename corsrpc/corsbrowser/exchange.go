package corsbrowser

import "net/http"

// Exchange is a request that went out, and its answer. Fields may be added.
type Exchange struct {
	// Preflight tells a preflight from the call.
	Preflight bool
	// Method and URL are the request's. Each redirect is an Exchange of its own.
	Method, URL string
	// Header holds the fields that went out, the browser's own included.
	Header http.Header
	// Dropped holds the fields of the script's request that the browser left out
	// of the call without telling the script: forbidden names, overrides of a
	// forbidden method, what mode no-cors does not send, what a redirect removes,
	// and a User-Agent or Accept-Encoding that no script can set. A preflight has
	// those of the call that it asks for.
	Dropped http.Header
	// Status is the answer's status; 0 before the answer comes.
	Status int
	// Answer holds the answer's fields as the server sent them.
	Answer http.Header
	// Readable holds the fields that the script could read of it: nil for
	// preflights, redirects and answers that were blocked.
	Readable http.Header
}

// Log returns a copy of the exchanges so far, in the order of the requests.
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

// Preflights returns how many preflights are in the log.
func (b *Browser) Preflights() int {
	n := 0
	for _, e := range b.Log() {
		if e.Preflight {
			n++
		}
	}
	return n
}

// Forget empties the log and the preflight cache. The cookies stay.
func (b *Browser) Forget() {
	b.mu.Lock()
	b.log = nil
	b.mu.Unlock()
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	b.cache.entries = nil
}

// sends logs a request.
func (b *Browser) sends(r *request, out *http.Request) {
	r.exchange = &Exchange{Preflight: r.isPreflight, Method: out.Method, URL: out.URL.String(), Header: out.Header.Clone(), Dropped: r.dropped.Clone()}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = append(b.log, r.exchange)
}

// answered logs its answer.
func (b *Browser) answered(r *request, response *http.Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.exchange.Status, r.exchange.Answer = response.StatusCode, response.Header.Clone()
}

// reads logs the fields that the script gets.
func (b *Browser) reads(r *request, response *http.Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.exchange.Readable = response.Header.Clone()
}
