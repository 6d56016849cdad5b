package input

import (
	"fmt"
	"os"
	"strings"
)

// readEnv returns the variables of --env and --env-file. Later files win over earlier ones, and --env
// over files.
func readEnv(pairs, files []string) (map[string]string, error) {
	env := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for i, line := range strings.Split(string(text), "\n") {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
			if !ok {
				return nil, fmt.Errorf("%s:%d: the line is not of the form NAME=VALUE", file, i+1)
			}
			env[strings.TrimSpace(name)] = unquote(strings.TrimSpace(value))
		}
	}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--env %q is not of the form NAME=VALUE", pair)
		}
		env[name] = value
	}
	return env, nil
}

// unquote removes a pair of quotes around a value.
func unquote(value string) string {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return value[1 : n-1]
	}
	return value
}
