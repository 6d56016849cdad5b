package probe

import (
	"net/http"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// caches looks whether Vary names Origin where the response to a GET depends on the origin. No cache keeps
// answers to preflights (RFC 9110, section 9.3.7).
func (a *auditor) caches() error {
	plain, _ := a.get.passes()
	if !plain || valueOf(a.get.answer().Answer, allowOrigin) != a.get.origin {
		return nil
	}
	if valueOf(a.unrelated.answer().Answer, allowOrigin) == a.get.origin {
		return nil // the server sends one origin to everyone
	}
	without, err := a.directGet("")
	if err != nil {
		return err
	}
	switch {
	case mayConfuse(a.get.answer().Answer):
		a.add(ClassVaryMissing, report.Warning, a.get, "Vary", "The response to a GET depends on the origin, and its Vary does not name Origin.")
	case mayConfuse(a.unrelated.answer().Answer):
		a.add(ClassVaryMissing, report.Note, a.unrelated, "Vary", "The response to a GET of another page does not name Origin in Vary, and that to an allowed page does.")
	case mayConfuse(without.Answer):
		a.add(ClassVaryMissing, report.Note, &sight{plain: &Outcome{Exchanges: []Exchange{*without}}}, "Vary", "The response to a GET without an Origin does not name Origin in Vary, and that to an allowed page does.")
	}
	return nil
}

// mayConfuse reports whether a cache may give a response to a request of another origin.
func mayConfuse(header http.Header) bool {
	return !fetch.Lists(lines(header, "Vary"), "origin") && !fetch.Lists(lines(header, "Cache-Control"), "no-store")
}

// directGet returns the answer to a GET of an origin, or without an Origin field if it is empty.
func (a *auditor) directGet(origin string) (*Exchange, error) {
	call := a.options.Call
	call.Target = a.getTarget
	u, err := call.url(a.wire.server)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(a.ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	return a.direct(r)
}
