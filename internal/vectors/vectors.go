// Package vectors holds one corpus of test cases that several runners read: Decide, the
// middleware and the browsers. A case consists of a policy, a request, the response of the
// handler, and the expected outcome. The cases are data that do not depend on the
// implementation.
package vectors

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

//go:embed testdata
var files embed.FS

// Suite is a valid policy, and requests to a server that enforces it. Each file of
// testdata/requests contains one suite.
type Suite struct {
	// File is the name of the suite's file without its extension.
	File string `yaml:"-"`
	// About is the subject of the suite.
	About string `yaml:"about"`
	// Policy is the text of a YAML policy.
	Policy string `yaml:"policy"`
	// Prefixes are the path prefixes that the policy is compiled with.
	Prefixes []string `yaml:"prefixes"`
	// Schema is "acme" (the default), "options" for services with corsrpc options, or "none"
	// for a server without a schema.
	Schema string `yaml:"schema"`
	// Profile is the name of the chosen profile, and Env holds the environment variables.
	Profile string            `yaml:"profile"`
	Env     map[string]string `yaml:"env"`
	// Sources holds the origins that each origin source returns, by its name.
	Sources map[string][]string `yaml:"sources"`
	// Findings are the findings about the policy, in the form of those of a Policy.
	Findings []string `yaml:"findings"`
	Cases    []Case   `yaml:"cases"`
}

// Case is one request and its expected outcome.
type Case struct {
	// Name describes the case.
	Name    string  `yaml:"name"`
	Request Request `yaml:"request"`
	// Response is the response of the handler, if it runs. The default is 200 without headers.
	Response Response `yaml:"response"`
	Want     Want     `yaml:"want"`
}

// Request is a request as the server receives it.
type Request struct {
	Method string `yaml:"method"` // default POST
	Host   string `yaml:"host"`   // default api.example.com
	// Path is the path as it is sent, including escapes.
	Path   string `yaml:"path"`
	TLS    bool   `yaml:"tls"`
	Header Header `yaml:"header"`
}

// Response is the response of a handler.
type Response struct {
	// Status is the status that the handler writes; 0 if it writes none.
	Status int    `yaml:"status"`
	Header Header `yaml:"header"`
}

// Want is the expected outcome of a request. Headers of the Access-Control family,
// Timing-Allow-Origin and Vary that it does not list must not be in the response.
type Want struct {
	// Outcome is untouched, pass, grant, preflight, refuse or method_not_allowed.
	Outcome string `yaml:"outcome"`
	// Reason is the code of the reason.
	Reason string `yaml:"reason"`
	// Field is the field of the policy that the decision is based on; "" for any.
	Field string `yaml:"field"`
	// Status is the status of the response. The default is the one that follows from the
	// outcome.
	Status int `yaml:"status"`
	// Header holds all Access-Control headers, Timing-Allow-Origin and Vary, and some others that
	// must be in the response.
	Header Header `yaml:"header"`
	// Missing is what a preflight requested and was not granted.
	Missing string `yaml:"missing"`
	// Observed is true if the outcome is only reported: the handler runs, and its response is
	// left unchanged.
	Observed bool `yaml:"observed"`
}

// Header is a set of header fields. The value of a field is one line or a list of lines.
type Header map[string]Lines

// Lines are the lines of one header field.
type Lines []string

// UnmarshalYAML reads one line or a list of lines.
func (l *Lines) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = Lines{n.Value}
		return nil
	}
	return n.Decode((*[]string)(l))
}

// HTTP returns the fields as an http.Header, with names exactly as written, so that a case can contain names that
// are not canonical.
func (h Header) HTTP() http.Header {
	out := http.Header{}
	for name, lines := range h {
		out[name] = slices.Clone(lines)
	}
	return out
}

// Policy is a policy text with all its violations, or with all its findings if it loads. Each file of testdata/policies contains
// several.
type Policy struct {
	// Name describes the text: its mistakes or its findings.
	Name string `yaml:"name"`
	// File is the name that the text is parsed with. The default is cors.yaml.
	File string `yaml:"file"`
	Text string `yaml:"text"`
	// Schema, Profile and Env are those of a Suite.
	Schema  string            `yaml:"schema"`
	Profile string            `yaml:"profile"`
	Env     map[string]string `yaml:"env"`
	// Violations are the violations that loading the text reports, in order, each as
	// "line:column field CHECK". An unknown position is 0:0, and an empty field is -.
	Violations []string `yaml:"violations"`
	// Findings are the findings about a policy that loads, in the form of Violations. Those about
	// its shadow policy follow.
	Findings []string `yaml:"findings"`
}

// Suites returns all suites, in the order of their file names.
func Suites() ([]Suite, error) {
	var suites []Suite
	err := each("testdata/requests", func(name string, text []byte) error {
		s := Suite{File: name}
		if err := decode(text, &s); err != nil {
			return err
		}
		suites = append(suites, s)
		return nil
	})
	return suites, err
}

// Policies returns all policy texts with their violations.
func Policies() ([]Policy, error) {
	var all []Policy
	err := each("testdata/policies", func(name string, text []byte) error {
		var policies []Policy
		if err := decode(text, &policies); err != nil {
			return err
		}
		all = append(all, policies...)
		return nil
	})
	return all, err
}

// decode decodes YAML, and refuses unknown fields.
func decode(text []byte, v any) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	return d.Decode(v)
}

// each calls read for each file in a directory, with its name without the extension.
func each(dir string, read func(name string, text []byte) error) error {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, err := files.ReadFile(path.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		name := e.Name()[:len(e.Name())-len(path.Ext(e.Name()))]
		if err := read(name, text); err != nil {
			return fmt.Errorf("%s/%s: %w", dir, e.Name(), err)
		}
	}
	return nil
}

// Schema returns the services of a suite's server. The schema "options" can be read only if the
// extensions of corsrpc.v1 are linked in.
func Schema(name string) (*protoregistry.Files, error) {
	switch name {
	case "none":
		return new(protoregistry.Files), nil
	case "":
		name = "acme"
	}
	text, err := files.ReadFile("testdata/" + name + ".textproto")
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := prototext.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	return protodesc.NewFiles(&set)
}
