package report

import (
	"errors"
	"flag"
	"slices"
	"strings"
)

// Format is an output format.
type Format string

// The output formats.
const (
	Text   Format = "text"   // for people
	JSON   Format = "json"   // for programs
	GitHub Format = "github" // annotations of a pull request
	SARIF  Format = "sarif"  // code scanning, SARIF 2.1.0
	JUnit  Format = "junit"  // results of tests
)

// FormatFlag registers the flag -o, whose value is one of the formats; the first is the default.
func FormatFlag(flags *flag.FlagSet, formats ...Format) *Format {
	chosen := formats[0]
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = string(f)
	}
	flags.Var(formatValue{&chosen, names}, "o", "`FORMAT` of the output: "+strings.Join(names, ", "))
	return &chosen
}

// formatValue is the flag.Value of FormatFlag.
type formatValue struct {
	chosen *Format
	names  []string
}

func (v formatValue) String() string {
	if v.chosen == nil {
		return ""
	}
	return string(*v.chosen)
}

func (v formatValue) Set(name string) error {
	if !slices.Contains(v.names, name) {
		return errors.New("write one of " + strings.Join(v.names, ", "))
	}
	*v.chosen = Format(name)
	return nil
}
