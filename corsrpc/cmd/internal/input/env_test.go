package input

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEnvFiles: a row has the text of a file, and the variables or the error that result.
func TestEnvFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		want map[string]string
		err  string
	}{
		"plain":                   {"A=https://a.example.com\nB=b\n", map[string]string{"A": "https://a.example.com", "B": "b"}, ""},
		"empty":                   {"", map[string]string{}, ""},
		"no value":                {"A=\nB=''\nC=\"\"", map[string]string{"A": "", "B": "", "C": ""}, ""},
		"comments":                {"# A=1\n\n  # B=2\nC=3 # three\nD=4#5\nE=\"6\" # six\nF= # nothing\n", map[string]string{"C": "3", "D": "4#5", "E": "6", "F": ""}, ""},
		"export":                  {"export A=1\nexport\tB=2\nexported=3\n", map[string]string{"A": "1", "B": "2", "exported": "3"}, ""},
		"BOM and CRLF":            {"\ufeffA=1\r\nB='2'\r\n", map[string]string{"A": "1", "B": "2"}, ""},
		"white space":             {"  A= 1 2 \t\n B=\"  3 \"\n", map[string]string{"A": "1 2", "B": "  3 "}, ""},
		"quotes":                  {`A="a\"b\\c\n$D"` + "\n" + `B='a\"$D'` + "\nC=a'b\"c\n", map[string]string{"A": `a"b\c\n$D`, "B": `a\"$D`, "C": `a'b"c`}, ""},
		"an equals sign":          {"A=b=c\n", map[string]string{"A": "b=c"}, ""},
		"twice":                   {"A=1\nB=2\nA=3\n", nil, ":3: A is set in line 1 too: remove one of them"},
		"not a variable":          {"A=1\nB\n", nil, ":2: the line is not of the form NAME=VALUE"},
		"a space before =":        {"A =1\n", nil, `:1: "A " is not the name of a variable`},
		"a dash":                  {"A-B=1\n", nil, `:1: "A-B" is not the name of a variable`},
		"a name with an escape":   {"A\x1b=1\n", nil, `:1: "A\x1b" is not the name of a variable`},
		"YAML":                    {"A: 1\n", nil, ":1: the line is not of the form NAME=VALUE"},
		"a quote that stays open": {"A=\"1\n2\"\n", nil, `:1: the value of A begins with " and does not end with it: a value is on one line`},
		"text behind the quote":   {"A='1'2\n", nil, ":1: the value of A goes on behind its closing quote"},
		"too large":               {strings.Repeat("#", maxEnvFileBytes+1), nil, " is larger than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "env")
			writeFile(t, file, test.text)
			got, err := readEnv(nil, []string{file})
			if err != nil || test.err != "" {
				if err == nil || test.err == "" || !strings.Contains(err.Error(), file+test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
			} else if !maps.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(name), 0o700)
	if err == nil {
		err = os.WriteFile(name, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestEnvFlags: --env wins over files, and later files over earlier ones.
func TestEnvFlags(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, dir+"/1", "A=1\nB=1\nC=1\n")
	writeFile(t, dir+"/2", "B=2\nC=2\n")
	got, err := readEnv([]string{"C=3", "D=a=b", "E=", "D=4"}, []string{dir + "/1", dir + "/2"})
	want := map[string]string{"A": "1", "B": "2", "C": "3", "D": "4", "E": ""}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	for pair, want := range map[string]string{
		"A":    `--env "A" is not of the form NAME=VALUE: the variables of the process are not used, so write --env A="$A" to pass one`,
		"=1":   `"" is not the name of a variable`,
		"A B=": `"A B" is not the name of a variable`,
	} {
		if _, err := readEnv([]string{pair}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--env %q: error %v, want %q", pair, err, want)
		}
	}
	if _, err := readEnv(nil, []string{dir + "/3"}); err == nil || !strings.HasPrefix(err.Error(), "--env-file: open ") {
		t.Errorf("a file that does not exist: %v", err)
	}
}
