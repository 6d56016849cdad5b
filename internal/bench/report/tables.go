package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A table shows some of the results.
type table struct {
	Title, Text string
	head        []string
	rows        [][]string
}

// Markdown returns the table in Markdown.
func (t table) Markdown() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	rule := make([]string, len(t.head))
	for i := range rule {
		rule[i] = "---"
	}
	line(rule)
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}

func tables(r *results) []table {
	return []table{
		requests(r, "one", "Requests, on one goroutine", "ns, and allocations. The page's origin is the last in a list; the peers search the list linearly."),
		requests(r, "all", "Requests, on all processors at once", "ns of the whole machine for one request."),
		exposure(r), newExposure(r),
		growth(r, "Origins/origins=", "Exact origins", "An allowed call, ns, always from the same page. The peers with lists are not measured beyond 100,000."),
		growth(r, "OriginsInTurn/origins=", "Exact origins, each in turn", "The same, but each call comes from another origin. Beyond some 100,000 origins, the entries are in memory and not in the processor's caches, and fetching them takes most of the time. The handler by hand uses a Go map, which fetches as much."),
		growth(r, "Patterns/patterns=", "Patterns of subdomains", "An allowed call, ns. gorilla/handlers has no patterns; it uses the lookup function of the handler by hand."),
		procedures(r), hostile(r), loopback(r), reloads(r), loading(r),
	}
}

// by lists the names of the implementations, in the order of the columns.
var by = []string{"floor", "corsrpc", "rs", "gorilla"}

func requests(r *results, goroutines, title, text string) table {
	t := table{Title: title, Text: text, head: []string{"request", "by hand", "corsrpc", "× by hand", "rs/cors", "gorilla/handlers"}}
	for _, c := range r.settings("Requests/case=") {
		name := func(by string) string { return "Requests/case=" + c + "/by=" + by + "/goroutines=" + goroutines }
		t.rows = append(t.rows, append([]string{c}, compared(r, name)...))
	}
	return t
}

// compared returns the cells of all implementations.
func compared(r *results, name func(by string) string) (cells []string) {
	for _, i := range by {
		cell := "not measured"
		if r.has(name(i)) {
			cell = fmt.Sprintf("%s (%s)", nanoseconds(r.time(name(i))), number(figureOf(r.of(name(i), "allocs/op")).middle))
		}
		cells = append(cells, cell)
		if i == "corsrpc" {
			cells = append(cells, ratio(r.over(name("corsrpc"), name("floor"))))
		}
	}
	return cells
}

func exposure(r *results) table {
	t := table{Title: "Exposed headers", Text: "An allowed call whose response has this number of headers besides Content-Type. With a ninth header, Go's header map grows, in all implementations.",
		head: []string{"headers", "by hand", "corsrpc", "× by hand", "rs/cors", "gorilla/handlers"}}
	for _, n := range r.settings("Exposure/headers=") {
		name := func(by string) string { return "Exposure/headers=" + n + "/by=" + by }
		t.rows = append(t.rows, append([]string{n}, compared(r, name)...))
	}
	return t
}

func newExposure(r *results) table {
	t := table{Title: "Responses with header names that are not cached", Text: "A call whose response has one header: always the same, or each of 1,000 in turn, which the cache of eight sets cannot hold. Such responses cost this time, but no additional memory.",
		head: []string{"different answers", "corsrpc", "allocations"}}
	for _, n := range r.settings("NewExposure/sets=") {
		name := "NewExposure/sets=" + n
		t.rows = append(t.rows, []string{n, nanoseconds(r.time(name)), number(figureOf(r.of(name, "allocs/op")).middle)})
	}
	return t
}

func growth(r *results, prefix, title, text string) table {
	t := table{Title: title, Text: text, head: []string{"how many", "by hand", "corsrpc", "× by hand", "× of 1", "rs/cors", "gorilla/handlers"}}
	all := r.settings(prefix)
	for _, n := range all {
		name := func(by string) string { return prefix + n + "/by=" + by }
		cells := compared(r, name)
		cells = append(cells[:3:3], append([]string{ratio(r.over(name("corsrpc"), prefix+all[0]+"/by=corsrpc"))}, cells[3:]...)...)
		t.rows = append(t.rows, append([]string{n}, cells...))
	}
	return t
}

func procedures(r *results) table {
	t := table{Title: "Procedures and rules", Text: "An allowed call, ns: always of the same procedure, or of each in turn.",
		head: []string{"procedures", "rules", "the same", "× of 1 and 1", "each in turn", "× of 1 and 1"}}
	for _, p := range r.settings("Procedures/procedures=") {
		for _, n := range r.settings("Procedures/procedures=" + p + "/rules=") {
			row := []string{p, n}
			for _, called := range []string{"one", "in turn"} {
				name := "Procedures/procedures=" + p + "/rules=" + n + "/called=" + called
				row = append(row, nanoseconds(r.time(name)), ratio(r.over(name, "Procedures/procedures=1/rules=1/called="+called)))
			}
			t.rows = append(t.rows, row)
		}
	}
	return t
}

