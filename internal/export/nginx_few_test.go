//go:build !fleet

package export_test

// The number of random policies, and of requests for each.
const nginxPolicies, nginxCalls = 40, 50
