package routers

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
)

// draws draws policies and paths. The draws are determined by a seed.
type draws struct{ *rand.Rand }

func newDraws(seed uint64) draws { return draws{rand.New(rand.NewPCG(seed, 0x636f7273))} }

func (d draws) one(of ...string) string { return of[d.IntN(len(of))] }

func (d draws) percent(n int) bool { return d.IntN(100) < n }

func pick[T any](d draws, of []T) T { return of[d.IntN(len(of))] }

// words lists segments of patterns. No two differ only in letter case.
var words = []string{"files", "public", "admin", "items", "v1", "users", "delete", "Docs", "my%20files", "caf%C3%A9", "a%2Bb", "100%25", "v1%2Fitems", "%7euser", "x%2Cy"}

func (d draws) pattern() string {
	var b strings.Builder
	for i := range d.IntN(3) + 1 {
		if d.percent(20) {
			fmt.Fprintf(&b, "/{p%d}", i)
		} else {
			b.WriteString("/" + d.one(words...))
		}
	}
	return b.String() + d.one("", "", "/", "/", "/{rest...}", "/{$}")
}

// nearPattern returns a pattern that a router could confuse with another one.
func (d draws) nearPattern(text string) string {
	base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(text, "{rest...}"), "{$}"), "/")
	switch d.IntN(5) {
	case 0:
		return base + "/"
	case 1:
		return base + "/{$}"
	case 2:
		return base + "/{id}"
	case 3:
		return base + "/" + d.one(words...) + d.one("", "/")
	}
	return base + "/{id}/" + d.one(words...)
}

// policy draws a policy that compiles.
func (d draws) policy() *policy {
	for {
		p := &policy{free: []string{"/login", "/open/{id}", "/assets/"}}
		if d.percent(35) {
			p.prefix = "/api"
		}
		number := 0
		var earlier []grant
		next := func() grant {
			number++
			g := d.grant(number, earlier)
			earlier = append(earlier, g)
			return g
		}
		for p.defaults = next(); p.defaults.disabled; {
			p.defaults = next()
		}
		for _, name := range d.selectors() {
			p.selectors = append(p.selectors, rule{name, next()})
		}
		for _, text := range d.patterns(p.prefix) {
			p.paths = append(p.paths, rule{text, next()})
		}
		if p.compile() == nil {
			return p
		}
	}
}

// grant draws a grant. Most grants have distinct origins, so that the wrong rule is noticed.
func (d draws) grant(number int, earlier []grant) grant {
	switch {
	case d.percent(15):
		return grant{origins: "*"}
	case d.percent(12):
		return grant{disabled: true}
	case d.percent(15) && len(earlier) > 0:
		return pick(d, earlier)
	}
	return grant{origins: fmt.Sprintf("https://p%d.example.com", number), credentials: d.percent(35)}
}

func (d draws) selectors() []string {
	var all []string
	for _, s := range []string{
		"acme.v1.*", "acme.v1.Admin", "acme.v1.Admin.Close", "acme.account.v1.AccountService", "acme.account.v1.AccountService.Close", "Echo", "other.v1.*",
	} {
		if d.percent(35) {
			all = append(all, s)
		}
	}
	return all
}

func (d draws) patterns(prefix string) []string {
	mux := http.NewServeMux()
	var all []string
	for range d.IntN(7) + 1 {
		text := d.pattern()
		if len(all) > 0 && d.percent(40) {
			text = d.nearPattern(strings.TrimPrefix(pick(d, all), prefix))
		} else if d.percent(8) {
			text = "/"
		}
		if prefix == "" || !d.percent(8) {
			text = prefix + text
		}
		same := func(other string) bool { return strings.EqualFold(other, text) }
		if !slices.ContainsFunc(all, same) && registers(mux, text, http.NotFoundHandler()) {
			all = append(all, text)
		}
	}
	return all
}
