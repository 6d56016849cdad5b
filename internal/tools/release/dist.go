package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// distGo is the version of Go that the programs of a release are built with. The same Go writes the archives, since
// another one may compress differently.
//
//go:embed GO_VERSION
var distGo string

// sumsFile lists the SHA-256 sums of all other files of a distribution.
const sumsFile = "SHA256SUMS"

// thirdPartyFile is the file of an archive with the licences of what is compiled in.
const thirdPartyFile = "THIRD_PARTY_LICENSES.txt"

// distOptions are the flags of dist.
type distOptions struct {
	version     string // "" for that of HEAD
	dir         string
	programs    []string // the names of those that are built; all of them if there are none
	platforms   []platform
	images      map[string]*imageSettings // of the programs that have a container image
	imagesOnly  bool                      // there are no archives, and only programs for images are built
	uncommitted bool                      // the files are those of the work tree, and any Go builds them
	goVersion   string                    // the Go that has to build what is committed, such as 1.26.8
}

// distribute builds the programs of the released modules, and writes their archives, their SBOMs and the sums of these
// into a folder. Nothing is written unless all of it was made.
func distribute(ctx context.Context, out io.Writer, r *repository, options distOptions) error {
	if options.dir == "" {
		return errors.New("-dir names the folder for the files, empty or new")
	}
	if running := strings.Fields(runtime.Version())[0]; !options.uncommitted && running != "go"+options.goVersion {
		return fmt.Errorf("this is %s, and the same bytes everywhere need Go %s: set GOTOOLCHAIN=go%[2]s, as make dist does", running, options.goVersion)
	}
	dir, err := emptyDir(options.dir)
	if err != nil {
		return fmt.Errorf("-dir: %w", err)
	}
	rel, at, err := r.distributed(ctx, options)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "version: %s\n", rel.version)
	temporary, err := os.MkdirTemp("", "dist-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	d, err := newDistribution(ctx, rel, at, temporary, options)
	if err != nil {
		return err
	}
	files, err := d.build(ctx, out)
	if err != nil {
		return err
	}
	return writeAll(dir, files)
}

// writeAll writes files into a folder. If one of them cannot be written, such as on a full disk, it removes them all.
func writeAll(dir string, files map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(dir, name), files[name], 0o666); err != nil {
			for written := range files {
				if removed := os.Remove(filepath.Join(dir, written)); removed != nil && !errors.Is(removed, fs.ErrNotExist) {
					err = errors.Join(err, removed)
				}
			}
			return err
		}
	}
	return nil
}

// distributed returns the release that is built, and the time of its commit.
func (r *repository) distributed(ctx context.Context, options distOptions) (*release, time.Time, error) {
	head, at, err := r.head(ctx)
	if err != nil {
		return nil, at, err
	}
	var files tree
	version := options.version
	if options.uncommitted {
		if version == "" || semver.Prerelease(version) == "" {
			return nil, at, fmt.Errorf("the version %q could be that of a commit: changes that are not committed are built as a pre-release, such as -version v0.0.0-trial", version)
		}
		files, err = r.readWorkTree(ctx)
	} else {
		clean, failed := r.isClean(ctx)
		if failed == nil && !clean {
			failed = errors.New("the work tree has changes, which the programs would not have: commit them, or remove them")
		}
		if failed != nil {
			return nil, at, failed
		}
		if version, err = r.versionOfHead(ctx, version, head, at); err != nil {
			return nil, at, err
		}
		files, err = r.readCommit(ctx, head)
	}
	if err != nil {
		return nil, at, err
	}
	if !isVersion(version) {
		return nil, at, fmt.Errorf("-version: %q is not a semantic version such as v0.1.0", version)
	}
	sections, err := parseChangelog(files[changelogFile].data)
	if err != nil {
		return nil, at, err
	}
	rel, err := prepareRelease(withReleaseDate(files, sections, version, at), version)
	if err == nil && !options.uncommitted {
		rel.commit = head
	}
	return rel, at, err
}

// versionOfHead returns the version of programs that are built from HEAD: the given one, the tag of HEAD, or a
// pseudo-version as the go command makes it, with the time and the hash of HEAD. A tag of another commit is an error, and
// so is a clone without the history that a pseudo-version depends on.
func (r *repository) versionOfHead(ctx context.Context, version, head string, at time.Time) (string, error) {
	here, err := r.tags(ctx, "--points-at", head)
	if err != nil {
		return "", err
	}
	if version != "" {
		all, err := r.tags(ctx)
		if err == nil && slices.Contains(all, version) && !slices.Contains(here, version) {
			err = fmt.Errorf("%s is the tag of another commit: git checkout %[1]s", version)
		}
		return version, err
	}
	if versions := versionsOf(here); len(versions) > 0 {
		return versions[len(versions)-1], nil
	}
	shallow, err := r.line(ctx, "rev-parse", "--is-shallow-repository")
	if err == nil && shallow != "false" {
		err = errors.New("this clone is shallow, so the tags before HEAD are not known, and the version depends on them: git fetch --unshallow --tags, or set VERSION")
	}
	if err != nil {
		return "", err
	}
	before, err := r.tags(ctx, "--merged", head)
	if err != nil {
		return "", err
	}
	major, older := "v0", ""
	if versions := versionsOf(before); len(versions) > 0 {
		older = versions[len(versions)-1]
		major = semver.Major(older)
	}
	return module.PseudoVersion(major, older, at, head[:12]), nil
}

