// Package e2e holds the tests in real browsers: pages in Chromium, Firefox and
// WebKit call servers on another origin, through corsrpc, and what their
// scripts can read is asserted by value.
//
// Package browser runs JavaScript in the browsers; web holds the scripts, with
// the official client of Connect. `make e2e` installs what is missing and runs
// all of it. After that, in this folder:
//
//	go test -run 'TestMatrix/Firefox' .  # one test in one browser
//	go test -run TestRecipeTable -v .    # prints the README's comparison
package e2e
