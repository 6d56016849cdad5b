// Package vectors holds one corpus of cases that every runner reads: Decide,
// the middleware, the browsers. A case is a policy, a request, what the
// handler answers, and the outcome. It is data: nothing in it knows how the
// product is built.
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

// Suite is a policy that loads, and requests to a server behind it. One file
// of testdata/requests holds one suite.
type Suite struct {
	// File is the name of the suite's file without its extension.
	File string `yaml:"-"`
	// About says what the suite is about.
	About string `yaml:"about"`
	// Policy is the text of a YAML policy.
	Policy string `yaml:"policy"`
	// Prefixes are path prefixes that the compiler is told of.
	Prefixes []string `yaml:"prefixes"`
	// Schema is "acme" (the default), "options" for services that carry options, or
	// "none" for a server without one.
	Schema string `yaml:"schema"`
	// Profile is the one that is chosen; Env is what the environment holds.
	Profile string            `yaml:"profile"`
	Env     map[string]string `yaml:"env"`
	// Sources are what origin sources stream, by their names.
	Sources map[string][]string `yaml:"sources"`
	Cases   []Case              `yaml:"cases"`
}

// Case is one request and its outcome.
type Case struct {
	// Name says what the case shows.
	Name    string  `yaml:"name"`
	Request Request `yaml:"request"`
	// Response is what the handler answers, where it runs. Default: 200, no
	// header fields of its own.
	Response Response `yaml:"response"`
	Want     Want     `yaml:"want"`
}

// Request is a request as a server receives it.
type Request struct {
	Method string `yaml:"method"` // default POST
	Host   string `yaml:"host"`   // default api.example.com
	// Path is the path as it is sent, escapes included.
	Path   string `yaml:"path"`
	TLS    bool   `yaml:"tls"`
	Header Header `yaml:"header"`
}

// Response is what a handler answers.
type Response struct {
	// Status is written, unless it is 0.
	Status int    `yaml:"status"`
	Header Header `yaml:"header"`
}

// Want is what has to come of a request. It is closed: a header field of the
// Access-Control family or Vary that it does not list must not be there.
type Want struct {
	// Outcome is untouched, pass, grant, preflight, refuse or
	// method_not_allowed.
	Outcome string `yaml:"outcome"`
	// Reason is the reason's code.
	Reason string `yaml:"reason"`
	// Field is the field of the policy behind the decision; empty: any.
	Field string `yaml:"field"`
	// Status is the status of the answer; default: what the outcome implies.
	Status int `yaml:"status"`
	// Header holds Access-Control fields and Vary, all of them; and any others
	// that have to be there.
	Header Header `yaml:"header"`
	// Missing is what a preflight asked for in vain.
	Missing string `yaml:"missing"`
	// Observed says that the outcome is only reported: the handler runs, and its
	// answer is left as it is.
	Observed bool `yaml:"observed"`
}

// Header is a set of header fields; a field's value is one line, or a list of
// lines.
type Header map[string]Lines

// Lines are the lines of one header field.
type Lines []string

// UnmarshalYAML reads a line, or a list of lines.
func (l *Lines) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = Lines{n.Value}
		return nil
	}
	return n.Decode((*[]string)(l))
}

// HTTP returns the fields under the names as they are written, so that a case
// can hold names that are not canonical.
func (h Header) HTTP() http.Header {
	out := http.Header{}
	for name, lines := range h {
		out[name] = slices.Clone(lines)
	}
	return out
}

// Policy is a policy text and everything that is wrong with it. One file of
// testdata/policies holds many.
type Policy struct {
	// Name says what is wrong with the text.
	Name string `yaml:"name"`
	// File is the name the text is parsed under; default cors.yaml.
	File string `yaml:"file"`
	Text string `yaml:"text"`
	// Schema, Profile and Env are as in a Suite.
	Schema  string            `yaml:"schema"`
	Profile string            `yaml:"profile"`
	Env     map[string]string `yaml:"env"`
	// Violations are all that loading reports, in order, each as
	// "line:column field CHECK"; an unknown place is 0:0, no field is -.
	Violations []string `yaml:"violations"`
}

// Suites returns every suite, in the order of their files' names.
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

// Policies returns every policy text with its violations.
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

func decode(text []byte, v any) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	return d.Decode(v)
}

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

// Schema returns the services that a suite's server knows; "options" can be read
// where the extensions of corsrpc.v1 are linked in.
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
