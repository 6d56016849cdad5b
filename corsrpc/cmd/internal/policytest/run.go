package policytest

import (
	"context"
	"fmt"

	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
)

// Run runs the cases and the guarantees whose name the filter selects, in the order of the file. It stops
// when the context ends. It calls progress before each, with the number of those that are done and of all.
func (s *Suite) Run(ctx context.Context, selects func(name string) bool, progress func(done, all int)) ([]Result, error) {
	type item struct {
		name, field string
		run         func() Result
	}
	var items []item
	for i, one := range s.test.GetCases() {
		items = append(items, item{nameOf(one), fmt.Sprintf("cases[%d]", i), func() Result { return s.runCase(one) }})
	}
	for i, g := range s.test.GetGuarantees() {
		name := nameOfGuarantee(i, g)
		items = append(items, item{name, fmt.Sprintf("guarantees[%d]", i), func() Result { return s.runGuarantee(name, g) }})
	}
	var results []Result
	for i, it := range items {
		if err := ctx.Err(); err != nil {
			return results, err
		}
		if !selects(it.name) {
			continue
		}
		progress(i, len(items))
		r := it.run()
		at := s.position(it.field)
		r.Place = report.Place{File: s.Name, Line: at.Line, Column: at.Column, Field: it.field}
		results = append(results, r)
	}
	return results, nil
}
