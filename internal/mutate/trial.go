package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// An attempt is a fault and its result: the test that noticed it, the zero test if none did, or
// the reason why it could not be tried.
type attempt struct {
	fault fault
	place place
	by    test
	took  time.Duration
	err   error
}

func (a attempt) survived() bool { return a.err == nil && a.by == test{} }

func (a attempt) String() string {
	switch seconds := a.took.Seconds(); {
	case a.err != nil:
		return fmt.Sprintf("NOT MADE %s: %v", a.fault.name, a.err)
	case a.survived():
		return fmt.Sprintf("SURVIVED %5.1fs  %s: %s", seconds, a.place.source.path, a.fault.name)
	default:
		return fmt.Sprintf("noticed  %5.1fs  %s: %s  [%s]", seconds, a.place.source.path, a.fault.name, a.by)
	}
}

// try runs the tests with a fault. An error ends the whole run.
func (r *runner) try(ctx context.Context, a *attempt) error {
	start := time.Now()
	var err error
	if a.err == nil {
		a.by, err = r.firstToNotice(ctx, a)
	}
	if failed := (*buildError)(nil); errors.As(err, &failed) {
		a.err, err = failed, nil
	}
	a.took = time.Since(start)
	if err != nil {
		return err
	}
	if last, ok := r.noticed.of(a.fault.name); ok && last.pkg == intentFolder && a.survived() && r.unitOnly {
		return nil
	}
	return r.noticed.set(a.fault.name, a.by)
}

// slow is the duration from which a test runs after the quick ones.
const slow = 500 * time.Millisecond

// firstToNotice runs tests with the fault until one notices it.
func (r *runner) firstToNotice(ctx context.Context, a *attempt) (test, error) {
	dir, err := os.MkdirTemp(r.temporary, "")
	if err != nil {
		return test{}, err
	}
	defer os.RemoveAll(dir)
	overlay, err := a.writeOverlay(r.root, dir)
	if err != nil {
		return test{}, err
	}
	t := trial{runner: r, dir: dir, overlay: overlay, binaries: map[string]*binary{}}
	if last, ok := r.noticed.of(a.fault.name); ok && r.canRun(last.pkg) {
		if by, err := t.askLast(ctx, last); err != nil || by != (test{}) {
			return by, err
		}
	}
	folders := testers(r.packages, path.Dir(a.place.source.path))
	if by, err := t.askAll(ctx, folders); err != nil || by != (test{}) || r.unitOnly {
		return by, err
	}
	return t.askAll(ctx, []string{intentFolder})
}

// canRun reports whether a package exists and is not excluded by the flags.
func (r *runner) canRun(folder string) bool {
	if folder == intentFolder {
		return !r.unitOnly
	}
	for _, p := range r.packages {
		if p.folder == folder {
			return p.hasTests()
		}
	}
	return false
}

// writeOverlay writes the overlay with the fault for the go command.
func (a *attempt) writeOverlay(root, dir string) (string, error) {
	text, err := a.place.with(a.fault)
	if err != nil {
		return "", err
	}
	broken, overlay := filepath.Join(dir, "broken.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, a.place.source.path): broken}})
	if err == nil {
		err = os.WriteFile(overlay, replace, 0o600)
	}
	if err == nil {
		err = os.WriteFile(broken, []byte(text), 0o600)
	}
	return overlay, err
}

// A trial is a fault, and the tests that were compiled with it.
type trial struct {
	*runner
	dir, overlay string
	binaries     map[string]*binary
}

// askLast runs the test that noticed the fault last, if it still exists.
func (t *trial) askLast(ctx context.Context, last test) (test, error) {
	intact, err := t.baselineOf(ctx, last.pkg)
	if err != nil {
		return test{}, err
	}
	return t.askThese(ctx, intact, []string{last.name})
}

// askAll runs the tests of packages: all quick tests before the slow ones, and in each package
// first those that have noticed other faults.
func (t *trial) askAll(ctx context.Context, folders []string) (test, error) {
	slowTests := map[string][]string{}
	for _, folder := range folders {
		intact, err := t.baselineOf(ctx, folder)
		if err != nil {
			return test{}, err
		}
		for name, took := range intact.took {
			if took >= slow {
				slowTests[folder] = append(slowTests[folder], name)
			}
		}
		sharp := slices.DeleteFunc(t.noticed.sharp(folder), func(name string) bool { return intact.took[name] >= slow })
		if by, err := t.askThese(ctx, intact, sharp); err != nil || by != (test{}) {
			return by, err
		}
		if by, err := t.ask(ctx, intact, selection{skip: slices.Concat(slowTests[folder], sharp)}); err != nil || by != (test{}) {
			return by, err
		}
	}
	for _, folder := range folders {
		intact, err := t.baselineOf(ctx, folder)
		if err != nil {
			return test{}, err
		}
		if by, err := t.askThese(ctx, intact, slowTests[folder]); err != nil || by != (test{}) {
			return by, err
		}
	}
	return test{}, nil
}

// askThese runs those of the tests that exist.
func (t *trial) askThese(ctx context.Context, intact *baseline, names []string) (test, error) {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, there := intact.took[name]
		return !there
	})
	if len(names) == 0 {
		return test{}, nil
	}
	return t.ask(ctx, intact, selection{only: names})
}

