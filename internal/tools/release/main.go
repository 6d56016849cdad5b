// Program release makes the commit that is tagged as a version of the repository's modules, tries it out as a user
// would, and names the steps that are left to a person. It tags nothing and pushes nothing.
//
// In the tree, nested modules require each other at v0.0.0 and replace that by a path, which importers do not see and
// `go install` refuses. In the release commit they require the version, without replace lines. The released modules are
// all that are not below examples or a folder named internal.
//
//	go run -C internal/tools/release . release -version v0.1.0
//
// release refuses a work tree with changes, a version that is not the next one, and a missing section of CHANGELOG.md. It
// refuses an incompatible change of the exported face that semantic versioning does not allow, a licence that is not
// allowed, a provisional extension number in options.proto, and a trial that fails. It prints the commit and the tags.
//
//	go run -C internal/tools/release . check [-version v0.1.0]
//
// check does the same with the files of the work tree, and keeps nothing. It reports what only a person can change, and
// passes nevertheless. Without a version it takes the unreleased one of CHANGELOG.md.
//
//	go run -C internal/tools/release . proxy -version v0.0.0-docs -dir DIR
//
// proxy makes a file proxy in DIR, an empty or new folder, that has the released modules of the work tree as the
// version. It prints the environment variables, as NAME=VALUE, with which the go command uses the proxy:
//
//	while read -r variable; do export "$variable"; done < <(go run -C internal/tools/release . proxy -version v0.0.0-docs -dir "$dir")
//	go get github.com/corsrpc/corsrpc-go/corsrpc@v0.0.0-docs
//
//	go run -C internal/tools/release . dist [-version v0.1.0] -dir DIR [-programs corsrpc] [-platforms linux/amd64]
//
// dist builds the programs of the released modules for each platform from HEAD, as `go install PROGRAM@VERSION` does. It
// writes archives, SBOMs and SHA256SUMS into DIR, an empty or new folder. The same commit and the same version always
// give the same bytes; for that, the Go has to be that of GO_VERSION, which `make dist` sets. Without a version it takes
// the tag of HEAD, or a pseudo-version. It refuses a work tree with changes; -uncommitted builds these by any Go, as a
// pre-release. Programs with a container image get a file with it too: images for Linux in an OCI image layout.
//
//	go run -C internal/tools/release . image [-version v0.1.0] -dir DIR [-platforms linux/amd64]
//
// image writes only the container images, their SBOMs and SHA256SUMS. Its flags are those of dist.
//
//	go run -C internal/tools/release . dist-check
//	go run -C internal/tools/release . image-check
//
// dist-check builds the programs of the work tree twice, compares the bytes, and checks and tries the archives and the
// container images. image-check does so with the images alone.
//
//	go run -C internal/tools/release . licenses
//	go run -C internal/tools/release . notes -version v0.1.0
//
// licenses writes LICENSES.md, and notes prints the section of CHANGELOG.md on a version.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := runCommand(ctx, os.Stdout, ".", os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// runCommand runs the subcommand that args name, on the repository that contains dir.
func runCommand(ctx context.Context, out io.Writer, dir string, args []string) error {
	const names = "release, check, proxy, dist, image, dist-check, image-check, licenses or notes"
	if len(args) == 0 {
		return errors.New("name a subcommand: " + names)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	version := flags.String("version", "", "the version, such as v0.1.0")
	newDir, programList, platformList, uncommitted := "", "", "", false
	switch args[0] {
	case "proxy":
		flags.StringVar(&newDir, "dir", "", "the folder of the file proxy, empty or new")
	case "dist", "image":
		flags.StringVar(&newDir, "dir", "", "the folder for the files, empty or new")
		flags.StringVar(&programList, "programs", "", "some of the programs, such as corsrpc")
		flags.StringVar(&platformList, "platforms", "", "some of the platforms, such as linux/amd64,windows/arm64")
		flags.BoolVar(&uncommitted, "uncommitted", false, "build the work tree with its changes, as a pre-release")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not a flag", flags.Arg(0))
	}
	r, err := openRepository(ctx, dir)
	if err != nil {
		return err
	}
	switch args[0] {
	case "release":
		return (&run{repository: r, out: out, version: *version}).release(ctx)
	case "check":
		return (&run{repository: r, out: out, version: *version, rehearse: true}).release(ctx)
	case "proxy":
		return serve(ctx, out, r, *version, newDir)
	case "dist", "image":
		on, err := platformsNamed(platformList)
		if err != nil {
			return err
		}
		return distribute(ctx, out, r, distOptions{
			version: *version, dir: newDir, programs: listed(programList), platforms: on, images: images, imagesOnly: args[0] == "image",
			uncommitted: uncommitted, goVersion: strings.TrimSpace(distGo),
		})
	case "dist-check", "image-check":
		return checkDistribution(ctx, out, r, args[0] == "image-check")
	case "licenses":
		return writeLicenses(ctx, r)
	case "notes":
		return printNotes(ctx, out, r, *version)
	}
	return fmt.Errorf("%q is not a subcommand: name %s", args[0], names)
}

// listed returns the parts of a list with commas between them.
func listed(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// serve makes a file proxy of the work tree and prints the environment variables that use it.
func serve(ctx context.Context, out io.Writer, r *repository, version, dir string) error {
	if dir == "" {
		return errors.New("-dir names the folder of the file proxy")
	}
	rel, err := prepareWorkTree(ctx, r, version)
	if err != nil {
		return err
	}
	absolute, err := emptyDir(dir)
	if err != nil {
		return fmt.Errorf("-dir: %w", err)
	}
	if err := rel.writeProxy(absolute, time.Now()); err != nil {
		return err
	}
	environment, err := proxyEnvironment(ctx, absolute, rel.modules.root().path())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, strings.Join(environment, "\n"))
	return err
}

// prepareWorkTree returns the release of the work tree as a version.
func prepareWorkTree(ctx context.Context, r *repository, version string) (*release, error) {
	if !isVersion(version) {
		return nil, fmt.Errorf("-version: %q is not a semantic version such as v0.1.0", version)
	}
	files, err := r.readWorkTree(ctx)
	if err != nil {
		return nil, err
	}
	return prepareRelease(files, version)
}

// writeLicenses writes LICENSES.md.
func writeLicenses(ctx context.Context, r *repository) error {
	rel, err := prepareWorkTree(ctx, r, "v0.0.0-licenses")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	_, _, t, err := newProxyTrial(ctx, rel, dir, filepath.Join(dir, "proxy"), time.Now())
	if err != nil {
		return err
	}
	text, err := t.checkLicenses(ctx)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.root, filepath.FromSlash(licensesFile)), text, 0o666)
}

// printNotes prints the section of CHANGELOG.md on a version.
func printNotes(ctx context.Context, out io.Writer, r *repository, version string) error {
	files, err := r.readWorkTree(ctx)
	if err != nil {
		return err
	}
	sections, err := parseChangelog(files[changelogFile].data)
	if err != nil {
		return err
	}
	s := sectionOf(sections, version)
	if s == nil {
		return fmt.Errorf("%s has no section on %q", changelogFile, version)
	}
	_, err = fmt.Fprintln(out, s.text)
	return err
}
