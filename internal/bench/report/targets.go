package main

import (
	"fmt"
	"strings"
)

// A target is a goal for a measurement, and whether it was reached.
type target struct {
	What, Wanted, Measured string
	Reached                bool
}

// maxRatio returns the largest allowed ratio of a request's cost to that of the handler by
// hand.
func maxRatio(name string) float64 {
	switch {
	case strings.HasPrefix(name, "preflight"), strings.Contains(name, "refused"):
		return 1.4
	case strings.Contains(name, "pattern"):
		return 1.3
	case name == "call without Origin":
		return 1.15
	}
	return 1.2
}

// targets returns all targets, in the order of the report.
func targets(r *results) []target {
	var all goals
	all.ofPages(r)
	all.ofHandlers(r)
	all.ofRequests(r)
	all.ofGrowth(r)
	all.ofLoads(r)
	return all
}

// goals collects targets.
type goals []target

func (g *goals) add(what, wanted, measured string, reached bool) {
	*g = append(*g, target{what, wanted, measured, reached})
}

// ofPages adds the targets of what a page sees.
func (g *goals) ofPages(r *results) {
	preflights := r.figure("Page/by=corsrpc", "preflights")
	g.add("preflights of 50 calls to five procedures", "≤ 5", number(preflights.middle), preflights.high <= 5)
	for _, peer := range peers {
		longer := combine(r.of("Page/by="+peer, "wall-ns"), r.of("Page/by=corsrpc", "wall-ns"), func(a, b float64) float64 { return a / b })
		g.add("50 calls of a page", titleOf[peer]+" ≥ corsrpc", ratio(longer), longer.middle >= 1)
	}
}

var peers = []string{"rs", "gorilla"}

// ofHandlers adds the targets of the whole calls around a handler.
func (g *goals) ofHandlers(r *results) {
	call := r.time("Handler/case=call, allowed/by=none").middle
	for _, c := range r.settings("Handler/case=") {
		for _, peer := range peers {
			name := func(by string) string { return "Handler/case=" + c + "/by=" + by }
			behind := r.minus(name("corsrpc"), name(peer), "ns")
			of := figure{behind.middle / call * 100, behind.low / call * 100, behind.high / call * 100}
			if strings.HasPrefix(c, "call, refused") || strings.HasPrefix(c, "preflight, allowed") {
				g.add(c+", around a handler", titleOf[peer]+" ≥ corsrpc", fmt.Sprintf("%.2f %% of a call [%.2f, %.2f]", of.middle, of.low, of.high), of.middle <= 0)
				continue
			}
			g.add(c+", around a handler", titleOf[peer]+" at most 1 % of a call ahead", fmt.Sprintf("%.2f %% [%.2f, %.2f]", of.middle, of.low, of.high), of.middle <= 1)
		}
	}
}

// ofRequests adds the targets of the layer alone.
func (g *goals) ofRequests(r *results) {
	for _, goroutines := range []string{"one", "all"} {
		on := map[string]string{"one": "one goroutine", "all": "all processors"}[goroutines]
		for _, c := range r.settings("Requests/case=") {
			f := r.over(requestName(c, "corsrpc", goroutines), requestName(c, "floor", goroutines))
			g.add(c+", "+on, fmt.Sprintf("≤ %v × by hand", maxRatio(c)), ratio(f), f.middle <= maxRatio(c))
		}
	}
	known := r.over("Exposure/headers=5/by=corsrpc", "Exposure/headers=5/by=floor")
	g.add("5 exposed headers that were seen before", "≤ 1.2 × by hand", ratio(known), known.middle <= 1.2)

	most, at := 0.0, ""
	for _, c := range r.settings("Requests/case=") {
		if allocs := r.figure(requestName(c, "corsrpc", "one"), "allocs").middle; most <= allocs {
			most, at = allocs, c
		}
	}
	without := r.figure(requestName("call without Origin", "corsrpc", "one"), "allocs").middle
	g.add("allocations of any request (TestAllocations)", "≤ 1", fmt.Sprintf("%v (%s)", most, at), most <= 1)
	g.add("allocations of a request without Origin", "0", fmt.Sprint(without), without == 0)
}

// ofGrowth adds the targets of the cost by the size of the policy and of the request.
func (g *goals) ofGrowth(r *results) {
	for _, flat := range []struct{ what, prefix, suffix string }{
		{"1 to 1,000,000 exact origins", "Origins/origins=", "/by=corsrpc"},
		{"the same, each in turn", "OriginsInTurn/origins=", "/by=corsrpc"},
		{"1 to 100,000 patterns", "Patterns/patterns=", "/by=corsrpc"},
		{"1 to 10,000 procedures × 10,000 rules", "Procedures/procedures=", "/rules=10000/called=one"},
		{"the same, each in turn", "Procedures/procedures=", "/rules=10000/called=in turn"},
	} {
		settings := r.settings(flat.prefix)
		worst := figure{}
		for _, n := range settings[1:] {
			if f := r.over(flat.prefix+n+flat.suffix, flat.prefix+settings[0]+flat.suffix); f.middle > worst.middle {
				worst = f
			}
		}
		g.add(flat.what, "≤ 1.5 × of one", ratio(worst), worst.middle <= 1.5)
	}
	worst := worstHostile(r)
	g.add("requests larger than the limits ("+worst.what+")", "≤ 2 × the usual size", ratio(worst.figure), worst.middle <= 2)
}

