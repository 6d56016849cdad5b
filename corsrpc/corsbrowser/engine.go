package corsbrowser

import (
	"strconv"
	"time"
)

// Engine is a browser engine: what it does where the standard leaves a
// choice, and where it differs from the standard. The zero Engine is
// [Standard].
type Engine struct{ *differences }

// differences are the list of engine differences: what an engine answers where the
// standard leaves a choice or the engine goes its own way, with the cause. Each
// was measured in the version that the engine's variable names, by TestOracle of
// internal/e2e; the ages' caps are read from the engines' source.
type differences struct {
	name      string
	userAgent string

	// The cache of preflights. The standard and Firefox keep an entry for each
	// method and each name; Chromium and WebKit keep the last answer whole, for a URL.
	replacesCachedGrant           bool // WebKit
	dropsGrantOnMiss              bool // Chromium: an answer that does not suffice is dropped before the new one is there
	cachesBeforeCheck             bool // WebKit: the answer is kept before it is held against its call
	reusesWildcard                bool // all but Firefox, which looks names up as they are
	wildcardOutlivesCredentials   bool // WebKit: a "*" granted with credentials, where it says nothing, holds without
	headNeedsNoGrant              bool // all but Firefox, which looks for an entry of every method but GET and POST
	sharesGrantsAcrossCredentials bool // all but Firefox, whose key says whether there are credentials
	dropsGrantOnFailedCheck       bool // the standard, Firefox: a call that fails its check takes the grant with it
	maxCachedURL                  int  // Chromium: its cache takes no longer keys; 0 for no limit
	maxMaxAge                     time.Duration
	parseMaxAge                   func(values []string) (d time.Duration, cached bool) // by each engine's parser of numbers

	// Which headers count, and how they are written.
	wildcardGrantsAuthorization bool            // the engines do not except Authorization from "*" yet
	scriptSetsUserAgent         bool            // all but Chromium, which ignores a script's User-Agent
	safelistedHints             map[string]bool // Chromium: client hints are safelisted
	repeatsRequestedNames       bool            // Firefox: a name that was appended twice is asked for twice
	judgesLinesApart            bool            // Firefox: each line is judged by itself, not their combination
	sendsFirstContentType       bool            // Firefox: of several Content-Types the first one goes out
	nonASCIIIsUnsafe            bool            // Firefox: a byte beyond ASCII is unsafe
	rangeUnitInAnyCase          bool            // WebKit: the unit of a range is compared without letter case
	rewritesRange               bool            // Chromium: the network stack parses a range and writes it anew
	grantsUnnamedMethod         bool            // the standard: a preflight for an upload listener alone grants the method that it does not name

	// Redirects.
	preflightNamesPageOrigin bool // Firefox: the preflight behind a redirect names the page's origin
	skipsCheckOnOwnOrigin    bool // Firefox: as such it is the page's own, where it leads back there
	preflightsAfterRedirect  bool // Firefox, WebKit: where a call needed a preflight, so does what it is redirected to
	asksForRemovedHeaders    bool // WebKit: its preflight asks for what the redirect removed as well
	keepsOriginOnGET         bool // WebKit: a redirect that makes a GET of a POST leaves the Origin header
	manualNeedsLocation      bool // WebKit: mode manual takes the answer for a redirect only where it leads somewhere
	emptyLocation            emptyLocation

	// Sec-Fetch-Site. The engines knew redirects before the header had its rules.
	preflightForgetsRedirects bool // Chromium, Firefox: a preflight begins anew
	nullOriginIsCrossSite     bool // WebKit: what comes from the origin "null" comes from another site
	noMetadataAfterRedirect   bool // WebKit: after a redirect to another origin a call in mode cors has no Sec-Fetch headers
	crossSiteAfterRedirect    bool // Firefox: after a redirect a call comes from another site, unless all of it is of the page's origin

	// Cookies, and whose site counts: for a frame of an opaque origin, Chromium
	// and WebKit look at the page around it in places.
	sameSiteNoneNeedsSecure         bool // Chromium, Firefox: SameSite=None needs Secure
	secureCookiesOnLoopback         bool // Chromium, Firefox: Secure holds on loopback without TLS
	blocksThirdPartyCookies         bool // Chromium, WebKit: no cookies of other sites
	opaqueOriginHasNoCookies        bool // Firefox: an opaque origin is another site to all
	embedderCountsForCookies        bool // WebKit: the page around a frame counts for its cookies
	embedderCountsForResourcePolicy bool // Chromium: it counts for Cross-Origin-Resource-Policy
}

const defaultMaxAge = 5 * time.Second

