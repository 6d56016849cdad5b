package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A run is one attempt to release a version, or a rehearsal of it.
type run struct {
	repository *repository
	out        io.Writer
	version    string // "" in a rehearsal: the version that CHANGELOG.md has next
	rehearse   bool   // the files are those of the work tree, which may have changes, and nothing is published

	files    tree
	tags     []string
	sections []section
	at       time.Time // of HEAD
	problems []error   // the reasons to refuse the version
	steps    []error   // reasons to refuse it that a rehearsal ignores, since only a person can remove them
}

// refuse records what the version is refused for. A nil error is nothing.
func (r *run) refuse(err error) {
	if err != nil {
		r.problems = append(r.problems, err)
	}
}

// release makes the release commit, or refuses to. The error lists everything that the version is refused for.
func (r *run) release(ctx context.Context) error {
	if err := r.read(ctx); err != nil {
		return err
	}
	fmt.Fprintf(r.out, "version: %s\n", r.version)
	rel := r.check()
	if rel == nil {
		return r.verdict()
	}
	dir, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := r.repository.stage(ctx, rel, filepath.Join(dir, "staging.git"))
	if err != nil {
		return err
	}
	if err := r.try(ctx, rel, s, dir); err != nil {
		return err
	}
	if err := r.verdict(); err != nil {
		return err
	}
	if !r.rehearse {
		if err := s.publish(ctx, r.repository, rel.version); err != nil {
			return err
		}
	}
	r.report(rel, s.commit)
	return nil
}

// read reads the repository.
func (r *run) read(ctx context.Context) error {
	head, at, err := r.repository.head(ctx)
	if err != nil {
		return err
	}
	r.at = at
	if r.tags, err = r.repository.tags(ctx); err != nil {
		return err
	}
	clean, err := r.repository.isClean(ctx)
	if err != nil {
		return err
	}
	switch {
	case r.rehearse:
		if !clean {
			fmt.Fprintln(r.out, "The work tree has changes, which are part of the rehearsal.")
		}
		r.files, err = r.repository.readWorkTree(ctx)
	default:
		if !clean {
			r.refuse(errors.New("the work tree has changes: commit them, or remove them"))
		}
		r.files, err = r.repository.readCommit(ctx, head)
	}
	if err != nil {
		return err
	}
	r.sections, err = parseChangelog(r.files[changelogFile].data)
	r.refuse(err)
	if r.version == "" && r.rehearse {
		r.version = rehearsedVersion(r.sections, r.tags)
	}
	return nil
}

// check records what the version is refused for that the repository alone shows. It returns nil if there is nothing to
// try out.
func (r *run) check() *release {
	found, err := findModules(r.files)
	r.refuse(err)
	r.refuse(checkVersion(r.version, found.released, r.tags))
	if isVersion(r.version) {
		r.refuse(checkChangelog(r.sections, r.version, r.tags))
	}
	if err := checkExtensions(r.files); err != nil {
		r.steps = append(r.steps, fmt.Errorf("%w\n  Ask for a number in protobuf's global extension registry, docs/options.md of protocolbuffers/protobuf, write it there, run `make generate` and commit", err))
	} else {
		r.refuse(checkGeneratedExtensions(r.files))
	}
	if err != nil || !isVersion(r.version) {
		return nil
	}
	rel, err := prepareRelease(withReleaseDate(r.files, r.sections, r.version, r.at), r.version)
	r.refuse(err)
	return rel
}

