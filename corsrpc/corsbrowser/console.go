package corsbrowser

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/fetch"
)

// consoleText returns the sentence in the console of the engine about a blocked call of fetch. It
// returns "" for [Standard], and where the sentence is not known. TestConsoleSentences of internal/e2e
// compares the sentences with those of the browsers.
func (b *Browser) consoleText(r *request, blocked *BlockedError) string {
	c := consoleOf{request: r, blocked: blocked, url: consoleURL(r)}
	if r.response != nil {
		c.status, c.answer = r.response.StatusCode, r.response.Header
		c.redirects = fetch.RedirectStatus(c.status) && c.answer.Get("Location") != ""
	}
	switch b.engine {
	case Chromium:
		return c.chromium()
	case Firefox:
		return c.firefox()
	case WebKit:
		return c.webkit()
	}
	return ""
}

// consoleURL returns the current URL of a request, as browsers serialize it.
func consoleURL(r *request) string {
	u := withoutFragment(r.currentURL())
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

// consoleOf is what the sentence of a console depends on.
type consoleOf struct {
	request *request
	blocked *BlockedError
	url     string
	// status and answer are those of the last response: the one that failed a check.
	status    int
	answer    http.Header
	redirects bool // the response is a redirect with a Location
}

// chromium returns the sentence of Chromium.
func (c *consoleOf) chromium() string {
	text, ofPreflight := c.chromiumReason()
	if text == "" {
		return ""
	}
	from := ""
	if first := c.request.urlList[0]; len(c.request.urlList) > 1 {
		from = fmt.Sprintf(" (redirected from '%s')", withoutFragment(first))
	}
	if ofPreflight && c.blocked.Preflight {
		text = "Response to preflight request doesn't pass access control check: " + text
	}
	return fmt.Sprintf("Access to fetch at '%s'%s from origin '%s' has been blocked by CORS policy: %s", c.url, from, c.request.origin, text)
}

// chromiumReason returns the end of the sentence, and whether the sentence tells a check of the
// preflight that calls have too.
func (c *consoleOf) chromiumReason() (text string, ofPreflight bool) {
	const valid = " Have the server send the header with a valid value."
	value := c.blocked.Value
	if c.blocked.Preflight && c.redirects {
		return "Redirect is not allowed for a preflight request.", true
	}
	switch c.blocked.Check {
	case CheckOriginMissing:
		return "No 'Access-Control-Allow-Origin' header is present on the requested resource.", true
	case CheckOriginRepeated, CheckOriginInvalid:
		if strings.ContainsAny(value, ", ") {
			return fmt.Sprintf("The 'Access-Control-Allow-Origin' header contains multiple values '%s', but only one is allowed.", value) + valid, true
		}
		return fmt.Sprintf("The 'Access-Control-Allow-Origin' header contains the invalid value '%s'.", value) + valid, true
	case CheckOriginMismatch:
		return fmt.Sprintf("The 'Access-Control-Allow-Origin' header has a value '%s' that is not equal to the supplied origin.", value) + valid, true
	case CheckOriginWildcard:
		return "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the request's credentials mode is 'include'.", true
	case CheckCredentials:
		return fmt.Sprintf("The value of the 'Access-Control-Allow-Credentials' header in the response is '%s' which must be 'true' when the request's credentials mode is 'include'.", value), true
	case CheckPreflightStatus, CheckPreflightRedirect:
		return "It does not have HTTP ok status.", true
	case CheckMethods:
		return fmt.Sprintf("Method %s is not allowed by Access-Control-Allow-Methods in preflight response.", c.request.method), false
	case CheckHeaders:
		return fmt.Sprintf("Request header field %s is not allowed by Access-Control-Allow-Headers in preflight response.", c.request.ungranted[0]), false
	case CheckMethodsMalformed, CheckHeadersMalformed:
		return fmt.Sprintf("Cannot parse %s response header field in preflight response.", c.blocked.Header), false
	case CheckRedirectURL:
		if c.blocked.Console == redirectWithUser {
			return "Redirect location '' contains a username and password, which is disallowed for cross-origin requests.", false
		}
	}
	return "", false
}

// firefox returns the sentence of Firefox.
func (c *consoleOf) firefox() string {
	reason, status, url := "", "", c.url
	switch c.blocked.Check {
	case CheckOriginMissing:
		reason, status = "CORS header ‘Access-Control-Allow-Origin’ missing", fmt.Sprint(c.status)
	case CheckOriginRepeated, CheckOriginInvalid, CheckOriginMismatch:
		reason = fmt.Sprintf("CORS header ‘Access-Control-Allow-Origin’ does not match ‘%s’", c.blocked.Value)
		if len(lines(c.answer, "access-control-allow-origin")) > 1 {
			reason = "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed"
		}
	case CheckOriginWildcard:
		reason, url = "Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’", "‘"+c.url+"’"
	case CheckCredentials:
		reason = "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’"
	case CheckPreflightStatus, CheckPreflightRedirect:
		reason, status = "CORS preflight response did not succeed", fmt.Sprint(c.status)
		if c.redirects {
			reason, status = "CORS request external redirect not allowed", ""
		}
	case CheckMethods:
		reason = "Did not find method in CORS header ‘Access-Control-Allow-Methods’"
	case CheckHeaders:
		reason = fmt.Sprintf("header ‘%s’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight response", c.request.ungranted[0])
	case CheckMethodsMalformed, CheckHeadersMalformed:
		reason = fmt.Sprintf("invalid token ‘%s’ in CORS header ‘%s’", firstInvalid(c.blocked.Value), c.blocked.Header)
	case CheckRedirectURL:
		if c.blocked.Console != redirectToScheme {
			reason, status = "CORS request did not succeed", "(null)"
		}
	case CheckNetwork, CheckRedirectLimit:
		reason, status = "CORS request did not succeed", "(null)"
	}
	if reason == "" || c.request.tainting != cors {
		return ""
	}
	text := fmt.Sprintf("Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at %s. (Reason: %s).", url, reason)
	if status != "" {
		text += " Status code: " + status + "."
	}
	return text
}

// firstInvalid returns the first part of a list that is not a token.
func firstInvalid(list string) string {
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.Trim(part, " \t"); part != "" && !fetch.IsToken(part) {
			return part
		}
	}
	return ""
}

