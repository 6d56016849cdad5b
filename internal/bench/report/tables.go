package main

import (
	"fmt"
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
		pages(r), handlers(r),
		requests(r), parallel(r),
		exposure(r), newExposure(r),
		growth(r, "Origins/origins=", "Exact origins", "An allowed call, ns, always from the same page. The peers are not measured beyond 100,000."),
		growth(r, "OriginsInTurn/origins=", "Exact origins, each in turn", "The same, but each call comes from another origin. Beyond some 100,000 origins, the entries are in memory and not in the processor's caches, and fetching them takes most of the time. The handler by hand uses a Go map, which fetches as much."),
		growth(r, "Patterns/patterns=", "Patterns of subdomains", "An allowed call, ns. gorilla/handlers has no patterns; it uses the lookup function of the handler by hand."),
		starred(r), procedures(r), hostile(r), loopback(r), reloads(r),
		loading(r), memory(r), start(r), sizes(r), commands(r),
	}
}

// by lists the names of the implementations, in the order of the columns.
var by = []string{"floor", "corsrpc", "rs", "gorilla"}

// titleOf has the title of each implementation.
var titleOf = map[string]string{"none": "without CORS", "floor": "by hand", "corsrpc": "corsrpc", "rs": "rs/cors", "gorilla": "gorilla/handlers"}

// pages is the table of what a page sees.
func pages(r *results) table {
	t := table{Title: "The view of a page", Text: "A page in Chromium makes 50 calls, one after another: calls of five procedures, unary ones and streams, in turn by clients of connect-web over Connect and over gRPC-Web, with and without a timeout. A round trip to the server takes 50 ms. The time is that on the clock. The first column is the server with a page on its own origin, which needs no CORS.",
		head: []string{"", "same origin", "corsrpc", "rs/cors", "gorilla/handlers"}}
	row := func(what string, cell func(name string) string) {
		cells := []string{what}
		for _, i := range []string{"none", "corsrpc", "rs", "gorilla"} {
			cells = append(cells, cell("Page/by="+i))
		}
		t.rows = append(t.rows, cells)
	}
	row("preflights", func(name string) string { return number(r.figure(name, "preflights").middle) })
	row("50 calls take", func(name string) string { return between(r.figure(name, "wall-ns"), 1e9, "s") })
	return t
}

// handlers is the table of the calls around a real handler.
func handlers(r *results) table {
	t := table{Title: "Whole calls around a handler of connect-go", Text: "µs of a unary call, or of a preflight, without a socket. The handler reads a short message, and compresses its response, as the client asks for. A refused call does not reach the handler behind corsrpc; behind the peers it runs.",
		head: []string{"request", "without CORS", "by hand", "corsrpc", "rs/cors", "gorilla/handlers"}}
	for _, c := range r.settings("Handler/case=") {
		row := []string{c}
		for _, i := range append([]string{"none"}, by...) {
			f := r.time("Handler/case=" + c + "/by=" + i)
			row = append(row, fmt.Sprintf("%.2f [%.2f, %.2f]", f.middle/1e3, f.low/1e3, f.high/1e3))
		}
		t.rows = append(t.rows, row)
	}
	return t
}

func requests(r *results) table {
	t := table{Title: "The layer alone", Text: "ns of a request, and allocations. The handler writes a fixed response of two bytes. The page's origin is the last in a list; the peers search the list linearly. The refusals without a log are those of a layer whose log is off.",
		head: []string{"request", "by hand", "corsrpc", "× by hand", "rs/cors", "gorilla/handlers"}}
	for _, c := range r.settings("Requests/case=") {
		t.rows = append(t.rows, append([]string{c}, compared(r, func(by string) string { return requestName(c, by, "one") })...))
	}
	return t
}

// requestName returns the name of a measured request.
func requestName(c, by, goroutines string) string {
	return "Requests/case=" + c + "/by=" + by + "/goroutines=" + goroutines
}

