//go:build fleet

package e2e

import "testing"

// TestEnvoyExample: the bookshop of examples/gateway, with Envoy and the external processor in the gateway's place. The page reads
// the same.
func TestEnvoyExample(t *testing.T) {
	testBookshop(t, "envoy/run.sh")
}
