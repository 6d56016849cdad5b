package corsbrowser

import "fmt"

// Check identifies the step of the standard at which the browser blocks a call.
type Check string

// The checks.
const (
	CheckForbiddenMethod   Check = "FORBIDDEN_METHOD"        // CONNECT, TRACE and TRACK
	CheckURL               Check = "URL"                     // not http or https, or with a user name
	CheckMode              Check = "MODE"                    // another origin in mode same-origin, or an unsafe method in mode no-cors
	CheckPreflightStatus   Check = "PREFLIGHT_STATUS"        // not 200 to 299
	CheckPreflightRedirect Check = "PREFLIGHT_REDIRECT"      // a redirect status
	CheckOriginMissing     Check = "ALLOW_ORIGIN_ABSENT"     // no Access-Control-Allow-Origin
	CheckOriginRepeated    Check = "ALLOW_ORIGIN_REPEATED"   // several values
	CheckOriginInvalid     Check = "ALLOW_ORIGIN_INVALID"    // empty, or not an origin
	CheckOriginMismatch    Check = "ALLOW_ORIGIN_MISMATCH"   // another origin
	CheckOriginWildcard    Check = "ALLOW_ORIGIN_WILDCARD"   // "*" with credentials
	CheckCredentials       Check = "ALLOW_CREDENTIALS"       // not "true", with credentials
	CheckMethods           Check = "ALLOW_METHODS"           // does not list the method
	CheckHeaders           Check = "ALLOW_HEADERS"           // does not list a header
	CheckMethodsMalformed  Check = "ALLOW_METHODS_MALFORMED" // not a list of names
	CheckHeadersMalformed  Check = "ALLOW_HEADERS_MALFORMED" // not a list of names
	CheckRedirectMode      Check = "REDIRECT_MODE"           // a redirect in redirect mode error, or a redirect mode that mode no-cors does not allow
	CheckRedirectLimit     Check = "REDIRECT_LIMIT"          // more than twenty redirects
	CheckRedirectURL       Check = "REDIRECT_URL"            // not a URL, not http or https, or with a user name
	CheckBody              Check = "BODY"                    // a body with GET or HEAD
	CheckMixedContent      Check = "MIXED_CONTENT"           // an http URL on an https page
	CheckResourcePolicy    Check = "RESOURCE_POLICY"         // Cross-Origin-Resource-Policy, in mode no-cors
	CheckNetwork           Check = "NETWORK"                 // the transport failed
	CheckStreamedBody      Check = "STREAMED_BODY"           // a redirect needs the body again, and it can be read only once
)

// BlockedError tells why the browser blocked a call. In a real browser fetch
// rejects with a TypeError, which holds no reason. Fields may be added.
type BlockedError struct {
	// Check is the step that blocked the call.
	Check Check
	// Preflight is true if the check failed for the preflight, and false if it
	// failed for the call.
	Preflight bool
	// Sent is true if the call itself, not only its preflight, was sent to the
	// first URL at least. The server may have executed it, although the script
	// cannot read the response.
	Sent bool
	// Header is the response header that failed the check, and Value its value. Both
	// are "" if no header did.
	Header, Value string
	// Reason describes the problem. Fix is the response that would have passed; it
	// is "" if no response would.
	Reason, Fix string
	// Console identifies the message in the console of Chromium. For CORS it is the
	// name of a CorsError in the DevTools protocol, such as
	// "MissingAllowOriginHeader"; otherwise "MixedContent" or
	// "ERR_BLOCKED_BY_RESPONSE". It is "" if none of these applies.
	Console string
	// ConsoleText is the sentence in the engine's console about a call of fetch, as the versions that
	// [Chromium], [Firefox] and [WebKit] name write it; a further line may follow. Where several header
	// fields are not granted, Chromium may name another one. ConsoleText is "" for [Standard], and where
	// the sentence is not known, such as that of a failed connection in Chromium.
	ConsoleText string
	// Err is the transport's error if Check is [CheckNetwork], or nil.
	Err error
}

// Error returns the check, the reason, whether the call was sent, and the fix, in
// one line.
func (e *BlockedError) Error() string {
	where := "the call"
	if e.Preflight {
		where = "the preflight"
	}
	sent := "the call was not sent"
	if e.Sent {
		sent = "the call was sent"
	}
	text := fmt.Sprintf("corsbrowser: blocked at %s of %s: %s; %s", e.Check, where, e.Reason, sent)
	if e.Fix != "" {
		text += "; the server needs to send " + e.Fix
	}
	return text
}

// Unwrap returns Err.
func (e *BlockedError) Unwrap() error { return e.Err }
