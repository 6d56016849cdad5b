package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A test identifies a test function by its package folder and name.
type test struct {
	pkg, name string
}

func (t test) String() string { return t.pkg + " " + t.name }

// A record is a file with the test that noticed each fault last.
type record struct {
	file string

	mu    sync.Mutex
	tests map[string]test // by the fault's name
}

// readRecord reads a record. A missing file is an empty record.
func readRecord(file string) (*record, error) {
	tests, err := readTests(file)
	return &record{file: file, tests: tests}, err
}

func readTests(file string) (map[string]test, error) {
	tests := map[string]test{}
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return tests, nil
	}
	for line := range strings.Lines(string(text)) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(parts) != 3 {
			return nil, fmt.Errorf("%s: the line %q does not consist of a fault, a package and a test", filepath.Base(file), line)
		}
		tests[parts[0]] = test{parts[1], parts[2]}
	}
	return tests, err
}

// of returns the test that noticed the fault last.
func (r *record) of(fault string) (test, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.tests[fault]
	return t, ok
}

// sharp returns the tests of a package that noticed several faults.
func (r *record) sharp(folder string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	faults := map[string]int{}
	for _, t := range r.tests {
		if t.pkg == folder {
			faults[t.name]++
		}
	}
	maps.DeleteFunc(faults, func(_ string, n int) bool { return n < 3 })
	return slices.Sorted(maps.Keys(faults))
}

// set records which test noticed a fault; the zero test means none.
func (r *record) set(fault string, by test) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if have, ok := r.tests[fault]; have == by && ok == (by != test{}) {
		return nil
	}
	onDisk, err := readTests(r.file) // another run may have changed it
	if err != nil {
		return err
	}
	r.tests = onDisk
	if r.tests[fault] = by; by == (test{}) {
		delete(r.tests, fault)
	}
	return r.write()
}

// keepOnly removes the faults that are not in the list.
func (r *record) keepOnly(all []fault) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := len(r.tests)
	maps.DeleteFunc(r.tests, func(name string, _ test) bool {
		return !slices.ContainsFunc(all, func(f fault) bool { return f.name == name })
	})
	if len(r.tests) == before {
		return nil
	}
	return r.write()
}

// write replaces the file atomically.
func (r *record) write() error {
	var text bytes.Buffer
	for _, fault := range slices.Sorted(maps.Keys(r.tests)) {
		fmt.Fprintf(&text, "%s\t%s\t%s\n", fault, r.tests[fault].pkg, r.tests[fault].name)
	}
	temporary, err := os.CreateTemp(filepath.Dir(r.file), filepath.Base(r.file))
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // fails after the rename
	_, err = temporary.Write(text.Bytes())
	if err == nil {
		err = temporary.Chmod(0o644)
	}
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), r.file)
}
