package main

import "testing"

func TestCheckVersion(t *testing.T) {
	for _, c := range []struct {
		version string
		tags    []string
		ok      bool
	}{
		{"v0.1.0", nil, true},
		{"v0.1.0", []string{"v0.0.9", "vague", "lib/ext/v9.0.0"}, true},
		{"v0.2.0-rc.1", []string{"v0.1.0"}, true},
		{"v0.2.0", []string{"v0.2.0-rc.1"}, true},
		{"v1.0.0", []string{"v0.2.0"}, true},
		{"v0.1.0", []string{"v0.1.0"}, false},
		{"v0.9.0", []string{"v0.10.0"}, false},
		{"v0.1.0-rc.1", []string{"v0.1.0"}, false},
		{"v2.0.0", nil, false},
		{"0.1.0", nil, false},
		{"v0.1", nil, false},
		{"v0.1.0+build", nil, false},
		{"v0.01.0", nil, false},
		{"v0.1.0 v0.2.0", nil, false},
		{"--exec=x", nil, false},
		{"", nil, false},
	} {
		if err := checkVersion(c.version, nil, c.tags); (err == nil) != c.ok {
			t.Errorf("%q after %q: %v", c.version, c.tags, err)
		}
	}
}

func TestLastRelease(t *testing.T) {
	tags := []string{"v0.1.0", "v0.10.0", "v0.2.0", "v0.11.0-rc.1", "lib/ext/v0.12.0"}
	for version, want := range map[string]string{"v0.11.0": "v0.10.0", "v0.2.0": "v0.1.0", "v0.1.0": ""} {
		if got := lastRelease(tags, version); got != want {
			t.Errorf("before %s: %q, not %q", version, got, want)
		}
	}
}

func TestMayBreak(t *testing.T) {
	for _, c := range []struct {
		older, newer string
		want         bool
	}{
		{"v0.1.0", "v0.1.1", false},
		{"v0.1.0", "v0.2.0", true},
		{"v0.9.0", "v1.0.0", true},
		{"v1.0.0", "v1.0.1", false},
		{"v1.0.0", "v1.1.0", false},
		{"v1.9.0", "v2.0.0", true},
	} {
		if got := mayBreak(c.older, c.newer); got != c.want {
			t.Errorf("%s after %s: %v", c.newer, c.older, got)
		}
	}
}

func TestRehearsedVersion(t *testing.T) {
	for _, c := range []struct {
		changelog string
		tags      []string
		want      string
	}{
		{"## 0.2.0 - unreleased\n", []string{"v0.1.0"}, "v0.2.0"},
		{"## 0.1.0 - 2026-01-02\n", []string{"v0.1.0"}, "v0.1.1-rehearsal"},
		{"## 0.1.0 - 2026-01-02\n", []string{"v0.1.9-rc.1"}, "v0.1.10-rehearsal"},
		{"", nil, "v0.0.0-rehearsal"},
	} {
		sections, err := parseChangelog([]byte(c.changelog))
		if err != nil {
			t.Fatal(err)
		}
		if got := rehearsedVersion(sections, c.tags); got != c.want {
			t.Errorf("%q after %q: %s, not %s", c.changelog, c.tags, got, c.want)
		}
	}
}
