package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// tags returns the names of the repository's tags, or of those that flags of git tag choose.
func (r *repository) tags(ctx context.Context, flags ...string) ([]string, error) {
	out, err := r.git(ctx, nil, append([]string{"tag", "--list"}, flags...)...)
	return strings.Fields(string(out)), err
}

// versionsOf returns those tags that are versions of the root module, the oldest first.
func versionsOf(tags []string) []string {
	versions := slices.DeleteFunc(slices.Clone(tags), func(t string) bool { return !isVersion(t) })
	semver.Sort(versions)
	return versions
}

// isVersion reports whether a text is a whole semantic version without build metadata, such as v0.1.0.
func isVersion(v string) bool { return v != "" && semver.Canonical(v) == v }

// checkVersion returns what keeps a version from being the next one, or nil.
func checkVersion(version string, released []*goModule, tags []string) error {
	if version == "" {
		return errors.New("the version is missing: VERSION=v0.1.0")
	}
	if !isVersion(version) {
		return fmt.Errorf("%q is not a semantic version such as v0.1.0", version)
	}
	var problems []error
	if major := semver.Major(version); major != "v0" && major != "v1" {
		problems = append(problems, fmt.Errorf("version %s needs module paths that end in /%s", version, major))
	}
	if versions := versionsOf(tags); len(versions) > 0 && semver.Compare(version, versions[len(versions)-1]) <= 0 {
		problems = append(problems, fmt.Errorf("version %s is not newer than %s, the highest version that has a tag", version, versions[len(versions)-1]))
	}
	for _, m := range released {
		if tag := m.tag(version); m.dir != "" && slices.Contains(tags, tag) {
			problems = append(problems, fmt.Errorf("the tag %s exists already", tag))
		}
	}
	return errors.Join(problems...)
}

// lastRelease returns the newest version below another that is not a pre-release, or "" if there is none.
func lastRelease(tags []string, version string) string {
	for _, v := range slices.Backward(versionsOf(tags)) {
		if semver.Prerelease(v) == "" && semver.Compare(v, version) < 0 {
			return v
		}
	}
	return ""
}

// mayBreak reports whether a version may change the exported face of an older one incompatibly: a new major version may,
// and a new minor version before v1.0.0.
func mayBreak(older, newer string) bool {
	if semver.Major(newer) == "v0" {
		return semver.MajorMinor(older) != semver.MajorMinor(newer)
	}
	return semver.Major(older) != semver.Major(newer)
}

// rehearsedVersion returns the version that a rehearsal is of if none is given: that of the first section of
// CHANGELOG.md if it is unreleased, otherwise a pre-release of the next patch version.
func rehearsedVersion(sections []section, tags []string) string {
	if len(sections) > 0 && sections[0].date == unreleased {
		return "v" + sections[0].version
	}
	versions := versionsOf(tags)
	if len(versions) == 0 {
		return "v0.0.0-rehearsal"
	}
	var major, minor, patch int
	last, _, _ := strings.Cut(versions[len(versions)-1], "-")
	if _, err := fmt.Sscanf(last, "v%d.%d.%d", &major, &minor, &patch); err != nil {
		return "v0.0.0-rehearsal"
	}
	return fmt.Sprintf("v%d.%d.%d-rehearsal", major, minor, patch+1)
}
