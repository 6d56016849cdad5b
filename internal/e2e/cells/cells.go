// Package cells writes and reads what the browser tests observe, one cell of
// a table after another, so that two runs can be compared cell by cell.
package cells

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
)

// Variable is the environment variable that names the file to which Append
// writes.
const Variable = "CORSRPC_CELLS"

// A Cell holds what a test observes of one RPC or of a series of RPCs.
type Cell struct {
	Key
	Saw map[string]string // values by what they are: "messages", "trailers", "preflights"
}

// A Key says which cell it is. It is the same in every run.
type Key struct {
	Test        string // the name of the test function
	Browser     string
	Server      string // as the tests name it: "connect v1"
	Client      string // the client and its format: "connect, JSON"; empty for several clients
	Call        string // "unary", "server stream"
	Credentials bool
}

// String describes the cell in one line.
func (k Key) String() string {
	parts := []string{k.Browser, k.Server, k.Client, k.Call}
	if k.Credentials {
		parts = append(parts, "with credentials")
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return k.Test + ": " + strings.Join(parts, "; ")
}

var appending sync.Mutex

// Append adds a cell to the file that CORSRPC_CELLS names, as one line of
// JSON. Without that variable it does nothing.
func Append(c Cell) error {
	file := os.Getenv(Variable)
	if file == "" {
		return nil
	}
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	appending.Lock()
	defer appending.Unlock()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// Read returns the cells of a file that Append wrote. It fails if two of them
// have the same key.
func Read(r io.Reader) (map[Key]map[string]string, error) {
	all := map[Key]map[string]string{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c Cell
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("%q: %w", lines.Text(), err)
		}
		if _, ok := all[c.Key]; ok {
			return nil, fmt.Errorf("the file contains the cell %s twice", c.Key)
		}
		all[c.Key] = c.Saw
	}
	return all, lines.Err()
}

// A Difference is a value that two runs observe differently.
type Difference struct {
	Key
	What     string // "messages", "trailers"; empty if one run does not have the cell
	Old, New string
}

// absent stands for a cell that a run does not have.
const absent = "not observed"

// Compare returns the differences between two runs, in order of their keys. It
// does not compare a value that one of the runs does not have in a cell.
func Compare(before, after map[Key]map[string]string) []Difference {
	var all []Difference
	keys := map[Key]bool{}
	for k := range before {
		keys[k] = true
	}
	for k := range after {
		keys[k] = true
	}
	for _, k := range slices.SortedFunc(maps.Keys(keys), func(a, b Key) int { return strings.Compare(a.String(), b.String()) }) {
		was, hadBefore := before[k]
		is, hasAfter := after[k]
		switch {
		case !hasAfter:
			all = append(all, Difference{Key: k, Old: "observed", New: absent})
			continue
		case !hadBefore:
			all = append(all, Difference{Key: k, Old: absent, New: "observed"})
			continue
		}
		for _, what := range slices.Sorted(maps.Keys(was)) {
			if value, ok := is[what]; ok && value != was[what] {
				all = append(all, Difference{Key: k, What: what, Old: was[what], New: value})
			}
		}
	}
	return all
}
