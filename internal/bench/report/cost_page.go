package main

import (
	"fmt"
	"os"
	"strings"
)

// The page about the cost shows some of the results, each table after a line with its name and before costEnd.
const (
	costPage  = "../../corsrpc/docs/cost.md"
	costBegin = "<!-- the table \"%s\" is written by make bench -->\n"
	costEnd   = "<!-- end of the table -->\n"
)

// costTables are the tables of the page, by name.
var costTables = []struct {
	name  string
	table func(r *results) table
}{
	{"page", pages}, {"handler", handlers}, {"layer", costOfLayer}, {"memory", memory}, {"loading", loading}, {"start", start}, {"size", sizes}, {"commands", commands},
}

// shownInDocs are the requests to the layer alone of which the page shows the time.
var shownInDocs = []string{
	"call, allowed, credentials", "call, refused origin", "preflight, allowed", "preflight, refused origin", "call without Origin",
	"1,000 origins, call allowed", "100,000 origins, call allowed", "1,000 patterns, call allowed",
}

// costOfLayer is the page's table of the layer alone.
func costOfLayer(r *results) table {
	t := table{head: []string{"ns, medians", "by hand", "corsrpc", "× by hand", "rs/cors", "gorilla/handlers"}}
	for _, c := range shownInDocs {
		name := func(by string) string { return requestName(c, by, "one") }
		t.rows = append(t.rows, []string{c, nanoseconds(r.time(name("floor"))), nanoseconds(r.time(name("corsrpc"))), ratio(r.over(name("corsrpc"), name("floor"))),
			nanoseconds(r.time(name("rs"))), nanoseconds(r.time(name("gorilla")))})
	}
	return t
}

// updateCost returns the text of the page with the tables of these results.
func updateCost(text string, r *results) (string, error) {
	for _, t := range costTables {
		begin := fmt.Sprintf(costBegin, t.name)
		before, rest, begins := strings.Cut(text, begin)
		_, after, ends := strings.Cut(rest, costEnd)
		if !begins || !ends {
			return "", fmt.Errorf("%s has no lines %q and %q: write them where the table is to be", costPage, begin, costEnd)
		}
		text = before + begin + "\n" + t.table(r).Markdown() + "\n" + costEnd + after
	}
	return text, nil
}

func writeCost(r *results) error {
	text, err := os.ReadFile(costPage)
	if err != nil {
		return err
	}
	updated, err := updateCost(string(text), r)
	if err != nil {
		return err
	}
	return os.WriteFile(costPage, []byte(updated), 0o666)
}
