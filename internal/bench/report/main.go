// Program report runs the benchmarks of the folder that it is started in, and writes
// what they say: results.txt, RESULTS.md, and a chart. `make bench` starts it.
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

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 8, "how often each is measured; 6 or more for an interval of 95 %")
	render := flag.Bool("render", false, "measure nothing, and write the report of "+resultsFile+" anew")
	flag.Parse()
	if *rounds < 6 {
		log.Fatal("report: fewer than 6 rounds say nothing with 95 % confidence")
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
	start := time.Now()
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
	text, err := compose(r, start, func(benchmark string) (string, error) { return profile(binary, dir, benchmark) })
	if err != nil {
		return err
	}
	return os.WriteFile(reportFile, text, 0o666)
}

// replaceResults measures, keeps what came out, and prints how it compares with what
// was there before.
func replaceResults(dir, binary string, rounds int) error {
	before := filepath.Join(dir, "before.txt")
	if err := os.Rename(resultsFile, before); err != nil && !os.IsNotExist(err) {
		if text, err := os.ReadFile(resultsFile); err == nil { // on another file system
			if err := os.WriteFile(before, text, 0o666); err != nil {
				return err
			}
		}
	}
	f, err := os.Create(resultsFile)
	if err != nil {
		return err
	}
	if err := measure(binary, rounds, f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if _, err := os.Stat(before); err != nil {
		return nil
	}
	return run(os.Stdout, "go", "tool", "benchstat", "-filter", "/by:(corsrpc OR floor) OR .name:(Load OR ReloadPeak OR Reloads OR Procedures)",
		"before="+before, "now="+resultsFile)
}

//go:embed results.md.tmpl
var resultsTemplate string

// compose writes the report. The profiles are taken now.
func compose(r *results, start time.Time, profile func(benchmark string) (string, error)) ([]byte, error) {
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
		"Rounds": r.rounds(), "Took": time.Since(start).Round(time.Minute), "Date": time.Now().UTC().Format(time.DateOnly),
		"Machine": fmt.Sprintf("%s, %d processors", r.machine, runtime.GOMAXPROCS(0)), "Go": runtime.Version(),
		"Revision": revision(), "Versions": versions,
		"Targets": targets(r), "Tables": tables(r), "Why": why, "Profiles": profiles,
	})
	return out.Bytes(), err
}

// moduleVersions are those of what is measured beside corsrpc.
func moduleVersions() (versions []string, err error) {
	list := exec.Command("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "github.com/rs/cors", "github.com/gorilla/handlers", "connectrpc.com/cors", "connectrpc.com/connect")
	out, err := list.Output()
	return strings.Split(strings.TrimSpace(string(out)), "\n"), err
}

// revision is the commit that was measured, and whether the tree was it.
func revision() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--exclude", "*").Output()
	if err != nil {
		return "no git"
	}
	return "commit " + strings.TrimSpace(string(out))
}