// The engines, each in the version that it was compared with.
var (
	// Standard does what the Fetch standard says, and no more.
	Standard = Engine{&differences{
		name: "the Fetch standard", userAgent: "corsbrowser",
		parseMaxAge:      standardMaxAge,
		headNeedsNoGrant: true, reusesWildcard: true, sharesGrantsAcrossCredentials: true, dropsGrantOnFailedCheck: true, scriptSetsUserAgent: true, grantsUnnamedMethod: true,
	}}
	// Chromium is Chromium 156.
	Chromium = Engine{&differences{
		name: "Chromium", userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
		maxMaxAge: 7200 * time.Second, parseMaxAge: lenientMaxAge,
		dropsGrantOnMiss: true, headNeedsNoGrant: true, reusesWildcard: true, sharesGrantsAcrossCredentials: true,
		maxCachedURL: 1023, wildcardGrantsAuthorization: true, emptyLocation: emptyIsNoRedirect, embedderCountsForResourcePolicy: true,
		preflightForgetsRedirects: true, rewritesRange: true,
		sameSiteNoneNeedsSecure: true, secureCookiesOnLoopback: true, blocksThirdPartyCookies: true,
		safelistedHints: map[string]bool{
			"dpr": true, "save-data": true, "downlink": true, "viewport-width": true, "device-memory": true, "rtt": true, "ect": true, "width": true,
		},
	}}
	// Firefox is Firefox ESR 153.
	Firefox = Engine{&differences{
		name: "Firefox", userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
		maxMaxAge: 86400 * time.Second, parseMaxAge: strictMaxAge,
		sameSiteNoneNeedsSecure: true, secureCookiesOnLoopback: true, opaqueOriginHasNoCookies: true,
		dropsGrantOnFailedCheck: true, wildcardGrantsAuthorization: true, scriptSetsUserAgent: true, repeatsRequestedNames: true, judgesLinesApart: true, sendsFirstContentType: true, nonASCIIIsUnsafe: true, preflightNamesPageOrigin: true, crossSiteAfterRedirect: true,
		preflightsAfterRedirect: true, preflightForgetsRedirects: true, skipsCheckOnOwnOrigin: true,
	}}
	// WebKit is WebKitGTK 2.50.
	WebKit = Engine{&differences{
		name: "WebKit", userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
		maxMaxAge: 600 * time.Second, parseMaxAge: lenientMaxAge,
		replacesCachedGrant: true, headNeedsNoGrant: true, reusesWildcard: true, sharesGrantsAcrossCredentials: true,
		wildcardGrantsAuthorization: true, scriptSetsUserAgent: true, asksForRemovedHeaders: true, noMetadataAfterRedirect: true, emptyLocation: emptyIsAnError,
		blocksThirdPartyCookies: true, wildcardOutlivesCredentials: true, embedderCountsForCookies: true, cachesBeforeCheck: true,
		keepsOriginOnGET: true, preflightsAfterRedirect: true, nullOriginIsCrossSite: true, rangeUnitInAnyCase: true, manualNeedsLocation: true,
	}}
)

// Engines returns [Standard] and the three engines.
func Engines() []Engine { return []Engine{Standard, Chromium, Firefox, WebKit} }

// String returns the engine's name.
func (e Engine) String() string {
	if e.differences == nil {
		e = Standard
	}
	return e.name
}

// standardMaxAge is what extracting Access-Control-Max-Age gives: delta-seconds, or the default.
func standardMaxAge(values []string) (time.Duration, bool) {
	if len(values) != 1 {
		return defaultMaxAge, true
	}
	for _, c := range []byte(values[0]) {
		if c < '0' || c > '9' {
			return defaultMaxAge, true
		}
	}
	seconds, err := strconv.ParseInt(values[0], 10, 32)
	if values[0] == "" {
		return defaultMaxAge, true
	}
	if err != nil {
		seconds = 1<<31 - 1
	}
	return time.Duration(seconds) * time.Second, true
}

// lenientMaxAge accepts a sign, and takes what overflows for malformed.
func lenientMaxAge(values []string) (time.Duration, bool) {
	if len(values) != 1 {
		return defaultMaxAge, true
	}
	seconds, err := strconv.ParseInt(values[0], 10, 64)
	switch {
	case err != nil:
		return defaultMaxAge, true
	case seconds < 0:
		return 0, true
	}
	return time.Duration(min(seconds, 1<<31-1)) * time.Second, true
}

// strictMaxAge caches nothing where the value is malformed.
func strictMaxAge(values []string) (time.Duration, bool) {
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return defaultMaxAge, true
	}
	d, _ := standardMaxAge(values)
	if len(values) > 1 {
		return 0, false
	}
	for _, c := range []byte(values[0]) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	return d, true
}

// emptyLocation is what an empty Location header is.
type emptyLocation int

const (
	emptyIsThisURL emptyLocation = iota
	emptyIsNoRedirect
	emptyIsAnError
)
