package gatewayfile

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// The codes of the problems that are not those of the text.
const (
	CodeFieldMissing    = "FIELD_MISSING"
	CodeFieldMisplaced  = "FIELD_MISPLACED"
	CodeName            = "NAME"
	CodeDuplicate       = "DUPLICATE"
	CodeAddress         = "ADDRESS"
	CodeURL             = "URL"
	CodeFileMissing     = "FILE_MISSING"
	CodeHost            = "HOST"
	CodeSelector        = "SELECTOR"
	CodePath            = "PATH"
	CodeUpstreamUnknown = "UPSTREAM_UNKNOWN"
	CodeUpstreamUnused  = "UPSTREAM_UNUSED"
	CodeProxy           = "TRUSTED_PROXY"
	CodeRange           = "RANGE"
	CodeSource          = "ORIGIN_SOURCE"
)

// Error is the error of a configuration that is not valid.
type Error struct {
	// Name is the name of the gateway file; empty for flags.
	Name string
	// Problems are all problems, in the order of the file.
	Problems []report.Problem
	// Text is the content of the file.
	Text []byte
}

// Error says how many problems there are. Problems has them.
func (e *Error) Error() string {
	name := e.Name
	if name == "" {
		name = "the command line"
	}
	return fmt.Sprintf("%s is not valid: it has %s", name, report.Count(len(e.Problems), "problem"))
}

// checker collects the problems of a configuration.
type checker struct {
	name     string
	gateway  *corsrpcv1.Gateway // as it is written, without defaults
	parsed   *policyfile.File   // nil for flags
	flags    bool
	folder   string
	problems []report.Problem
}

// flagNames maps the fields that flags set to the flags.
var flagNames = []struct{ field, flag string }{
	{"virtual_hosts[0].policy", "--policy"}, {"virtual_hosts[0].profile", "--profile"}, {"virtual_hosts[0].path_prefixes", "--path-prefix"},
	{"upstreams[0].url", "--upstream"}, {"upstreams[0].reflect", "--reflect"}, {"upstreams[0].descriptors", "--descriptors"},
	{"upstreams[0].response_timeout", "--response-timeout"}, {"upstreams[0].tls.certificate", "--upstream-cert"}, {"upstreams[0].tls.key", "--upstream-key"}, {"upstreams[0].tls.ca", "--upstream-ca"},
	{"upstreams[0].tls.server_name", "--upstream-server-name"}, {"upstreams[0].tls", "--upstream-ca, --upstream-cert, --upstream-key or --upstream-server-name"},
	{"listen.address", "--listen"}, {"listen.tls.certificate", "--tls-cert"}, {"listen.tls.key", "--tls-key"}, {"listen.tls.client_ca", "--tls-client-ca"},
	{"internal.address", "--internal"}, {"internal.hosts", "--internal-host"}, {"trusted_proxies", "--trusted-proxy"},
	{"origin_sources", "--origins"}, {"access_log.file", "--access-log"}, {"drain.delay", "--drain-delay"}, {"drain.timeout", "--drain-timeout"},
	{"limits.max_connections", "--max-connections"}, {"limits.max_body_bytes", "--max-body-bytes"},
}

// fail adds the problem of a value, unless the text has one there.
func (c *checker) fail(field, code, value, reason, fix string) {
	for _, p := range c.problems {
		if p.Field == field || strings.HasPrefix(p.Field, field+".") || strings.HasPrefix(p.Field, field+"[") {
			return
		}
	}
	c.add(c.position(field), field, code, value, reason, fix)
}

func (c *checker) add(at policyfile.Position, field, code, value, reason, fix string) {
	if fix != "" {
		fix = "write " + fix
	}
	if c.flags {
		for _, f := range flagNames {
			if strings.HasPrefix(field, f.field) {
				field = f.flag
				break
			}
		}
	}
	c.problems = append(c.problems, report.Problem{
		Severity: report.Error, Code: code, Place: report.Place{File: c.name, Line: at.Line, Column: at.Column, Field: field},
		Value: safetext.Sample(value), Message: reason, Fix: fix,
	})
}

// position returns the position of a field, or of the nearest message around it.
func (c *checker) position(field string) policyfile.Position {
	if c.parsed == nil {
		return policyfile.Position{}
	}
	for {
		if at, ok := c.parsed.Position(field); ok {
			return at
		}
		end := strings.LastIndexAny(field, ".[")
		if end < 0 {
			return policyfile.Position{}
		}
		field = field[:end]
	}
}

// missing adds the problem of a field that is required and not set.
func (c *checker) missing(field, example string) {
	c.fail(field, CodeFieldMissing, "", "is required", example)
}

// check checks the whole configuration.
func (c *checker) check() {
	c.checkPorts()
	c.checkUpstreams()
	c.checkVirtualHosts()
	c.checkSources()
	c.checkProxies()
	c.checkLimits()
}

// isName reports whether a text consists of letters, digits, - and _.
func isName(text string) bool {
	return text != "" && len(text) <= 63 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// checkName checks a name that has to be unique. It returns whether it may be used.
func (c *checker) checkName(field, name string, seen map[string]string) bool {
	switch before, twice := seen[name]; {
	case name == "":
		c.missing(field, "a name of letters, digits, - and _")
		return false
	case !isName(name):
		c.fail(field, CodeName, name, "is not a name: it has to consist of letters, digits, - and _, 63 at most", namelike(name))
		return false
	case twice:
		c.fail(field, CodeDuplicate, name, "is the name in "+before+" too", "another name")
		return false
	}
	seen[name] = field
	return true
}

// namelike returns a name that is like a text; empty if there is none.
func namelike(text string) string {
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && isName(string(r)) {
			return r
		}
		return '-'
	}, text)
	if name = strings.Trim(name, "-"); isName(name) {
		return name
	}
	return ""
}

// checkFile checks that a regular file can be read.
func (c *checker) checkFile(field, name string) {
	path := name
	if folder := c.folder; folder != "" && !isAbs(name) {
		path = folder + string(os.PathSeparator) + name
	}
	f, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		where := "in the folder of the gateway file, which names of files are relative to"
		if c.flags {
			where = "in the current folder"
		}
		if isAbs(name) {
			where = ""
		}
		c.fail(field, CodeFileMissing, name, strings.TrimSpace("does not exist "+where), "the name of a file")
	case err != nil:
		c.fail(field, CodeFileMissing, name, "cannot be read: "+errors.Unwrap(err).Error(), "the name of a file")
	case !f.Mode().IsRegular():
		c.fail(field, CodeFileMissing, name, "is not a regular file", "the name of a file")
	default:
		file, err := os.Open(path)
		if err != nil {
			c.fail(field, CodeFileMissing, name, "cannot be read: "+errors.Unwrap(err).Error(), "")
			return
		}
		_ = file.Close()
	}
}

// maxDuration is the greatest duration of the file.
const maxDuration = 365 * 24 * time.Hour

// checkDuration checks a duration that is set.
func (c *checker) checkDuration(field string, d *durationpb.Duration, least time.Duration) {
	if d == nil {
		return
	}
	switch value := d.AsDuration(); {
	case !d.IsValid() || value > maxDuration:
		c.fail(field, CodeRange, value.String(), "is more than a year", "a shorter time, such as 60s")
	case value < least:
		c.fail(field, CodeRange, value.String(), "is less than "+least.String(), fmt.Sprintf("%gs or more", least.Seconds()))
	}
}

// sorted returns the problems in the order of the file.
func (c *checker) sorted() []report.Problem {
	slices.SortStableFunc(c.problems, func(a, b report.Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return c.problems
}