// try tries the release out and records what it is refused for. The error is that of a trial that could not be made.
func (r *run) try(ctx context.Context, rel *release, s *staging, dir string) error {
	proxy := filepath.Join(dir, "proxy")
	environment, local, t, err := newProxyTrial(ctx, rel, dir, proxy, r.at)
	if err != nil {
		return err
	}
	stage := func(name string, run func() (string, error)) {
		start := time.Now()
		said, err := run()
		r.refuse(err)
		switch {
		case err != nil:
			said = "failed"
		case said == "":
			said = "ok"
		}
		fmt.Fprintf(r.out, "%s: %s (%.0f s)\n", name, said, time.Since(start).Seconds())
	}
	plain := func(run func(context.Context) error) func() (string, error) {
		return func() (string, error) { return "", run(ctx) }
	}
	stage("exported face", func() (string, error) {
		return r.repository.checkFace(ctx, rel, t.tree, filepath.Join(dir, "last"), r.tags, proxy, environment)
	})
	stage("go.mod and go.sum are tidy", plain(t.checkTidy))
	stage("sums from git by tag", func() (string, error) {
		return "", s.checkDirect(ctx, local, rel, filepath.Join(dir, "direct"))
	})
	for _, m := range rel.modules.released {
		fmt.Fprintf(r.out, "%s: packages to import: %d\n", m.path(), len(t.importable(m)))
	}
	for _, g := range toolchains(rel.modules) {
		command := local
		if g != "local" {
			if command, err = oldestGo(ctx, g, environment); err != nil {
				return err
			}
		}
		stage("go get with Go "+g, func() (string, error) { return "", t.checkGet(ctx, g, command) })
		stage("go install with Go "+g, func() (string, error) {
			installed, err := t.checkInstall(ctx, g, command)
			if len(installed) == 0 {
				return "no commands", err
			}
			return strings.Join(installed, " "), err
		})
	}
	stage("examples build", plain(t.checkExamples))
	stage("unreleased modules load", plain(t.checkUnreleased))
	stage("licences", func() (string, error) {
		want, err := t.checkLicenses(ctx)
		if err != nil {
			return "", err
		}
		return "", checkLicensesFile(rel.tree, want)
	})
	return nil
}

// toolchains returns the versions of Go that libraries and commands are tried with: those of the released modules' go
// lines, and the one that is installed, as "local".
func toolchains(all modules) []string {
	var versions []string
	for _, m := range all.released {
		if m.file.Go != nil && !slices.Contains(versions, m.file.Go.Version) {
			versions = append(versions, m.file.Go.Version)
		}
	}
	return append(versions, "local")
}

// verdict returns an error with everything that the version is refused for. A rehearsal refuses it for nothing that only
// a person can change.
func (r *run) verdict() error {
	problems := r.problems
	if !r.rehearse {
		problems = slices.Concat(problems, r.steps)
	}
	if len(problems) == 0 {
		return nil
	}
	text := fmt.Sprintf("version %q is refused:", r.version)
	for _, p := range problems {
		for line := range strings.SplitSeq(p.Error(), "\n") {
			text += "\n  " + line
		}
	}
	return errors.New(text)
}

// report prints the release commit, its tags, and the steps that are left to a person.
func (r *run) report(rel *release, commit string) {
	version := rel.version
	fmt.Fprintf(r.out, "\ncommit: %s\n", commit)
	var tags []string
	for _, m := range rel.modules.released {
		tags = append(tags, m.tag(version))
	}
	fmt.Fprintf(r.out, "tags: %s\n\n", strings.Join(tags, " "))
	if r.rehearse {
		fmt.Fprintln(r.out, "This is a rehearsal: the commit is not kept. A release is left with these steps to a person:")
	} else {
		fmt.Fprintln(r.out, "Nothing is tagged or pushed, and git removes the commit some time after if it is not tagged. These steps are left to a person:")
	}
	number := 0
	step := func(format string, args ...any) {
		number++
		fmt.Fprintf(r.out, "%d. %s\n", number, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n   "))
	}
	for _, s := range r.steps {
		step("Before the release: %s", s)
	}
	tag := "Tag the commit and push the tags, which brings the commit along:"
	for _, t := range tags {
		tag += fmt.Sprintf("\n  git tag -a %s -m %[1]s %s", t, commit)
	}
	step("%s\n  git push --atomic origin %s", tag, strings.Join(tags, " "))
	step("Push proto/ to the schema registry of buf's users, who then can depend on corsrpc/v1/options.proto. The module needs a\nname in buf.yaml:\n  buf push --label %s", version)
	step("Build the programs for users without Go, and attach the files in dist to the release:\n  git checkout %s && make dist VERSION=%[1]s", version)
	step("Copy the container images to a registry:\n  skopeo copy --all oci-archive:dist/corsrpc_%s%s docker://REGISTRY/corsrpc:%[1]s", version, imageSuffix)
	step("Publish the release notes, the section of %s:\n  go run -C internal/tools/release . notes -version %s", changelogFile, version)
	fetch := "Ask for the modules as a user does, which makes pkg.go.dev show them, and look there some minutes later:"
	for _, m := range rel.modules.released {
		fetch += fmt.Sprintf("\n  go list -m %s@%s", m.path(), version)
	}
	step("%s", fetch)
	step("On the main branch, write the date %s into the heading of %s in %s.", r.at.Format(time.DateOnly), version, changelogFile)
}
