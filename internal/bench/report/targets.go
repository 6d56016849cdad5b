package main

import (
	"fmt"
	"regexp"
	"slices"
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
	if strings.HasPrefix(name, "preflight") {
		return 1.4
	}
	return 1.15
}

func targets(r *results) (all []target) {
	add := func(what, wanted, measured string, reached bool) {
		all = append(all, target{what, wanted, measured, reached})
	}
	for _, goroutines := range []string{"one", "all"} {
		on := map[string]string{"one": "one goroutine", "all": "all processors"}[goroutines]
		for _, c := range r.settings("Requests/case=") {
			name := func(by string) string { return "Requests/case=" + c + "/by=" + by + "/goroutines=" + goroutines }
			f := r.over(name("corsrpc"), name("floor"))
			add(c+", "+on, fmt.Sprintf("≤ %v × by hand", maxRatio(c)), ratio(f), f.middle <= maxRatio(c))
		}
	}
	for _, c := range r.settings("Requests/case=") {
		name := func(by string) string { return "Requests/case=" + c + "/by=" + by + "/goroutines=one" }
		faster := r.over(name("rs"), name("corsrpc"))
		switch {
		case strings.HasPrefix(c, "preflight"), strings.Contains(c, "refused"):
			add(c, "rs/cors ≥ 2 × corsrpc", ratio(faster), faster.middle >= 2)
		case c == "call, allowed, credentials":
			add(c, "rs/cors ≥ 1.2 × corsrpc", ratio(faster), faster.middle >= 1.2)
		default:
			add(c, "rs/cors ≥ corsrpc", ratio(faster), faster.middle >= 1)
		}
		faster = r.over(name("gorilla"), name("corsrpc"))
		add(c, "gorilla/handlers ≥ corsrpc", ratio(faster), faster.middle >= 1)
	}

	most, at := 0.0, ""
	for _, c := range r.settings("Requests/case=") {
		allocs := figureOf(r.of("Requests/case="+c+"/by=corsrpc/goroutines=one", "allocs/op")).middle
		if most <= allocs {
			most, at = allocs, c
		}
	}
	without := figureOf(r.of("Requests/case=call without Origin/by=corsrpc/goroutines=one", "allocs/op")).middle
	add("allocations of any request (TestAllocations)", "≤ 1", fmt.Sprintf("%v (%s)", most, at), most <= 1)
	add("allocations of a request without Origin", "0", fmt.Sprint(without), without == 0)

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
		add(flat.what, "≤ 1.5 × of one", ratio(worst), worst.middle <= 1.5)
	}
	known := r.over("Exposure/headers=5/by=corsrpc", "Exposure/headers=5/by=floor")
	add("5 exposed headers that were seen before", "≤ 1.15 × by hand", ratio(known), known.middle <= 1.15)

	for _, l := range []struct {
		what    string
		seconds float64
	}{{"1,000,000 origins, binary", 1}, {"1,000,000 origins, a source", 1}, {"100,000 origins, YAML", 0.5}} {
		f := r.time("Load/load=" + l.what)
		add(l.what, fmt.Sprintf("< %v s", l.seconds), between(f, 1e9, "s"), f.middle < l.seconds*1e9)
		if strings.HasPrefix(l.what, "1,000,000") {
			each, peak := figureOf(r.of("Load/load="+l.what, "live-B/origin")), figureOf(r.of("ReloadPeak/load="+l.what, "peak/live"))
			add(l.what, "≤ 45 bytes each", fmt.Sprintf("%.1f", each.middle), each.middle <= 45)
			add(l.what, "peak of a reload ≤ 3 sets", fmt.Sprintf("%.2f", peak.middle), peak.middle <= 3)
		}
	}
	refused := slices.Max(r.of("Reloads/reloads=every 100 ms", "refused"))
	add("calls refused while both policies allow them", "0", number(refused), refused == 0)
	worst := worstHostile(r)
	add("requests larger than the limits ("+worst.what+")", "≤ 2 × the usual size", ratio(worst.figure), worst.middle <= 2)
	return all
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

// missedRatios returns the requests that exceed maxRatio, on one goroutine.
func missedRatios(r *results) (names []string) {
	for _, c := range r.settings("Requests/case=") {
		name := func(by string) string { return "Requests/case=" + c + "/by=" + by + "/goroutines=one" }
		if r.over(name("corsrpc"), name("floor")).middle > maxRatio(c) {
			names = append(names, name("corsrpc"))
		}
	}
	return names
}

// why explains the profiles.
const why = `Beyond the handler by hand the layer finds the procedure by its path (` + "`mapaccess`" + ` under ` + "`Plan.find`" + `), where the handler by hand
compares one constant. It parses an Origin that is not in the list of exact origins character by character (` + "`origin.Parse`" + `), where the handler by hand checks only its form.
It counts a refusal for the log (` + "`eventLog.admit`" + `), and compares the headers of a response with cached sets (` + "`target.exposed`" + `). Each takes 5 to 20 ns, compared with about 100
for the whole handler by hand, which spends most of its time, like the layer, on the map of header fields.

Peers that are faster for a refusal do less: gorilla/handlers returns an empty 200 and runs a refused call, rs/cors writes one or two fields and runs it as well. A response with
the reason in the caller's protocol, which caches do not store and browsers do not sniff, needs three fields and a body. The handler by hand shows that this alone takes longer.

rs/cors is faster for some allowed calls: it writes its fields before the handler runs, with one list of exposed names, in slices that all responses share, so that a handler that
changes one of them changes later responses too. To expose the headers that a response has, the layer and the handler by hand need a writer around the handler.

With calls of different origins or procedures, the time grows by misses of the processor's caches: for the origin's text and its table entry, the procedure's entry,
its rule, and the cached sets of its response headers. Nothing is searched linearly.`

// profiled is the profile of a benchmark.
type profiled struct{ title, text string }

func (p profiled) Title() string { return p.title }
func (p profiled) Text() string  { return p.text }

// exactly returns the pattern of -bench for a benchmark's name. go test matches each part
// separately.
func exactly(name string) string {
	parts := strings.Split(strings.ReplaceAll(name, " ", "_"), "/")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
		if i > 0 {
			parts[i] = "^" + parts[i] + "$"
		}
	}
	return strings.Join(parts, "/")
}

// tidyProfile removes the lines about the machine from a profile.
func tidyProfile(text string) string {
	_, table, ok := strings.Cut(text, "      flat  flat%")
	if !ok {
		return text
	}
	return strings.ReplaceAll("      flat  flat%"+table, "github.com/corsrpc/corsrpc-go/", "")
}
