package gatewayfile

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
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
	CodeMore            = "MORE_PROBLEMS"
)

// Error is the error of a configuration that is not valid.
type Error struct {
	// Name is the name of the gateway file; empty for flags.
	Name string
	// Problems are the problems, in the order of the file: the first 100, and one that says how many more there are.
	Problems []report.Problem
	// Text is the content of the file, with asterisks in place of passwords.
	Text []byte

	omitted int // the number of problems that the last one stands for
}

// maxListed is the maximum number of problems in the text of an error, which goes into logs.
const maxListed = 20

// Error lists the problems, each with its place and what to write.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Summary() + ":")
	for i, p := range e.Problems {
		if i == maxListed {
			fmt.Fprintf(&b, "\n\tand %d more", len(e.Problems)-i+max(e.omitted-1, 0))
			break
		}
		b.WriteString("\n\t")
		if at := p.Place.String(); at != "" {
			b.WriteString(at + ": ")
		}
		if p.Field != "" {
			b.WriteString(p.Field + ": ")
		}
		if p.Value != "" {
			b.WriteString(strconv.Quote(p.Value) + " ")
		}
		b.WriteString(p.Message)
		if p.Fix != "" {
			b.WriteString(": " + p.Fix)
		}
	}
	return b.String()
}

// Summary says how many problems there are.
func (e *Error) Summary() string {
	name := e.Name
	if name == "" {
		name = "the command line"
	}
	return fmt.Sprintf("%s is not valid: it has %s", name, report.Count(len(e.Problems)+max(e.omitted-1, 0), "problem"))
}

// checker collects the problems of a configuration.
type checker struct {
	program  Program
	name     string
	gateway  *corsrpcv1.Gateway // as it is written, without defaults
	parsed   *policyfile.File   // nil for flags
	flags    bool
	folder   string
	problems []report.Problem
	reported map[string]bool // the fields with a problem, and those around them
	omitted  int             // the number of problems after the first maxProblems
}

func newChecker(g *corsrpcv1.Gateway, program Program) *checker {
	return &checker{program: program, gateway: g, reported: map[string]bool{}}
}

// maxProblems is the maximum number of problems that are reported. The others are counted.
const maxProblems = 100

// flagNames maps the fields that flags set to the flags.
var flagNames = []struct{ field, flag string }{
	{"virtual_hosts[0].policy", "--policy"}, {"virtual_hosts[0].profile", "--profile"}, {"virtual_hosts[0].path_prefixes", "--path-prefix"}, {"virtual_hosts[0].hosts", "--host"},
	{"upstreams[0].url", "--upstream"}, {"upstreams[0].reflect", "--reflect"}, {"upstreams[0].descriptors", "--descriptors"},
	{"upstreams[0].response_timeout", "--response-timeout"}, {"upstreams[0].tls.certificate", "--upstream-cert"}, {"upstreams[0].tls.key", "--upstream-key"}, {"upstreams[0].tls.ca", "--upstream-ca"},
	{"upstreams[0].tls.server_name", "--upstream-server-name"}, {"upstreams[0].tls", "--upstream-ca, --upstream-cert, --upstream-key or --upstream-server-name"},
	{"listen.address", "--listen"}, {"listen.tls.certificate", "--tls-cert"}, {"listen.tls.key", "--tls-key"}, {"listen.tls.client_ca", "--tls-client-ca"},
	{"internal.address", "--internal"}, {"internal.hosts", "--internal-host"}, {"trusted_proxies", "--trusted-proxy"},
	{"origin_sources[].query", "--origins-query"}, {"origin_sources", "--origins"}, {"access_log.file", "--access-log"}, {"drain.delay", "--drain-delay"}, {"drain.timeout", "--drain-timeout"},
	{"limits.max_connections", "--max-connections"}, {"limits.max_body_bytes", "--max-body-bytes"},
}

// shown returns the name of a field for messages: the field, or the flag that sets it.
func (c *checker) shown(field string) string {
	if c.flags {
		plain := indexes.ReplaceAllString(field, "[]")
		for _, f := range flagNames {
			if strings.HasPrefix(field, f.field) || strings.HasPrefix(plain, f.field) {
				if c.program == Processor && f.flag == "--upstream" {
					return "--reflect"
				}
				return f.flag
			}
		}
	}
	return field
}

