package policytest

import (
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/cmd/internal/report"
	"github.com/corsrpc/corsrpc-go/internal/policyfile"
)

// The codes of the problems of a test that are not those of its text.
const (
	CodeFileMissing      = "FILE_MISSING"
	CodeFieldMissing     = "FIELD_MISSING"
	CodeFieldMisplaced   = "FIELD_MISPLACED"
	CodeContradiction    = "CONTRADICTION"
	CodeDuplicateName    = "DUPLICATE_NAME"
	CodeEmptyTest        = "EMPTY_TEST"
	CodeOrigin           = "ORIGIN"
	CodeServer           = "SERVER"
	CodeCall             = "CALL"
	CodeProcedureUnknown = "PROCEDURE_UNKNOWN"
	CodeMethod           = "METHOD"
	CodeHeader           = "HEADER"
	CodeStatus           = "STATUS"
	CodeReasonUnknown    = "REASON_UNKNOWN"
	CodePreflights       = "PREFLIGHTS"
	CodeProfileUnknown   = "PROFILE_UNKNOWN"
	CodeSourceUnknown    = "SOURCE_UNKNOWN"
	CodeVariableUnknown  = "VARIABLE_UNKNOWN"
	CodeVariable         = "VARIABLE"
	CodeSelector         = "SELECTOR"
	CodePrefix           = "PATH_PREFIX"
)

// checker collects the problems of a test.
type checker struct {
	suite    *Suite
	parsed   []policyfile.Problem // those of the text
	problems []report.Problem
}

// addParsed adds the problems of the text.
func (c *checker) addParsed() {
	for _, p := range c.parsed {
		c.add(p.Pos, p.Field, p.Code, p.Value, p.Reason, p.Fix)
	}
}

// fail adds the problem of a value, unless the text has one there.
func (c *checker) fail(field, code, value, reason, fix string) {
	if !c.skips(field) {
		c.add(c.suite.position(field), field, code, value, reason, fix)
	}
}

func (c *checker) add(at policyfile.Position, field, code, value, reason, fix string) {
	if fix != "" {
		fix = "write " + fix
	}
	c.problems = append(c.problems, report.Problem{
		Severity: report.Error, Code: code, Place: report.Place{File: c.suite.Name, Line: at.Line, Column: at.Column, Field: field},
		Value: shorten(value), Message: reason, Fix: fix,
	})
}

// skips reports whether the text has a problem in the same item, so that a value may be missing only
// since it could not be read.
func (c *checker) skips(field string) bool {
	item := itemOf(field)
	for _, p := range c.parsed {
		if itemOf(p.Field) == item || p.Field == "" {
			return true
		}
	}
	return false
}

// itemOf returns the part of a field path up to its first index, or the first field.
func itemOf(field string) string {
	dot, index := strings.IndexByte(field, '.'), strings.IndexByte(field, ']')
	switch {
	case index >= 0 && (dot < 0 || strings.HasPrefix(field, "cases[") || strings.HasPrefix(field, "guarantees[")):
		return field[:index+1]
	case dot >= 0:
		return field[:dot]
	}
	return field
}

// invalid returns the problems as an error.
func (c *checker) invalid(policy *corsrpc.PolicyError) *InvalidError {
	report.Sort(c.problems)
	return &InvalidError{Problems: c.problems, Policy: policy, Texts: c.suite.Texts}
}

// position returns the position of a field of the test, or of the nearest field around it.
func (s *Suite) position(field string) policyfile.Position {
	for field != "" {
		if p, ok := s.file.Position(field); ok {
			return p
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return policyfile.Position{}
}

// shorten cuts a long value, for messages.
func shorten(s string) string {
	const maxRunes = 80
	if r := []rune(s); len(r) > maxRunes {
		return string(r[:maxRunes]) + "…"
	}
	return s
}
