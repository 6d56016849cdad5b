package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// addImages are the images of the program of the small repository.
func addImages() map[string]*imageSettings {
	return map[string]*imageSettings{"add": {description: "Adds", command: []string{"gateway"}, ports: []string{"8080/tcp"}, folders: []string{"etc/add/"}}}
}

// imagesOf returns what a distribution of images is made with, and its files: for this machine and for another one.
func imagesOf(t *testing.T) (*repository, distOptions, map[string][]byte) {
	t.Helper()
	other := platform{imageSystem, "arm64"}
	if other == host {
		other.architecture = "amd64"
	}
	r := newRepository(t, distributedFiles(t))
	options := distOptions{
		version: "v0.1.0", dir: filepath.Join(t.TempDir(), "dist"), platforms: []platform{host, other, {"windows", "amd64"}},
		images: addImages(), imagesOnly: true, goVersion: goLine,
	}
	if err := distribute(t.Context(), io.Discard, r, options); err != nil {
		t.Fatal(err)
	}
	return r, options, readFolder(t, options.dir)
}

// TestImages: two builds of the images of a commit have the same bytes, each digest is right, and the program of the image
// for this machine runs in it. Each kind of fault is found.
func TestImages(t *testing.T) {
	r, options, files := imagesOf(t)
	const name = "add_v0.1.0" + imageSuffix
	want := []string{sumsFile, name, "add_v0.1.0_linux_amd64" + sbomSuffix, "add_v0.1.0_linux_arm64" + sbomSuffix}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, want) {
		t.Fatalf("%q", got)
	}
	rel, at, err := r.distributed(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	again, err := buildIn(t.Context(), io.Discard, rel, at.In(time.FixedZone("elsewhere", 3600)), filepath.Join(t.TempDir(), "a folder"), options, otherEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameBytes(files, again); err != nil {
		t.Error(err)
	}
	if err := checkFiles(files, options.images, rel, at); err != nil {
		t.Error(err)
	}
	try := func(want string) error {
		return tryImages(t.Context(), io.Discard, files, t.TempDir(), "v0.1.0", map[string]func(context.Context, *container) error{
			"add": func(ctx context.Context, c *container) error { return c.prints(ctx, want) },
		})
	}
	if err := try("2 3"); err != nil {
		t.Error(err)
	}
	if err := try("4 5"); err == nil || !strings.Contains(err.Error(), "it should print 4 5") {
		t.Errorf("a program that prints something else: %v", err)
	}
	if err := tryImages(t.Context(), io.Discard, files, t.TempDir(), "v0.1.0", nil); err == nil {
		t.Error("an image that is not tried")
	}
	t.Run("faults", func(t *testing.T) { imageFaults(t, files, options.images, rel, at) })
}

// TestContainerHasNothingOfTheMachine: as root, a program of an image finds only the image, and runs as its user. Others
// cannot change the root folder of a program, so they run the program in the image's folder.
func TestContainerHasNothingOfTheMachine(t *testing.T) {
	c := &container{t.TempDir(), "add", "v0.1.0"}
	cmd := c.command(t.Context())
	if os.Geteuid() != 0 {
		if cmd.Path != filepath.Join(c.root, "add") || cmd.SysProcAttr != nil {
			t.Errorf("%s %+v", cmd.Path, cmd.SysProcAttr)
		}
	} else if cmd.SysProcAttr.Chroot != c.root || cmd.SysProcAttr.Credential.Uid != imageUserID || cmd.SysProcAttr.Credential.Gid != imageUserID || cmd.Env == nil || len(cmd.Env) > 0 {
		t.Errorf("%+v %q", cmd.SysProcAttr, cmd.Env)
	}
	if err := cmd.Run(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a program that the image does not have: %v", err)
	}
}

// imageFaults: checkFiles finds each fault in a file with images.
func imageFaults(t *testing.T, files map[string][]byte, images map[string]*imageSettings, rel *release, at time.Time) {
	const name = "add_v0.1.0" + imageSuffix
	entries, err := readTar(bytes.NewReader(files[name]))
	if err != nil {
		t.Fatal(err)
	}
	root, err := goEnv(t.Context(), "GOROOT")
	if err != nil {
		t.Fatal(err)
	}
	license, err := os.ReadFile(filepath.Join(root[0], "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	// repack returns the images' file with other entries.
	repack := func(at time.Time, change func([]archiveFile) []archiveFile) func(map[string][]byte) {
		return func(f map[string][]byte) {
			var inside []archiveFile
			for _, e := range entries {
				mode := fs.FileMode(e.Mode)
				if strings.HasSuffix(e.Name, "/") {
					mode |= fs.ModeDir
				}
				inside = append(inside, archiveFile{e.Name, mode, bytes.Clone(e.data)})
			}
			var b bytes.Buffer
			if err := writeTar(&b, change(inside), at); err != nil {
				t.Fatal(err)
			}
			f[name] = b.Bytes()
		}
	}
	edit := func(file, old, text string) func(map[string][]byte) {
		return repack(at, func(inside []archiveFile) []archiveFile {
			changed := false
			for i := range inside {
				if strings.HasPrefix(inside[i].name, file) && bytes.Contains(inside[i].data, []byte(old)) {
					inside[i].data, changed = bytes.Replace(inside[i].data, []byte(old), []byte(text), 1), true
				}
			}
			if !changed {
				t.Fatalf("no %s contains %s", file, old)
			}
			return inside
		})
	}
	// rebuilt returns images that were made with something else: with right digests, but not as the release has them.
	rebuilt := func(change func(*imageBuilder, *imageSettings, []*binary) []*binary) func(map[string][]byte) {
		return func(f map[string][]byte) {
			binaries, err := readImages(name, files[name], images, rel, at)
			if err != nil {
				t.Fatal(err)
			}
			licences := &licensing{own: rel.modules.root().path(), ownIDs: []string{"Apache-2.0"}, goRoot: license}
			builder, settings, copied := &imageBuilder{rel, at, imageUser}, *images["add"], *rel
			builder.rel = &copied
			f[name], err = builder.archive(change(builder, &settings, binaries), &settings, licences, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	same := func(*imageBuilder, *imageSettings, []*binary) {}
	with := func(change func(*imageBuilder, *imageSettings, []*binary)) func(map[string][]byte) {
		return rebuilt(func(b *imageBuilder, s *imageSettings, all []*binary) []*binary { change(b, s, all); return all })
	}
	for name, c := range map[string]struct {
		change func(map[string][]byte)
		want   string
	}{
		"nothing":          {with(same), ""},
		"a byte of a blob": {edit("blobs/", `"architecture":"arm64"`, `"architecture":"arm65"`), "has the digest"},
		"an unused blob": {repack(at, func(f []archiveFile) []archiveFile {
			return append(f, archiveFile{fmt.Sprintf("blobs/sha256/%x", sha256.Sum256(nil)), 0o644, nil})
		}), "blobs for 2 images"},
		"a file elsewhere":        {repack(at, func(f []archiveFile) []archiveFile { return append(f, archiveFile{"../x", 0o644, nil}) }), `it contains "../x"`},
		"another time":            {repack(at.Add(time.Second), func(f []archiveFile) []archiveFile { return f }), "not that of the commit"},
		"another name":            {edit("index.json", "localhost/add", "registry/add"), "index.json names it"},
		"another name for docker": {edit("manifest.json", "localhost/add", "registry/add"), "manifest.json has"},
		"another user":            {with(func(b *imageBuilder, _ *imageSettings, _ []*binary) { b.user = "0:0" }), "it is run as"},
		"another command":         {with(func(_ *imageBuilder, s *imageSettings, _ []*binary) { s.command = nil }), "it is run as"},
		"a port more":             {with(func(_ *imageBuilder, s *imageSettings, _ []*binary) { s.ports = []string{"1/tcp"} }), "it is run as"},
		"a folder more": {with(func(_ *imageBuilder, s *imageSettings, _ []*binary) {
			s.folders = append(slices.Clone(s.folders), "tmp/")
		}), `its layer has "tmp/"`},
		"a folder less":              {with(func(_ *imageBuilder, s *imageSettings, _ []*binary) { s.folders = nil }), "its layer has 7 files and folders"},
		"the time of another commit": {with(func(b *imageBuilder, _ *imageSettings, _ []*binary) { b.at = at.Add(time.Hour) }), "not that of the commit"},
		"another commit":             {with(func(b *imageBuilder, _ *imageSettings, _ []*binary) { b.rel.commit = "1" }), "its labels are"},
		"the program of another machine": {with(func(_ *imageBuilder, _ *imageSettings, all []*binary) {
			all[0].data, all[1].data = all[1].data, all[0].data
		}), "the program is"},
		"an image less": {rebuilt(func(_ *imageBuilder, _ *imageSettings, all []*binary) []*binary { return all[:1] }), "2 SBOMs for 1 programs"},
		"another licence": {with(func(b *imageBuilder, _ *imageSettings, _ []*binary) {
			b.rel.tree = b.rel.tree.with(ownLicenseFile, []byte(mit))
		}), "LICENSE is not that of the repository"},
		"images of a program that has none": {func(f map[string][]byte) { f["other_v0.1.0"+imageSuffix] = f["add_v0.1.0"+imageSuffix] }, "a release without this program or version has images"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := maps.Clone(files)
			c.change(changed)
			delete(changed, sumsFile)
			changed[sumsFile] = sums(changed)
			err := checkFiles(changed, images, rel, at)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestProgramOfAnImageIsThatOfTheArchive: a distribution of both has the same program in both.
func TestProgramOfAnImageIsThatOfTheArchive(t *testing.T) {
	r, options, files := imagesOf(t)
	options.imagesOnly, options.platforms = false, []platform{host}
	options.dir = filepath.Join(t.TempDir(), "both")
	if err := distribute(t.Context(), io.Discard, r, options); err != nil {
		t.Fatal(err)
	}
	both := readFolder(t, options.dir)
	rel, at, err := r.distributed(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkFiles(both, options.images, rel, at); err != nil {
		t.Error(err)
	}
	base := "add_v0.1.0_linux_" + host.architecture
	if !bytes.Equal(both[base+sbomSuffix], files[base+sbomSuffix]) {
		t.Error("the SBOM of an image is not that of the archive")
	}
	b, err := readArchive(base+".tar.gz", both[base+".tar.gz"], rel, at)
	if err != nil {
		t.Fatal(err)
	}
	inside, err := readImages("add_v0.1.0"+imageSuffix, both["add_v0.1.0"+imageSuffix], options.images, rel, at)
	if err != nil || len(inside) != 1 || !bytes.Equal(inside[0].data, b.data) {
		t.Errorf("%d programs, %v", len(inside), err)
	}
}
