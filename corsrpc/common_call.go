package corsrpc

import "net/http"

// grantsCommonCall reports whether a request to the target is a common call that decideOn grants. Browsers send such calls most
// often: by POST, to a procedure, in mode cors, from another origin that a pattern of the rule matches. The result is false for all
// other requests, also for some that decideOn grants. The checks are those of decideOn, without a Decision. TestCommonCall holds both
// equal.
//
// *from then has the result of the comparison of the origin, which decideOn does not repeat.
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
