package probe

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// lines returns the values of a response field, one for each line, whatever the letter case of its name.
func lines(header http.Header, name string) (values []string) {
	for key, all := range header {
		if strings.EqualFold(key, name) {
			values = append(values, all...)
		}
	}
	return values
}

// blockedExchange returns the exchange whose response failed the check.
func (o *Outcome) blockedExchange() Exchange {
	for _, e := range slices.Backward(o.Exchanges) {
		if e.Preflight == o.Blocked.Preflight {
			return e
		}
	}
	return Exchange{}
}

// Causes say in a sentence each what usually makes a server answer so. There are none if the response
// says it all.
func (o *Outcome) Causes(call Call, s Server) (causes []string) {
	if o.Result != Blocked {
		return nil
	}
	if o.Blocked.Check == corsbrowser.CheckMixedContent && s.URL.Scheme == "h2c" {
		return []string{"browsers do not speak HTTP/2 without TLS: probe the server where browsers reach it, behind the proxy with TLS, by its https URL"}
	}
	e := o.blockedExchange()
	add := func(format string, args ...any) { causes = append(causes, fmt.Sprintf(format, args...)) }
	if text := refusalOf(e); text != "" {
		add("the server says: %s", text)
		return causes
	}
	if isHTTPSRefusal(e) {
		add("the server speaks TLS: write https://%s", s.URL.Host)
		return causes
	}
	origins := lines(e.Answer, "Access-Control-Allow-Origin")
	switch {
	case len(origins) > 1:
		add("Access-Control-Allow-Origin is there %d times (%s): both the server and a proxy in front usually add it; let only one of them send CORS fields", len(origins), strings.Join(quoted(origins), " and "))
	case o.Blocked.Check == corsbrowser.CheckOriginRepeated:
		add("a list in Access-Control-Allow-Origin is not allowed: the server has to send the one origin that called")
	case o.Blocked.Check == corsbrowser.CheckOriginMismatch || o.Blocked.Check == corsbrowser.CheckOriginInvalid:
		add("%s", otherOrigin(o.Blocked.Value, call.Origin))
	case o.Blocked.Check == corsbrowser.CheckOriginWildcard, strings.TrimSpace(o.Blocked.Value) == "*" && call.Credentials:
		add("\"*\" is not a wildcard for a call with credentials: the server has to name the origin, the methods and the headers")
	case o.Blocked.Check == corsbrowser.CheckHeaders:
		add("the preflight asks for %s, and the response does not grant %s", strings.Join(requested(e), ", "), strings.Join(ungranted(e, call), ", "))
	case o.Blocked.Check == corsbrowser.CheckMethods && call.Method != strings.ToUpper(call.Method):
		add("the script writes the method %s, and browsers send methods as they are written, but for a few: write %s in the script", call.Method, strings.ToUpper(call.Method))
	case o.Blocked.Check == corsbrowser.CheckMethodsMalformed || o.Blocked.Check == corsbrowser.CheckHeadersMalformed:
		add("the names in %s have to be separated by commas, without quotes", o.Blocked.Header)
	case o.Blocked.Check == corsbrowser.CheckRedirectURL:
		add("the server has to redirect to an http or https URL without a user name, or to answer the call itself")
	case o.Blocked.Check == corsbrowser.CheckRedirectLimit:
		add("the redirects may have no end: look at where the server redirects")
	}
	if o.Blocked.Preflight {
		causes = append(causes, statusOfPreflight(o, e)...)
	} else if o.Blocked.Check == corsbrowser.CheckOriginMissing {
		causes = append(causes, missingOnCall(o, e))
	}
	return causes
}

func quoted(values []string) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = fmt.Sprintf("%q", v)
	}
	return all
}

