package corsrpc

import (
	"context"

	"github.com/corsrpc/corsrpc-go/internal/planaccess"
	"github.com/corsrpc/corsrpc-go/internal/rules"
)

func init() {
	planaccess.Rules = func(plan any) *rules.Rules { return plan.(*Plan).rules }
	planaccess.Option = func(t planaccess.Tool) any {
		return compileOption(func(c *compileConfig) { c.forTool = t })
	}
	planaccess.CompileText = func(name string, text []byte, options ...any) (any, error) {
		opts := make([]Option, len(options))
		for i, o := range options {
			opts[i] = o.(Option)
		}
		plan, err := compileFile(name, text, newLoadConfig(opts).fileConfig)
		if err != nil {
			return nil, err
		}
		return plan, nil
	}
	planaccess.Reload = func(ctx context.Context, layer, plan any) error {
		return layer.(*Layer).reload(ctx, plan.(*Plan))
	}
	planaccess.ReportReload = func(ctx context.Context, layer any, err error) { layer.(*Layer).reportReload(ctx, err) }
}
