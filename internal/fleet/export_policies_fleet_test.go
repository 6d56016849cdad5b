//go:build fleet

package fleet_test

// The number of policies of TestExportGatewayAPIDifference, and the least number of calls of each class.
const (
	gatewayPolicies   = 2000
	leastGatewayCalls = 20
)
