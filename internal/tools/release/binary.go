package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A platform is a system and an architecture, by the names that Go gives them.
type platform struct{ system, architecture string }

func (p platform) String() string { return p.system + "/" + p.architecture }

// platforms are those that programs are built for.
var platforms = []platform{
	{"linux", "amd64"}, {"linux", "arm64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

// systems returns the systems of the platforms.
func systems() []string {
	var names []string
	for _, p := range platforms {
		if !slices.Contains(names, p.system) {
			names = append(names, p.system)
		}
	}
	return names
}

// platformsNamed returns the platforms in a list such as "linux/amd64,windows/arm64", and all of them for an empty one.
func platformsNamed(list string) ([]platform, error) {
	if list == "" {
		return platforms, nil
	}
	var named []platform
	for _, name := range listed(list) {
		i := slices.IndexFunc(platforms, func(p platform) bool { return p.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("-platforms: %q is not one of %s", name, strings.Trim(fmt.Sprint(platforms), "[]"))
		}
		if slices.Contains(named, platforms[i]) {
			return nil, fmt.Errorf("-platforms: %s is there twice", name)
		}
		named = append(named, platforms[i])
	}
	return named, nil
}

// A binary is a program that was built for a platform.
type binary struct {
	program  string // the path of its package
	platform platform
	data     []byte
	info     *buildinfo.BuildInfo
}

// name returns the name of the program.
func (b *binary) name() string { return path.Base(b.program) }

// fileName returns the name of the program's file.
func (b *binary) fileName() string {
	if b.platform.system == "windows" {
		return b.name() + ".exe"
	}
	return b.name()
}

// buildEnvironment has the variables that the bytes of a program depend on. The user's own values would make other bytes.
var buildEnvironment = []string{
	"CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0",
	"GOEXPERIMENT=", "GOFIPS140=off", "GODEBUG=", "GOBIN=", "GOENV=off", "GOWORK=off",
}

// buildFlags are the flags of `go install`. Without paths, version control and symbol tables, the same modules and the
// same Go make the same bytes in every folder.
var buildFlags = []string{"-trimpath", "-buildvcs=false", "-ldflags=-s -w"}

// build builds a program of a released module for a platform, as `go install PROGRAM@VERSION` does, below dir.
func build(ctx context.Context, g goCommand, dir, program, version string, p platform) (*binary, error) {
	dir = filepath.Join(dir, p.system+"-"+p.architecture)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	g = g.with(buildEnvironment...).with("GOPATH="+dir, "GOOS="+p.system, "GOARCH="+p.architecture)
	if _, err := g.run(ctx, dir, slices.Concat([]string{"install"}, buildFlags, []string{program + "@" + version})...); err != nil {
		return nil, err
	}
	b := &binary{program: program, platform: p}
	for _, folder := range []string{"bin", "bin/" + p.system + "_" + p.architecture} { // the latter unless the platform is the host's
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(folder), b.fileName()))
		if err == nil {
			b.data = data
		}
	}
	info, err := buildinfo.Read(bytes.NewReader(b.data))
	if err != nil {
		return nil, fmt.Errorf("%s for %s: %w", program, p, err)
	}
	b.info = info
	return b, nil
}
