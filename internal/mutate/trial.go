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

// An attempt is a fault and what became of it: which test noticed it, the zero
// one for none, or why it could not be tried.
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

// try puts one fault in and runs the tests. Its error is one that ends the run.
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

// A test that takes slow or longer runs after the quick ones.
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

// canRun reports whether a package is there and is to be asked.
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

// writeOverlay writes the overlay that shows the fault to the go command.
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

// A trial is one fault with the tests that were built with it.
type trial struct {
	*runner
	dir, overlay string
	binaries     map[string]*binary
}

// askLast runs the test that noticed the fault last, if it is still there.
func (t *trial) askLast(ctx context.Context, last test) (test, error) {
	intact, err := t.baselineOf(ctx, last.pkg)
	if err != nil {
		return test{}, err
	}
	return t.askThese(ctx, intact, []string{last.name})
}

// askAll runs the tests of packages: all quick ones before the slow ones, and of
// a package those first that have noticed other faults.
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

// askThese runs those of the tests that are there.
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

// ask runs tests with the fault, and returns the first one that notices it. One
// that fails has to fail again, since a test may fail by chance; one that runs
// out of time has to end in that time without the fault.
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

// maxLimit bounds the time of tests that run out of it without the fault too.
const maxLimit = 10 * time.Minute

// askWithoutFault runs tests without the fault that were out of time with it.
// Where they are out of time as well, both get more of it.
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

// A baseline is the tests of a package without any fault.
type baseline struct {
	folder string
	binary *binary
	took   map[string]time.Duration
}

// baselineOf runs the tests of a package without any fault, the first time it
// is asked for: they have to pass, or they would notice any fault.
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
	for range 3 { // a test may fail by chance
		if last, err = b.run(ctx, selection{}, maxLimit); err != nil {
			return nil, err
		}
		if !last.failed {
			return &baseline{folder, b, durations(last.out)}, nil
		}
	}
	return nil, fmt.Errorf("%s of %s fails without any fault, mend it first:\n%s", last.name(), folder, tail(last.out))
}

// tail is the end of a long output.
func tail(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(len(lines)-30, 0):], "\n")
}

// limit is how long tests may take: ten times as long as without the fault, and
// time to start.
func (b *baseline) limit(tests selection) time.Duration {
	limit := 10 * time.Second
	for name, took := range b.took {
		if tests.holds(name) {
			limit += 10 * took
		}
	}
	return limit
}