// ofLoads adds the targets of loading and reloading.
func (g *goals) ofLoads(r *results) {
	for _, l := range []struct {
		what    string
		seconds float64
	}{{"1,000,000 origins, binary", 1}, {"1,000,000 origins, a source", 1}, {"100,000 origins, YAML", 0.5}} {
		f := r.figure("Load/load="+l.what, "wall-ns")
		g.add(l.what, fmt.Sprintf("< %v s", l.seconds), between(f, 1e9, "s"), f.middle < l.seconds*1e9)
		if strings.HasPrefix(l.what, "1,000,000") {
			each, peak := r.figure("Load/load="+l.what, "live-B/origin"), r.figure("ReloadPeak/load="+l.what, "peak/live")
			g.add(l.what, "≤ 45 bytes each", fmt.Sprintf("%.1f", each.middle), each.middle <= 45)
			g.add(l.what, "peak of a reload ≤ 3 sets", fmt.Sprintf("%.2f", peak.middle), peak.middle <= 3)
		}
	}
	refused := mostRefused(r, "Reloads/reloads=every 100 ms")
	g.add("calls refused while both policies allow them", "0", number(refused), refused == 0)
}

// worstHostile returns the most expensive request of 1 MiB or with thousands of parts, and its
// ratio to a request of usual size.
func worstHostile(r *results) (worst struct {
	figure
	what string
}) {
	usual := ""
	for _, c := range r.settings("Hostile/request=") {
		if strings.HasSuffix(c, "of usual size") {
			usual = c
		}
		if !strings.Contains(c, "1 MiB") && !strings.Contains(c, ",000") {
			continue
		}
		f := r.over("Hostile/request="+c+"/by=corsrpc", "Hostile/request="+usual+"/by=corsrpc")
		if f.middle > worst.middle {
			worst.figure, worst.what = f, c
		}
	}
	return worst
}

// profiledRows returns the names of the requests whose profiles the report has: those of these that exceed maxRatio, on
// one goroutine. The others are of the same kinds.
func profiledRows(r *results) (names []string) {
	for _, c := range []string{"call, allowed, credentials", "preflight, refused origin", "preflight, refused origin, without a log", "1,000 patterns, call allowed"} {
		if r.over(requestName(c, "corsrpc", "one"), requestName(c, "floor", "one")).middle > maxRatio(c) {
			names = append(names, requestName(c, "corsrpc", "one"))
		}
	}
	return names
}

// why explains the profiles.
const why = `An allowed call of a known procedure is decided without a Decision (` + "`grantsCommonCall`" + `). Three parts of it have no counterpart in the handler by hand. The layer finds
the procedure by its path (` + "`mapaccess`" + ` under ` + "`Plan.findExact`" + `); the handler by hand compares one constant. The layer finds what the writer below can do
(` + "`writerKinds.of`" + `); the handler by hand takes it as given. The layer compares the headers of the response with cached sets (` + "`target.exposed`" + `). A pattern also
needs the parts of the origin. Both spend most of their time on the map of header fields.

A refused call or preflight takes a whole Decision, which the log, observers and explanations read. With a log, the layer hashes the origin and
counts the refusal by its origin, target and rule (` + "`eventLog.repeats`" + `), where the handler by hand adds one to a number.

A peer that is faster for a refusal does less: gorilla/handlers returns an empty 200 and runs a refused call, rs/cors writes one or two fields and runs it as well. A response with
the reason in the caller's protocol, which caches do not store and browsers do not sniff, needs three fields and a body. The handler by hand shows that this alone takes longer.

rs/cors is faster for some allowed calls: it writes its fields before the handler runs, with one list of exposed names, in slices that all responses share, so that a handler that
changes one of them changes later responses too. To expose the headers that a response has, the layer and the handler by hand need a writer around the handler.

With calls of different origins or procedures, the time grows by misses of the processor's caches: for the origin's text and its table entry, the procedure's entry,
its rule, and the cached sets of its response headers. Nothing is searched linearly.`

// profiled is the profile of a contestant.
type profiled struct {
	// Title is the contestant's name, and Text what pprof prints.
	Title, Text string
}

// tidyProfile removes the lines about the machine from a profile.
func tidyProfile(text string) string {
	_, table, ok := strings.Cut(text, "      flat  flat%")
	if !ok {
		return text
	}
	return strings.ReplaceAll("      flat  flat%"+table, "github.com/corsrpc/corsrpc-go/", "")
}