// otherOrigin says why a value of Access-Control-Allow-Origin is not the page's origin.
func otherOrigin(value, page string) string {
	u, err := url.Parse(value)
	p, _ := url.Parse(page)
	switch {
	case value == "":
		return "the value of Access-Control-Allow-Origin is empty: an environment variable of the server may not be set"
	case strings.TrimRight(value, "/") == page:
		return "the slash at the end is too much: an origin ends with the host or the port"
	case strings.EqualFold(value, page):
		return "the letter case differs: browsers send the scheme and the host in lower case, and compare byte by byte"
	case strings.Contains(value, "*"):
		return "browsers do not know patterns: the server has to compare the Origin itself, and to send back the one that called"
	case value == "null":
		return "\"null\" is the origin of local files and sandboxed frames, and not of this page"
	case err == nil && p != nil && u.Scheme != p.Scheme && u.Host == p.Host:
		return fmt.Sprintf("the scheme differs: the server has %s, and the page %s", u.Scheme, p.Scheme)
	case err == nil && p != nil && u.Hostname() == p.Hostname():
		return "the port differs: each port is an origin of its own, and browsers leave out the default port"
	case err != nil || u.Scheme == "" || u.Host == "":
		return "an origin is scheme://host or scheme://host:port, without quotes"
	}
	return "the server names another page: it may send one fixed origin to all pages, a proxy may change Origin, or a cache may ignore Vary: Origin"
}

// requested returns the names that a preflight asks for.
func requested(e Exchange) []string {
	return slices.Compact(strings.Split(e.Header.Get("Access-Control-Request-Headers"), ","))
}

// ungranted returns the names that a preflight asks for, and that its response does not grant.
func ungranted(e Exchange, call Call) (names []string) {
	granted, _ := fetch.ExtractHeaderListValues(lines(e.Answer, "Access-Control-Allow-Headers"))
	for _, name := range requested(e) {
		if !slices.ContainsFunc(granted, func(g string) bool {
			return strings.EqualFold(g, name) || g == "*" && !call.Credentials && name != "authorization"
		}) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return []string{"authorization"} // "*" does not grant it in the Fetch standard
	}
	return names
}

// statusOfPreflight says who usually answers a preflight with the status.
func statusOfPreflight(o *Outcome, e Exchange) []string {
	const outside = "mount the CORS layer outside of it, so that the layer answers preflights"
	switch status := e.Status; {
	case status >= 300 && status < 400:
		return []string{redirectOfPreflight(e)}
	case status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented:
		return []string{fmt.Sprintf("status %d usually comes from the handler or the router behind, which does not know OPTIONS: %s", status, outside)}
	case status == http.StatusNotFound:
		return []string{"status 404 usually comes from a router that has no such path, or none for OPTIONS: look at the path and its prefix, and " + outside}
	case status == http.StatusUnauthorized || status == http.StatusProxyAuthRequired:
		return []string{fmt.Sprintf("status %d comes from authentication in front of the CORS layer, and preflights never carry credentials: %s", status, outside)}
	case status == http.StatusForbidden:
		return []string{"status 403 usually comes from a CORS layer that does not allow the origin, or from authentication or a firewall in front of it: allow the origin there, or " + outside}
	case status == http.StatusTooManyRequests:
		return []string{"status 429 comes from a rate limit in front of the CORS layer: " + outside}
	case status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout:
		return []string{fmt.Sprintf("status %d usually comes from a proxy whose server is down: look at that server", status)}
	case status >= 500:
		return []string{fmt.Sprintf("status %d is an error in the server, or of a handler that does not expect OPTIONS: look at the server's log, and %s", status, outside)}
	case status >= 400:
		return []string{fmt.Sprintf("status %d usually comes from a handler behind, which does not expect a preflight: %s", status, outside)}
	case o.Blocked.Check == corsbrowser.CheckOriginMissing:
		return []string{fmt.Sprintf("status %d without the header comes from a CORS layer that does not allow the origin, or from a handler that answers OPTIONS without one: allow the origin, or %s", status, outside)}
	}
	return nil
}

