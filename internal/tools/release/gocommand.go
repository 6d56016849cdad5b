package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A goCommand is a go command and the environment that it runs in.
type goCommand struct {
	path        string
	environment []string
}

// with returns the command with more environment variables.
func (g goCommand) with(variables ...string) goCommand {
	return goCommand{g.path, slices.Concat(g.environment, variables)}
}

// run runs the command in a folder and returns its standard output.
func (g goCommand) run(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, g.path, args...)
	cmd.Dir = dir
	cmd.Env = slices.Concat(os.Environ(), g.environment, []string{"PWD=" + dir})
	out, err := output(cmd)
	if err != nil {
		return nil, fmt.Errorf("in %s: %w", dir, err)
	}
	return out, nil
}

// localGo returns the go command that is installed.
func localGo(ctx context.Context, environment []string) (goCommand, error) {
	return toolchain(ctx, "local", environment)
}

// oldestGo returns the go command of the version in a go line, such as 1.25.0. The installed one downloads it if need be.
func oldestGo(ctx context.Context, goLine string, environment []string) (goCommand, error) {
	if strings.Count(goLine, ".") == 1 {
		goLine += ".0" // a language version, whose first toolchain this is
	}
	return toolchain(ctx, "go"+goLine, environment)
}

// toolchain returns the go command of a toolchain, named as for GOTOOLCHAIN, which then uses no other toolchain.
func toolchain(ctx context.Context, name string, environment []string) (goCommand, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOROOT")
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+name, "GOWORK=off")
	cmd.Dir = os.TempDir() // outside of a module, whose go line would count
	root, err := output(cmd)
	if err != nil {
		return goCommand{}, err
	}
	path := filepath.Join(strings.TrimSpace(string(root)), "bin", "go")
	return goCommand{path, slices.Concat(environment, []string{"GOTOOLCHAIN=local"})}, nil
}

// goEnv returns the values of variables of the user's go command.
func goEnv(ctx context.Context, names ...string) ([]string, error) {
	out, err := output(exec.CommandContext(ctx, "go", append([]string{"env"}, names...)...))
	if err != nil {
		return nil, err
	}
	values := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(values) != len(names) {
		return nil, fmt.Errorf("go env %s printed %q", strings.Join(names, " "), out)
	}
	return values, nil
}
