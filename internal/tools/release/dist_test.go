package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var host = platform{runtime.GOOS, runtime.GOARCH}

// distributedFiles returns the files of a repository whose licence is known.
func distributedFiles(t *testing.T) tree {
	t.Helper()
	text, err := os.ReadFile("../../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	return withText(smallFiles(), "LICENSE", string(text))
}

// readFolder returns the files of a folder.
func readFolder(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestDist: two builds of a commit in other folders, with other build caches and other variables, have the same bytes;
// the archives are right, and the host's program runs. Each kind of fault in them is found.
func TestDist(t *testing.T) {
	r := newRepository(t, distributedFiles(t))
	dir := filepath.Join(t.TempDir(), "dist")
	options := distOptions{version: "v0.1.0", dir: dir, platforms: []platform{host, {"windows", "arm64"}}, goVersion: goLine}
	if err := distribute(t.Context(), io.Discard, r, options); err != nil {
		t.Fatal(err)
	}
	files := readFolder(t, dir)
	hosts := "add_v0.1.0_" + host.system + "_" + host.architecture
	const windows = "add_v0.1.0_windows_arm64"
	want := []string{sumsFile, hosts + sbomSuffix, hosts + ".tar.gz", windows + sbomSuffix, windows + ".zip"}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, sortedSet(want)) {
		t.Fatalf("%q", got)
	}
	rel, at, err := r.distributed(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "a folder with another name")
	environment := append(slices.Clone(otherEnvironment), "GOCACHE="+t.TempDir())
	again, err := buildIn(t.Context(), io.Discard, rel, at.In(time.FixedZone("elsewhere", 3600)), elsewhere, options, environment)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameBytes(files, again); err != nil {
		t.Error(err)
	}
	if err := checkFiles(files, options.images, rel, at); err != nil {
		t.Error(err)
	}
	adds := map[string][]try{"add": {{nil, "2 3"}}}
	run := func(tries map[string][]try) error {
		return tryPrograms(t.Context(), files, r.root, t.TempDir(), "v0.1.0", tries)
	}
	if err := run(adds); err != nil {
		t.Error(err)
	}
	if err := run(nil); err == nil {
		t.Error("a program that is not tried")
	}
	if err := run(map[string][]try{"add": {{nil, "VERSION"}}}); err == nil || !strings.Contains(err.Error(), "it should print v0.1.0") {
		t.Errorf("a program that prints something else: %v", err)
	}
	if err := sameBytes(files, map[string][]byte{}); err == nil {
		t.Error("files that are missing in one of two builds")
	}
	t.Run("faults", func(t *testing.T) { distFaults(t, files, hosts, windows, rel, at) })
}

// distFaults: checkFiles finds each fault in the files of a distribution.
func distFaults(t *testing.T, files map[string][]byte, hosts, windows string, rel *release, at time.Time) {
	entries, err := untar(files[hosts+".tar.gz"])
	if err != nil {
		t.Fatal(err)
	}
	// repack returns the host's archive with changed files.
	repack := func(at time.Time, change func([]archiveFile) []archiveFile) func(map[string][]byte) {
		return func(f map[string][]byte) {
			var inside []archiveFile
			for _, e := range entries {
				inside = append(inside, archiveFile{e.Name, os.FileMode(e.Mode), e.data})
			}
			packed, err := tarGz(change(inside), at)
			if err != nil {
				t.Fatal(err)
			}
			f[hosts+".tar.gz"] = packed
		}
	}
	edit := func(name string, change func(*archiveFile)) func(map[string][]byte) {
		return repack(at, func(inside []archiveFile) []archiveFile {
			for i := range inside {
				if inside[i].name == hosts+"/"+name {
					change(&inside[i])
				}
			}
			return inside
		})
	}
	sbomEdit := func(old, text string) func(map[string][]byte) {
		return func(f map[string][]byte) {
			name := hosts + sbomSuffix
			if !bytes.Contains(f[name], []byte(old)) {
				t.Fatalf("%s does not contain %s", name, old)
			}
			f[name] = bytes.Replace(f[name], []byte(old), []byte(text), 1)
		}
	}
	for name, c := range map[string]struct {
		change func(map[string][]byte)
		want   string
	}{
		"nothing":                       {repack(at, func(f []archiveFile) []archiveFile { return f }), ""},
		"the program is not executable": {edit("add", func(f *archiveFile) { f.mode = 0o644 }), `the mode of "` + hosts + `/add" is 644`},
		"a text is executable":          {edit("LICENSE", func(f *archiveFile) { f.mode = 0o755 }), `/LICENSE" is 755`},
		"another time":                  {repack(at.Add(time.Second), func(f []archiveFile) []archiveFile { return f }), "not that of the commit"},
		"a file more":                   {repack(at, func(f []archiveFile) []archiveFile { return append(f, archiveFile{hosts + "/x", 0o644, nil}) }), `it contains "` + hosts + `/x"`},
		"a file elsewhere":              {repack(at, func(f []archiveFile) []archiveFile { return append(f, archiveFile{"../LICENSE", 0o644, nil}) }), `it contains "../LICENSE"`},
		"a file less":                   {repack(at, func(f []archiveFile) []archiveFile { return f[1:] }), "is missing"},
		"another licence":               {edit("LICENSE", func(f *archiveFile) { f.data = []byte(mit) }), "LICENSE is not that of the repository"},
		"no licence of Go":              {edit(thirdPartyFile, func(f *archiveFile) { f.data = []byte("None.\n") }), "has the licences of []"},
		"the title of a licence without its text": {edit(thirdPartyFile, func(f *archiveFile) {
			f.data = append(f.data[:bytes.LastIndex(f.data, []byte("-----\n"))], "-----\n\nSee above.\n"...)
		}), "are a known licence"},
		"a README of another version":      {edit("README.txt", func(f *archiveFile) { f.data = []byte("v0.2.0") }), "README.txt does not name the version"},
		"no program":                       {edit("add", func(f *archiveFile) { f.data = f.data[:9] }), "unrecognized file format"},
		"the program of another system":    {func(f map[string][]byte) { swap(t, f, hosts, windows, at) }, "the program is"},
		"an SBOM of another program":       {func(f map[string][]byte) { f[hosts+sbomSuffix] = f[windows+sbomSuffix] }, "the program has the hashes"},
		"an SBOM without a module":         {sbomEdit(`"name": "github.com/acme/lib/lib/ext"`, `"name": "github.com/acme/lib/other"`), "and the program contains"},
		"an SBOM with another sum":         {sbomEdit(`"value": "h1:`, `"value": "h1:0`), "and the program contains"},
		"an SBOM with an unknown field":    {sbomEdit(`"version": 1,`, `"version": 1, "serialNumber": "1",`), "unknown field"},
		"an SBOM of another format":        {sbomEdit(`"1.5"`, `"1.6"`), "it is CycloneDX 1.6"},
		"an SBOM without package URLs":     {sbomEdit(`"purl": "pkg:golang/github.com/acme/lib@`, `"purl": "pkg:npm/lib@`), "has the package URL"},
		"no SBOM":                          {func(f map[string][]byte) { delete(f, windows+sbomSuffix) }, windows + sbomSuffix + ": EOF"},
		"a file that no archive goes with": {func(f map[string][]byte) { f["x"+sbomSuffix] = nil }, "each has an SBOM"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := maps.Clone(files)
			c.change(changed)
			delete(changed, sumsFile)
			changed[sumsFile] = sums(changed)
			err := checkFiles(changed, nil, rel, at)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
	for name, change := range map[string]func(map[string][]byte){
		"a byte of an archive":      func(f map[string][]byte) { f[windows+".zip"] = append(bytes.Clone(f[windows+".zip"]), 0) },
		"a byte of an SBOM":         func(f map[string][]byte) { f[windows+sbomSuffix] = append(bytes.Clone(f[windows+sbomSuffix]), '\n') },
		"a sum of a file not there": func(f map[string][]byte) { f[sumsFile] = append(bytes.Clone(f[sumsFile]), "0  x\n"...) },
		"no sums":                   func(f map[string][]byte) { f[sumsFile] = nil },
	} {
		changed := maps.Clone(files)
		change(changed)
		if err := checkFiles(changed, nil, rel, at); err == nil || !strings.Contains(err.Error(), sumsFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// swap puts the program of the second archive into the first one.
func swap(t *testing.T, files map[string][]byte, hosts, windows string, at time.Time) {
	t.Helper()
	entries, err := untar(files[hosts+".tar.gz"])
	if err != nil {
		t.Fatal(err)
	}
	others, err := unzip(files[windows+".zip"])
	if err != nil {
		t.Fatal(err)
	}
	var inside []archiveFile
	for _, e := range entries {
		f := archiveFile{e.Name, os.FileMode(e.Mode), e.data}
		for _, o := range others {
			if o.Name == windows+"/add.exe" && e.Name == hosts+"/add" {
				f.data = o.data
			}
		}
		inside = append(inside, f)
	}
	if files[hosts+".tar.gz"], err = tarGz(inside, at); err != nil {
		t.Fatal(err)
	}
}

// TestDistRefusals: what is not built as a version, and that nothing is written then.
func TestDistRefusals(t *testing.T) {
	r := newRepository(t, distributedFiles(t))
	mustGit(t, r, "tag", "v0.0.9")
	commit(t, r, withText(distributedFiles(t), "lib/more.go", "package lib\n"))
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	dirty := func(t *testing.T) {
		name := filepath.Join(r.root, "untracked")
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(name) })
	}
	clean := func(*testing.T) {}
	for name, c := range map[string]struct {
		prepare func(*testing.T)
		options distOptions
		want    string
	}{
		"changes":                     {dirty, distOptions{version: "v0.1.0", goVersion: goLine}, "the work tree has changes"},
		"changes as a release":        {dirty, distOptions{version: "v0.1.0", uncommitted: true}, "built as a pre-release"},
		"changes without a version":   {dirty, distOptions{uncommitted: true}, "built as a pre-release"},
		"another Go":                  {clean, distOptions{version: "v0.1.0", goVersion: "1.2.3"}, "set GOTOOLCHAIN=go1.2.3"},
		"the tag of another commit":   {clean, distOptions{version: "v0.0.9", goVersion: goLine}, "git checkout v0.0.9"},
		"no version":                  {clean, distOptions{version: "0.1.0", goVersion: goLine}, `"0.1.0" is not a semantic version`},
		"a major version":             {clean, distOptions{version: "v2.0.0", goVersion: goLine}, "major version"},
		"a program that is not there": {clean, distOptions{version: "v0.1.0", goVersion: goLine, programs: []string{"other"}}, `no released module has the program "other"`},
		"a folder that is not empty":  {clean, distOptions{dir: full, version: "v0.1.0", goVersion: goLine}, "is not empty"},
	} {
		t.Run(name, func(t *testing.T) {
			c.prepare(t)
			if c.options.dir == "" {
				c.options.dir = t.TempDir()
			}
			c.options.platforms = []platform{host}
			before := readFolder(t, c.options.dir)
			if err := distribute(t.Context(), io.Discard, r, c.options); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
			if after := readFolder(t, c.options.dir); len(after) != len(before) {
				t.Errorf("%d files are written", len(after))
			}
		})
	}
	if err := distribute(t.Context(), io.Discard, r, distOptions{goVersion: goLine}); err == nil || !strings.Contains(err.Error(), "-dir names the folder") {
		t.Errorf("%v", err)
	}
	if out, err := command(t, r, "dist", "-dir", t.TempDir(), "-platforms", "linux/amd64,plan9/amd64"); err == nil || !strings.Contains(err.Error(), `"plan9/amd64" is not one of linux/amd64 linux/arm64 darwin/amd64`) {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := platformsNamed("linux/amd64,linux/amd64"); err == nil {
		t.Error("a platform twice")
	}
}

// TestDistWithoutAProgramThatCompiles: the other programs are not written either.
func TestDistWithoutAProgramThatCompiles(t *testing.T) {
	files := withText(distributedFiles(t), "lib/cmd/broken/main.go", "package main\n\nfunc main() { x() }\n")
	r := newRepository(t, files)
	dir := t.TempDir()
	err := distribute(t.Context(), io.Discard, r, distOptions{version: "v0.1.0", dir: dir, platforms: []platform{host}, goVersion: goLine})
	if err == nil || !strings.Contains(err.Error(), "undefined: x") {
		t.Errorf("%v", err)
	}
	if written := readFolder(t, dir); len(written) > 0 {
		t.Errorf("%d files", len(written))
	}
}

func TestVersionOfHead(t *testing.T) {
	r := newRepository(t, smallFiles())
	version := func(given string) string {
		t.Helper()
		head, at, err := r.head(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		v, err := r.versionOfHead(t.Context(), given, head, at)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(v, head[:12], "HEAD")
	}
	tree := 0
	for _, c := range []struct{ tag, given, want string }{
		{"", "", "v0.0.0-20260102030405-HEAD"},
		{"", "v0.1.0", "v0.1.0"},
		{"lib/ext/v0.1.0", "", "v0.0.0-20260102030405-HEAD"},
		{"v0.1.0", "", "v0.1.0"},
		{"v0.1.0", "v0.1.0", "v0.1.0"},
		{"commit", "", "v0.1.1-0.20260102030405-HEAD"},
		{"v1.2.0-rc.1", "", "v1.2.0-rc.1"},
		{"commit", "", "v1.2.0-rc.1.0.20260102030405-HEAD"},
	} {
		switch c.tag {
		case "":
		case "commit":
			tree++
			commit(t, r, withText(smallFiles(), "x", strings.Repeat("x", tree)))
		default:
			if mustGit(t, r, "tag", "--list", c.tag) == "" {
				mustGit(t, r, "tag", c.tag)
			}
		}
		if got := version(c.given); got != c.want {
			t.Errorf("after %q, %q: %s, not %s", c.tag, c.given, got, c.want)
		}
	}
}

// TestVersionOfAShallowClone: its older tags are not known, so it has no version unless HEAD has a tag or one is given.
func TestVersionOfAShallowClone(t *testing.T) {
	r := newRepository(t, smallFiles())
	mustGit(t, r, "tag", "v0.1.0")
	commit(t, r, withText(smallFiles(), "x", "x"))
	shallow := &repository{root: filepath.Join(t.TempDir(), "shallow")}
	mustGit(t, r, "clone", "--quiet", "--depth=1", fileURL(r.root), shallow.root)
	version := func(given string) (string, error) {
		head, at, err := shallow.head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return shallow.versionOfHead(t.Context(), given, head, at)
	}
	if v, err := version(""); err == nil || !strings.Contains(err.Error(), "git fetch --unshallow --tags, or set VERSION") {
		t.Errorf("%q %v", v, err)
	}
	if v, err := version("v0.2.0"); v != "v0.2.0" || err != nil {
		t.Errorf("%q %v", v, err)
	}
	mustGit(t, shallow, "fetch", "--quiet", "--unshallow", "--tags")
	if v, err := version(""); !strings.HasPrefix(v, "v0.1.1-0.") || err != nil {
		t.Errorf("%q %v", v, err)
	}
	mustGit(t, shallow, "tag", "v0.2.0")
	if v, err := version(""); v != "v0.2.0" || err != nil {
		t.Errorf("%q %v", v, err)
	}
}

// TestFilesThatCannotBeWritten: either all files of a distribution are there or none.
func TestFilesThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	err := writeAll(dir, map[string][]byte{"SHA256SUMS": []byte("x"), "add.zip": []byte("x"), "missing/add.zip": nil, "z": nil})
	if err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("%v", err)
	}
	if left := readFolder(t, dir); len(left) > 0 {
		t.Errorf("%d files are left", len(left))
	}
}
