package main

import (
	"fmt"
	"slices"
)

func reloads(r *results) table {
	t := table{Title: "Reloads under load", Text: "Calls over loopback from eight concurrent clients, while a policy of 100,000 origins replaces another every 100 ms; both allow the page. A reload parses and compiles a binary policy while all processors are busy.",
		head: []string{"reloads", "a second", "calls refused", "median", "99 % take at most"}}
	for _, how := range r.settings("Reloads/reloads=") {
		name := "Reloads/reloads=" + how
		t.rows = append(t.rows, []string{how, number(r.figure(name, "reloads/s").middle), number(mostRefused(r, name)),
			between(r.figure(name, "p50-ns"), 1e3, "µs"), between(r.figure(name, "p99-ns"), 1e3, "µs")})
	}
	return t
}

// mostRefused returns the number of calls that were refused or failed in the worst process.
func mostRefused(r *results, name string) float64 {
	return slices.Max(slices.Concat(r.of(name, "refused")...))
}

func loading(r *results) table {
	t := table{Title: "Loading many origins", Text: "The time to load a layer from a file or a source, and the memory of an origin of 33 bytes. The peak is the memory of the process while another set of the same size replaces it, in multiples of one set (with Go's default GOGC). For YAML, the place of each value is stored.",
		head: []string{"what", "takes", "processor time", "bytes an origin", "peak of a reload"}}
	for _, what := range r.settings("Load/load=") {
		name, peak := "Load/load="+what, "not measured"
		if again := "ReloadPeak/load=" + what; r.has(again) {
			peak = fmt.Sprintf("%.2f sets", r.figure(again, "peak/live").middle)
		}
		t.rows = append(t.rows, []string{what, between(r.figure(name, "wall-ns"), 1e6, "ms"), between(r.time(name), 1e6, "ms"), fmt.Sprintf("%.1f", r.figure(name, "live-B/origin").middle), peak})
	}
	return t
}

func memory(r *results) table {
	const name = "Memory/layer"
	return table{Title: "Memory", Text: "Bytes of a layer in memory. A procedure is one of 10,000 in a service, under defaults; a rule governs one procedure, with a header of its own. The schema itself, which a server has anyway, does not count.",
		head: []string{"a layer for one procedure", "each procedure", "each rule"},
		rows: [][]string{{number(r.figure(name, "B").middle), number(r.figure(name, "B/procedure").middle), number(r.figure(name, "B/rule").middle)}}}
}

func start(r *results) table {
	t := table{Title: "The start of a server", Text: "corsrpc.Load in a server with 500 services of 20 methods each.", head: []string{"policy", "takes", "processor time", "memory"}}
	for _, rules := range r.settings("Start/rules=") {
		name := "Start/rules=" + rules
		t.rows = append(t.rows, []string{rules, between(r.figure(name, "wall-ns"), 1e6, "ms"), between(r.time(name), 1e6, "ms"), mebibytes(r.figure(name, "live-B"))})
	}
	return t
}

func sizes(r *results) table {
	t := table{Title: "The size of a program", Text: "A server with one handler of connect-go, as go build links it, and without symbols (-ldflags='-s -w').", head: []string{"with", "size", "more", "without symbols", "more"}}
	const prefix = "Size/with="
	all := r.settings(prefix)
	for _, with := range all {
		row := []string{with}
		if with == "rs" {
			row[0] = titleOf[with]
		}
		for _, unit := range []string{"B", "B-stripped"} {
			row = append(row, mebibytes(r.figure(prefix+with, unit)), mebibytes(r.minus(prefix+with, prefix+all[0], unit)))
		}
		t.rows = append(t.rows, row)
	}
	return t
}

func commands(r *results) table {
	t := table{Title: "Commands with large policies", Text: "The whole command: it reads the policies and the schema, and prints its result.", head: []string{"command", "takes", "processor time", "peak memory"}}
	for _, what := range r.settings("Command/run=") {
		name := "Command/run=" + what
		t.rows = append(t.rows, []string{what, between(r.figure(name, "wall-ns"), 1e9, "s"), between(r.time(name), 1e9, "s"), mebibytes(r.figure(name, "peak-B"))})
	}
	return t
}
