package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

type options struct {
	only              string
	missing, unitOnly bool
	jobs              int
}

// whole reports whether a run tries all faults on all tests.
func (o options) whole() bool { return o.only == "" && !o.missing && !o.unitOnly }

// A runner tries faults.
type runner struct {
	root, temporary, cache string
	buildsAtOnce           int
	unitOnly               bool
	packages               []*goPackage
	noticed                *record

	mu        sync.Mutex
	baselines map[string]func() (*baseline, error) // by folder
}

// tryFaults tries the selected faults, and returns an error if no test notices one of them.
func tryFaults(ctx context.Context, root string, o options) error {
	start := time.Now()
	r, err := newRunner(ctx, root, o)
	if r != nil {
		defer os.RemoveAll(r.temporary)
		defer os.RemoveAll(r.cache)
	}
	if err != nil {
		return err
	}
	sources, err := readSources(root)
	if err != nil {
		return err
	}
	var chosen []attempt
	for _, f := range faults {
		a := attempt{fault: f}
		if a.place, a.err = f.find(sources); a.err == nil && !strings.Contains(a.place.source.path+": "+f.name, o.only) {
			continue
		}
		if _, known := r.noticed.of(f.name); known && o.missing {
			continue
		}
		chosen = append(chosen, a)
	}
	if len(chosen) == 0 {
		return errors.New("the flags select no fault")
	}
	if err := r.tryAll(ctx, chosen, o.jobs); err != nil {
		return err
	}
	sum := newSummary(chosen, time.Since(start), o.jobs)
	fmt.Print(sum.text())
	if o.whole() {
		err = r.noticed.keepOnly(faults)
		if err == nil {
			err = os.WriteFile(filepath.Join(root, "internal/mutate/RESULTS.md"), []byte(sum.markdown()), 0o644)
		}
	}
	if err == nil && sum.failed() {
		err = errors.New("not all faults were noticed")
	}
	return err
}

// newRunner returns a runner. It also returns one with an error if there are temporary files.
func newRunner(ctx context.Context, root string, o options) (*runner, error) {
	noticed, err := readRecord(filepath.Join(root, "internal/mutate/noticed.txt"))
	if err != nil {
		return nil, err
	}
	packages, err := listProduct(ctx, root)
	if err != nil {
		return nil, err
	}
	temporary, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	r := &runner{
		root: root, temporary: temporary, buildsAtOnce: max(runtime.NumCPU()/o.jobs, 1), unitOnly: o.unitOnly,
		packages: packages, noticed: noticed, baselines: map[string]func() (*baseline, error){},
	}
	r.cache, err = cacheOfItsOwn(ctx, root)
	return r, err
}

// cacheOfItsOwn returns a new build cache with the contents of the usual one. Otherwise the
// usual cache would keep gigabytes of packages with faults for days.
func cacheOfItsOwn(ctx context.Context, root string) (string, error) {
	command := goCommand(ctx, root, "env", "GOCACHE")
	out, err := command.Output()
	if err != nil {
		return "", commandError(command, err)
	}
	usual := strings.TrimSpace(string(out))
	if err := os.MkdirAll(usual, 0o777); err != nil {
		return "", err
	}
	cache, err := os.MkdirTemp(filepath.Dir(usual), "mutate") // where files can be linked
	if err != nil {
		return "", err
	}
	err = filepath.WalkDir(usual, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(usual, file)
		if err != nil {
			return err
		}
		folder, name := path.Split(filepath.ToSlash(relative))
		switch to := filepath.Join(cache, relative); {
		case entry.IsDir() && (relative == "." || len(relative) == 2): // 00 to ff
			return os.MkdirAll(to, 0o777)
		case entry.IsDir():
			return filepath.SkipDir
		case folder == "":
			return nil
		case strings.HasSuffix(name, "-d"): // never written again
			return ignoreMissing(os.Link(file, to))
		default:
			return ignoreMissing(copyFile(file, to))
		}
	})
	return cache, err
}

// ignoreMissing returns nil for the error of a file that does not exist any more, since go
// commands remove files from the cache.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o666)
}

// tryAll tries faults concurrently, and prints the result of each.
func (r *runner) tryAll(ctx context.Context, chosen []attempt, jobs int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	turn := make(chan *attempt)
	var wait sync.WaitGroup
	for range jobs {
		wait.Go(func() {
			for a := range turn {
				if err := r.try(ctx, a); err != nil {
					cancel(err)
					continue
				}
				fmt.Println(*a)
			}
		})
	}
	for i := range chosen {
		select {
		case turn <- &chosen[i]:
		case <-ctx.Done():
		}
	}
	close(turn)
	wait.Wait()
	return context.Cause(ctx)
}
