package main

import (
	"fmt"
	"os"
	"strings"
)

// README.md shows a few of the results, between these lines.
const (
	readmeFile  = "../../README.md"
	readmeBegin = "<!-- the table is written by make bench -->\n"
	readmeEnd   = "<!-- end of the table -->\n"
)

// shownInReadme are the requests that a newcomer wants to know of.
var shownInReadme = []string{
	"preflight, allowed", "preflight, refused origin", "call, allowed, credentials", "call, refused origin", "call without Origin", "100,000 origins, call allowed",
}

// readmeTable is what README.md shows.
func readmeTable(r *results) string {
	t := table{head: []string{"ns, medians", "by hand", "corsrpc", "rs/cors", "gorilla/handlers"}}
	for _, c := range shownInReadme {
		row := []string{c}
		for _, i := range by {
			name := "Requests/case=" + c + "/by=" + i + "/goroutines=one"
			row = append(row, nanoseconds(r.time(name)))
		}
		t.rows = append(t.rows, row)
	}
	return t.Markdown()
}

// updateReadme puts the table into the text of README.md.
func updateReadme(text string, r *results) (string, error) {
	before, rest, begins := strings.Cut(text, readmeBegin)
	_, after, ends := strings.Cut(rest, readmeEnd)
	if !begins || !ends {
		return "", fmt.Errorf("%s has no lines %q and %q", readmeFile, readmeBegin, readmeEnd)
	}
	return before + readmeBegin + "\n" + readmeTable(r) + "\n" + readmeEnd + after, nil
}

func writeReadme(r *results) error {
	text, err := os.ReadFile(readmeFile)
	if err != nil {
		return err
	}
	updated, err := updateReadme(string(text), r)
	if err != nil {
		return err
	}
	return os.WriteFile(readmeFile, []byte(updated), 0o666)
}
