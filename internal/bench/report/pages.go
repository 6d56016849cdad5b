package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// endToEnd is the folder of the tests in browsers.
const endToEnd = "../e2e"

// measurePages runs TestPageCost in Chromium, which measures what a page sees.
func (m *measuring) measurePages() error {
	file := filepath.Join(m.dir, "pages.jsonl")
	test := exec.Command("go", "test", "-count=1", "-run", "^TestPageCost$", ".", "-page-cost", file)
	test.Dir = endToEnd
	if out, err := test.CombinedOutput(); err != nil {
		os.Stderr.Write(out)
		return fmt.Errorf("TestPageCost in internal/e2e: %w (after `make packages e2e-web`, Chromium and the clients are there)", err)
	}
	return m.addFile(0, file)
}
