package corsbrowser

import "fmt"

// Check is a step of the standard at which a call ends for the script.
type Check string

// The checks.
const (
	CheckForbiddenMethod   Check = "FORBIDDEN_METHOD"    // CONNECT, TRACE and TRACK
	CheckURL               Check = "URL"                 // not HTTP, or with a user name
	CheckMode              Check = "MODE"                // mode same-origin, or a method that no-cors does not have
	CheckPreflightStatus   Check = "PREFLIGHT_STATUS"    // not 200 to 299
	CheckPreflightRedirect Check = "PREFLIGHT_REDIRECT"  // a redirect status
	CheckOriginMissing     Check = "ALLOW_ORIGIN_ABSENT" // the answer has no Access-Control-Allow-Origin
	CheckOriginRepeated    Check = "ALLOW_ORIGIN_REPEATED"
	CheckOriginInvalid     Check = "ALLOW_ORIGIN_INVALID" // empty, or not an origin
	CheckOriginMismatch    Check = "ALLOW_ORIGIN_MISMATCH"
	CheckOriginWildcard    Check = "ALLOW_ORIGIN_WILDCARD" // "*" with credentials
	CheckCredentials       Check = "ALLOW_CREDENTIALS"
	CheckMethods           Check = "ALLOW_METHODS"
	CheckHeaders           Check = "ALLOW_HEADERS"
	CheckMethodsMalformed  Check = "ALLOW_METHODS_MALFORMED"
	CheckHeadersMalformed  Check = "ALLOW_HEADERS_MALFORMED"
	CheckRedirectMode      Check = "REDIRECT_MODE"   // redirect mode error
	CheckRedirectLimit     Check = "REDIRECT_LIMIT"  // more than twenty redirects
	CheckRedirectURL       Check = "REDIRECT_URL"    // not a URL, not HTTP, or with a user name
	CheckBody              Check = "BODY"            // GET and HEAD have none
	CheckMixedContent      Check = "MIXED_CONTENT"   // an http server, from an https page
	CheckResourcePolicy    Check = "RESOURCE_POLICY" // Cross-Origin-Resource-Policy, in mode no-cors
	CheckNetwork           Check = "NETWORK"         // the transport failed
	CheckStreamedBody      Check = "STREAMED_BODY"   // a redirect needs the body again, and it cannot be read again
)

// BlockedError says why the script got no response, where fetch rejects with a
// TypeError that does not say it. Fields may be added.
type BlockedError struct {
	// Check is the step at which the call ended.
	Check Check
	// Preflight tells whether the check failed for the preflight; else it failed for
	// the call.
	Preflight bool
	// Sent tells whether the call went out, before any redirect at least. It may
	// have had its effect, although the script cannot read the answer.
	Sent bool
	// Header is the response header that failed, "" for none, and Value its value.
	Header, Value string
	// Reason says what is wrong, and Fix what the server would have had to send; ""
	// where no answer helps.
	Reason, Fix string
	// Console is the name of Chromium's CorsError, which decides the message in its
	// console; "" where the console does not show a message about CORS.
	Console string
	// Err is the transport's error, for [CheckNetwork].
	Err error
}

// Error says all but Console in one line.
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
		text += "; the server would have had to send " + e.Fix
	}
	return text
}

// Unwrap returns the transport's error.
func (e *BlockedError) Unwrap() error { return e.Err }
