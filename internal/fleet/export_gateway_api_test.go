package fleet_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/fleet/gatewayapi"
)

const gatewayCalls = 50 // for each policy

// TestExportGatewayAPIDifference compares random policies in the model of a Gateway with Wrap.
func TestExportGatewayAPIDifference(t *testing.T) {
	t.Parallel()
	s, counts := new(server), map[string]int{}
	for i, p := range drawExports(t, export.GatewayAPI, 0, gatewayPolicies) {
		r := rand.New(rand.NewPCG(uint64(i), 25))
		t.Run(fmt.Sprint("policy ", i), func(t *testing.T) {
			gateway, err := gatewayapi.New(p.export.Text, s, r)
			if err != nil {
				t.Fatalf("%v\n%s", err, p.export.Text)
			}
			through := throughHandler{gateway}
			p.compare(t, s, through, r, gatewayCalls, counts)
			p.compareCached(t, s, through, r, counts)
			if t.Failed() {
				t.Logf("%+v\n%s", gateway, p.export.Text)
			}
		})
		if t.Failed() {
			break
		}
	}
	checkClassesOf(t, counts, leastGatewayCalls, "readable in both", "readable with Wrap only", "refused in both", "passed in both", "a program passed", "own page read", "granted preflight",
		"native gRPC passed", "read from the cache", "readable there only, server-fields", "readable there only, wildcards")
}
