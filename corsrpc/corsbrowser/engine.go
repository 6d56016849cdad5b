package corsbrowser

import "time"

// Engine is a browser engine: its choices where the standard leaves a choice, and
// its differences from the standard. The zero Engine behaves as [Standard], but is
// not equal to it; other Engines can be compared with ==.
type Engine struct{ *differences }

// differences lists the choices and differences of an engine. TestOracle of
// internal/e2e measured each in the version that the engine's variable documents,
// except maxMaxAge, which is from the engine's source. A comment on a field names
// the engines that set it.
type differences struct {
	name      string
	userAgent string

	// The preflight cache. The standard and Firefox keep an entry for each method
	// and each header; Chromium and WebKit keep the last response for a URL.
	replacesCachedGrant           bool          // WebKit: a new response replaces the cached one
	dropsGrantOnMiss              bool          // Chromium: a cached response that does not cover a request is removed before its preflight
	cachesBeforeCheck             bool          // WebKit: a response is cached even if it does not cover its own request
	reusesWildcard                bool          // all but Firefox: a cached "*" covers later requests
	wildcardOutlivesCredentials   bool          // WebKit: a "*" cached by a request with credentials covers later requests without
	headNeedsNoGrant              bool          // all but Firefox: HEAD needs no cached method; for Firefox's cache only GET and POST are safelisted
	sharesGrantsAcrossCredentials bool          // all but Firefox: a response to a request with credentials covers requests without
	dropsGrantOnFailedCheck       bool          // Standard, Firefox: a call that fails its CORS check removes the cached grant
	maxCachedURL                  int           // Chromium: bytes of the longest URL that is cached; 0 means no bound
	maxMaxAge                     time.Duration // the engines: the longest max-age; 0 means no bound
	parseMaxAge                   func(values []string) (d time.Duration, cached bool)

	// Request headers: which of them need a grant, and how they are sent.
	wildcardGrantsAuthorization bool            // all but Standard: "*" covers Authorization
	scriptSetsUserAgent         bool            // all but Chromium: a script can set User-Agent
	safelistedHints             map[string]bool // Chromium: client hints that need no grant
	repeatsRequestedNames       bool            // Firefox: the preflight lists a name twice if the script appended it twice
	checksLinesSeparately       bool            // Firefox: the safelist applies to each line of a header, not to the combined value
	sendsFirstContentType       bool            // Firefox: only the first of several Content-Type lines is sent
	nonASCIIIsUnsafe            bool            // Firefox: a value with a non-ASCII byte needs a grant
	rangeUnitInAnyCase          bool            // WebKit: the safelist ignores the letter case of a range unit
	rewritesRange               bool            // Chromium: the network stack parses a single range and serializes it again
	grantsMethodIfNoneListed    bool            // Standard: the response to a forced preflight grants the request's method if it lists no methods

	// Redirects.
	preflightKeepsPageOrigin bool          // Firefox: the preflight after a redirect has the page's origin, not "null"
	skipsCheckOfOwnPreflight bool          // Firefox: the preflight after a redirect back to the page's origin needs no CORS check
	preflightsAfterRedirect  bool          // Firefox, WebKit: after a call that needed a preflight, every redirect needs one
	requestsRemovedHeaders   bool          // WebKit: the preflight also requests headers that the redirect removed
	keepsOriginOnGET         bool          // WebKit: a redirect that changes a POST to a GET keeps the Origin header
	manualNeedsLocation      bool          // WebKit: redirect mode manual hides the body only if the redirect has a Location
	emptyLocation            emptyLocation // how a redirect with an empty Location is treated

	// Sec-Fetch-Site after redirects: engines implemented it before it was specified.
	preflightIgnoresRedirects    bool // Chromium, Firefox: the site of a preflight depends only on its own URL
	nullOriginIsCrossSite        bool // WebKit: after a redirect, a preflight with the origin "null" is cross-site
	noFetchMetadataAfterRedirect bool // WebKit: a call in mode cors has no Sec-Fetch-* headers after a redirect to another origin
	crossSiteAfterRedirect       bool // Firefox: a redirected call is cross-site, unless all its URLs are of the page's origin

	// Cookies, and the site of a sandboxed frame, whose origin is opaque: Chromium
	// and WebKit use the site of the embedding page in some places.
	sameSiteNoneNeedsSecure         bool // Chromium, Firefox: a cookie with SameSite=None needs Secure
	secureCookiesOnLoopback         bool // Chromium, Firefox: Secure cookies can be set on loopback without TLS
	blocksThirdPartyCookies         bool // Chromium, WebKit: a request to another site carries no cookies
	opaqueOriginIsThirdParty        bool // Firefox: a request of a page with an opaque origin carries no cookies
	embedderCountsForCookies        bool // WebKit: the embedding page's site counts for the cookies of a frame
	embedderCountsForResourcePolicy bool // Chromium: the embedding page's site counts for Cross-Origin-Resource-Policy
}

