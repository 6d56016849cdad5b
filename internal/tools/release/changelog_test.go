package main

import (
	"os"
	"strings"
	"testing"
)

func TestParseChangelog(t *testing.T) {
	sections, err := parseChangelog([]byte("# Changelog\n\nWords.\n\n## 0.2.0 - unreleased\r\n\n### Added\n\n- A.\n\n## 0.1.0 - 2026-01-02\n- B.\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []section{{"0.2.0", "unreleased", 5, "### Added\n\n- A."}, {"0.1.0", "2026-01-02", 11, "- B."}}
	if len(sections) != 2 || sections[0] != want[0] || sections[1] != want[1] {
		t.Errorf("%+v", sections)
	}
	for _, heading := range []string{"## Unreleased", "## [0.1.0] - unreleased", "## 0.1 - unreleased", "## 0.1.0", "## 0.1.0 - soon"} {
		if _, err := parseChangelog([]byte(heading + "\n")); err == nil || !strings.Contains(err.Error(), "CHANGELOG.md:1: ") {
			t.Errorf("%q: %v", heading, err)
		}
	}
}

func TestCheckChangelog(t *testing.T) {
	for _, c := range []struct {
		text, version string
		tags          []string
		want          string // "" if the version may be released
	}{
		{"## 0.1.0 - unreleased\n- A.\n", "v0.1.0", nil, ""},
		{"## 0.1.0 - 2026-01-02\n- A.\n", "v0.1.0", nil, ""},
		{"", "v0.1.0-rc.1", nil, ""},
		{"## 0.1.0 - unreleased\n- A.\n", "v0.2.0", nil, `no section "## 0.2.0 - unreleased"`},
		{"## 0.1.0 - unreleased\n\n", "v0.1.0", nil, "CHANGELOG.md:1: the section of v0.1.0 is empty"},
		{"## 0.2.0 - unreleased\n- B.\n## 0.1.0 - unreleased\n- A.\n", "v0.2.0", []string{"v0.1.0"}, "CHANGELOG.md:3: v0.1.0 is released"},
	} {
		sections, err := parseChangelog([]byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		err = checkChangelog(sections, c.version, c.tags)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q: %v", c.version, c.text, err)
		}
	}
}

func TestWithDate(t *testing.T) {
	const text = "# Changelog\n\n## 0.1.0 - unreleased\n\n- unreleased\n"
	if got, want := string(withDate([]byte(text), "v0.1.0", "2026-01-02")), "# Changelog\n\n## 0.1.0 - 2026-01-02\n\n- unreleased\n"; got != want {
		t.Errorf("%q", got)
	}
	if got := string(withDate([]byte(text), "v0.2.0", "2026-01-02")); got != text {
		t.Errorf("the date is in the heading of another version: %q", got)
	}
	if got := string(withDate([]byte("## 0.1.0 - unreleased\n"), "v0.1.0", "2026-01-02")); got != "## 0.1.0 - 2026-01-02\n" {
		t.Errorf("%q", got)
	}
}

func TestOwnChangelog(t *testing.T) {
	text, err := os.ReadFile("../../../" + changelogFile)
	if err != nil {
		t.Fatal(err)
	}
	if sections, err := parseChangelog(text); err != nil || len(sections) == 0 {
		t.Errorf("%d sections, %v", len(sections), err)
	}
}
