package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/e2e/cells"
)

// A row is one difference together with all cells that show it: every
// combination of the servers, browsers, calls and credentials that it names.
type row struct {
	test, client             string
	servers, browsers, calls []string
	credentials              []string // "without", "with"
	what, pinned, newest     string
}

// rows puts the same difference of several cells together.
func rows(differences []cells.Difference) []row {
	var all []row
	for _, d := range differences {
		r := row{
			test: d.Test, client: d.Client, servers: []string{d.Server},
			browsers: []string{d.Browser}, calls: []string{d.Call}, credentials: []string{"without"},
			what: d.What, pinned: d.Old, newest: d.New,
		}
		if d.Credentials {
			r.credentials = []string{"with"}
		}
		if d.What == headerNames {
			r.pinned, r.newest = onlyIn(d.Old, d.New), onlyIn(d.New, d.Old)
		}
		all = append(all, r)
	}
	for _, list := range []func(*row) *[]string{
		func(r *row) *[]string { return &r.credentials },
		func(r *row) *[]string { return &r.browsers },
		func(r *row) *[]string { return &r.calls },
		func(r *row) *[]string { return &r.servers },
	} {
		all = merge(all, list)
	}
	slices.SortStableFunc(all, func(a, b row) int { return cmp.Or(cmp.Compare(a.test, b.test), cmp.Compare(a.client, b.client)) })
	return all
}

// headerNames is what the tests call the names of a request's headers.
const headerNames = "request's headers"

// onlyIn returns the words of a that b does not have.
func onlyIn(a, b string) string {
	others := strings.Fields(b)
	return strings.Join(slices.DeleteFunc(strings.Fields(a), func(s string) bool { return slices.Contains(others, s) }), " ")
}

// merge puts rows together that differ in one of their lists only.
func merge(all []row, list func(*row) *[]string) []row {
	key := func(r row) string {
		*list(&r) = nil
		parts := []string{r.test, r.client, strings.Join(r.servers, "\x01"), strings.Join(r.browsers, "\x01"), strings.Join(r.calls, "\x01"), strings.Join(r.credentials, "\x01"), r.what, r.pinned, r.newest}
		return strings.Join(parts, "\x00")
	}
	var merged []row
	at := map[string]int{}
	for _, r := range all {
		k := key(r)
		i, found := at[k]
		if !found {
			at[k] = len(merged)
			merged = append(merged, r)
			continue
		}
		into := list(&merged[i])
		*into = append(slices.Clone(*into), *list(&r)...)
	}
	return merged
}
