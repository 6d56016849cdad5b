package corstest

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
)

// report returns the text about the failures of a case. The first line has the page and the call.
// Failures with the same problems, in several engines, are told once.
func (c Case) report(failures []failure) string {
	var b strings.Builder
	line := func(depth int, text string) {
		b.WriteString(strings.Repeat("    ", depth) + strings.ReplaceAll(text, "\n", "\n"+strings.Repeat("    ", depth+1)) + "\n")
	}
	line(0, c.heading(failures))
	for _, same := range grouped(failures) {
		f, in := same[0], ""
		var engines []string
		for _, f := range same {
			if f.engine != "" {
				engines = append(engines, f.engine)
			}
		}
		if len(engines) > 0 {
			in = "in " + list(engines) + ": "
		}
		refusal := f.refusal()
		for i, p := range f.problems {
			if i == 0 {
				line(1, in+p.text)
			} else {
				line(1, "and "+p.text)
			}
			if p.fix != "" && refusal == "" {
				line(2, p.fix)
			}
		}
		if refusal != "" {
			line(2, "the layer's reason: "+refusal)
		}
		for i, e := range f.log {
			last := i == len(f.log)-1
			line(2, e.Method+" "+target(e.URL)+" "+answered(e))
			if last {
				for _, field := range shown(e.Header, "Origin", "Access-Control-Request-", "Cookie") {
					line(3, "> "+field)
				}
				for _, field := range shown(e.Answer, "Access-Control-", "Location") {
					line(3, "< "+field)
				}
			}
		}
	}
	return b.String()
}

// heading returns the page and the call of the failures.
func (c Case) heading(failures []failure) string {
	text := "from " + c.From
	if c.Credentials != "" {
		text += " with credentials " + string(c.Credentials)
	}
	for _, f := range failures {
		if i := len(f.log) - 1; i >= 0 {
			method := f.log[i].Method
			if f.log[i].Preflight {
				method = f.log[i].Header.Get("Access-Control-Request-Method")
			}
			return text + ": " + method + " " + f.log[i].URL
		}
	}
	return text
}

// grouped returns the failures with the same problems together, in the order of their first ones.
func grouped(failures []failure) (groups [][]failure) {
	for _, f := range failures {
		i := slices.IndexFunc(groups, func(g []failure) bool {
			return slices.Equal(g[0].problems, f.problems) && g[0].refusal() == f.refusal()
		})
		if i < 0 {
			groups = append(groups, []failure{f})
			continue
		}
		groups[i] = append(groups[i], f)
	}
	return groups
}

// refusal returns the server's reason for the last request that it refused.
func (f failure) refusal() string {
	for _, e := range slices.Backward(f.log) {
		if e.Refusal != "" {
			return e.Refusal
		}
	}
	return ""
}

// answered tells how a request was answered.
func answered(e corsbrowser.Exchange) string {
	if e.Status == 0 {
		return "was not answered"
	}
	return "was answered with " + strconv.Itoa(e.Status)
}

// target returns the path and the query of a URL, or the URL if it has none of them.
func target(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	return cmp.Or(u.RequestURI(), text)
}

// shown returns the lines of the fields whose names are one of these, or begin with one of these if
// that ends in a hyphen.
func shown(header http.Header, names ...string) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if slices.ContainsFunc(names, func(n string) bool { return name == n || strings.HasSuffix(n, "-") && strings.HasPrefix(name, n) }) {
			for _, value := range header[name] {
				lines = append(lines, name+": "+value)
			}
		}
	}
	return lines
}

// list joins names with commas and "and".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
