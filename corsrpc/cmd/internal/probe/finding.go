package probe

import (
	"slices"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// Class is a class of faults of a server's CORS configuration. Its values are stable: programs may
// compare them.
type Class string

// The classes about which origins a server grants. The first eight are those of Chen et al., "We
// Still Don't Have Secure Cross-Domain Requests", USENIX Security 2018, table 3.
const (
	ClassReflectsOrigin          Class = "REFLECTS_ORIGIN"
	ClassPrefixMatch             Class = "PREFIX_MATCH"
	ClassSuffixMatch             Class = "SUFFIX_MATCH"
	ClassSubstringMatch          Class = "SUBSTRING_MATCH"
	ClassDotNotEscaped           Class = "DOT_NOT_ESCAPED"
	ClassNullTrusted             Class = "NULL_TRUSTED"
	ClassPlainHTTPTrusted        Class = "PLAIN_HTTP_TRUSTED"
	ClassSubdomainsTrusted       Class = "SUBDOMAINS_TRUSTED"
	ClassSharedDomainTrusted     Class = "SHARED_DOMAIN_TRUSTED"
	ClassPortIgnored             Class = "PORT_IGNORED"
	ClassLoopbackTrusted         Class = "LOOPBACK_TRUSTED"
	ClassWildcardWithCredentials Class = "WILDCARD_WITH_CREDENTIALS"
)

// The classes about the answers to an origin that is supposed to be allowed.
const (
	ClassOriginNotGranted         Class = "ORIGIN_NOT_GRANTED"
	ClassAllowOriginRepeated      Class = "ALLOW_ORIGIN_REPEATED"
	ClassAllowOriginInvalid       Class = "ALLOW_ORIGIN_INVALID"
	ClassAllowCredentialsInvalid  Class = "ALLOW_CREDENTIALS_INVALID"
	ClassCredentialsNotGranted    Class = "CREDENTIALS_NOT_GRANTED"
	ClassVaryMissing              Class = "VARY_MISSING"
	ClassPreflightStatus          Class = "PREFLIGHT_STATUS"
	ClassPreflightRedirect        Class = "PREFLIGHT_REDIRECT"
	ClassPreflightNotHandled      Class = "PREFLIGHT_NOT_HANDLED"
	ClassPreflightUnauthenticated Class = "PREFLIGHT_UNAUTHENTICATED"
	ClassMethodsNotGranted        Class = "METHODS_NOT_GRANTED"
	ClassMethodsInvalid           Class = "METHODS_INVALID"
	ClassHeadersNotGranted        Class = "HEADERS_NOT_GRANTED"
	ClassHeadersInvalid           Class = "HEADERS_INVALID"
	ClassWildcardHeaders          Class = "WILDCARD_HEADERS"
	ClassPreflightPerMix          Class = "PREFLIGHT_PER_MIX"
	ClassMaxAgeMissing            Class = "MAX_AGE_MISSING"
	ClassMaxAgeInvalid            Class = "MAX_AGE_INVALID"
	ClassResponseNotGranted       Class = "RESPONSE_NOT_GRANTED"
	ClassExposeInvalid            Class = "EXPOSE_INVALID"
	ClassStatusNotExposed         Class = "STATUS_NOT_EXPOSED"
	ClassMetadataNotExposed       Class = "METADATA_NOT_EXPOSED"
)

// The classes about the server as a whole, and about the audit itself.
const (
	ClassRefusedCallRuns Class = "REFUSED_CALL_RUNS"
	ClassUnreachable     Class = "UNREACHABLE"
	ClassMixedContent    Class = "MIXED_CONTENT"
	ClassNotExamined     Class = "NOT_EXAMINED"
)

// classTexts is the list of all classes: the fault as a sentence whose subject is the server or its
// answer, why it matters, and what to write instead.
var classTexts = []struct {
	class               Class
	fault, why, instead string
}{
	{
		ClassReflectsOrigin, "The server grants every origin.",
		"With credentials, any website reads what the visitor may see, and acts in the visitor's name; without credentials, it is the same as \"*\".",
		"Compare the origin with a list of exact origins. For an API that everyone may call without cookies, send \"*\" and no Access-Control-Allow-Credentials.",
	},
	{
		ClassPrefixMatch, "The server grants origins that only begin with an allowed one.",
		"Anyone can register a domain below which such a host exists, as app.example.com.attacker.example.",
		"Compare the whole origin, not its beginning.",
	},
	{
		ClassSuffixMatch, "The server grants origins that only end with an allowed domain.",
		"Without a dot before the domain, attackexample.com ends with example.com, and anyone can register it.",
		"Compare the whole origin. To allow subdomains, compare the end with a dot before the domain.",
	},
	{
		ClassSubstringMatch, "The server grants origins that only contain an allowed domain, or that are only a part of an allowed origin.",
		"Anyone can register such a domain.",
		"Compare the whole origin.",
	},
	{
		ClassDotNotEscaped, "The server grants origins in which another character replaces a dot of an allowed origin.",
		"In a regular expression, a dot matches every character. Anyone can register such a domain.",
		"Compare with a list of exact origins, or write \\. for each dot.",
	},
	{
		ClassNullTrusted, "The server grants the origin null.",
		"Any website gets this origin in a sandboxed frame, so null grants everyone.",
		"Remove null from the allowed origins.",
	},
	{
		ClassPlainHTTPTrusted, "The server grants the http origin of a host that is allowed with https.",
		"An attacker in the visitor's network can answer for the http origin, and read what the server answers.",
		"Allow https origins only, and compare the scheme too.",
	},
	{
		ClassSubdomainsTrusted, "The server grants other hosts of an allowed domain.",
		"One subdomain that is forgotten, hosted elsewhere or open to script injection is enough to call the server.",
		"List the exact origins that need it.",
	},
	{
		ClassSharedDomainTrusted, "The server grants every site of a domain below which anyone can have one.",
		"Anyone can open a site there, as attacker.github.io.",
		"List the exact origins.",
	},
	{
		ClassPortIgnored, "The server grants every port of an allowed host.",
		"Another program on that host, with less care for security, has the same rights as the page.",
		"Compare the whole origin, with its port.",
	},
	{
		ClassLoopbackTrusted, "The server grants origins of the visitor's own machine.",
		"Any program that listens on the visitor's machine gets these rights.",
		"Allow such origins on development servers only.",
	},
	{
		ClassWildcardWithCredentials, "The server sends Access-Control-Allow-Origin \"*\" and Access-Control-Allow-Credentials.",
		"No browser lets a script read a response to a call with credentials if the origin is \"*\".",
		"Send the exact origin if it is on a list, or no Access-Control-Allow-Credentials.",
	},
	{
		ClassOriginNotGranted, "The server does not grant the origin that is supposed to be allowed.",
		"Pages of this origin cannot read any answer.",
		"Add the origin to the allowed ones, exactly as browsers send it.",
	},
	{
		ClassAllowOriginRepeated, "The answer has Access-Control-Allow-Origin several times.",
		"Browsers reject such an answer. In most cases the server and a proxy before it both add the header.",
		"Let only one of them add CORS headers.",
	},
	{
		ClassAllowOriginInvalid, "The answer has an Access-Control-Allow-Origin that is not one origin.",
		"Browsers compare it with the page's origin as a whole, so a list or a slash at the end never matches.",
		"Send the page's origin if it is allowed, as the request has it.",
	},
	{
		ClassAllowCredentialsInvalid, "The answer has an Access-Control-Allow-Credentials that is not \"true\".",
		"Browsers accept only this text in lower case, once.",
		"Send \"true\", or leave the header out.",
	},
	{
		ClassCredentialsNotGranted, "The server grants the origin, and no calls with credentials.",
		"Scripts cannot read answers to calls that carry cookies.",
		"Send Access-Control-Allow-Credentials: true with the exact origin, if calls need cookies.",
	},
	{
		ClassVaryMissing, "The answer depends on the origin, and Vary does not name Origin.",
		"A cache may give one page's answer to another page, which then fails, and later works again.",
		"Send Vary: Origin with every answer, also with those to requests without an origin.",
	},
	{
		ClassPreflightStatus, "The status of the answer to the preflight is not from 200 to 299.",
		"Browsers block the call, whatever the headers say.",
		"Answer preflights with 204 before any other code of the server runs.",
	},
	{
		ClassPreflightRedirect, "The preflight is redirected.",
		"Browsers do not follow it, and block the call.",
		"Call the URL that the redirect leads to, or answer preflights before the redirect.",
	},
	{
		ClassPreflightNotHandled, "The preflight reaches a handler that does not know it.",
		"Browsers block every call that needs a preflight, which are almost all RPCs.",
		"Put the CORS layer before the router, and let OPTIONS through to it.",
	},
	{
		ClassPreflightUnauthenticated, "The preflight is refused because it has no credentials.",
		"Browsers never send credentials with a preflight, so calls with credentials cannot work.",
		"Answer preflights before authentication.",
	},
	{
		ClassMethodsNotGranted, "The answer to the preflight does not allow a method that RPC clients use.",
		"Browsers block the call.",
		"Name the method in Access-Control-Allow-Methods.",
	},
	{
		ClassMethodsInvalid, "Access-Control-Allow-Methods in the answer to the preflight is not a list of methods.",
		"One item that is not a name makes all of them unreadable.",
		"Send names, separated by commas.",
	},
	{
		ClassHeadersNotGranted, "The answer to the preflight does not allow a request header that RPC clients send.",
		"Browsers block the call.",
		"Name the header in Access-Control-Allow-Headers.",
	},
	{
		ClassHeadersInvalid, "Access-Control-Allow-Headers in the answer to the preflight is not a list of header names.",
		"One item that is not a name makes all of them unreadable.",
		"Send names, separated by commas.",
	},
	{
		ClassWildcardHeaders, "The answer to the preflight allows the request headers \"*\" beside credentials, or counts on \"*\" for Authorization.",
		"With credentials, \"*\" is an ordinary name that no request has, and it never stands for Authorization.",
		"List the names of the headers.",
	},
	{
		ClassPreflightPerMix, "The answer to the preflight allows exactly the headers that it asks for.",
		"A browser keeps only those, so each mix of headers costs a preflight of its own.",
		"Send the whole list of allowed headers with every preflight.",
	},
	{
		ClassMaxAgeMissing, "The answer to the preflight has no Access-Control-Max-Age.",
		"Browsers keep the answer for five seconds only, so almost every call costs a second request.",
		"Send Access-Control-Max-Age: 7200, the longest time that Chromium keeps.",
	},
	{
		ClassMaxAgeInvalid, "Access-Control-Max-Age in the answer to the preflight is not a number of seconds.",
		"Browsers treat it as absent, and keep the answer for five seconds only.",
		"Send a whole number of seconds, such as 7200.",
	},
	{
		ClassResponseNotGranted, "The answer to the preflight grants the origin, and the response does not.",
		"The call runs, and the script reads nothing.",
		"Add the CORS headers to every response, also to errors of proxies.",
	},
	{
		ClassExposeInvalid, "Access-Control-Expose-Headers is not a list of header names.",
		"One item that is not a name makes all of them unreadable; \"Trailer-*\" is an ordinary name and no pattern.",
		"List the full names of the headers.",
	},
	{
		ClassStatusNotExposed, "Scripts cannot read the status headers of gRPC-Web.",
		"An error without a body then looks like a success or a network error.",
		"Send Access-Control-Expose-Headers: grpc-status, grpc-message, grpc-status-details-bin.",
	},
	{
		ClassMetadataNotExposed, "The server sends a header that scripts cannot read.",
		"Clients in other languages see this metadata, and pages do not.",
		"Name the header in Access-Control-Expose-Headers, or do not send it.",
	},
	{
		ClassRefusedCallRuns, "A call of a refused origin is executed.",
		"CORS keeps scripts from reading the answer; it does not keep the call from having its effect.",
		"Refuse calls of origins that are not allowed before the handler runs.",
	},
	{
		ClassUnreachable, "The server does not answer.",
		"The audit could not examine what it asked for.",
		"Check the URL, the certificate and the network.",
	},
	{
		ClassMixedContent, "A page of an https origin calls a server without TLS.",
		"Browsers block such calls before they send them.",
		"Audit the https URL of the server.",
	},
	{
		ClassNotExamined, "The audit could not examine this.",
		"A fault there would not have been found.",
		"Follow what the finding says, and audit again.",
	},
}

// Classes returns all classes, always in the same order.
func Classes() []Class {
	all := make([]Class, len(classTexts))
	for i, row := range classTexts {
		all[i] = row.class
	}
	return all
}

// Fault returns the fault as a sentence; empty for a value that is not a class.
func (c Class) Fault() string { fault, _, _ := c.texts(); return fault }

// Why returns why the fault matters, as sentences.
func (c Class) Why() string { _, why, _ := c.texts(); return why }

// Instead returns what to write instead, as sentences.
func (c Class) Instead() string { _, _, instead := c.texts(); return instead }

func (c Class) texts() (fault, why, instead string) {
	for _, row := range classTexts {
		if row.class == c {
			return row.fault, row.why, row.instead
		}
	}
	return "", "", ""
}

// Finding is a fault of a server that an audit has found, or a note.
type Finding struct {
	// Class is the kind of the fault.
	Class Class `json:"class"`
	// Severity is error if pages read what they should not or cannot do what they should, warning if
	// that happens only under conditions, and note if it may be intended.
	Severity report.Severity `json:"severity"`
	// Origin is the page's origin that was sent.
	Origin string `json:"origin,omitempty"`
	// Curl is the command that sends the request again.
	Curl string `json:"curl,omitempty"`
	// Status is that of the answer; 0 if there is none.
	Status int `json:"status,omitempty"`
	// Header and Value are the field of the answer that shows the fault. Value is empty if the field is
	// absent.
	Header string `json:"header,omitempty"`
	Value  string `json:"value,omitempty"`
	// Message is what was seen, as a sentence.
	Message string `json:"message"`
	// Fix says what to write instead.
	Fix string `json:"fix,omitempty"`
}

// severities are the severities, the most severe one first.
var severities = []report.Severity{report.Error, report.Warning, report.Note}

// SortFindings sorts findings by severity, and keeps their order otherwise.
func SortFindings[T any](all []T, severity func(T) report.Severity) {
	slices.SortStableFunc(all, func(a, b T) int {
		return slices.Index(severities, severity(a)) - slices.Index(severities, severity(b))
	})
}