// redirectOfPreflight says where a redirect of a preflight leads.
func redirectOfPreflight(e Exchange) string {
	location := e.Answer.Get("Location")
	from, err := url.Parse(e.URL)
	if err != nil || location == "" {
		return fmt.Sprintf("status %d is a redirect, which preflights may not have: call the URL that answers", e.Status)
	}
	to, err := from.Parse(location)
	if err != nil {
		return fmt.Sprintf("the redirect leads to %q, which is not a URL", location)
	}
	samePlace := strings.EqualFold(to.Hostname(), from.Hostname())
	why := "call that URL"
	switch {
	case to.Scheme != "http" && to.Scheme != "https" || to.User != nil || to.String() == from.String():
		why = "the server has to answer the preflight itself"
	case samePlace && to.Scheme == "https" && from.Scheme == "http" && to.Path == from.Path:
		why = "write https:// in the client"
	case samePlace && to.Path != from.Path && strings.TrimRight(to.Path, "/") == strings.TrimRight(from.Path, "/"):
		why = "the slash at the end of the path differs: write the path in the client as the server has it"
	case isLogin(to) && !isLogin(from):
		why = "a login in front of the CORS layer redirects: mount the CORS layer outside of it"
	}
	return fmt.Sprintf("the redirect leads to %s, and a preflight may not be redirected: %s", to, why)
}

// isLogin reports whether a URL looks like that of a login.
func isLogin(u *url.URL) bool {
	text := strings.ToLower(u.Host + u.Path)
	return slices.ContainsFunc([]string{"login", "auth", "signin"}, func(part string) bool { return strings.Contains(text, part) })
}

// missingOnCall says why the response to a call has no Access-Control-Allow-Origin.
func missingOnCall(o *Outcome, e Exchange) string {
	passed := slices.ContainsFunc(o.Exchanges, func(e Exchange) bool { return e.Preflight })
	switch {
	case e.Status >= 500 || e.Status == http.StatusTooManyRequests:
		return fmt.Sprintf("status %d: error pages of a proxy, and of handlers outside of the CORS layer, lack the header: look at the error itself first", e.Status)
	case e.Status >= 400:
		return fmt.Sprintf("status %d: the response may come from authentication or a router in front of the CORS layer: mount the CORS layer outside of it", e.Status)
	case passed:
		return "the preflight passed, so a CORS layer is there: it, or something in front, adds the header to preflights only"
	}
	return "a CORS layer does not allow the origin, or none covers this path"
}

// Caching says for how long engines reuse the preflight; empty if there is none that passed.
func (t *Trial) Caching() string {
	type span struct {
		text    string
		engines []string
	}
	var spans []span
	value, sent := "", false
	for i := range t.Outcomes {
		o := &t.Outcomes[i]
		at := slices.IndexFunc(o.Exchanges, func(e Exchange) bool { return e.Preflight && e.Status != 0 })
		if at < 0 || o.Result == Blocked && o.Blocked.Preflight {
			continue
		}
		answer := o.Exchanges[at].Answer
		values := lines(answer, "Access-Control-Max-Age")
		value, sent = strings.Join(values, ", "), len(values) > 0
		text := o.Engine.MaxAge(answer).String()
		if at := slices.IndexFunc(spans, func(s span) bool { return s.text == text }); at >= 0 {
			spans[at].engines = append(spans[at].engines, o.Engine.String())
		} else {
			spans = append(spans, span{text, []string{o.Engine.String()}})
		}
	}
	if len(spans) == 0 {
		return ""
	}
	parts := make([]string, len(spans))
	for i, s := range spans {
		parts[i] = shortDuration(s.text) + " in " + strings.Join(s.engines, ", ")
	}
	why := "Access-Control-Max-Age is " + cmp.Or(value, `""`)
	if !sent {
		why = "without Access-Control-Max-Age"
	}
	return fmt.Sprintf("The preflight is reused for %s (%s).", strings.Join(parts, ", "), why)
}

// shortDuration removes what is zero from the end of a duration.
func shortDuration(text string) string {
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