// A distribution is a release whose programs are built.
type distribution struct {
	rel     *release
	at      time.Time
	trial   *trial
	command goCommand
	builds  string // the folder for the builds
	distOptions
}

// newDistribution prepares the builds, below dir.
func newDistribution(ctx context.Context, rel *release, at time.Time, dir string, options distOptions) (*distribution, error) {
	environment, command, t, err := newProxyTrial(ctx, rel, dir, filepath.Join(dir, "proxy"), at)
	if err == nil && !options.uncommitted {
		command, err = toolchain(ctx, "go"+options.goVersion, environment)
	}
	if err != nil {
		return nil, err
	}
	return &distribution{rel, at, t, command.with(buildEnvironment...), filepath.Join(dir, "builds"), options}, nil
}

// build builds each program for each platform. It returns the files of the distribution by their names.
func (d *distribution) build(ctx context.Context, out io.Writer) (map[string][]byte, error) {
	files := map[string][]byte{}
	built := []string{}
	for _, m := range d.rel.modules.released {
		for _, p := range d.trial.packages[m.path()] {
			name := path.Base(p.path)
			if !isInstallable(p.name, p.path) || len(d.programs) > 0 && !slices.Contains(d.programs, name) || d.imagesOnly && d.images[name] == nil {
				continue
			}
			built = append(built, name)
			licences, err := newLicensing(ctx, d.command, d.trial, m, []string{p.path})
			if err != nil {
				return nil, err
			}
			var binaries []*binary
			for _, on := range d.platforms {
				if d.imagesOnly && on.system != imageSystem {
					continue
				}
				b, err := build(ctx, d.command, d.builds, p.path, d.rel.version, on)
				if err != nil {
					return nil, err
				}
				binaries = append(binaries, b)
				bom, err := makeSBOM(b, d.at, licences.of)
				if err != nil {
					return nil, err
				}
				files[baseName(b, d.rel.version)+sbomSuffix] = bom
				if d.imagesOnly {
					continue
				}
				name, archive, err := d.archive(b, licences)
				if err != nil {
					return nil, err
				}
				files[name] = archive
				fmt.Fprintf(out, "%s: %.1f MB, of which the program is %.1f MB before it is compressed\n", name, megabytes(archive), megabytes(b.data))
			}
			if err := d.addImages(files, binaries, licences, out); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range d.programs {
		if !slices.Contains(built, name) {
			return nil, fmt.Errorf("-programs: no released module has the program %q", name)
		}
	}
	if len(built) == 0 {
		return nil, errors.New("no released module has a program")
	}
	files[sumsFile] = sums(files)
	return files, nil
}

func megabytes(data []byte) float64 { return float64(len(data)) / 1e6 }

// baseName returns the name of the files about a binary of a version, without what they end in, and of the folder in its
// archive.
func baseName(b *binary, version string) string {
	return strings.Join([]string{b.name(), version, b.platform.system, b.platform.architecture}, "_")
}

// archive returns an archive with a binary, and its name.
func (d *distribution) archive(b *binary, licences *licensing) (string, []byte, error) {
	texts, err := licences.texts(b)
	if err != nil {
		return "", nil, err
	}
	base := baseName(b, d.rel.version)
	readme := fmt.Sprintf("%s %s for %s, built with %s.\n\nDocumentation: https://%s\nLicence: LICENSE; %s has those of what is compiled in.\n",
		b.name(), d.rel.version, b.platform, b.info.GoVersion, d.rel.modules.root().path(), thirdPartyFile)
	files := []archiveFile{
		{base + "/" + b.fileName(), 0o755, b.data},
		{base + "/LICENSE", 0o644, d.rel.tree[ownLicenseFile].data},
		{base + "/" + thirdPartyFile, 0o644, texts},
		{base + "/README.txt", 0o644, []byte(readme)},
	}
	if b.platform.system == "windows" {
		archive, err := zipped(files, d.at)
		return base + ".zip", archive, err
	}
	archive, err := tarGz(files, d.at)
	return base + ".tar.gz", archive, err
}

// sums returns the SHA-256 sums of files, as sha256sum prints them.
func sums(files map[string][]byte) []byte {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(files[name]), name)
	}
	return []byte(text.String())
}
