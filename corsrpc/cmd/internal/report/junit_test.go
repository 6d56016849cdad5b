package report

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestJUnitIsXML: the text is well-formed XML 1.0 with the numbers of each status, whatever is in names and
// messages. Of each text it holds what Printable returns.
func TestJUnitIsXML(t *testing.T) {
	t.Parallel()
	var hostile strings.Builder
	for r := rune(0); r < 0x3000; r++ {
		hostile.WriteRune(r)
	}
	for _, r := range []rune{0xd7ff, 0xe000, 0xfdd0, 0xfffe, 0xffff, 0x1f600, 0x10ffff} {
		hostile.WriteRune(r)
	}
	hostile.WriteString("\xff]]>&amp;<![CDATA[")
	text := hostile.String()
	suites := []TestSuite{
		{Name: text, Cases: []TestCase{
			{Name: text, Place: Place{File: text, Line: 3, Column: 5}, Failure: text, Type: text, Details: []string{text, "", "last"}},
			{Name: "unknown", Error: "e", Type: "T"}, {Name: "passes"},
		}},
		{Name: "empty"},
	}
	var b strings.Builder
	if err := WriteJUnit(&b, suites); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r == utf8.RuneError || unprintable(r) && r != '\n' {
			t.Errorf("the output has %U", r)
		}
	}
	var read struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Tests int    `xml:"tests,attr"`
			Cases []struct {
				Name    string `xml:"name,attr"`
				File    string `xml:"file,attr"`
				Line    int    `xml:"line,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
				Error *struct {
					Message string `xml:"message,attr"`
				} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(b.String()), &read); err != nil {
		t.Fatal(err)
	}
	printable := Printable(text)
	first := read.Suites[0]
	if read.Tests != 3 || read.Failures != 1 || read.Errors != 1 || first.Tests != 3 || first.Name != printable || len(read.Suites) != 2 {
		t.Errorf("%+v", read)
	}
	failed, unknown, passed := first.Cases[0], first.Cases[1], first.Cases[2]
	if failed.Name != printable || failed.File != printable || failed.Line != 3 || failed.Failure == nil || failed.Error != nil || failed.Failure.Message != printable ||
		failed.Failure.Text != "\n"+Printable(text+":3:5")+"\n"+printable+"\nlast\n" {
		t.Errorf("%+v", failed)
	}
	if unknown.Failure != nil || unknown.Error == nil || unknown.Error.Message != "e" || passed.Failure != nil || passed.Error != nil {
		t.Errorf("%+v %+v", unknown, passed)
	}
}

// TestJUnitFails: the error of the writer is returned.
func TestJUnitFails(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	closed := errors.New("closed")
	r.CloseWithError(closed)
	if err := WriteJUnit(w, nil); !errors.Is(err, closed) {
		t.Error(err)
	}
}