func parallel(r *results) table {
	t := table{Title: "The layer alone, on all processors at once", Text: "Processor time of a request, ns.", head: []string{"request", "by hand", "corsrpc", "× by hand", "× of one goroutine"}}
	for _, c := range r.settings("Requests/case=") {
		floor, layer := requestName(c, "floor", "all"), requestName(c, "corsrpc", "all")
		t.rows = append(t.rows, []string{c, nanoseconds(r.time(floor)), nanoseconds(r.time(layer)), ratio(r.over(layer, floor)), ratio(r.over(layer, requestName(c, "corsrpc", "one")))})
	}
	return t
}

// compared returns the cells of all implementations.
func compared(r *results, name func(by string) string) (cells []string) {
	for _, i := range by {
		cell := "not measured"
		if r.has(name(i)) {
			cell = fmt.Sprintf("%s (%s)", nanoseconds(r.time(name(i))), number(r.figure(name(i), "allocs").middle))
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
		t.rows = append(t.rows, []string{n, nanoseconds(r.time(name)), number(r.figure(name, "allocs").middle)})
	}
	return t
}

func growth(r *results, prefix, title, text string) table {
	t := table{Title: title, Text: text, head: []string{"how many", "by hand", "corsrpc", "× by hand", "× of 1", "rs/cors", "gorilla/handlers"}}
	all := r.settings(prefix)
	for _, n := range all {
		name := func(by string) string { return prefix + n + "/by=" + by }
		cells := compared(r, name)
		cells = slices.Insert(cells, 3, ratio(r.over(name("corsrpc"), prefix+all[0]+"/by=corsrpc")))
		t.rows = append(t.rows, append([]string{n}, cells...))
	}
	return t
}

func starred(r *results) table {
	t := table{Title: "Patterns with a star within a label", Text: "An allowed or a refused call, ns, for the number of such patterns.", head: []string{"patterns"}}
	for _, what := range r.settings("Stars/stars=") {
		prefix := "Stars/stars=" + what + "/patterns="
		row, all := []string{what}, r.settings(prefix)
		for _, n := range all {
			if row = append(row, nanoseconds(r.time(prefix+n))); len(t.rows) == 0 {
				t.head = append(t.head, n)
			}
		}
		t.rows = append(t.rows, append(row, ratio(r.over(prefix+all[len(all)-1], prefix+all[0]))))
	}
	t.head = append(t.head, "most × of one")
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
		t.rows = append(t.rows, []string{c, nanoseconds(r.time(name("corsrpc"))), number(r.figure(name("corsrpc"), "B").middle),
			nanoseconds(r.time(name("rs"))), nanoseconds(r.time(name("gorilla")))})
	}
	return t
}

func loopback(r *results) table {
	t := table{Title: "Whole calls over a socket", Text: "A connect-go client and server in one process, over loopback. The client sends the headers of a page. The columns show the processor time that a layer adds to a call, of the client and the server; if the bounds have different signs, it is within the noise. Allocations are those of client and server.",
		head: []string{"HTTP", "call", "no CORS", "corsrpc adds", "of the call", "allocations", "corsrpc adds", "rs/cors adds", "allocations"}}
	for _, version := range r.settings("Loopback/http=") {
		for _, call := range r.settings("Loopback/http=" + version + "/call=") {
			name := func(by string) string { return "Loopback/http=" + version + "/call=" + call + "/by=" + by }
			none := r.time(name("none"))
			row := []string{version, call, microseconds(none)}
			for _, i := range []string{"corsrpc", "rs"} {
				added := r.minus(name(i), name("none"), "ns")
				row = append(row, between(added, 1e3, "µs"))
				if i == "corsrpc" {
					row = append(row, between(added, none.middle/100, "%"), number(r.figure(name("none"), "allocs").middle))
				}
				row = append(row, number(r.minus(name(i), name("none"), "allocs").middle))
			}
			t.rows = append(t.rows, row)
		}
	}
	return t
}
