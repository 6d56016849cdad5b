package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// An sbom lists what a program consists of: a document of CycloneDX 1.5 in JSON.
type sbom struct {
	Format   string `json:"bomFormat"`
	Spec     string `json:"specVersion"`
	Version  int    `json:"version"`
	Metadata struct {
		Timestamp string    `json:"timestamp"` // of the commit
		Component component `json:"component"` // the program
	} `json:"metadata"`
	Components []component `json:"components"` // the modules that are compiled in, and the standard library
}

// A component is the program or a module. Its property go.sum is the module's sum, as in go.sum.
type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licenses   []license  `json:"licenses,omitempty"`
	PURL       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type (
	hash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	license struct {
		License struct {
			ID string `json:"id"` // of SPDX
		} `json:"license"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// sbomSuffix ends the name of a file with an SBOM.
const sbomSuffix = ".cdx.json"

// standardLibrary is the name of Go's standard library as a component.
const standardLibrary = "stdlib"

// goSumProperty is the name of a component's property with the module's sum.
const goSumProperty = "go.sum"

// makeSBOM returns the SBOM of a program. licenses returns the SPDX identifiers of a module's licences, and is called for
// the standard library too.
func makeSBOM(b *binary, at time.Time, licenses func(module string) ([]string, error)) ([]byte, error) {
	document := sbom{Format: "CycloneDX", Spec: "1.5", Version: 1}
	document.Metadata.Timestamp = at.UTC().Format(time.RFC3339)
	of := func(module, version, sum string) (component, error) {
		ids, err := licenses(module)
		if err != nil {
			return component{}, err
		}
		c := component{Type: "library", Name: module, Version: version, PURL: purl(module, version)}
		c.Ref = c.PURL
		for _, id := range ids {
			var l license
			l.License.ID = id
			c.Licenses = append(c.Licenses, l)
		}
		if sum != "" {
			c.Properties = []property{{goSumProperty, sum}}
		}
		return c, nil
	}
	program, err := of(b.info.Main.Path, b.info.Main.Version, b.info.Main.Sum)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(b.data)
	program.Type, program.Name, program.Hashes = "application", b.name(), []hash{{"SHA-256", hex.EncodeToString(digest[:])}}
	if folder, _ := cutDir(b.program, b.info.Main.Path); folder != b.program && folder != "" {
		program.PURL += "#" + folder
		program.Ref = program.PURL
	}
	document.Metadata.Component = program
	goVersion := strings.TrimPrefix(b.info.GoVersion, "go")
	deps := append(slices.Clone(b.info.Deps), &debug.Module{Path: standardLibrary, Version: goVersion})
	for _, m := range deps {
		if m.Replace != nil {
			return nil, fmt.Errorf("%s is replaced by %s: a released module replaces nothing", m.Path, m.Replace.Path)
		}
		c, err := of(m.Path, m.Version, m.Sum)
		if err != nil {
			return nil, err
		}
		document.Components = append(document.Components, c)
	}
	slices.SortFunc(document.Components, func(a, b component) int { return strings.Compare(a.PURL, b.PURL) })
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(document)
	return text.Bytes(), err
}

// purl returns the package URL of a version of a Go module.
func purl(module, version string) string {
	segments := strings.Split(strings.ToLower(module), "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return "pkg:golang/" + strings.Join(segments, "/") + "@" + strings.ReplaceAll(url.PathEscape(version), "+", "%2B")
}
