package intent

import (
	"path"
	"slices"
	"strings"
)

// Origins returns the patterns of the origins that may call: those of the last level that
// has any, with the environment variables and origin sources of that level, and those that
// the profile adds.
func (r Rule) Origins() (origins []string) {
	for _, l := range r.levels {
		if len(l.GetAllowOrigins())+len(l.GetAllowOriginsFrom()) > 0 {
			origins = r.policy.expand(l.GetAllowOrigins())
			for _, name := range l.GetAllowOriginsFrom() {
				origins = append(origins, slices.DeleteFunc(slices.Clone(r.policy.Sources[name]), isSkippedRow)...)
			}
		}
	}
	if len(origins) > 0 || r.hasOrigins() {
		added := r.policy.expand(r.policy.GetProfiles()[r.policy.Profile].GetAddOrigins())
		if r.Credentials() {
			added = slices.DeleteFunc(added, isUnrelated)
		}
		if !slices.Contains(origins, "*") {
			origins = append(origins, added...)
		}
	}
	return origins
}

// isUnrelated reports whether pages of unrelated owners have the origins of a pattern, so that
// they never get credentials.
func isUnrelated(pattern string) bool {
	return pattern == "*" || pattern == "null" || pattern == "file://" || isInstallation(pattern)
}

// isInstallation reports whether a pattern matches every installation of every extension.
func isInstallation(pattern string) bool { return strings.HasSuffix(pattern, "://*") }

// hasOrigins reports whether a level has allow_origins or allow_origins_from, even if the
// source is empty.
func (r Rule) hasOrigins() bool {
	return slices.ContainsFunc(r.levels, func(l level) bool { return len(l.GetAllowOrigins())+len(l.GetAllowOriginsFrom()) > 0 })
}

// expand replaces each environment variable in a list of origins with the origins in its value,
// or in its fallback if the variable is empty.
func (p *Policy) expand(items []string) (origins []string) {
	for _, item := range items {
		inner, ok := strings.CutPrefix(item, "${")
		if !ok {
			origins = append(origins, item)
			continue
		}
		name, fallback, _ := strings.Cut(strings.TrimSuffix(inner, "}"), ":-")
		value := p.Env[name]
		if value == "" {
			value = fallback
		}
		for _, o := range strings.Split(value, ",") {
			origins = append(origins, strings.TrimSpace(o))
		}
	}
	return origins
}

// isSkippedRow reports whether the layer skips a row of an origin source: all but exact https
// origins of hosts other than loopback. Rows that are not origins need no check here, since no
// page has such an origin.
func isSkippedRow(row string) bool {
	scheme, host, _ := split(row)
	return strings.Contains(row, "*") || scheme != "https" || isLoopback(host)
}

// isLoopback reports whether a host is the visitor's own machine.
func isLoopback(host string) bool {
	host = strings.TrimSuffix(host, ".")
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasPrefix(host, "127.") || host == "[::1]" ||
		host == "0.0.0.0" || host == "[::]" || strings.HasPrefix(host, "[::ffff:7f")
}

// AllowsOrigin reports whether pages of an origin may call.
func (r Rule) AllowsOrigin(origin string) bool {
	return slices.ContainsFunc(r.Origins(), func(pattern string) bool { return Covers(pattern, origin) })
}

// Unrelated reports whether pages of unrelated owners have the origin of a page that may call: no
// pattern names the page otherwise.
func (r Rule) Unrelated(origin string) bool {
	return isUnrelated(origin) || !slices.ContainsFunc(r.Origins(), func(pattern string) bool { return !isUnrelated(pattern) && Covers(pattern, origin) })
}

// Everyone reports whether pages of every origin may call.
func (r Rule) Everyone() bool { return slices.Contains(r.Origins(), "*") }

// Covers reports whether a pattern of allow_origins matches an origin.
func Covers(pattern, origin string) bool {
	if pattern == "*" || pattern == origin {
		return true
	}
	scheme, host, port := split(pattern)
	wantScheme, haveHost, havePort := split(origin)
	if isInstallation(pattern) {
		return scheme == wantScheme
	}
	base, below := strings.CutPrefix(host, "*.")
	if below {
		if label, ok := strings.CutSuffix(haveHost, "."+base); !ok || label == "" {
			return false
		}
	} else if label, behind, _ := strings.Cut(host, "."); strings.Contains(label, "*") {
		haveLabel, haveBehind, _ := strings.Cut(haveHost, ".")
		// In the syntax of package path, * matches nothing too.
		if ok, _ := path.Match(strings.Replace(label, "*", "?*", 1), haveLabel); !ok || strings.HasPrefix(haveLabel, "xn--") || haveBehind != behind {
			return false
		}
	} else if host != haveHost {
		return false
	}
	return scheme == wantScheme && (port == "*" || port == havePort) && strings.Contains(pattern, "*")
}

// split splits an origin or a pattern.
func split(origin string) (scheme, host, port string) {
	scheme, host, _ = strings.Cut(origin, "://")
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host, port = host[:i], host[i+1:]
	}
	return scheme, host, port
}
