package main

import (
	"debug/buildinfo"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

func TestPURL(t *testing.T) {
	for _, c := range []struct{ module, version, want string }{
		{"golang.org/x/net", "v0.60.0", "pkg:golang/golang.org/x/net@v0.60.0"},
		{"github.com/BurntSushi/toml", "v1.4.0", "pkg:golang/github.com/burntsushi/toml@v1.4.0"},
		{"github.com/docker/docker", "v27.0.0+incompatible", "pkg:golang/github.com/docker/docker@v27.0.0%2Bincompatible"},
		{"stdlib", "1.26.8", "pkg:golang/stdlib@1.26.8"},
	} {
		if got := purl(c.module, c.version); got != c.want {
			t.Errorf("%s", got)
		}
	}
}

// thirdParty returns a binary with a module of somebody else, and its licences.
func thirdParty(t *testing.T) (*binary, *licensing) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "LICENSE"), []byte(mit), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "NOTICE"), []byte("Made by A.\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	b := &binary{program: "example.com/own/cmd/tool", platform: host, data: []byte("x"), info: &buildinfo.BuildInfo{
		GoVersion: "go1.26.8", Path: "example.com/own/cmd/tool",
		Main: debug.Module{Path: "example.com/own/cmd", Version: "v0.1.0", Sum: "h1:a"},
		Deps: []*debug.Module{{Path: "example.com/own", Version: "v0.1.0", Sum: "h1:b"}, {Path: "example.com/else", Version: "v1.0.0", Sum: "h1:c"}},
	}}
	return b, &licensing{"example.com/own", []string{"Apache-2.0"}, []compiledModule{{"example.com/else", []string{"MIT"}, dir, []string{"LICENSE", "NOTICE"}}}, []byte("Of Go.\n")}
}

func TestThirdPartyLicences(t *testing.T) {
	b, licences := thirdParty(t)
	text, err := licences.texts(b)
	if err != nil {
		t.Fatal(err)
	}
	mentions(t, string(text), "Go's standard library go1.26.8: LICENSE\n", "\nOf Go.\n", "example.com/else v1.0.0: LICENSE\n", mit[:200], "example.com/else v1.0.0: NOTICE\n", "\nMade by A.\n")
	if strings.Contains(string(text), "example.com/own") {
		t.Errorf("the repository's own licence is the file LICENSE:\n%s", text)
	}
	licences.modules = nil
	if _, err := licences.texts(b); err == nil || !strings.Contains(err.Error(), "the licence of example.com/else is not known") {
		t.Errorf("%v", err)
	}
}

func TestSBOM(t *testing.T) {
	b, licences := thirdParty(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("elsewhere", 3600))
	text, err := makeSBOM(b, at, licences.of)
	if err != nil {
		t.Fatal(err)
	}
	mentions(t, string(text), `"timestamp": "2026-01-02T02:04:05Z"`, `"purl": "pkg:golang/example.com/own/cmd@v0.1.0#tool"`, `"purl": "pkg:golang/example.com/else@v1.0.0"`, `"purl": "pkg:golang/stdlib@1.26.8"`, `"id": "MIT"`, `"value": "h1:c"`)
	if err := checkSBOM(text, b, at); err != nil {
		t.Error(err)
	}
	b.info.Deps = append(b.info.Deps, &debug.Module{Path: "example.com/third", Version: "v1.0.0"})
	if err := checkSBOM(text, b, at); err == nil {
		t.Error("a module that is compiled in and not listed")
	}
	if _, err := makeSBOM(b, at, licences.of); err == nil {
		t.Error("a module whose licence is not known")
	}
	b.info.Deps = b.info.Deps[:1]
	if err := checkSBOM(text, b, at); err == nil {
		t.Error("a module that is listed and not compiled in")
	}
	b.info.Deps[0].Replace = &debug.Module{Path: "../.."}
	if _, err := makeSBOM(b, at, licences.of); err == nil || !strings.Contains(err.Error(), "example.com/own is replaced") {
		t.Errorf("%v", err)
	}
	unknown := errors.New("unknown")
	if _, err := makeSBOM(b, at, func(string) ([]string, error) { return nil, unknown }); !errors.Is(err, unknown) {
		t.Errorf("%v", err)
	}
}
