package main

// browserFaults are faults of corsbrowser.
var browserFaults = []fault{
	{name: "a redirect without Timing-Allow-Origin shows its timing", old: `if request.timingAllowFailed {`, new: `if false {`},
	{name: "every response of another origin shows its timing", old: `return request.tainting == basic`, new: `return true`},
	{name: "every value of Timing-Allow-Origin shows the timing", old: `value == "*" || value == origin {`, new: `value != "" || value == origin {`},
	{name: "the browser exposes all with credentials", old: `all := credentials != Include && exposed["*"]`, new: `all := exposed["*"]`},
	{name: "the browser takes * with credentials", old: `case request.credentials != Include && value == "*":`, new: `case value == "*":`},
	{name: "the browser takes credentials without a grant", in: "corsCheck", old: `value != "true"`, new: `value == "false"`},
	{name: "the browser takes two origins", old: `case len(values) > 1 || strings.Contains(value, ","):`, new: `case len(values) > 9 && strings.Contains(value, ","):`},
	{name: "the browser keeps its origin through redirects", old: `if !r.keepsPageOrigin && r.redirectTaint() != "same-origin" {`, new: `if false {`},
	{name: "the browser keeps Authorization through redirects", old: `		r.drop("Authorization")
`, new: ``},
	{name: "the browser does not check what a preflight grants", in: "checkGrant", old: `if len(r.ungranted) > 0 {`, new: `if false {`},
	{name: "the browser does not check the method", old: `!slices.Contains(granted.methods, r.method) && !fetch`, new: `false && !fetch`},
	{name: "the browser takes a method's grant in any letter case", old: `!slices.Contains(granted.methods, r.method) && !fetch`, new: `!slices.ContainsFunc(granted.methods, func(m string) bool { return strings.EqualFold(m, r.method) }) && !fetch`},
	{name: "the browser takes a preflight's * with credentials", old: `wildcard := r.credentials != Include`, new: `wildcard := true`},
	{name: "the browser takes * for authorization", old: `wildcard && headers["*"] && (name != "authorization" || e.wildcardGrantsAuthorization)`, new: `wildcard && headers["*"]`},
	{name: "the browser sends any method without a preflight", old: `fetch.SafelistedMethod(r.method) && len(unsafe) == 0`, new: `len(unsafe) == 0`},
	{name: "the browser uses methods that no script may", in: "newRequest", old: `if fetch.ForbiddenMethod(method) {`, new: `if false {`},
	{name: "the browser sends methods as the script writes them", old: `method := fetch.NormalizeMethod(in.Method)`, new: `method := in.Method`},
	{name: "the browser takes a server's own page for another's", old: `site := "same-origin"`, new: `site := "same-site"`},
	{name: "the browser takes any status of a preflight", old: `if response.StatusCode < 200 || response.StatusCode > 299 {`, new: `if response.StatusCode < 100 {`},
	{name: "the browser remembers for good", old: `ok && now.Before(expires)`, new: `ok && (true || now.Before(expires))`},
	{name: "the browser remembers for every URL", old: `	expires, ok := c.entries[g]
`, new: `	var expires time.Time
	ok := false
	for have, at := range c.entries {
		if have.url = g.url; have == g {
			expires, ok = at, true
		}
	}
`},
	{name: "the browser sends what a script may not set", old: `fetch.ForbiddenRequestField(name, value) || init`, new: `init`},
	{name: "the browser asks for nothing", old: `if high || !fetch.SafelistedRequestHeader(name, value) {`, new: `if high {`},
	{name: "a safelisted value may have 129 bytes", old: `len(value) > 128`, new: `len(value) > 129`},
	{name: "the browser shows trailers", old: `	filtered.Trailer = nil
`, new: ``},
	{name: "the browser shows cookies", old: `visible(lower) && !fetch.ForbiddenResponseHeader(lower)`, new: `visible(lower)`},
	{name: "cookies go wherever they are wanted", old: `if r.sameSiteAs(from) {`, new: `if r.sameSiteAs(from) || true {`},
	{name: "a script may override the method by a forbidden one", old: `if ForbiddenMethod(strings.Trim(method, " \t")) {`, new: `if ForbiddenMethod(strings.Trim(method, " \t")) && false {`},
	{name: "a GET has a body", old: `if r.body != nil && (method == http.MethodGet || method == http.MethodHead) {`, new: `if false {`},
	{name: "the browser calls URLs with a user name", old: `if includesCredentials(in.URL) {`, new: `if false {`},
	{name: "the browser sends no preflight that is forced", old: `useCORSPreflight: init.ForcePreflight,`, new: `useCORSPreflight: false,`},
	{name: "the browser calls http from https", old: `if r.isMixedContent() {`, new: `if false {`},
	{name: "the browser sends cookies to other origins unasked", old: `r.credentials == Include || r.credentials == SameOrigin && r.tainting == basic`, new: `r.credentials != Omit`},
	{name: "the browser says whose a request is over plain http", in: "appendFetchMetadata", old: `if !originOf(r.currentURL()).isTrustworthy() {`, new: `if false {`},

	// Modes.
	{name: "mode same-origin leaves its origin", in: "routeFetch", old: `case SameOriginOnly:`, new: `case "":`},
	{name: "mode no-cors takes any method", old: `if r.mode == NoCORS && !fetch.SafelistedMethod(method) {`, new: `if false {`},
	{name: "mode no-cors sends any header", old: ` || init.Mode == NoCORS && !fetch.NoCORSSafelistedRequestHeader(name, value)`, new: ``},
	{name: "a script reads what mode no-cors hides", old: `return opaqueFilter(response), nil`, new: `return response, nil`},
	{name: "a resource for its own origin goes to all", old: `value == "same-origin" && !here.sameOrigin(r.origin) || `, new: ``},
	{name: "a resource for its own site goes to all", old: `value == "same-site" && !isSameSite {`, new: `value == "same-site" && !isSameSite && false {`},
	{name: "a mode that does not exist is taken by New", old: `	problems = append(problems, b.init.check())
`, new: ``},
	{name: "a mode that does not exist is taken of a request", old: `if err := own.check(); err != nil {`, new: `if err := own.check(); err != nil && false {`},

	// Redirects.
	{name: "redirect mode error follows", in: "httpFetch", old: `case RedirectError:`, new: `case "":`},
	{name: "the browser follows redirects without end", old: `if r.redirects == 20 {`, new: `if r.redirects < 0 {`},
	{name: "the browser follows redirects to URLs with a user name", old: `if includesCredentials(next) && (`, new: `if false && (`},
	{name: "a redirect keeps the method of a POST", old: `(response.StatusCode == 301 || response.StatusCode == 302) && r.method == http.MethodPost ||`, new: `false ||`},
	{name: "a redirect sends half of a body that is gone", old: `response.StatusCode != 303 && r.body != nil && r.getBody == nil`, new: `response.StatusCode != 303 && r.body != nil && r.getBody == nil && false`},

	// Preflights.
	{name: "a preflight is not held against the page's origin", old: `blocked != nil && !skipped`, new: `blocked != nil && !skipped && false`},
	{name: "a preflight is redirected", in: "checkPreflight", old: `if fetch.RedirectStatus(response.StatusCode) {`, new: `if false {`},
	{name: "a grant without credentials is one with them", old: `credentialed != include && !(credentialed && e.sharesGrantsAcrossCredentials)`, new: `false`},
	{name: "a grant outlives a call that failed its check", old: `blocked != nil && b.engine.dropsGrantOnFailedCheck`, new: `false`},
	{name: "a call that was blocked is not said to be sent", old: `blocked.Sent = r.exchange != nil`, new: `blocked.Sent = false`},

	// Cookies.
	{name: "a Secure cookie is set over plain http", old: `cookie.Secure && u.Scheme != "https" &&`, new: `false &&`},
	{name: "another site sets cookies that are for its own", in: "(*cookies).store", old: `!c.visible(e, r, cookie.SameSite)`, new: `false`},
	{name: "a SameSite cookie goes to all sites", old: `return sameSite != http.SameSiteLaxMode && sameSite != http.SameSiteStrictMode`, new: `return true`},

	// Options and invalid browsers.
	{name: "a browser has no transport", old: `if transport == nil {`, new: `if false {`},
	{name: "a browser without a page makes requests", old: `if b.transport == nil {`, new: `if false {`},
	{name: "a page's origin is written as no browser writes it", old: `if o.String() != s {`, new: `if false {`},
	{name: "a handler's panic ends the program", in: "handlerTransport.RoundTrip", old: `if p := recover(); p != nil {`, new: `if p := error(nil); p != nil {`},
	{name: "whoever reads the log changes it", old: `log[i].Header, log[i].Dropped = e.Header.Clone(), e.Dropped.Clone()`, new: `log[i].Header, log[i].Dropped = e.Header, e.Dropped`},
	{name: "the browser does not ask the handler for its refusal", old: `r.exchange.Refusal = t.refusal(out)`, new: `_ = t.refusal(out)`},
	{name: "the handler's refusal reads the body of the call", old: `in.Body = http.NoBody // the body can be read only once`, new: ``},
	{name: "a failure of corstest is at the call of Run", old: `if node := (rows{files, source, s.line}).of(cases, i); node != nil {`, new: `if node := (rows{files, source, s.line}).of(cases, i); node != nil && false {`},
	{name: "corstest takes a row for the case at its index, whatever its name", in: "fitting", old: `return false, false`, new: `return true, true`},
	{name: "corstest takes a literal of another length for the cases", old: `list != nil && len(list.Elts) == len(cases)`, new: `list != nil && len(list.Elts) >= len(cases)`},
	{name: "corstest does not find the rows of a caller's own table", old: `if named := r.named(cases[i].Name); named != nil {`, new: `if named := r.named(cases[i].Name); named != nil && false {`},
	{name: "corstest reports each engine by itself", old: `return slices.Equal(g[0].problems, f.problems) && g[0].refusal() == f.refusal()`, new: `return false`},
	{name: "corstest joins engines with different problems", old: `return slices.Equal(g[0].problems, f.problems) && g[0].refusal() == f.refusal()`, new: `return true`},
	{name: "corstest does not tell the layer's reason", in: "report", old: `if refusal != "" {`, new: `if false {`},
	{name: "a case of corstest that fails passes", in: "Run", old: `				t.Fail()
`, new: ``},
}
