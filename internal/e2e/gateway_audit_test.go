package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// TestGatewayAudit: the audit of the gateway by `corsrpc probe` finds nothing, and neither does the comparison with its policy.
func TestGatewayAudit(t *testing.T) {
	t.Parallel()
	const policy = `
defaults: {allow_origins: ["https://app.example.com"]}
rules:
  - selector: showcase.v1.ShowcaseService
    allow_credentials: true
    allow_headers: [authorization]
`
	name, err := program()
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range gatewayServers {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			url, dir := startGateway(t, server.upstream(t), "", policy, server.schema()...)
			for _, args := range []string{
				"probe --audit --all --max-requests 1000 --from https://app.example.com --descriptors image.binpb " + url,
				"probe --against cors.yaml --all --max-requests 1000 --descriptors image.binpb " + url,
			} {
				cmd := exec.CommandContext(t.Context(), name, strings.Fields(args)...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("corsrpc %s: %v\n%s", args, err, out)
				}
			}
		})
	}
}
