// Mutate breaks the layer on purpose, one fault at a time, and shows that the
// tests notice each of them. The source is left alone: a fault is an overlay of
// the go command. It prints a line for each fault, and fails where one survives.
//
//	go run ./internal/mutate [flags]        from the root of the module
//
// A fault is first tried on the test that noticed it last, which noticed.txt
// keeps: the name of the fault, the folder of the package, the test. Where that
// test passes, or none is known, the fault is tried on the package that holds
// it and on those that use it, nearest first, their quick tests before the slow
// ones, and at last on the properties of internal/intent. A test notices a
// fault where it fails with the fault, twice, and passes without.
//
// A whole run also writes RESULTS.md: how many faults there are, which kind of
// test noticed them, and how long it took.
//
// These flags choose the faults that are tried:
//
//	-only text   those whose file and name contain the text, as "file: name"
//	-missing     those that noticed.txt does not name
//	-unit        all, but not on internal/intent
//	-jobs n      n at once; as many as there are processors where it is not given
//
// These flags look after the list of faults when the source has changed, and
// try none:
//
//	-stale           prints the faults that cannot be made any more, or that do
//	                 not compile, with the places that resemble theirs most
//	-rename old=new  rewrites an identifier in the list of faults, or several
//	                 with commas between
//
// The first signal to end ends a run: it leaves no temporary files behind, and
// noticed.txt holds what was found until then.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	var o options
	flag.StringVar(&o.only, "only", "", "try only the faults whose file and name contain this, as file: name")
	flag.BoolVar(&o.missing, "missing", false, "try only the faults that noticed.txt does not name")
	flag.BoolVar(&o.unitOnly, "unit", false, "leave out internal/intent, which takes longest")
	flag.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "how many faults are tried at once")
	stale := flag.Bool("stale", false, "print the faults that cannot be made, with the places nearest to theirs")
	renames := flag.String("rename", "", "rewrite identifiers in the list of faults: old=new, with commas between several")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	root, err := os.Getwd()
	switch {
	case err != nil:
	case flag.NArg() > 0:
		err = fmt.Errorf("unknown argument %q", flag.Arg(0))
	case *renames != "":
		err = rename(root, *renames)
	case *stale:
		err = printStale(ctx, root, o.jobs)
	default:
		err = tryFaults(ctx, root, o)
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}
