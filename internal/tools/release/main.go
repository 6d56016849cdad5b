// Program release serves the modules of the work tree as a file proxy.
//
//	go run -C internal/tools/release . proxy -version v0.0.0-docs -dir DIR
//
// proxy makes a file proxy in DIR, an empty or new folder, that has the released modules of the work tree as the
// version. It prints the environment variables, as NAME=VALUE, with which the go command uses the proxy:
//
//	while read -r variable; do export "$variable"; done < <(go run -C internal/tools/release . proxy -version v0.0.0-docs -dir "$dir")
//	go get github.com/corsrpc/corsrpc-go/corsrpc@v0.0.0-docs
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/semver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// run runs the subcommand that args name.
func run(ctx context.Context, out io.Writer, args []string) error {
	if len(args) == 0 {
		return errors.New("name a subcommand: proxy")
	}
	switch args[0] {
	case "proxy":
		return runProxy(ctx, out, args[1:])
	}
	return fmt.Errorf("%q is not a subcommand: proxy is", args[0])
}

// runProxy makes a file proxy of the work tree and prints the environment variables that use it.
func runProxy(ctx context.Context, out io.Writer, args []string) error {
	flags := flag.NewFlagSet("proxy", flag.ContinueOnError)
	version := flags.String("version", "", "the version that the modules have")
	dir := flags.String("dir", "", "the folder of the file proxy, empty or new")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *dir == "" {
		return errors.New("proxy takes -version VERSION and -dir DIR, and nothing else")
	}
	if semver.Canonical(*version) != *version || *version == "" {
		return fmt.Errorf("-version %q is not a semantic version such as v0.1.0", *version)
	}
	repository, err := openRepository(ctx, ".")
	if err != nil {
		return err
	}
	files, err := repository.readWorkTree(ctx)
	if err != nil {
		return err
	}
	r, err := prepareRelease(files, *version)
	if err != nil {
		return err
	}
	absolute, err := emptyDir(*dir)
	if err != nil {
		return fmt.Errorf("-dir: %w", err)
	}
	if err := r.writeProxy(absolute, time.Now()); err != nil {
		return err
	}
	environment, err := proxyEnvironment(ctx, absolute, r.modules.root().path())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, strings.Join(environment, "\n"))
	return err
}
