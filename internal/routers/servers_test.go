package routers

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// lenient is a server that normalizes the decoded path in several steps. Real servers take
// each of these steps.
type lenient struct {
	steps  []step
	routes []*route // the narrowest first
}

type step struct {
	name string
	read func(path string) string
}

var steps = []step{
	{"dots", resolveDots},
	{"slashes", mergeSlashes},
	{"clean", func(p string) string { return mergeSlashes(resolveDots(p)) }},
	{"decode", decodeOnce},
	{"parameters", eachSegment(func(s string) string { s, _, _ = strings.Cut(s, ";"); return s })},
	{"case", strings.ToLower},
	{"trim", eachSegment(trimEnd)},
	{"backslashes", func(p string) string { return strings.ReplaceAll(p, `\`, "/") }},
	{"NUL", cutAt("\x00")},
	{"query", cutAt("?")},
	{"fragment", cutAt("#")},
}

// slashless is the step that makes the server ignore a trailing slash.
var slashless = step{"last slash", func(p string) string { return p }}

func stepNamed(name string) step {
	for _, s := range append(steps, slashless) {
		if s.name == name {
			return s
		}
	}
	panic("unknown step " + name)
}

// newLenient returns a server with these steps, in order.
func newLenient(routes []*route, names ...string) *lenient {
	l := &lenient{routes: routes}
	for _, name := range names {
		l.steps = append(l.steps, stepNamed(name))
	}
	return l
}

func (l *lenient) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p, same, eitherSlash := r.URL.Path, exactly, false
	for _, s := range l.steps {
		p = s.read(p)
		switch s.name {
		case "case":
			same = strings.EqualFold
		case slashless.name:
			eitherSlash = true
		}
	}
	spellings := []string{p}
	if spelled := func(r *route) bool { return r.spells(p, same) }; eitherSlash && !slices.ContainsFunc(l.routes, spelled) {
		other, had := strings.CutSuffix(p, "/")
		if !had {
			other += "/"
		}
		spellings = append(spellings, other)
	}
	for _, route := range l.routes {
		for _, spelling := range spellings {
			if route.matches(spelling, same) {
				visitOf(r).ran(route, spelling)
				return
			}
		}
	}
	http.NotFound(w, r)
}

func cutAt(what string) func(string) string {
	return func(p string) string { p, _, _ = strings.Cut(p, what); return p }
}

func eachSegment(read func(string) string) func(string) string {
	return func(p string) string {
		parts := strings.Split(p, "/")
		for i, part := range parts {
			parts[i] = read(part)
		}
		return strings.Join(parts, "/")
	}
}

// trimEnd removes trailing dots and spaces, as Windows does. It does not change dot segments.
func trimEnd(s string) string {
	if t := strings.TrimRight(s, ". "); t != "" {
		return t
	}
	return strings.TrimRight(s, " ")
}

// decodeOnce decodes every valid escape once.
func decodeOnce(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if i+2 < len(p) && p[i] == '%' {
			if s, err := url.PathUnescape(p[i : i+3]); err == nil {
				b.WriteString(s)
				i += 2
				continue
			}
		}
		b.WriteByte(p[i])
	}
	return b.String()
}

func mergeSlashes(p string) string {
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	return p
}

// resolveDots implements remove_dot_segments of RFC 3986, which keeps repeated slashes.
func resolveDots(p string) string {
	var out []string
	parts := strings.Split(strings.TrimPrefix(p, "/"), "/")
	for i, part := range parts {
		last := i == len(parts)-1
		switch part {
		case ".":
		case "..":
			out = out[:max(len(out)-1, 0)]
		default:
			out = append(out, part)
			continue
		}
		if last {
			out = append(out, "")
		}
	}
	return "/" + strings.Join(out, "/")
}
