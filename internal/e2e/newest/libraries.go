package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A library is a client from npm or a server library from the Go module proxy.
type library struct {
	name           string // the npm package or the Go module's path
	isModule       bool   // of Go
	pinned, newest string // versions
}

// String describes the library with both of its versions.
func (l library) String() string { return l.name + " " + l.versions() }

func (l library) versions() string {
	if l.newest == l.pinned {
		return l.pinned
	}
	return l.pinned + " → " + l.newest
}

// packages are the clients, and the packages that they share their releases
// with. Their newest version is the one that npm's tag "latest" names.
var packages = []string{
	"@connectrpc/connect", "@connectrpc/connect-web", "@bufbuild/protobuf",
	"grpc-web",
	"@protobuf-ts/grpcweb-transport", "@protobuf-ts/runtime", "@protobuf-ts/runtime-rpc",
	"nice-grpc-web", "nice-grpc-common",
}

// modules are the server libraries. Their newest version is the one that the
// go command's "latest" names; another major version has another path.
var modules = []string{"connectrpc.com/connect", "connectrpc.com/connect/v2", "google.golang.org/grpc"}

// clientPackages lists the packages behind a client, by the name that the tests
// give it, the one to name first.
var clientPackages = map[string][]string{
	"connect":         {"@connectrpc/connect-web", "@connectrpc/connect", "@bufbuild/protobuf"},
	"grpc-web":        {"@connectrpc/connect-web", "@connectrpc/connect", "@bufbuild/protobuf"},
	"grpc-web client": {"grpc-web"},
	"protobuf-ts":     {"@protobuf-ts/grpcweb-transport", "@protobuf-ts/runtime", "@protobuf-ts/runtime-rpc"},
	"nice-grpc-web":   {"nice-grpc-web", "nice-grpc-common"},
}

// serverModules has the module behind a server, by the name that the tests give it.
var serverModules = map[string]string{
	"connect v1": "connectrpc.com/connect",
	"connect v2": "connectrpc.com/connect/v2",
	"grpc-go":    "google.golang.org/grpc",
}

// readLibraries returns all libraries with both versions: the pinned ones of
// the tree at root, and those that the registries have.
func readLibraries(ctx context.Context, root string) ([]library, error) {
	text, err := os.ReadFile(filepath.Join(root, webFolder, "package-lock.json"))
	if err != nil {
		return nil, err
	}
	locked, err := lockedVersions(text)
	if err != nil {
		return nil, err
	}
	var all []library
	for _, name := range packages {
		l := library{name: name, pinned: locked[name]}
		if l.pinned == "" {
			return nil, fmt.Errorf("package-lock.json does not have %s", name)
		}
		if l.newest, err = output(ctx, filepath.Join(root, webFolder), "npm", "view", name, "dist-tags.latest"); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	for _, name := range modules {
		l := library{name: name, isModule: true}
		if l.pinned, err = output(ctx, filepath.Join(root, testFolder), "go", "list", "-m", "-f", "{{.Version}}", name); err != nil {
			return nil, err
		}
		if l.newest, err = output(ctx, filepath.Join(root, testFolder), "go", "list", "-m", "-f", "{{.Version}}", name+"@latest"); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// lockedVersions returns the versions of the packages in a package-lock.json,
// without those that only another package can import.
func lockedVersions(text []byte) (map[string]string, error) {
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		return nil, fmt.Errorf("package-lock.json: %w", err)
	}
	versions := map[string]string{}
	for path, p := range lock.Packages {
		if name, ok := strings.CutPrefix(path, "node_modules/"); ok && !strings.Contains(name, "/node_modules/") {
			versions[name] = p.Version
		}
	}
	return versions, nil
}

// choose returns the libraries with these versions as their newest: a list of
// name@version. The others keep the pinned one.
func choose(all []library, versions string) ([]library, error) {
	all = slices.Clone(all)
	for i, l := range all {
		all[i].newest = l.pinned
	}
	for text := range strings.SplitSeq(versions, ",") {
		at := strings.LastIndexByte(text, '@')
		i := slices.IndexFunc(all, func(l library) bool { return at > 0 && l.name == text[:at] })
		if i < 0 {
			return nil, fmt.Errorf("%q is not name@version of a library in the table", text)
		}
		all[i].newest = text[at+1:]
	}
	return all, nil
}

// newer returns the libraries that have a newer version than the pinned one.
func newer(all []library) []library {
	var some []library
	for _, l := range all {
		if l.newest != l.pinned {
			some = append(some, l)
		}
	}
	return some
}

// named returns the library of that name.
func named(all []library, name string) library {
	for _, l := range all {
		if l.name == name {
			return l
		}
	}
	return library{name: name}
}

// clientVersions describes the client of a cell: its package with both
// versions, and the others behind it that changed. It is "all" for a cell of
// several clients.
func clientVersions(all []library, client string) string {
	name, _, _ := strings.Cut(client, ",")
	if name == "" {
		return "all"
	}
	names := clientPackages[name]
	if len(names) == 0 {
		return name
	}
	texts := []string{named(all, names[0]).String()}
	for _, name := range names[1:] {
		if l := named(all, name); l.newest != l.pinned {
			texts = append(texts, l.String())
		}
	}
	return strings.Join(texts, ", ")
}

// serverVersions describes the server of a cell: its module with both
// versions, and what it stands behind, if the name says that.
func serverVersions(all []library, server string) string {
	name, behind, _ := strings.Cut(server, ", ")
	module, ok := serverModules[name]
	if !ok {
		return server
	}
	text := named(all, module).String()
	if behind != "" {
		text += ", " + behind
	}
	return text
}
