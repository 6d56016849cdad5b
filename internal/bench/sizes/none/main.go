// None is a server without CORS.
package main

import "github.com/corsrpc/corsrpc-go/internal/bench/sizes"

func main() { sizes.Serve("8080", sizes.Handler()) }
