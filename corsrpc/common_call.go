package corsrpc

import "net/http"

// grantsCommonCall reports whether decideOn grants a request to the target that is of the kind that browsers send most: a call of a
// procedure by POST in mode cors, from a page of another origin that the rule allows and that is no source's. It
// is false for all other requests, also for some that decideOn grants. It makes the same checks without a Decision,
// and TestCommonCall holds both equal.
//
// decideOn does not repeat the comparison of the origin that *from then has the result of.
func (t *target) grantsCommonCall(r *http.Request, origins []string, from *requestOrigin) bool {
	g := t.grant
	return r.Method == http.MethodPost && len(origins) == 1 && t.kind == targetProcedure && g.common &&
		from.parse(origins[0], g.origins) && from.match(g.origins) != 0 &&
		isCrossOrigin(r.Header["Sec-Fetch-Site"]) && hasOnly(r.Header["Sec-Fetch-Mode"], "cors") &&
		(g.credentials || len(r.Header["Cookie"]) == 0)
}

// isCrossOrigin reports whether a browser says that a request comes from another origin.
//
// See https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header.
func isCrossOrigin(site []string) bool {
	return len(site) == 1 && (site[0] == "cross-site" || site[0] == "same-site")
}
