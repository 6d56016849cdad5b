package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

const (
	changelogFile = "CHANGELOG.md"

	// unreleased is in a heading of CHANGELOG.md until the release commit has the date there.
	unreleased = "unreleased"
)

// A section is what CHANGELOG.md has on one version.
type section struct {
	version string // without the v
	date    string // as 2006-01-02, or unreleased
	line    int    // of its heading, from 1
	text    string // the lines below the heading, without empty lines around them
}

var sectionHeading = regexp.MustCompile(`^## (\d\S*) - (\d{4}-\d{2}-\d{2}|` + unreleased + `)$`)

// parseChangelog returns the sections of CHANGELOG.md in their order.
func parseChangelog(text []byte) ([]section, error) {
	var sections []section
	var problems []error
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		switch heading := sectionHeading.FindStringSubmatch(line); {
		case heading != nil && isVersion("v"+heading[1]):
			sections = append(sections, section{version: heading[1], date: heading[2], line: number})
		case strings.HasPrefix(line, "## "):
			problems = append(problems, fmt.Errorf("%s:%d: %q is not a heading such as \"## 0.1.0 - %s\" or \"## 0.1.0 - 2006-01-02\"", changelogFile, number, line, unreleased))
		case len(sections) > 0:
			sections[len(sections)-1].text += line + "\n"
		}
	}
	for i := range sections {
		sections[i].text = strings.Trim(sections[i].text, "\n")
	}
	return sections, errors.Join(problems...)
}

// sectionOf returns the section of a version, or nil if there is none.
func sectionOf(sections []section, version string) *section {
	for i := range sections {
		if "v"+sections[i].version == version {
			return &sections[i]
		}
	}
	return nil
}

// checkChangelog returns what keeps CHANGELOG.md from describing a version, or nil. A pre-release needs no section.
func checkChangelog(sections []section, version string, tags []string) error {
	var problems []error
	switch s := sectionOf(sections, version); {
	case semver.Prerelease(version) != "" && s == nil:
	case s == nil:
		problems = append(problems, fmt.Errorf("%s has no section \"## %s - %s\"", changelogFile, strings.TrimPrefix(version, "v"), unreleased))
	case s.text == "":
		problems = append(problems, fmt.Errorf("%s:%d: the section of %s is empty", changelogFile, s.line, version))
	}
	for _, released := range versionsOf(tags) {
		if s := sectionOf(sections, released); s != nil && s.date == unreleased && released != version {
			problems = append(problems, fmt.Errorf("%s:%d: %s is released: write its date into the heading", changelogFile, s.line, released))
		}
	}
	return errors.Join(problems...)
}

// withDate returns CHANGELOG.md with the date in the heading of a version that is unreleased there.
func withDate(text []byte, version, date string) []byte {
	heading := "## " + strings.TrimPrefix(version, "v") + " - "
	return []byte(strings.Replace("\n"+string(text), "\n"+heading+unreleased+"\n", "\n"+heading+date+"\n", 1)[1:])
}

// withReleaseDate returns the files of the release commit: CHANGELOG.md has the date of the commit at the version, if the
// version is unreleased there.
func withReleaseDate(files tree, sections []section, version string, at time.Time) tree {
	if s := sectionOf(sections, version); s == nil || s.date != unreleased {
		return files
	}
	return files.with(changelogFile, withDate(files[changelogFile].data, version, at.Format(time.DateOnly)))
}
