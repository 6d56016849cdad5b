package export

import "fmt"

// Target is a system that a policy can be exported to.
type Target string

// The targets, as the command names them.
const (
	Envoy      Target = "envoy"
	GatewayAPI Target = "gateway-api"
	Nginx      Target = "nginx"
)

// Export is a configuration, and what it loses.
type Export struct {
	// Text is the configuration. It ends in a line break.
	Text string
	// Losses are in the order of LossNames.
	Losses []Loss
}

// Write returns the configuration of a target. It returns an error if the target cannot hold the model at all.
func Write(t Target, m *Model) (*Export, error) {
	switch t {
	case Envoy:
		return writeEnvoy(m)
	case GatewayAPI:
		return writeGatewayAPI(m)
	case Nginx:
		return writeNginx(m)
	}
	return nil, fmt.Errorf("%q is not a target: write envoy, gateway-api or nginx", t)
}
