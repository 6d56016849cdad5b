// Mutate checks that the tests notice faults. It changes the source by one fault at a time,
// through an overlay of the go command, so that the files do not change. It prints a line for
// each fault, and fails if no test notices a fault.
//
//	go run ./internal/mutate [flags]        from the root of the module
//
// Each fault is first tried on the test that noticed it last. The file noticed.txt has the name
// of the fault, the folder of the package, and the test. If that test passes, or none is known,
// the fault is tried on the package that contains it and on the packages that import it, the
// nearest first and their quick tests before the slow ones. The properties of internal/intent
// come last. A test notices a fault if it fails twice with the fault, and passes without.
//
// A complete run also writes RESULTS.md, with the number of faults, the kinds of tests that
// noticed them, and the time.
//
// These flags select faults:
//
//	-only text   faults whose file and name contain the text, as "file: name"
//	-missing     faults that are not in noticed.txt
//	-unit        all faults, but without internal/intent
//	-jobs n      the number of faults that are tried concurrently; default: the number of processors
//
// With these flags, mutate maintains the list of faults and tries none:
//
//	-stale           prints the faults whose text is not in the source any more, or that do not
//	                 compile, with the most similar places
//	-rename old=new  replaces identifiers in the list of faults; several pairs are separated by
//	                 commas
//
// After an interrupt, a run leaves no temporary files, and noticed.txt has the results so far.
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
	flag.StringVar(&o.only, "only", "", "try only the faults whose file and name contain this text, as file: name")
	flag.BoolVar(&o.missing, "missing", false, "try only the faults that are not in noticed.txt")
	flag.BoolVar(&o.unitOnly, "unit", false, "do not run internal/intent, which takes longest")
	flag.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "the number of faults that are tried concurrently")
	stale := flag.Bool("stale", false, "print the faults that cannot be applied, with the most similar places")
	renames := flag.String("rename", "", "replace identifiers in the list of faults: old=new, several separated by commas")
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
