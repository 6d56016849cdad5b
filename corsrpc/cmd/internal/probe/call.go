package probe

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
	"github.com/corsrpc/corsrpc-go/internal/rpc"
)

// Call is a call of a script in a page.
type Call struct {
	// Origin is the page's origin, as browsers serialize it.
	Origin string
	// Target is a procedure's full name or a path, each optionally with a query. It is below the path of
	// the server's URL.
	Target string
	// Method is the HTTP method, and Header the header that the script sets.
	Method string
	Header http.Header
	// Credentials selects the credentials mode "include" instead of "omit".
	Credentials bool
}

// Validate returns an error if a browser or an HTTP client cannot make the call.
func (c Call) Validate(s Server) error {
	if _, err := corsbrowser.New(c.Origin); err != nil {
		return fmt.Errorf("--from: %s", strings.TrimPrefix(err.Error(), "corsbrowser: the page's origin: "))
	}
	if problem := unserialized(c.Origin); problem != "" {
		return fmt.Errorf("--from: %s", problem)
	}
	if !fetch.IsToken(c.Method) {
		return fmt.Errorf("%q is not an HTTP method: write a method such as POST", c.Method)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		if !fetch.IsToken(name) {
			return fmt.Errorf("%q is not the name of a header field: write --header 'Name: value'", name)
		}
		for _, value := range c.Header[name] {
			if strings.ContainsAny(value, "\x00\r\n") {
				return fmt.Errorf("the value of the header field %s has a line end or a NUL: remove it", name)
			}
		}
	}
	_, err := c.url(s)
	return err
}

// url returns the URL of the call, as the script writes it.
func (c Call) url(s Server) (*url.URL, error) {
	u, err := rpc.TargetURL(c.Target, s.pageURL())
	if err != nil {
		return nil, fmt.Errorf("%q is not a procedure or a path: %w", c.Target, err)
	}
	return u, nil
}

// fields returns the names and values of the header, alternately, sorted by name.
func (c Call) fields() (all []string) {
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		for _, value := range c.Header[name] {
			all = append(all, name, value)
		}
	}
	return all
}

// IsGetOfProcedure reports whether the call is a GET that has the message of a procedure.
func (c Call) IsGetOfProcedure() bool {
	_, query, _ := strings.Cut(c.Target, "?")
	return c.Method == http.MethodGet && rpc.IsGetCall(query)
}

// incompleteGet is the query of a call by GET that has no message, so that no handler executes it. See
// https://connectrpc.com/docs/protocol#unary-get-request.
const incompleteGet = "encoding=json"

// simpleGetTarget returns the target of a GET that an audit or a comparison sends in place of the call. For
// a procedure it has no message, even if the call has one in its query.
func (c Call) simpleGetTarget() string {
	path, query, _ := strings.Cut(c.Target, "?")
	if !c.isProcedure() && !rpc.IsGetCall(query) {
		return c.Target
	}
	return path + "?" + incompleteGet
}

// body returns the body of the call: an empty message for a call of RPC.
func (c Call) body() string {
	if !strings.EqualFold(c.Method, http.MethodPost) {
		return ""
	}
	return rpc.EmptyMessage(c.Header.Get("Content-Type"))
}

// request returns the request of the script.
func (c Call) request(ctx context.Context, s Server) (*http.Request, error) {
	u, err := c.url(s)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if text := c.body(); text != "" {
		body = strings.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, c.Method, u.String(), body)
	if err != nil {
		return nil, err
	}
	for name, values := range c.Header {
		r.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	return r, nil
}

// cookie is the cookie of a call with credentials. The probe knows no session of the server.
var cookie = http.Cookie{Name: "session", Value: "1", Path: "/"}

// page opens the page of the call in an engine.
func (c Call) page(s Server, engine corsbrowser.Engine, transport http.RoundTripper) (*corsbrowser.Browser, error) {
	jar, _ := cookiejar.New(nil) // never fails
	credentials := corsbrowser.Omit
	if c.Credentials {
		credentials = corsbrowser.Include
		u, secure := s.pageURL(), cookie
		secure.Secure = u.Scheme == "https"
		jar.SetCookies(u, []*http.Cookie{&secure})
	}
	return corsbrowser.New(c.Origin, corsbrowser.WithEngine(engine), corsbrowser.WithTransport(transport), corsbrowser.WithCookieJar(jar),
		corsbrowser.WithDefaults(corsbrowser.Init{Credentials: credentials, ScriptSets: []string{"User-Agent"}}))
}
