//go:build nginx && !fleet

package export_test

// The number of random policies, and of requests for each.
const nginxPolicies, nginxCalls = 40, 50

// Of the lines of an export, each one of so many is dropped.
const droppedLines = 8
