package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
)

// writeProxy adds the release's modules to a folder that GOPROXY can name as file://DIR.
func (r *release) writeProxy(dir string, at time.Time) error {
	for _, m := range r.modules.released {
		escaped, err := module.EscapePath(m.path())
		if err != nil {
			return err
		}
		versions := filepath.Join(dir, filepath.FromSlash(escaped), "@v")
		if err := os.MkdirAll(versions, 0o777); err != nil {
			return err
		}
		info, err := json.Marshal(struct {
			Version string
			Time    time.Time
		}{r.version, at.UTC()})
		if err != nil {
			return err
		}
		list := filepath.Join(versions, "list")
		listed, err := os.ReadFile(list)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for name, data := range map[string][]byte{
			list: append(listed, r.version+"\n"...),
			filepath.Join(versions, r.version+".info"): info,
			filepath.Join(versions, r.version+".mod"):  r.tree[m.inDir("go.mod")].data,
			filepath.Join(versions, r.version+".zip"):  r.zips[m.path()],
		} {
			if err := os.WriteFile(name, data, 0o666); err != nil {
				return err
			}
		}
	}
	return nil
}

// proxyEnvironment returns the environment variables, as NAME=VALUE, with which the go command takes the modules
// below a path from the file proxy in dir, and all others from the user's module cache and usual proxies. The module
// cache is a new one, in dir: a version that is written twice does not come from an older download.
func proxyEnvironment(ctx context.Context, dir, rootModule string) ([]string, error) {
	usual, err := goEnv(ctx, "GOPROXY", "GOMODCACHE", "GOSUMDB")
	if err != nil {
		return nil, err
	}
	return []string{
		"GOPROXY=" + strings.Join([]string{fileURL(dir), fileURL(filepath.Join(usual[1], "cache", "download")), usual[0]}, ","),
		"GOMODCACHE=" + filepath.Join(dir, "modcache"),
		// The user's configuration could have values for these, and GONOPROXY=none is not the same as no value. It
		// makes the go command look into the module cache first, where it finds the root module, and take that for the
		// only module that a package of a nested one could be in.
		"GOENV=off", "GOPRIVATE=", "GONOPROXY=",
		"GOSUMDB=" + usual[2],
		"GONOSUMDB=" + rootModule,
		"GOFLAGS=-modcacherw",
		"GOWORK=off",
	}, nil
}

// fileURL returns the file URL of an absolute path.
func fileURL(path string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}

// emptyDir returns the absolute path of a folder that it makes, if need be, and that has to be empty.
func emptyDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s is not empty", dir)
	}
	return dir, err
}
