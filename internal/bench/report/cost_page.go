package main

import (
	"fmt"
	"os"
	"strings"
)

// The page about the cost shows some of the results, between these lines.
const (
	costPage  = "../../corsrpc/docs/cost.md"
	costBegin = "<!-- the table is written by make bench -->\n"
	costEnd   = "<!-- end of the table -->\n"
)

// shownInDocs are the requests of which the page shows the time.
var shownInDocs = []string{
	"preflight, allowed", "preflight, refused origin", "call, allowed, credentials", "call, refused origin", "call without Origin", "100,000 origins, call allowed",
}

// costTable returns the table of the page.
func costTable(r *results) string {
	t := table{head: []string{"ns, medians", "by hand", "corsrpc", "rs/cors", "gorilla/handlers"}}
	for _, c := range shownInDocs {
		row := []string{c}
		for _, i := range by {
			name := "Requests/case=" + c + "/by=" + i + "/goroutines=one"
			row = append(row, nanoseconds(r.time(name)))
		}
		t.rows = append(t.rows, row)
	}
	return t.Markdown()
}

// updateCost returns the text of the page with the table of these results.
func updateCost(text string, r *results) (string, error) {
	before, rest, begins := strings.Cut(text, costBegin)
	_, after, ends := strings.Cut(rest, costEnd)
	if !begins || !ends {
		return "", fmt.Errorf("%s has no lines %q and %q", costPage, costBegin, costEnd)
	}
	return before + costBegin + "\n" + costTable(r) + "\n" + costEnd + after, nil
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
