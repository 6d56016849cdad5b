package corstest

import (
	"strconv"
	"time"
)

// Engine is a browser engine: what it does where the standard leaves a
// choice, and where it differs from the standard. The zero Engine is
// [Standard].
type Engine struct{ *knobs }

// knobs are an engine's answers, each as measured in the version that the
// engine's variable names.
type knobs struct {
	name      string
	userAgent string

	maxAgeCap        time.Duration
	maxAge           func(values []string) (d time.Duration, cached bool)
	cacheReplaces    bool // one grant for a URL, replaced each time; else merged by method and name
	keepsRefused     bool // what a preflight granted is remembered even where it was not enough for its call
	missErases       bool // what was granted for a URL is forgotten where it does not suffice
	cachesStar       bool // a granted "*" is found in the cache
	starOutlives     bool // a "*" granted with credentials, where it says nothing, holds without
	framesCount      bool // what counts for cookies is the page around a frame, not the frame
	embedderIsSite   bool // for Cross-Origin-Resource-Policy, the site of an opaque origin is that of the page around it
	headNeedsNone    bool // HEAD needs no entry of its own in the cache
	sharesGrants     bool // what was granted with credentials holds without
	forgets          bool // a failed CORS check of a call forgets what was granted for its URL
	longestURL       int  // beyond it nothing is cached; 0 for no limit
	starGrantsAll    bool // "*" grants Authorization as well
	userAgentSets    bool // a script may set User-Agent
	repeats          bool // a name that was appended twice is asked for twice
	linesApart       bool // each line of a header is judged by itself, not their combination
	oneType          bool // of several Content-Types the first one goes out
	asciiOnly        bool // a byte beyond ASCII is unsafe
	asksAsFirst      bool // the preflight after a redirect elsewhere names the page's origin
	asksForAll       bool // the preflight after a redirect asks for what the redirect removed as well
	silentAfter      bool // after a redirect to another origin a call in mode cors has no Sec-Fetch headers
	keepsOrigin      bool // a redirect that makes a GET of a POST leaves the Origin header
	preflightsOn     bool // where a call needed a preflight, so does what it is redirected to
	preflightIsFresh bool // the Sec-Fetch-Site of a preflight knows of no redirects before it
	ownPreflight     bool // a preflight of the page's own origin, after a redirect, needs no grant
	nullIsFar        bool // what comes from the origin "null" comes from another site
	unsaidMethods    bool // a preflight that only an upload listener asks for grants the method that it does not name
	rewritesRange    bool // a range is parsed and written anew
	rangeInAnyCase   bool // the unit of a range is safelisted in any letter case
	showsNoRedirect  bool // mode manual leaves the body of a redirect that leads nowhere
	farAfter         bool // after a redirect a call comes from another site, unless all of it is of the page's origin
	emptyLocation    emptyLocation
	laxByDefault     bool // a cookie without SameSite is Lax
	noneIsSecure     bool // SameSite=None needs Secure
	secureOnLoopback bool // Secure holds on loopback without TLS
	noThirdParty     bool // no cookies of other sites
	opaqueHasNone    bool // a page of an opaque origin has no cookies of any site
	notAsked         map[string]bool
}

const defaultMaxAge = 5 * time.Second

// The engines.
var (
	// Standard does what the Fetch standard says, and no more.
	Standard = Engine{&knobs{
		name: "the Fetch standard", userAgent: "corstest",
		maxAge:        standardMaxAge,
		headNeedsNone: true, cachesStar: true, sharesGrants: true, forgets: true, userAgentSets: true, unsaidMethods: true,
	}}
	// Chromium is Chromium 156.
	Chromium = Engine{&knobs{
		name: "Chromium", userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
		maxAgeCap: 7200 * time.Second, maxAge: lenientMaxAge,
		cacheReplaces: true, missErases: true, headNeedsNone: true, cachesStar: true, sharesGrants: true,
		longestURL: 1023, starGrantsAll: true, emptyLocation: isNoRedirect, embedderIsSite: true,
		preflightIsFresh: true, rewritesRange: true,
		laxByDefault: true, noneIsSecure: true, secureOnLoopback: true, noThirdParty: true,
		notAsked: map[string]bool{
			"dpr": true, "save-data": true, "downlink": true, "viewport-width": true, "device-memory": true, "rtt": true, "ect": true, "width": true,
		},
	}}
	// Firefox is Firefox ESR 153.
	Firefox = Engine{&knobs{
		name: "Firefox", userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
		maxAgeCap: 86400 * time.Second, maxAge: strictMaxAge,
		noneIsSecure: true, secureOnLoopback: true, opaqueHasNone: true,
		forgets: true, starGrantsAll: true, userAgentSets: true, repeats: true, linesApart: true, oneType: true, asciiOnly: true, asksAsFirst: true, farAfter: true,
		preflightsOn: true, preflightIsFresh: true, ownPreflight: true,
	}}
	// WebKit is WebKitGTK 2.50.
	WebKit = Engine{&knobs{
		name: "WebKit", userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
		maxAgeCap: 600 * time.Second, maxAge: lenientMaxAge,
		cacheReplaces: true, headNeedsNone: true, cachesStar: true, sharesGrants: true,
		starGrantsAll: true, userAgentSets: true, asksForAll: true, silentAfter: true, emptyLocation: isAnError,
		noThirdParty: true, starOutlives: true, framesCount: true, keepsRefused: true,
		keepsOrigin: true, preflightsOn: true, preflightIsFresh: true, nullIsFar: true, rangeInAnyCase: true, showsNoRedirect: true,
	}}
)

// Engines returns [Standard] and the three engines.
func Engines() []Engine { return []Engine{Standard, Chromium, Firefox, WebKit} }

// String returns the engine's name.
func (e Engine) String() string {
	if e.knobs == nil {
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
	isThisURL emptyLocation = iota
	isNoRedirect
	isAnError
)
