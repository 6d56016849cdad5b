package policydiff

import (
	"encoding/json"
	"io"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/analysis"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// The parts of the JSON document, which corsrpc/docs/comparing.md describes.
type (
	document struct {
		report.Header
		Verdict     analysis.Verdict `json:"verdict"`
		Old         policyShown      `json:"old"`
		New         policyShown      `json:"new"`
		Differences []shown          `json:"differences"`
		Undecided   []string         `json:"undecided"`
		Unknown     []string         `json:"unknown"`
	}
	policyShown struct {
		Name   string `json:"name"`
		Digest string `json:"digest"`
	}
	shown struct {
		Gained     bool            `json:"gained"`
		Aspect     analysis.Aspect `json:"aspect"`
		Sentence   string          `json:"sentence"`
		Values     []string        `json:"values"`
		MoreValues int             `json:"more_values,omitempty"`
		Sources    []string        `json:"sources,omitempty"`
		Targets    []string        `json:"targets"`
		Old        *placeShown     `json:"old,omitempty"`
		New        *placeShown     `json:"new,omitempty"`
		Witness    witnessShown    `json:"witness"`
	}
	placeShown struct {
		report.Place
		Variable string `json:"variable,omitempty"`
	}
	witnessShown struct {
		Curl    string              `json:"curl,omitempty"`
		Engine  string              `json:"engine,omitempty"`
		Case    json.RawMessage     `json:"case,omitempty"`
		Sources map[string][]string `json:"sources,omitempty"`
		Env     map[string]string   `json:"env,omitempty"`
		Bug     string              `json:"bug,omitempty"`
	}
)

// WriteJSON writes the result as a JSON document.
func (r *Result) WriteJSON(w io.Writer) error {
	doc := &document{
		Verdict: r.Verdict, Old: shownPolicy(r.Old), New: shownPolicy(r.New),
		Differences: []shown{}, Undecided: report.NotNil(r.Undecided), Unknown: report.NotNil(r.Unknown),
	}
	for _, d := range r.Differences {
		s, err := shownDifference(d)
		if err != nil {
			return err
		}
		doc.Differences = append(doc.Differences, s)
	}
	return report.WriteDocument(w, "diff", doc)
}

func shownPolicy(s *Side) policyShown { return policyShown{s.Policy.Name, s.Policy.Plan.Digest()} }

func shownDifference(d Difference) (shown, error) {
	s := shown{
		Gained: d.Gained, Aspect: d.Aspect, Sentence: d.Sentence, Values: report.NotNil(d.Values), MoreValues: d.More,
		Sources: d.Sources, Targets: report.NotNil(d.Targets), Old: shownPlace(d.Old), New: shownPlace(d.New),
		Witness: witnessShown{
			Curl: d.Witness.Curl, Engine: d.Witness.Engine, Sources: d.Difference.Witness.Sources, Env: d.Difference.Witness.Env, Bug: d.Witness.Bug,
		},
	}
	if d.Witness.Case == nil {
		return s, nil
	}
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(d.Witness.Case)
	s.Witness.Case = text
	return s, err
}

// shownPlace returns a place for JSON; nil for a built-in value.
func shownPlace(p rules.Place) *placeShown {
	if p == (rules.Place{}) {
		return nil
	}
	return &placeShown{placeOf(p), p.Variable}
}
