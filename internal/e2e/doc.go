// Package e2e tests corsrpc with real browsers: pages in Chromium, Firefox and WebKit
// call servers of another origin, behind a corsrpc layer. The tests compare every value
// that the scripts read.
//
// Package browser runs JavaScript in the browsers. The folder web has the scripts, with
// the RPC clients. `make e2e` installs missing programs and runs all tests. After that,
// you can run single tests in this folder:
//
//	go test -run 'TestMatrix/Firefox' .  # one test in one browser
//	go test -run TestRecipeTable -v .    # prints the comparison in the README
package e2e
