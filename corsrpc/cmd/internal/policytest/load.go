// Package policytest reads and runs tests of policies: messages corsrpc.v1.PolicyTest in files.
package policytest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/input"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// maxTestBytes is the maximum size of the text of a test file, and of its policy.
const maxTestBytes = 8 << 20

// Suite is a test file that was read, and whose content is valid, with its policy. Its methods are not
// safe for concurrent use.
type Suite struct {
	// Name is the name of the test file, and Policy that of its policy.
	Name, Policy string
	// Unknown says what is not known about the policy, one sentence each, as of input.Policy.
	Unknown []string
	// Notes say what else the author should know, as of input.Policy.
	Notes []string
	// Texts holds the text of both files, by name.
	Texts map[string][]byte

	test  *corsrpcv1.PolicyTest
	file  *policyfile.File
	plans *plans
	known known // the names of the policy and the schema
	// proves replaces the functions of analysis in tests; the zero prover replaces nothing.
	proves prover
}

// InvalidError is the error of a test file that has problems, or whose policy has.
type InvalidError struct {
	// Problems are those of the test file.
	Problems []report.Problem
	// Policy are the problems of the policy; nil if it has none, or was not read.
	Policy *corsrpc.PolicyError
	// Texts holds the text of the files that were read, by name.
	Texts map[string][]byte
}

// Error returns how many problems there are.
func (e *InvalidError) Error() string {
	n := len(e.Problems)
	if e.Policy != nil {
		n += len(e.Policy.Violations)
	}
	return "the test has " + report.Count(n, "problem")
}

// Load reads a test file and its policy, and checks the whole content. The flags are those of the
// command: their profile and variables win over those of the file, and their descriptors and prefixes are
// added. The error is an *InvalidError, with every problem, if the files can be read but are not valid.
func Load(ctx context.Context, name string, flags input.Flags) (*Suite, error) {
	switch name {
	case "-":
		return nil, errors.New("a test is a file, since the name of its policy is relative to its folder: write its name instead of -")
	case "":
		return nil, errors.New("the name of a test is empty: write a name such as cors_test.yaml")
	}
	text, err := input.ReadFile(name, "test")
	if err != nil {
		return nil, err
	}
	s := &Suite{Name: name, test: &corsrpcv1.PolicyTest{}, Texts: map[string][]byte{name: text}}
	s.file = policyfile.Parse(name, text, s.test, maxTestBytes)
	c := &checker{suite: s, parsed: s.file.Problems}
	c.addParsed()
	if s.file.Fatal {
		return nil, c.invalid(nil)
	}
	if err := s.readPolicy(ctx, c, flags); err != nil {
		return nil, err
	}
	broken, err := c.checkAgainstPolicy()
	if err != nil {
		return nil, err
	}
	if broken != nil || len(c.problems) > 0 {
		return nil, c.invalid(broken)
	}
	s.Unknown = slices.DeleteFunc(slices.Clone(s.plans.base().policy.Unknown), s.tells)
	s.Notes = s.plans.base().policy.Notes
	return s, nil
}

// tells reports whether the test tells what is not known about its policy: the origins of a source.
func (s *Suite) tells(unknown string) bool {
	for name := range s.test.GetSources() {
		if unknown == input.UnknownSource(name) {
			return true
		}
	}
	return false
}

// readPolicy reads the policy and the schema. It reports the names of files that do not exist.
func (s *Suite) readPolicy(ctx context.Context, c *checker, flags input.Flags) error {
	folder := filepath.Dir(s.Name)
	relative := func(name string) string {
		if filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(folder, name)
	}
	flags.Descriptors = slices.Clone(flags.Descriptors)
	for i, name := range s.test.GetDescriptors() {
		file := relative(name)
		if _, err := os.Stat(file); err != nil {
			c.fail(fmt.Sprintf("descriptors[%d]", i), CodeFileMissing, name, "is not a file that can be read, relative to the folder of the test", "")
			continue
		}
		flags.Descriptors = append(flags.Descriptors, file)
	}
	flags.Prefixes = append(slices.Clone(flags.Prefixes), s.test.GetPathPrefixes()...)
	if flags.Profile == "" {
		flags.Profile = s.test.GetProfile()
	}
	settings, err := flags.Settings(ctx)
	if err != nil {
		return err
	}
	env := maps.Clone(s.test.GetEnv())
	if env == nil {
		env = map[string]string{}
	}
	maps.Copy(env, settings.Env)
	settings.Env = env
	s.plans = &plans{settings: settings, sources: s.test.GetSources(), variants: map[string]*variant{}}
	switch name := s.test.GetPolicy(); {
	case c.skips("policy"):
	case name == "":
		c.fail("policy", CodeFieldMissing, "", "has to name the policy file, relative to the folder of the test", "policy: cors.yaml")
	case name == "-":
		c.fail("policy", CodeFileMissing, name, "is not the name of a file: a test cannot take its policy from the standard input", "the name of the policy file")
	default:
		s.Policy = relative(name)
		text, missing := input.ReadFile(s.Policy, "policy")
		if missing == nil {
			s.plans.name, s.plans.text, s.Texts[s.Policy] = s.Policy, text, text
		} else {
			c.fail("policy", CodeFileMissing, name, "is not a file that can be read, relative to the folder of the test", nearestFile(s.Policy, name))
		}
	}
	return nil
}

// nearestFile returns the name of the file beside a missing one whose name is nearest, relative to the
// folder of the test; empty if none is near.
func nearestFile(missing, name string) string {
	entries, err := os.ReadDir(filepath.Dir(missing))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if _, ok := policyfile.FormatOf(e.Name()); ok && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	nearest, ok := policyfile.Nearest(filepath.Base(missing), names)
	if !ok {
		return ""
	}
	return filepath.ToSlash(filepath.Join(filepath.Dir(name), nearest))
}
