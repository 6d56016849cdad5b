// Command corsrpc checks, explains, tests and compares CORS policies (cors.yaml) before they are
// deployed. `corsrpc -h` lists its subcommands.
package main

import (
	"context"
	"os"
	"os/signal"

	_ "golang.org/x/crypto/x509roots/fallback" // the root certificates where the system has none, as in a container image from scratch

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	code := cli.Run(ctx, cli.System(), os.Args[1:])
	stop()
	os.Exit(code)
}