func hostile(r *results) table {
	t := table{Title: "Requests that set out to cost", Text: "ns; allocated bytes. The layer reads a bounded part of a request: 300 bytes of Origin, 8 KiB of requested headers, 8 KiB of the method, 2 KiB of the path. TestHostileMemory checks the bytes.",
		head: []string{"request", "corsrpc", "bytes", "rs/cors", "gorilla/handlers"}}
	for _, c := range r.settings("Hostile/request=") {
		name := func(by string) string { return "Hostile/request=" + c + "/by=" + by }
		t.rows = append(t.rows, []string{c, nanoseconds(r.time(name("corsrpc"))), number(figureOf(r.of(name("corsrpc"), "B/op")).middle),
			nanoseconds(r.time(name("rs"))), nanoseconds(r.time(name("gorilla")))})
	}
	return t
}

func loopback(r *results) table {
	t := table{Title: "Whole calls over a socket", Text: "A connect-go client and server in one process, over loopback. The client sends the headers of a page. The columns show the time that a layer adds to a call; if the bounds have different signs, it is within the noise. Allocations are those of client and server.",
		head: []string{"HTTP", "call", "no CORS", "corsrpc adds", "of the call", "allocations", "corsrpc adds", "rs/cors adds", "allocations"}}
	for _, version := range r.settings("Loopback/http=") {
		for _, call := range r.settings("Loopback/http=" + version + "/call=") {
			name := func(by string) string { return "Loopback/http=" + version + "/call=" + call + "/by=" + by }
			none := r.time(name("none"))
			row := []string{version, call, microseconds(none)}
			for _, i := range []string{"corsrpc", "rs"} {
				added := minus(r.of(name(i), "ns/op"), r.of(name("none"), "ns/op"))
				row = append(row, between(added, 1e3, "µs"))
				if i == "corsrpc" {
					row = append(row, between(added, none.middle/100, "%"), number(figureOf(r.of(name("none"), "allocs/op")).middle))
				}
				row = append(row, number(minus(r.of(name(i), "allocs/op"), r.of(name("none"), "allocs/op")).middle))
			}
			t.rows = append(t.rows, row)
		}
	}
	return t
}

func reloads(r *results) table {
	t := table{Title: "Reloads under load", Text: "Calls over loopback from eight concurrent clients, while a policy of 100,000 origins replaces another every 100 ms; both allow the page. A reload parses and compiles a binary policy while all processors are busy.",
		head: []string{"reloads", "a second", "calls refused", "median", "99 % take at most"}}
	for _, how := range r.settings("Reloads/reloads=") {
		name := "Reloads/reloads=" + how
		t.rows = append(t.rows, []string{how, number(figureOf(r.of(name, "reloads/s")).middle), number(slices.Max(r.of(name, "refused"))),
			microseconds(figureOf(r.of(name, "p50-ns"))), microsecondsBetween(figureOf(r.of(name, "p99-ns")))})
	}
	return t
}

func loading(r *results) table {
	t := table{Title: "Loading many origins", Text: "The time to load a layer from a file or a source, and the memory of an origin of 33 bytes. The peak is the memory of the process while another set of the same size replaces it, in multiples of one set (with Go's default GOGC). For YAML, the place of each value is stored.",
		head: []string{"what", "takes", "bytes an origin", "peak of a reload"}}
	for _, what := range r.settings("Load/load=") {
		name, peak := "Load/load="+what, "not measured"
		if again := "ReloadPeak/load=" + what; r.has(again) {
			peak = fmt.Sprintf("%.2f sets", figureOf(r.of(again, "peak/live")).middle)
		}
		t.rows = append(t.rows, []string{what, between(r.time(name), 1e6, "ms"), fmt.Sprintf("%.1f", figureOf(r.of(name, "live-B/origin")).middle), peak})
	}
	return t
}

func (r *results) time(name string) figure { return figureOf(r.of(name, "ns/op")) }
func (r *results) over(name, base string) figure {
	return over(r.of(name, "ns/op"), r.of(base, "ns/op"))
}

// rounds returns the number of rounds.
func (r *results) rounds() int {
	n := 0
	for _, values := range r.values {
		n = max(n, len(values))
	}
	return n
}

func ratio(f figure) string { return fmt.Sprintf("%.2f [%.2f, %.2f]", f.middle, f.low, f.high) }

func between(f figure, unit float64, name string) string {
	return fmt.Sprintf("%s %s [%s, %s]", short(f.middle/unit), name, short(f.low/unit), short(f.high/unit))
}

func nanoseconds(f figure) string         { return number(f.middle) }
func microseconds(f figure) string        { return number(f.middle/1e3) + " µs" }
func microsecondsBetween(f figure) string { return between(f, 1e3, "µs") }

// number formats a number with thousands separators, and with one decimal if it is small.
func number(v float64) string {
	if math.IsInf(v, 0) {
		return "unknown"
	}
	if math.Abs(v) < 10 && v != math.Trunc(v) {
		return fmt.Sprintf("%.1f", v)
	}
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// short formats a number with about three digits.
func short(v float64) string {
	if math.Abs(v) < 10 {
		return fmt.Sprintf("%.2g", v)
	}
	return number(v)
}
