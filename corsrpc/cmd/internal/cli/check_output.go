package cli

import (
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// checkDocument is the JSON document of check. docs/command.md documents it.
type checkDocument struct {
	report.Header
	Files    []checkedFile    `json:"files"`
	Problems []report.Problem `json:"problems"`
}

// checkedFile is a policy in the JSON document.
type checkedFile struct {
	File         string   `json:"file"`
	Loads        bool     `json:"loads"`
	Digest       string   `json:"digest,omitempty"`
	Error        string   `json:"error,omitempty"`
	Findings     int      `json:"findings"`
	FindingsLeft int      `json:"findings_left,omitempty"`
	Unknown      []string `json:"unknown,omitempty"`
}

// write writes the results in a format.
func (all checks) write(s Streams, format report.Format, strict bool) error {
	if format == report.JSON {
		return report.WriteDocument(s.Out, "check", all.document(strict))
	}
	r := &report.Report{Texts: map[string][]byte{}, Rules: policyRules(), Version: moduleVersion(), Folder: s.Folder, Color: s.Color}
	for _, c := range all {
		r.Problems = append(r.Problems, c.reported(strict)...)
		r.Texts[c.file] = c.text
		if c.failure != "" {
			r.Failures = append(r.Failures, c.failure)
		}
		for _, u := range c.unknown {
			r.Notes = append(r.Notes, c.file+": "+u)
		}
	}
	switch format {
	case report.GitHub:
		r.Notes = nil // they would annotate every pull request
		return r.WriteGitHub(s.Out)
	case report.SARIF:
		return r.WriteSARIF(s.Out)
	}
	return r.WriteText(s.Out)
}

func (all checks) document(strict bool) *checkDocument {
	d := &checkDocument{Problems: []report.Problem{}}
	for _, c := range all {
		d.Files = append(d.Files, checkedFile{
			c.file, c.digest != "", c.digest, c.failure, len(c.findings.problems), c.findings.left, c.unknown,
		})
		d.Problems = append(d.Problems, c.reported(strict)...)
	}
	return d
}
