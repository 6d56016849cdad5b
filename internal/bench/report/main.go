// Program report runs the benchmarks in the current folder, and writes the results:
// results.txt, RESULTS.md, and a chart. `make bench` runs it.
package main

import (
	"bytes"
	_ "embed"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"
	"time"
)

const (
	resultsFile = "results.txt"
	reportFile  = "RESULTS.md"
	chartFile   = "origins.svg"
)

// With fewer rounds there are no bounds with 95 % confidence.
const (
	leastRounds = 6
	tooFew      = "fewer than 6 rounds say nothing with 95 % confidence"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 8, "how often each is measured; 6 or more for an interval of 95 %")
	render := flag.Bool("render", false, "measure nothing, and write the report of "+resultsFile+" anew")
	flag.Parse()
	if *rounds < leastRounds {
		log.Fatal("report: " + tooFew)
	}
	if err := report(*rounds, *render); err != nil {
		log.Fatal(err)
	}
}

func report(rounds int, render bool) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, err := build(dir)
	if err != nil {
		return err
	}
	if !render {
		if err := replaceResults(dir, binary, rounds); err != nil {
			return err
		}
	}
	f, err := os.Open(resultsFile)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := read(f)
	if err != nil {
		return err
	}
	if err := drawOrigins(r, chartFile); err != nil {
		return err
	}
	if err := writeCost(r); err != nil {
		return err
	}
	text, err := compose(r, func(benchmark string) (string, error) { return profile(binary, dir, benchmark) })
	if err != nil {
		return err
	}
	return os.WriteFile(reportFile, text, 0o666)
}

// replaceResults measures, prints a comparison with the existing results, and replaces them.
func replaceResults(dir, binary string, rounds int) error {
	now := filepath.Join(dir, "now.txt")
	f, err := os.Create(now)
	if err != nil {
		return err
	}
	fmt.Fprintf(f, "date: %s\ncommit: %s\ngo: %s\nprocessors: %d\n", time.Now().UTC().Format(time.DateOnly), revision(), runtime.Version(), runtime.GOMAXPROCS(0))
	if err := measure(binary, rounds, f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if _, err := os.Stat(resultsFile); err == nil {
		err := run(os.Stdout, "go", "tool", "benchstat", "-filter", "/by:(corsrpc OR floor) OR .name:(Load OR ReloadPeak OR Reloads OR Procedures)",
			"before="+resultsFile, "now="+now)
		if err != nil {
			return err
		}
	}
	text, err := os.ReadFile(now)
	if err != nil {
		return err
	}
	return os.WriteFile(resultsFile, text, 0o666)
}

//go:embed results.md.tmpl
var resultsTemplate string

// compose writes the report. It measures the profiles again.
func compose(r *results, profile func(benchmark string) (string, error)) ([]byte, error) {
	var profiles []profiled
	missed := missedRatios(r)
	for _, name := range missed {
		text, err := profile("^Benchmark" + exactly(name) + "$")
		if err != nil {
			return nil, err
		}
		profiles = append(profiles, profiled{title: name, text: tidyProfile(text)})
	}
	versions, err := moduleVersions()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = template.Must(template.New("").Parse(resultsTemplate)).Execute(&out, map[string]any{
		"Rounds": r.rounds(), "Date": r.date,
		"Machine": fmt.Sprintf("%s, %s processors", r.machine, r.processors), "Go": r.goVersion,
		"Revision": r.commit, "Versions": versions,
		"Targets": targets(r), "Tables": tables(r), "Why": why, "Profiles": profiles,
	})
	return out.Bytes(), err
}

// moduleVersions returns the versions of the libraries that are compared with corsrpc.
func moduleVersions() (versions []string, err error) {
	list := exec.Command("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "github.com/rs/cors", "github.com/gorilla/handlers", "connectrpc.com/cors", "connectrpc.com/connect")
	out, err := list.Output()
	return strings.Split(strings.TrimSpace(string(out)), "\n"), err
}

// revision returns the measured commit, and whether the tree had uncommitted changes.
func revision() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--exclude", "*").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