// ask runs tests with the fault, and returns the first test that notices it. A test that fails
// must fail twice, since it may fail by chance. A test that exceeds the time limit must end
// within it without the fault.
func (t *trial) ask(ctx context.Context, intact *baseline, tests selection) (test, error) {
	b := t.binaries[intact.folder]
	if b == nil {
		var err error
		if b, err = t.buildTests(ctx, intact.folder, t.overlay, t.dir); err != nil {
			return test{}, err
		}
		t.binaries[intact.folder] = b
	}
	first, err := b.run(ctx, tests, intact.limit(tests))
	if err != nil || !first.failed {
		return test{}, err
	}
	if first.timedOut {
		return t.askWithoutFault(ctx, intact, b, tests, first)
	}
	if first.test != "" {
		alone := selection{only: []string{first.test}}
		if again, err := b.run(ctx, alone, intact.limit(alone)); err != nil || again.failed {
			return test{intact.folder, first.test}, err
		}
	}
	again, err := b.run(ctx, tests, intact.limit(tests))
	if err != nil || !again.failed {
		return test{}, err
	}
	return test{intact.folder, again.name()}, nil
}

// maxLimit bounds the time limit of tests that exceed it without the fault too.
const maxLimit = 10 * time.Minute

// askWithoutFault runs tests without the fault that exceeded the time limit with it. If they
// exceed it as well, both are run again with a larger limit.
func (t *trial) askWithoutFault(ctx context.Context, intact *baseline, b *binary, tests selection, broken outcome) (test, error) {
	for limit := intact.limit(tests); limit < maxLimit; {
		unbroken, err := intact.binary.run(ctx, tests, limit)
		if err != nil {
			return test{}, err
		}
		if !unbroken.failed {
			return test{intact.folder, broken.name()}, nil
		}
		limit *= 4
		broken, err = b.run(ctx, tests, limit)
		if err != nil || !broken.failed {
			return test{}, err
		}
	}
	return test{}, fmt.Errorf("the tests of %s take longer than %s without any fault", intact.folder, maxLimit)
}

// unknownTest stands for the test in a package whose tests do not start.
const unknownTest = "-"

func (o outcome) name() string {
	if o.test == "" {
		return unknownTest
	}
	return o.test
}

// A baseline is the compiled tests of a package without a fault.
type baseline struct {
	folder string
	binary *binary
	took   map[string]time.Duration
}

// baselineOf returns the baseline of a package. At the first call it runs the tests, which must
// pass: otherwise they would notice every fault.
func (r *runner) baselineOf(ctx context.Context, folder string) (*baseline, error) {
	r.mu.Lock()
	run := r.baselines[folder]
	if run == nil {
		run = sync.OnceValues(func() (*baseline, error) { return r.runBaseline(ctx, folder) })
		r.baselines[folder] = run
	}
	r.mu.Unlock()
	return run()
}

func (r *runner) runBaseline(ctx context.Context, folder string) (*baseline, error) {
	dir, err := os.MkdirTemp(r.temporary, "")
	if err != nil {
		return nil, err
	}
	b, err := r.buildTests(ctx, folder, "", dir)
	if failed := (*buildError)(nil); errors.As(err, &failed) {
		return nil, errors.New(failed.Error())
	}
	if err != nil {
		return nil, err
	}
	var last outcome
	for range 3 { // since a test may fail by chance
		if last, err = b.run(ctx, selection{}, maxLimit); err != nil {
			return nil, err
		}
		if !last.failed {
			return &baseline{folder, b, durations(last.out)}, nil
		}
	}
	return nil, fmt.Errorf("%s of %s fails without a fault: fix it first\n%s", last.name(), folder, tail(last.out))
}

// tail returns the end of a long output.
func tail(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(len(lines)-30, 0):], "\n")
}

// limit returns the time limit of tests: ten times their duration without the fault, and time
// to start.
func (b *baseline) limit(tests selection) time.Duration {
	limit := 10 * time.Second
	for name, took := range b.took {
		if tests.holds(name) {
			limit += 10 * took
		}
	}
	return limit
}
