package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/module"
)

// head returns the hash and the time of the commit that is checked out.
func (r *repository) head(ctx context.Context) (hash string, at time.Time, err error) {
	line, err := r.line(ctx, "log", "-1", "--no-show-signature", "--format=%H %ct")
	if err != nil {
		return "", time.Time{}, err
	}
	hash, seconds, _ := strings.Cut(line, " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	return hash, time.Unix(n, 0).UTC(), err
}

// A staging is a bare repository in a temporary folder. It borrows the objects of the repository that is released, and
// holds the release commit and its tags. The repository itself is left as it is.
type staging struct {
	git    *repository
	commit string
}

// stage makes the release commit in a staging repository in dir, which has to be new. The commit's parent is HEAD. Its
// author is the user and its time is HEAD's: the same HEAD always gives the same commit.
func (r *repository) stage(ctx context.Context, rel *release, dir string) (*staging, error) {
	head, at, err := r.head(ctx)
	if err != nil {
		return nil, err
	}
	objects, err := r.line(ctx, "rev-parse", "--path-format=absolute", "--git-path", "objects")
	if err != nil {
		return nil, err
	}
	if _, err := r.git(ctx, nil, "init", "--quiet", "--bare", dir); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "objects", "info", "alternates"), []byte(objects+"\n"), 0o666); err != nil {
		return nil, err
	}
	identity, err := r.line(ctx, "var", "GIT_COMMITTER_IDENT")
	if err != nil {
		return nil, err
	}
	identity = identity[:strings.LastIndex(identity, ">")+1]
	s := &staging{git: &repository{root: dir}}
	if _, err := s.git.git(ctx, importStream(rel, head, identity, at), "fast-import", "--quiet", "--date-format=raw"); err != nil {
		return nil, err
	}
	for _, m := range rel.modules.released {
		if _, err := s.git.git(ctx, nil, "tag", m.tag(rel.version), "release"); err != nil {
			return nil, err
		}
	}
	s.commit, err = s.git.line(ctx, "rev-parse", "refs/heads/release")
	return s, err
}

// importStream returns the input of git fast-import that makes the release commit as the branch release.
func importStream(rel *release, parent, identity string, at time.Time) []byte {
	var b bytes.Buffer
	data := func(content []byte) {
		fmt.Fprintf(&b, "data %d\n%s\n", len(content), content)
	}
	fmt.Fprintf(&b, "commit refs/heads/release\ncommitter %s %d +0000\n", identity, at.Unix())
	data(fmt.Appendf(nil, "Release %s\n\nThe modules require each other at %[1]s. The released ones have no replace lines.\n", rel.version))
	fmt.Fprintf(&b, "from %s\ndeleteall\n", parent)
	for _, path := range rel.tree.paths() {
		fmt.Fprintf(&b, "M %s inline %s\n", rel.tree[path].mode, quotePath(path))
		data(rel.tree[path].data)
	}
	return b.Bytes()
}

// quotePath returns a path as git fast-import reads it.
func quotePath(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}

// publish copies the release commit into a repository. No branch and no tag of it changes.
func (s *staging) publish(ctx context.Context, to *repository, tag string) error {
	_, err := to.git(ctx, nil, "-c", "gc.auto=0", "-c", "maintenance.auto=false",
		"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", s.git.root, "refs/tags/"+tag)
	return err
}

var githubRoot = regexp.MustCompile(`^github\.com/[^/]+/[^/]+$`)

// checkDirect makes the go command download each released module by its tag, with the staging repository in place of the
// one at the module path. A module whose sums differ from those of the release is an error.
func (s *staging) checkDirect(ctx context.Context, g goCommand, rel *release, modcache string) error {
	root := rel.modules.root().path()
	if !githubRoot.MatchString(root) {
		return fmt.Errorf("the module path %s is not that of a GitHub repository", root)
	}
	g = g.with(
		"GOPROXY=direct", "GOMODCACHE="+modcache,
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url."+fileURL(s.git.root)+".insteadOf", "GIT_CONFIG_VALUE_0=https://"+root,
	)
	for _, m := range rel.modules.released {
		v := rel.versionOf(m)
		out, err := g.run(ctx, os.TempDir(), "mod", "download", "-json", v.String())
		if err != nil {
			return err
		}
		var got struct{ Sum, GoModSum string }
		if err := json.Unmarshal(out, &got); err != nil {
			return err
		}
		goMod := module.Version{Path: v.Path, Version: v.Version + "/go.mod"}
		if got.Sum != rel.sums[v] || got.GoModSum != rel.sums[goMod] {
			return fmt.Errorf("%s: the sums from git are %s and %s, and those of the release are %s and %s", v, got.Sum, got.GoModSum, rel.sums[v], rel.sums[goMod])
		}
	}
	return nil
}
