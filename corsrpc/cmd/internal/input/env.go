package input

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/corsrpc/corsrpc-go/internal/safetext"
)

// maxEnvFileBytes is the maximum size of a file of --env-file.
const maxEnvFileBytes = 1 << 20

// variableName matches the names that a policy can use.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readEnv returns the variables of --env and --env-file. Later files win over earlier ones, --env over
// files, and the last --env of a name over the others.
func readEnv(pairs, files []string) (map[string]string, error) {
	env := map[string]string{}
	for _, name := range files {
		if err := readEnvFile(env, name); err != nil {
			return nil, err
		}
	}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		switch {
		case !ok:
			return nil, fmt.Errorf("--env \"%s\" is not of the form NAME=VALUE: the variables of the process are not used, so write --env %[1]s=\"$%[1]s\" to pass one", safetext.Sample(name))
		case !variableName.MatchString(name):
			return nil, fmt.Errorf("--env: \"%s\" is not the name of a variable, which has letters, digits and underscores", safetext.Sample(name))
		}
		env[name] = value
	}
	return env, nil
}

// readEnvFile adds the variables of a file: lines NAME=VALUE or export NAME=VALUE, empty lines, and
// comments that begin with #.
func readEnvFile(env map[string]string, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("--env-file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxEnvFileBytes+1))
	switch {
	case err != nil:
		return fmt.Errorf("--env-file: %w", err)
	case len(text) > maxEnvFileBytes:
		return fmt.Errorf("--env-file %s is larger than %d bytes", name, maxEnvFileBytes)
	}
	lines := map[string]int{}
	for i, line := range strings.Split(strings.TrimPrefix(string(text), "\ufeff"), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		variable, value, err := parseEnvLine(line)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		if first, twice := lines[variable]; twice {
			return fmt.Errorf("%s:%d: %s is set in line %d too: remove one of them", name, i+1, variable, first)
		}
		lines[variable], env[variable] = i+1, value
	}
	return nil
}

// parseEnvLine parses a line of a file. A value is literal: nothing in it is expanded.
func parseEnvLine(line string) (name, value string, err error) {
	if rest, ok := strings.CutPrefix(line, "export"); ok && rest != strings.TrimLeft(rest, " \t") {
		line = strings.TrimSpace(rest)
	}
	name, value, ok := strings.Cut(line, "=")
	switch {
	case !ok:
		return "", "", fmt.Errorf("the line is not of the form NAME=VALUE")
	case !variableName.MatchString(name):
		return "", "", fmt.Errorf("\"%s\" is not the name of a variable, which has letters, digits and underscores and is followed by =", safetext.Sample(name))
	}
	value, err = parseEnvValue(name, value)
	return name, value, err
}

// comment matches what may follow a value.
var comment = regexp.MustCompile(`^\s*$|^\s+#`)

// parseEnvValue parses a value: in single quotes, where every character is literal; in double quotes,
// where \ precedes \ and "; or without quotes, up to a # that follows white space.
func parseEnvValue(name, text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" || text[0] != '"' && text[0] != '\'' {
		if i := regexp.MustCompile(`(^|\s)#`).FindStringIndex(text); i != nil {
			text = text[:i[0]]
		}
		return strings.TrimSpace(text), nil
	}
	quote, value := text[0], []byte{}
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == quote && comment.MatchString(text[i+1:]):
			return string(value), nil
		case text[i] == quote:
			return "", fmt.Errorf("the value of %s goes on behind its closing quote: put all of it in quotes", name)
		case quote == '"' && text[i] == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\'):
			i++
		}
		value = append(value, text[i])
	}
	return "", fmt.Errorf("the value of %s begins with %c and does not end with it: a value is on one line", name, quote)
}
