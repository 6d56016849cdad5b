package export

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// writeRoutes writes the maps from the path to the number of its answer. It is 0 for a path that no page may call, and "" for
// a path without a route.
func (n *nginx) writeRoutes() {
	t := &n.text
	t.comment("The path of a request as it was sent, without its query. $uri would be decoded.")
	t.openMap("$request_uri", "$cors_path")
	t.row(quoteNginx("~^(?<cors_sent>/[^?]*)"), "$cors_sent", "")
	t.closeMap()

	t.comment("The rules of procedures and paths: the number of the rule below, 0 if no page of another origin may call.",
		"nginx ignores letter case in these keys, so that each value repeats the path.")
	t.openMap("$cors_path", "$cors_listed")
	written := map[string]bool{}
	var earlier []*regexp.Regexp
	for _, r := range n.model.Routes {
		if r.Path == "" {
			earlier = append(earlier, nginxCompile(r))
			continue
		}
		if key := strings.ToLower(r.Path); !written[key] && !matchesAny(earlier, r.Path) {
			written[key] = true
			t.textRow(r.Path, t.value(answerNumber(r)+" "+r.Path), r.Name)
		}
	}
	t.closeMap()
	t.openMap(`"$cors_listed $cors_path"`, "$cors_exact")
	t.row(`"~^(?<cors_number>[0-9]+) ([^ ]+) \2$"`, "$cors_number", "the same letter case")
	t.closeMap()

	t.comment("Further paths, the first that matches.")
	t.openMap("$cors_path", "$cors_pattern")
	n.writePatterns()
	t.closeMap()
	t.openMap("$cors_exact", "$cors_answer")
	t.row(`""`, "$cors_pattern", "")
	t.row("default", "$cors_exact", "")
	t.closeMap()
}

// writePatterns writes a row for each route that is a regular expression, and for each path that differs from one before it in letter case only.
func (n *nginx) writePatterns() {
	written := map[string]string{}
	for _, r := range n.model.Routes {
		if r.Path == "" {
			n.text.row(wholeRegexp("(?:"+r.Regexp+")", r.IgnoreCase), answerNumber(r), r.Name)
			continue
		}
		key := strings.ToLower(r.Path)
		if first, ok := written[key]; !ok {
			written[key] = r.Path
		} else if first != r.Path {
			n.text.row(exactRegexp(r.Path), answerNumber(r), r.Name+", in its letter case")
		}
	}
}

// nginxCompile returns the expression of a route.
func nginxCompile(r Route) *regexp.Regexp {
	flags := ""
	if r.IgnoreCase {
		flags = "(?i)"
	}
	return regexp.MustCompile(flags + "^(?:" + r.Regexp + ")$")
}

// matchesAny reports whether an expression matches a path.
func matchesAny(expressions []*regexp.Regexp, path string) bool {
	for _, e := range expressions {
		if e.MatchString(path) {
			return true
		}
	}
	return false
}

// answerNumber returns the number of the answer of a route.
func answerNumber(r Route) string {
	if r.Answer == nil {
		return "0"
	}
	return strconv.Itoa(r.Answer.ID)
}

// words returns what the checks need to know of an answer.
func (a *Answer) words() string {
	words := []string{"procedure"}
	if a.ToPath {
		words[0] = "path"
	}
	add := func(is bool, word string) {
		if is {
			words = append(words, word)
		}
	}
	add(a.Everyone, "everyone")
	add(a.Credentials, "credentials")
	add(!a.Credentials, "anonymous")
	add(a.RefusesAmbient, "shared")
	add(a.GrantsAuthorization, "authorization")
	return strings.Join(words, " ")
}

// about returns where the rule of an answer is written.
func (a *Answer) about() string { return fmt.Sprint(placeText(a.Place)) }
