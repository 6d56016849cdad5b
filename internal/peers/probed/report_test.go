package probed

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// reportFile is the file with the results.
const reportFile = "../PROBED.md"

var update = flag.Bool("update", false, "write "+reportFile+" anew")

// compareReport compares PROBED.md with the results, or writes it.
func compareReport(t *testing.T, all []results) {
	t.Helper()
	got := report(all)
	if *update {
		if err := os.WriteFile(reportFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(reportFile)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; with -update it is written anew, then read the diff. Got:\n%s", reportFile, got)
	}
}

// report returns the text of PROBED.md.
func report(all []results) string {
	var b strings.Builder
	faults := 0
	for _, r := range rows {
		if r.fault != "" {
			faults++
		}
	}
	fmt.Fprintf(&b, `# What the probe finds in live servers

Written by %[1]scd internal/peers && go test -count=1 ./probed -update%[1]s; not by hand. %[1]scd internal/peers && go test -count=1 ./probed%[1]s compares this file with what happens.

The test starts %[2]d servers with one planted fault each, and %[3]d sound ones, on loopback. It builds the command, and runs %[1]scorsrpc probe%[1]s and %[1]scorsrpc probe --audit%[1]s against each,
for a page of %[4]s. Servers of corsrpc are compared with their policy too, by %[1]s--against%[1]s.

- “a page gets” is what the probe says about the page's call: how it ends, or the check of the Fetch standard that blocks it.
- “found” has all classes that the audit reports. One that is missing fails the test, and one that is not expected fails it too. Some libraries have a fault of their own besides the planted one. Each audit without
  %[1]s--send%[1]s that the server answers also notes NOT_EXAMINED, since it sends no calls.
- “differs” has all aspects in which the server differs from its policy.
- “after the fix” says what the audit finds after the test has changed the server as the finding says. It is empty where the test does not change the server.

The servers count their requests. The probe sent no more than it had announced, as many as it says, one at a time, and without %[1]s--send%[1]s only preflights and GETs that need none.

| server | planted fault | flags | a page gets | found | differs | after the fix |
| --- | --- | --- | --- | --- | --- | --- |
`, "`", faults, len(rows)-faults, intended)
	for i, r := range rows {
		fixed := ""
		if r.fixed != nil {
			fixed = list(r.left)
		}
		differs := ""
		if r.policy != "" {
			differs = list(all[i].against.differences())
		}
		found := slices.DeleteFunc(all[i].audit.classes(), func(class string) bool { return class == notExamined })
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n",
			r.name, cmp.Or(r.fault, "none"), r.shownFlags(), cmp.Or(r.words, list(all[i].page.outcomes())), cmp.Or(r.words, list(found)), differs, fixed)
	}
	return b.String()
}

// list returns items as a cell of the table.
func list(items []string) string { return cmp.Or(strings.Join(items, ", "), "nothing") }

// shownFlags returns the flags that not every row has.
func (r row) shownFlags() string {
	flags := slices.Clone(r.flags)
	if !r.anonymous {
		flags = append(flags, "--credentials")
	}
	if r.sends {
		flags = append(flags, "--send")
	}
	if len(flags) == 0 {
		return ""
	}
	return "`" + strings.Join(flags, " ") + "`"
}