// webkit returns the sentence of WebKit.
func (c *consoleOf) webkit() string {
	if c.blocked.Preflight && c.blocked.Check != CheckNetwork && (c.status < 200 || c.status > 299) {
		return fmt.Sprintf("Preflight response is not successful. Status code: %d", c.status)
	}
	text := ""
	switch c.blocked.Check {
	case CheckOriginMissing, CheckOriginInvalid, CheckOriginMismatch:
		text = fmt.Sprintf("Origin %s is not allowed by Access-Control-Allow-Origin. Status code: %d", c.request.serializeOrigin(), c.status)
	case CheckOriginRepeated:
		text = "Access-Control-Allow-Origin cannot contain more than one origin."
	case CheckOriginWildcard:
		text = "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true."
	case CheckCredentials:
		text = `Credentials flag is true, but Access-Control-Allow-Credentials is not "true".`
	case CheckMethods:
		return fmt.Sprintf("Method %s is not allowed by Access-Control-Allow-Methods.", c.request.method)
	case CheckHeaders:
		return fmt.Sprintf("Request header field %s is not allowed by Access-Control-Allow-Headers.", c.webkitName())
	case CheckMethodsMalformed, CheckHeadersMalformed:
		return fmt.Sprintf("Header %s has an invalid value: %s", c.blocked.Header, latin1(c.blocked.Value))
	case CheckRedirectLimit:
		return "Load cannot follow more than 20 redirections"
	}
	if c.blocked.Check == CheckRedirectURL && c.blocked.Console == redirectWithUser {
		text = fmt.Sprintf("redirection URL %s has credentials", c.blocked.Value)
	}
	if text != "" && c.redirects {
		return fmt.Sprintf("Cross-origin redirection to %s denied by Cross-Origin Resource Sharing policy: %s", c.redirectedTo(), text)
	}
	return text
}

// redirectedTo returns the URL to which the last response redirects, without a user name.
func (c *consoleOf) redirectedTo() string {
	location := c.answer.Get("Location")
	u, err := c.request.currentURL().Parse(location)
	if err != nil {
		return location
	}
	u.User = nil
	return u.String()
}

// webkitName returns the name of the header field that WebKit blames, as WebKit writes it: fields that
// it knows come first, and the names of others are as the script spells them.
func (c *consoleOf) webkitName() string {
	for _, name := range c.request.ungranted {
		if known, ok := webkitNames[name]; ok {
			return known
		}
	}
	return c.request.spelling[c.request.ungranted[0]]
}

// webkitNames are the names of the header fields that WebKit knows, of those that scripts may set, as
// WebKit writes them.
var webkitNames = map[string]string{
	"authorization": "Authorization", "cache-control": "Cache-Control", "content-encoding": "Content-Encoding", "content-type": "Content-Type",
	"if-match": "If-Match", "if-modified-since": "If-Modified-Since", "if-none-match": "If-None-Match", "if-range": "If-Range", "if-unmodified-since": "If-Unmodified-Since",
	"last-event-id": "Last-Event-ID", "pragma": "Pragma", "range": "Range", "user-agent": "User-Agent",
}

// latin1 returns a header value as WebKit decodes it.
func latin1(value string) string {
	var b strings.Builder
	for _, c := range []byte(value) {
		b.WriteRune(rune(c))
	}
	return b.String()
}