// The engines. Each was compared with the version that its comment gives.
var (
	// Standard behaves as the Fetch standard requires.
	Standard = Engine{&standard}
	// Chromium is Chromium 156.
	Chromium = Engine{&chromium}
	// Firefox is Firefox ESR 153.
	Firefox = Engine{&firefox}
	// WebKit is WebKitGTK 2.50.
	WebKit = Engine{&webkit}
)

// Engines returns [Standard], [Chromium], [Firefox] and [WebKit].
func Engines() []Engine { return []Engine{Standard, Chromium, Firefox, WebKit} }

// String returns the engine's name.
func (e Engine) String() string {
	if e.differences == nil {
		e = Standard
	}
	return e.name
}

var (
	standard = differences{
		name: "the Fetch standard", userAgent: "corsbrowser",
		parseMaxAge:             standardMaxAge,
		dropsGrantOnFailedCheck: true, headNeedsNoGrant: true, reusesWildcard: true, sharesGrantsAcrossCredentials: true,
		grantsMethodIfNoneListed: true, scriptSetsUserAgent: true,
	}
	chromium = differences{
		name: "Chromium", userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
		parseMaxAge: lenientMaxAge, maxMaxAge: 7200 * time.Second, maxCachedURL: 1023,
		dropsGrantOnMiss: true, headNeedsNoGrant: true, reusesWildcard: true, sharesGrantsAcrossCredentials: true,
		wildcardGrantsAuthorization: true, rewritesRange: true,
		emptyLocation: emptyIsNoRedirect, preflightIgnoresRedirects: true,
		sameSiteNoneNeedsSecure: true, secureCookiesOnLoopback: true, blocksThirdPartyCookies: true, embedderCountsForResourcePolicy: true,
		safelistedHints: map[string]bool{
			"dpr": true, "save-data": true, "downlink": true, "viewport-width": true, "device-memory": true, "rtt": true, "ect": true, "width": true,
		},
	}
	firefox = differences{
		name: "Firefox", userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
		parseMaxAge: strictMaxAge, maxMaxAge: 86400 * time.Second,
		dropsGrantOnFailedCheck:     true,
		wildcardGrantsAuthorization: true, scriptSetsUserAgent: true, repeatsRequestedNames: true, checksLinesSeparately: true, sendsFirstContentType: true, nonASCIIIsUnsafe: true,
		preflightKeepsPageOrigin: true, skipsCheckOfOwnPreflight: true, preflightsAfterRedirect: true,
		preflightIgnoresRedirects: true, crossSiteAfterRedirect: true,
		sameSiteNoneNeedsSecure: true, secureCookiesOnLoopback: true, opaqueOriginIsThirdParty: true,
	}
	webkit = differences{
		name: "WebKit", userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
		parseMaxAge: lenientMaxAge, maxMaxAge: 600 * time.Second,
		replacesCachedGrant: true, cachesBeforeCheck: true, headNeedsNoGrant: true, reusesWildcard: true, wildcardOutlivesCredentials: true, sharesGrantsAcrossCredentials: true,
		wildcardGrantsAuthorization: true, scriptSetsUserAgent: true, rangeUnitInAnyCase: true,
		preflightsAfterRedirect: true, requestsRemovedHeaders: true, keepsOriginOnGET: true, manualNeedsLocation: true, emptyLocation: emptyIsAnError,
		nullOriginIsCrossSite: true, noFetchMetadataAfterRedirect: true,
		blocksThirdPartyCookies: true, embedderCountsForCookies: true,
	}
)

// emptyLocation tells how an engine treats a redirect with an empty Location header.
type emptyLocation int

const (
	emptyIsThisURL    emptyLocation = iota // a redirect to the same URL
	emptyIsNoRedirect                      // the response is not a redirect
	emptyIsAnError                         // the call is blocked
)
