// Package planaccess gives the packages of this repository, such as the command, parts of package
// corsrpc that are not public: the rules of a plan, and how tools compile a policy. Package corsrpc
// sets the variables when the program starts.
package planaccess

import (
	"context"

	"github.com/corsrpc/corsrpc-go/internal/rules"
)

// Tool says what a tool that compiles a policy does not know. The zero Tool knows everything, as a
// server does.
type Tool struct {
	// UnsetVariables makes an environment variable that is not set and has no fallback a set of
	// origins that is not known, instead of a violation.
	UnsetVariables bool
	// WithoutSchema takes selectors by name.
	WithoutSchema bool
}

var (
	// Rules returns the rules of a *corsrpc.Plan.
	Rules func(plan any) *rules.Rules
	// Option returns the corsrpc.CompileOption of a tool.
	Option func(Tool) any
	// CompileText parses and compiles the text of a policy as corsrpc.Load does: it reports the
	// problems of the text, the options and the policy together. The options are of the type
	// corsrpc.Option. The result is a *corsrpc.Plan.
	CompileText func(name string, text []byte, options ...any) (any, error)
	// Reload puts a *corsrpc.Plan in force in a *corsrpc.Layer as Layer.Reload does, without a report to the
	// log and the observers. It is for programs that follow more than a policy file, such as a schema.
	Reload func(ctx context.Context, layer, plan any) error
	// ReportReload reports the result of a reload to the log and the observers of a *corsrpc.Layer.
	ReportReload func(ctx context.Context, layer any, err error)
)
