package corsbrowser

import "fmt"

// Check is a step of the standard at which a call ends for the script.
type Check string

// The checks.
const (
	CheckForbiddenMethod   Check = "FORBIDDEN_METHOD"    // the method cannot be fetched at all
	CheckURL               Check = "URL"                 // no HTTP, or a user name in it
	CheckMode              Check = "MODE"                // mode same-origin, or a method that no-cors does not have
	CheckPreflightStatus   Check = "PREFLIGHT_STATUS"    // no ok status
	CheckPreflightRedirect Check = "PREFLIGHT_REDIRECT"  // a redirect status
	CheckOriginMissing     Check = "ALLOW_ORIGIN_ABSENT" // no Access-Control-Allow-Origin
	CheckOriginRepeated    Check = "ALLOW_ORIGIN_REPEATED"
	CheckOriginInvalid     Check = "ALLOW_ORIGIN_INVALID" // empty, or no origin
	CheckOriginMismatch    Check = "ALLOW_ORIGIN_MISMATCH"
	CheckOriginWildcard    Check = "ALLOW_ORIGIN_WILDCARD" // "*" with credentials
	CheckCredentials       Check = "ALLOW_CREDENTIALS"
	CheckMethods           Check = "ALLOW_METHODS"
	CheckHeaders           Check = "ALLOW_HEADERS"
	CheckMethodsMalformed  Check = "ALLOW_METHODS_MALFORMED"
	CheckHeadersMalformed  Check = "ALLOW_HEADERS_MALFORMED"
	CheckRedirectMode      Check = "REDIRECT_MODE"   // redirect mode error
	CheckRedirectLimit     Check = "REDIRECT_LIMIT"  // more than twenty
	CheckRedirectURL       Check = "REDIRECT_URL"    // no URL, no HTTP, or credentials in it
	CheckBody              Check = "BODY"            // GET and HEAD have none
	CheckMixedContent      Check = "MIXED_CONTENT"   // plain HTTP from a page over https
	CheckResourcePolicy    Check = "RESOURCE_POLICY" // Cross-Origin-Resource-Policy, in mode no-cors
	CheckNetwork           Check = "NETWORK"         // the transport failed
	CheckStreamedBody      Check = "STREAMED_BODY"   // a body that cannot be sent again
)

// BlockedError says why the script got no response: fetch rejects with a
// TypeError that says nothing.
type BlockedError struct {
	// Check is the step at which it ended.
	Check Check
	// Preflight tells whether the answer to the preflight failed the check; else
	// it was the answer to the call.
	Preflight bool
	// Sent tells whether the call, or one that was redirected, went out. What the
	// script cannot read may have had its effect.
	Sent bool
	// Header is the response header that failed, "" for none; Value what it held.
	Header, Value string
	// Reason says what is wrong, and Fix what the server would have had to send.
	Reason, Fix string
	// Console is the class of the message in Chromium's console, by the name of
	// its CorsError; "" where it shows none of CORS.
	Console string
	// Err is what the transport failed with, for [CheckNetwork].
	Err error
}

// Error says all of it in one line.
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