// indexes matches the index of an item of a list.
var indexes = regexp.MustCompile(`\[[0-9]+\]`)

// fail adds the problem of a value, unless there is one in it already.
func (c *checker) fail(field, code, value, reason, fix string) {
	if !c.reported[field] {
		c.add(c.position(field), field, code, value, reason, fix)
	}
}

// missing adds the problem of a field that is required and not set, unless the text has a problem beside it or
// around it: the field may then be there, but could not be read.
func (c *checker) missing(field, example string) {
	if c.parsed != nil {
		around := parent(field)
		for _, p := range c.parsed.Problems {
			if p.Field == "" || parent(p.Field) == around || isWithin(around, p.Field) {
				return
			}
		}
	}
	c.fail(field, CodeFieldMissing, "", "is required", example)
}

// unreadable reports whether the text has a problem within a field.
func (c *checker) unreadable(field string) bool {
	return c.parsed != nil && slices.ContainsFunc(c.parsed.Problems, func(p policyfile.Problem) bool {
		return p.Field == "" || isWithin(p.Field, field) || isWithin(field, p.Field)
	})
}

// parent returns the field around a field or an item; empty for one at the top.
func parent(field string) string { return field[:max(strings.LastIndexAny(field, ".["), 0)] }

// isWithin reports whether a field is another one, or within it.
func isWithin(field, other string) bool {
	rest, ok := strings.CutPrefix(field, other)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

func (c *checker) add(at policyfile.Position, field, code, value, reason, fix string) {
	for around := field; around != ""; around = parent(around) {
		c.reported[around] = true
	}
	if len(c.problems) == maxProblems {
		c.omitted++
		return
	}
	if fix != "" {
		fix = "write " + fix
	}
	c.problems = append(c.problems, report.Problem{
		Severity: report.Error, Code: code, Place: report.Place{File: c.name, Line: at.Line, Column: at.Column, Field: c.shown(field)},
		Value: safetext.Sample(withoutSecrets(value)), Message: withoutSecrets(reason), Fix: withoutSecrets(fix),
	})
}

// position returns the position of a field, or of the nearest message around it: at last the start of a text.
func (c *checker) position(field string) policyfile.Position {
	if c.parsed == nil {
		return policyfile.Position{}
	}
	for ; field != ""; field = parent(field) {
		if at, ok := c.parsed.Position(field); ok {
			return at
		}
	}
	if format, _ := policyfile.FormatOf(c.name); format == policyfile.FormatBinary {
		return policyfile.Position{}
	}
	return policyfile.Position{Line: 1, Column: 1}
}

// check checks the whole configuration.
func (c *checker) check() {
	c.checkPorts()
	c.checkUpstreams()
	c.checkVirtualHosts()
	c.checkUnused()
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
		c.fail(field, CodeDuplicate, name, "is the name in "+c.shown(before)+" too", "another name")
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

// maxDuration is the greatest duration of the file.
const maxDuration = 365 * 24 * time.Hour

// checkDuration checks a duration that is set.
func (c *checker) checkDuration(field string, d *durationpb.Duration, least time.Duration) {
	if d == nil {
		return
	}
	switch value := d.AsDuration(); {
	case value < least:
		c.fail(field, CodeRange, value.String(), "is less than "+least.String(), fmt.Sprintf("%gs or more", least.Seconds()))
	case !d.IsValid() || value > maxDuration:
		c.fail(field, CodeRange, value.String(), "is more than a year", "a shorter time, such as 60s")
	}
}

// err returns the problems as an error, in the order of the file; nil if there are none.
func (c *checker) err(text []byte) error {
	if len(c.problems) == 0 {
		return nil
	}
	report.Sort(c.problems)
	if c.omitted > 0 {
		c.problems = append(c.problems, report.Problem{
			Severity: report.Error, Code: CodeMore, Place: report.Place{File: c.name}, Message: fmt.Sprintf("and %d more problems", c.omitted),
		})
	}
	return &Error{Name: c.name, Problems: c.problems, Text: maskedText(text), omitted: c.omitted}
}
