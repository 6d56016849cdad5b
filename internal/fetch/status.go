package fetch

import "slices"

// RedirectStatus reports whether a status is a redirect status (https://fetch.spec.whatwg.org/#redirect-status).
func RedirectStatus(status int) bool { return slices.Contains([]int{301, 302, 303, 307, 308}, status) }
