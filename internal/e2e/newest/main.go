// Newest runs the browser tests of the clients twice, with the pinned versions
// of the client and server libraries and with the newest ones that the
// registries have, and reports each cell that differs. It works on copies of
// the tree, and writes internal/e2e/NEWEST.md.
//
//	cd internal/e2e && go run ./newest [flags]
//
// With -list it only prints the versions. With -try name@version, or several
// with commas between, it tries those instead of the newest, and writes no
// file. It exits with 1 if a cell or a test
// differs, if the newest versions do not compile, or if it cannot compare.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/corsrpc/corsrpc-go/internal/e2e/browser"
	"github.com/corsrpc/corsrpc-go/internal/e2e/cells"
	"github.com/corsrpc/corsrpc-go/internal/proof"
)

func main() {
	list := flag.Bool("list", false, "print the versions, and run nothing")
	try := flag.String("try", "", "versions to try instead of the newest: name@version, with commas between")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *list, *try)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "newest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, list bool, try string) error {
	root, err := output(ctx, ".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	all, err := readLibraries(ctx, root)
	if err != nil {
		return err
	}
	if try != "" {
		if all, err = choose(all, try); err != nil {
			return err
		}
	}
	fmt.Print(table(all))
	some := newer(all)
	if len(some) == 0 {
		fmt.Println("every pinned version is the newest: there is nothing to compare, and NEWEST.md stays")
		return nil
	}
	if list {
		return nil
	}
	r := report{date: time.Now().UTC().Format(time.DateOnly), machine: proof.Machine(), browsers: browserVersions(), libraries: all, tried: all}
	commit, err := proof.ReadCommit(ctx, root, testFolder+"/NEWEST.md")
	if err != nil {
		return err
	}
	r.commit = commit.String()
	tree, err := os.MkdirTemp("", "corsrpc-newest-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	if err := copyTree(ctx, root, tree); err != nil {
		return err
	}
	before, err := observe(ctx, tree, nil)
	if err != nil {
		return err
	}
	if len(before.problems)+len(before.failed) > 0 || len(before.cells) == 0 {
		return fmt.Errorf("the tests fail with the pinned versions, so there is nothing to compare with: %v %s", before.problems, strings.Join(before.leaves(), ", "))
	}
	after, err := observe(ctx, tree, some)
	if err != nil {
		return err
	}
	if clients := clientsOf(some); len(after.problems) > 0 && len(after.cells) == 0 && len(clients) > 0 {
		// The tests do not compile with the newest servers. The clients can still be tried with the pinned ones.
		r.problems = append(after.problems, problem{"the cells below are those of the newest clients with the pinned servers", table(clients)})
		r.tried = withoutNewerModules(all)
		if after, err = observe(ctx, tree, clients); err != nil {
			return err
		}
	}
	r.compare(before, after)
	if try == "" {
		if err := os.WriteFile(filepath.Join(root, testFolder, "NEWEST.md"), []byte(r.markdown()), 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("\n%s\n%s", r.result(), r.differences())
	if r.differs() {
		return errors.New("these versions differ from the pinned ones")
	}
	return nil
}

// clientsOf returns the libraries that are clients.
func clientsOf(all []library) []library {
	return slices.DeleteFunc(slices.Clone(all), func(l library) bool { return l.isModule })
}

// withoutNewerModules returns the libraries with the pinned version of each
// server as its newest.
func withoutNewerModules(all []library) []library {
	all = slices.Clone(all)
	for i, l := range all {
		if l.isModule {
			all[i].newest = l.pinned
		}
	}
	return all
}

// compare fills in what differs between two observations.
func (r *report) compare(before, after observation) {
	r.cells, r.tests = len(before.cells), len(before.passed)
	r.problems = append(r.problems, after.problems...)
	if len(after.cells) == 0 && len(after.problems) > 0 {
		r.cells, r.tests = 0, 0 // nothing ran
		return
	}
	r.rows = rows(cells.Compare(before.cells, after.cells))
	for _, name := range after.leaves() {
		r.failures = append(r.failures, failure{name, after.failed[name]})
	}
}

// browserVersions describes the browsers.
func browserVersions() string {
	var texts []string
	for _, engine := range browser.Engines {
		version, err := engine.Version()
		if err != nil {
			version = "of unknown version"
		}
		texts = append(texts, string(engine)+" "+version)
	}
	return strings.Join(texts, ", ")
}
