package servers

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestEveryOption: each option that Express's middleware and Flask-CORS have is in a row.
func TestEveryOption(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		program program
		file    string
		options *regexp.Regexp
		least   int
	}{
		{express, "node/node_modules/cors/README.md", regexp.MustCompile("(?m)^\\* `([A-Za-z]+)`: "), 8},
		{flask, "../../../.tmp/flask/flask_cors/core.py", regexp.MustCompile(`(?m)^    "CORS_([A-Z_]+)",$`), 13},
	} {
		text, err := os.ReadFile(test.file)
		if err != nil {
			t.Fatal(err)
		}
		options := test.options.FindAllStringSubmatch(string(text), -1)
		if len(options) < test.least {
			t.Errorf("%s has %d options, of at least %d", test.file, len(options), test.least)
		}
		for _, m := range options {
			name := m[1]
			if name == strings.ToUpper(name) {
				name = strings.ToLower(name)
			}
			test.program.shows(t, name)
		}
	}
}

// shows reports a problem if no row shows the name of an option.
func (p program) shows(t *testing.T, name string) {
	t.Helper()
	for _, r := range p.rows {
		if regexp.MustCompile(`\b` + name + `\b`).MatchString(strings.Join(r.show, " ")) {
			return
		}
	}
	t.Errorf("%s: no row shows %s", p.name, name)
}
