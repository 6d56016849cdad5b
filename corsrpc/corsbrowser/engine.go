package corsbrowser

import "time"

// Engine is a browser engine: its choices where the standard leaves one, and its
// differences from the standard. The zero Engine acts as [Standard] does.
// Engines can be compared with ==, but for the zero one.
type Engine struct{ *differences }

// differences lists the choices and differences of an engine. Each was measured in
// the version that the engine's variable names, by TestOracle of internal/e2e; the
// bounds on ages are from the engines' source.
type differences struct {
	name      string
	userAgent string

	// The cache of preflights. The standard and Firefox keep an entry for each
	// method and each name; Chromium and WebKit keep the last answer for a URL.
	replacesCachedGrant           bool // WebKit: a new answer replaces the last one
	dropsGrantOnMiss              bool // Chromium: an answer that does not cover a request is dropped before the next preflight
	cachesBeforeCheck             bool // WebKit: the answer is kept before the request is checked against it
	reusesWildcard                bool // all but Firefox, which looks up names literally
	wildcardOutlivesCredentials   bool // WebKit: a "*" of a request with credentials, which does not count for it, counts for later ones without
	headNeedsNoGrant              bool // all but Firefox, which looks up every method but GET and POST
	sharesGrantsAcrossCredentials bool // all but Firefox, whose key says whether there are credentials
	dropsGrantOnFailedCheck       bool // the standard, Firefox: a call that fails its CORS check removes the grant
	maxCachedURL                  int  // Chromium: bytes of the longest URL that its cache takes; 0 for no bound
	maxMaxAge                     time.Duration
	parseMaxAge                   func(values []string) (d time.Duration, cached bool)

	// Which headers count, and how they are written.
	wildcardGrantsAuthorization bool            // the engines: "*" covers Authorization, which the standard excepts
	scriptSetsUserAgent         bool            // all but Chromium, which ignores a script's User-Agent
	safelistedHints             map[string]bool // Chromium: client hints need no grant
	repeatsRequestedNames       bool            // Firefox: a name that was appended twice is asked for twice
	judgesLinesApart            bool            // Firefox: the safelist applies to each line, not to their combination
	sendsFirstContentType       bool            // Firefox: of several Content-Types only the first is sent
	nonASCIIIsUnsafe            bool            // Firefox: a byte beyond ASCII is unsafe
	rangeUnitInAnyCase          bool            // WebKit: the unit of a range is compared without letter case
	rewritesRange               bool            // Chromium: the network stack parses a range and serializes it
	grantsUnnamedMethod         bool            // the standard: an answer without methods, to a preflight that was forced, grants the method of the request

	// Redirects.
	preflightNamesPageOrigin bool // Firefox: the preflight after a redirect has the page's origin, not "null"
	skipsCheckOfOwnPreflight bool // Firefox: the preflight after a redirect back to the page's origin needs no CORS check
	preflightsAfterRedirect  bool // Firefox, WebKit: after a call that needed a preflight, every redirect needs one
	asksForRemovedHeaders    bool // WebKit: the preflight asks for headers that the redirect removed, too
	keepsOriginOnGET         bool // WebKit: a redirect that makes a GET of a POST keeps the Origin header
	manualNeedsLocation      bool // WebKit: mode manual hides the body only of a redirect with a Location
	emptyLocation            emptyLocation

	// Sec-Fetch-Site after redirects, which engines implemented before it was specified.
	preflightForgetsRedirects bool // Chromium, Firefox: a preflight has the site of its URL alone
	nullOriginIsCrossSite     bool // WebKit: a preflight with the origin "null" is cross-site
	noMetadataAfterRedirect   bool // WebKit: after a redirect to another origin a call in mode cors has no Sec-Fetch headers
	crossSiteAfterRedirect    bool // Firefox: after a redirect a call is cross-site, unless all its URLs are of the page's origin

	// Cookies, and the site of a frame of an opaque origin, which Chromium and
	// WebKit in places take from the page around it.
	sameSiteNoneNeedsSecure         bool // Chromium, Firefox: SameSite=None needs Secure
	secureCookiesOnLoopback         bool // Chromium, Firefox: Secure cookies work on loopback without TLS
	blocksThirdPartyCookies         bool // Chromium, WebKit: no cookies of other sites
	opaqueOriginHasNoCookies        bool // Firefox: an opaque origin is another site to all
	embedderCountsForCookies        bool // WebKit: the site is that of the page around the frame
	embedderCountsForResourcePolicy bool // Chromium: likewise for Cross-Origin-Resource-Policy
}

// The engines, each in the version that it was compared with.
var (
	// Standard does what the Fetch standard says, and no more.
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
		grantsUnnamedMethod: true, scriptSetsUserAgent: true,
	}
	chromium = differences{
		name: "Chromium", userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
		parseMaxAge: lenientMaxAge, maxMaxAge: 7200 * time.Second, maxCachedURL: 1023,
		dropsGrantOnMiss: true, headNeedsNoGrant: true, reusesWildcard: true, sharesGrantsAcrossCredentials: true,
		wildcardGrantsAuthorization: true, rewritesRange: true,
		emptyLocation: emptyIsNoRedirect, preflightForgetsRedirects: true,
		sameSiteNoneNeedsSecure: true, secureCookiesOnLoopback: true, blocksThirdPartyCookies: true, embedderCountsForResourcePolicy: true,
		safelistedHints: map[string]bool{
			"dpr": true, "save-data": true, "downlink": true, "viewport-width": true, "device-memory": true, "rtt": true, "ect": true, "width": true,
		},
	}
	firefox = differences{
		name: "Firefox", userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
		parseMaxAge: strictMaxAge, maxMaxAge: 86400 * time.Second,
		dropsGrantOnFailedCheck:     true,
		wildcardGrantsAuthorization: true, scriptSetsUserAgent: true, repeatsRequestedNames: true, judgesLinesApart: true, sendsFirstContentType: true, nonASCIIIsUnsafe: true,
		preflightNamesPageOrigin: true, skipsCheckOfOwnPreflight: true, preflightsAfterRedirect: true,
		preflightForgetsRedirects: true, crossSiteAfterRedirect: true,
		sameSiteNoneNeedsSecure: true, secureCookiesOnLoopback: true, opaqueOriginHasNoCookies: true,
	}
	webkit = differences{
		name: "WebKit", userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
		parseMaxAge: lenientMaxAge, maxMaxAge: 600 * time.Second,
		replacesCachedGrant: true, cachesBeforeCheck: true, headNeedsNoGrant: true, reusesWildcard: true, wildcardOutlivesCredentials: true, sharesGrantsAcrossCredentials: true,
		wildcardGrantsAuthorization: true, scriptSetsUserAgent: true, rangeUnitInAnyCase: true,
		preflightsAfterRedirect: true, asksForRemovedHeaders: true, keepsOriginOnGET: true, manualNeedsLocation: true, emptyLocation: emptyIsAnError,
		nullOriginIsCrossSite: true, noMetadataAfterRedirect: true,
		blocksThirdPartyCookies: true, embedderCountsForCookies: true,
	}
)

// emptyLocation is the meaning of an empty Location header.
type emptyLocation int

const (
	emptyIsThisURL emptyLocation = iota
	emptyIsNoRedirect
	emptyIsAnError
)
