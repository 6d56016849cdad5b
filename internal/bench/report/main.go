// Program report measures the cost of corsrpc, and writes the results: results.jsonl, RESULTS.md, a chart, and the
// tables of corsrpc/docs/cost.md. It runs in internal/bench. `make bench` runs it.
package main

import (
	"bytes"
	_ "embed"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"
	"text/template"
)

const (
	resultsFile = "results.jsonl"
	reportFile  = "RESULTS.md"
	chartFile   = "origins.svg"
)

// With fewer processes or rounds the intervals say little.
const (
	leastProcesses = 5
	leastRounds    = 25
)

func main() {
	log.SetFlags(0)
	render := flag.Bool("render", false, "measure nothing, and write the report of "+resultsFile+" anew")
	try := flag.Bool("try", false, "measure in two processes and in three short rounds, to try the program out: the report says that its figures are not results")
	only := flag.String("only", "", "measure only the parts whose names match this regular expression, and keep the other results")
	flag.Parse()
	if err := report(*render, *try, *only); err != nil {
		log.Fatal("report: ", err)
	}
}

func report(render, try bool, only string) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	m := &measuring{dir: dir, processes: leastProcesses, rounds: leastRounds, only: only}
	if try {
		m.processes, m.rounds = 2, 3
	}
	if m.binary, err = build(dir); err != nil {
		return err
	}
	if !render {
		if err := m.replaceResults(); err != nil {
			return err
		}
	}
	r, err := readFile(resultsFile)
	if err != nil {
		return err
	}
	if err := drawOrigins(r, chartFile); err != nil {
		return err
	}
	if err := writeCost(r); err != nil {
		return err
	}
	text, err := compose(r, func(contestant string) (string, error) { return profile(m.binary, dir, contestant) })
	if err != nil {
		return err
	}
	return os.WriteFile(reportFile, text, 0o666)
}

func readFile(name string) (*results, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return read(f)
}

//go:embed results.md.tmpl
var resultsTemplate string

// compose writes the report. It measures the profiles again.
func compose(r *results, profile func(contestant string) (string, error)) ([]byte, error) {
	var profiles []profiled
	for _, name := range profiledRows(r) {
		text, err := profile(name)
		if err != nil {
			return nil, err
		}
		profiles = append(profiles, profiled{name, tidyProfile(text)})
	}
	versions, err := moduleVersions()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = template.Must(template.New("").Parse(resultsTemplate)).Execute(&out, map[string]any{
		"Head": r.head, "Machine": fmt.Sprintf("%s, %d processors", r.head.Machine, r.head.Processors), "Versions": versions,
		"Tried": r.head.Rounds < leastRounds, "Targets": targets(r), "Tables": tables(r), "Why": why, "Profiles": profiles,
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
