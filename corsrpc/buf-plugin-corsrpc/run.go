package main

import (
	"context"
	"sync"
	"sync/atomic"

	"buf.build/go/bufplugin/check"
)

// problem is what a rule reports.
type problem struct {
	rule    string
	message string
	at      place // in the schema
	against place // in the schema that it is compared with
}

// annotation returns the problem as an annotation of buf.
func (p problem) annotation() []check.AddAnnotationOption {
	options := []check.AddAnnotationOption{check.WithMessage(p.message)}
	if p.at.file != "" {
		options = append(options, check.WithFileNameAndSourcePath(p.at.file, p.at.path))
	}
	if p.against.file != "" {
		options = append(options, check.WithAgainstFileNameAndSourcePath(p.against.file, p.against.path))
	}
	return options
}

// run is one request of buf: it finds the problems of all rules together, once, when the first rule asks.
type run struct {
	lint, breaking func() ([]problem, error)
	told           atomic.Bool // a rule has returned the error of lint or breaking
}

type runKey struct{}

// runOf returns the run of a request.
func runOf(ctx context.Context) *run { return ctx.Value(runKey{}).(*run) }

// before prepares a request for its rules.
func before(ctx context.Context, request check.Request) (context.Context, check.Request, error) {
	s, err := readSettings(request.Options())
	if err != nil {
		return nil, nil, err
	}
	r := &run{
		lint:     sync.OnceValues(func() ([]problem, error) { return lint(s, request) }),
		breaking: sync.OnceValues(func() ([]problem, error) { return breaking(s, request) }),
	}
	return context.WithValue(ctx, runKey{}, r), request, nil
}
