// Rs is a server with rs/cors.
package main

import (
	"github.com/rs/cors"

	"github.com/corsrpc/corsrpc-go/internal/bench/sizes"
)

func main() { sizes.Serve("8080", cors.Default().Handler(sizes.Handler())) }
