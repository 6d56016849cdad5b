// Package e2e holds the tests in real browsers: pages in Chromium, Firefox and
// WebKit call servers on another origin, through corsrpc, and what their
// scripts can read is asserted by value.
//
// Package browser runs JavaScript in the browsers; web holds the scripts, with
// the official client of Connect. `make e2e` installs what is missing and runs
// all of it. To run one test in one browser:
//
//	go test -run 'TestMatrix/Firefox' ./internal/e2e
//
// in this module's folder, after `make e2e-web`.
package e2e
