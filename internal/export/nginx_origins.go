package export

import (
	"fmt"
	"slices"
	"strings"
)

// writeOrigins writes the maps that say where a request comes from: own, allowed, other, or absent for a page of another origin that the
// browser does not name.
func (n *nginx) writeOrigins() {
	t := &n.text
	t.comment("The origins that the rules allow. nginx ignores letter case in these keys, so that each value repeats the origin.")
	t.openMap(`"$cors_answer $http_origin"`, "$cors_origin_listed")
	written := map[string]bool{}
	for _, a := range n.model.Answers {
		for _, o := range a.Origins {
			if key := a.originKey(o); !written[strings.ToLower(key)] {
				written[strings.ToLower(key)] = true
				t.textRow(key, t.value(o), "")
			}
		}
	}
	t.closeMap()
	t.openMap(`"$cors_answer $http_origin"`, "$cors_origin_pattern")
	first := map[string]string{}
	for _, a := range n.model.Answers {
		if a.Everyone {
			t.row(quoteNginx(fmt.Sprintf("~^%d .", a.ID)), "allowed", "*")
		}
		for _, o := range a.Origins {
			key := strings.ToLower(a.originKey(o))
			if have, ok := first[key]; !ok {
				first[key] = o
			} else if have != o {
				t.row(exactRegexp(a.originKey(o)), "allowed", "in its letter case")
			}
		}
		for _, p := range a.Patterns {
			t.row(wholeRegexp(fmt.Sprintf("%d (?:%s)", a.ID, p.Regexp), false), "allowed", p.Pattern)
		}
	}
	t.row("default", "other", "")
	t.closeMap()
	t.openMap(`"$cors_origin_listed $http_origin"`, "$cors_page")
	t.row(`" "`, "absent", "")
	t.row(`"~^([^ ]+) \1$"`, "allowed", "the same letter case")
	t.row("default", "$cors_origin_pattern", "")
	t.closeMap()

	t.comment("Requests of the server's own pages, of links that a person types, and of programs without Origin and Sec-Fetch-Site.")
	t.openMap("$http_sec_fetch_site", "$cors_site")
	t.row(`""`, "unknown", "")
	t.row(`"~^(?:same-origin|none)$"`, "own", "")
	t.row("default", "other", "")
	t.closeMap()
	t.openMap(`"$cors_site $http_origin"`, "$cors_from")
	t.row(`"~^own "`, "own", "")
	t.row(`"unknown "`, "own", "")
	own := slices.Clone(n.model.Options.OwnOrigins)
	slices.Sort(own)
	for _, o := range slices.Compact(own) {
		t.row(exactRegexp("unknown "+o), "own", "")
	}
	t.row("default", "$cors_page", "")
	t.closeMap()
}

// originKey returns the key of an origin that an answer allows.
func (a *Answer) originKey(o string) string { return fmt.Sprintf("%d %s", a.ID, o) }
