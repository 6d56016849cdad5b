package probe

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// want is a request that an audit wants to see.
type want struct {
	origin, method string
	target         string // empty for that of the call
	// header are the names and values of the fields that the script sets, alternately.
	header []string
	// preflight asks for a preflight, even if the request needs none, and for no call.
	preflight bool
	// call is true for the call itself, which has the body.
	call bool
	body string
}

// sight is an answer as a page sees it.
type sight struct {
	want
	// plain is the outcome of the request in the credentials mode omit, and credentialed that in the mode
	// include. Both are of one request: the browser has no cookies.
	plain, credentialed *Outcome
}

// answer returns the exchange that decides: the preflight if one was wanted, or else the request. It is
// the zero Exchange if there is no answer.
func (s *sight) answer() Exchange {
	if s.preflight {
		if len(s.plain.Exchanges) > 0 {
			return s.plain.Exchanges[0]
		}
		return Exchange{}
	}
	return s.plain.last()
}

// passes reports whether a page gets what it wants, without and with credentials.
func (s *sight) passes() (plain, credentialed bool) {
	return s.passed(s.plain), s.passed(s.credentialed)
}

func (s *sight) passed(o *Outcome) bool {
	if s.preflight && o.Result == Blocked && len(o.Exchanges) > 1 {
		return true // the request that follows the preflight is blocked
	}
	return o.Result == Readable || o.Result == PreflightPasses
}

// names returns the names of the header fields that the script sets, in lower case.
func (w want) names() (all []string) {
	for i := 0; i < len(w.header); i += 2 {
		all = append(all, fetch.Lower(w.header[i]))
	}
	return all
}

// pages are pages in a browser without cookies.
type pages struct {
	server Server
	// wire sends the requests. If it is nil, the handler answers them.
	wire    *Wire
	handler http.Handler
}

// look makes a request in a page, in both credentials modes.
func (p *pages) look(ctx context.Context, call Call, w want) (*sight, error) {
	call.Target = cmp.Or(w.target, call.Target)
	s := &sight{want: w}
	var err error
	if s.plain, err = p.fetch(ctx, call, w, corsbrowser.Omit); err != nil {
		return nil, err
	}
	s.credentialed, err = p.fetch(ctx, call, w, corsbrowser.Include)
	return s, err
}

func (p *pages) fetch(ctx context.Context, call Call, w want, credentials corsbrowser.Credentials) (*Outcome, error) {
	recorded := &recorder{wire: p.wire, onlyPreflights: w.preflight}
	answers := corsbrowser.WithTransport(recorded)
	if p.wire == nil {
		answers = corsbrowser.WithHandler(p.handler)
	}
	page, err := corsbrowser.New(w.origin, answers, corsbrowser.WithDefaults(corsbrowser.Init{
		Credentials: credentials, ForcePreflight: w.preflight, ScriptSets: []string{"User-Agent"},
	}))
	if err != nil {
		return nil, err
	}
	u, err := call.url(p.server)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if w.body != "" {
		body = strings.NewReader(w.body)
	}
	r, err := http.NewRequestWithContext(ctx, w.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	for field := range slices.Chunk(w.header, 2) {
		r.Header.Add(field[0], field[1])
	}
	return fetchIn(page, recorded, r, false)
}

// valueOf returns the value of a field as browsers combine it; empty if it is absent.
func valueOf(header http.Header, name string) string {
	return strings.Join(lines(header, name), ", ")
}

// itemsOf returns the items of a list of names, in lower case; nil if it is absent or malformed.
func itemsOf(header http.Header, name string) []string {
	items, _ := fetch.ExtractHeaderListValues(lines(header, name))
	for i, item := range items {
		items[i] = fetch.Lower(item)
	}
	return items
}
