package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const mit = `MIT License

Copyright (c) 2026 A

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`

func TestClassify(t *testing.T) {
	if ids, err := classify([]byte(mit)); err != nil || !slices.Equal(ids, []string{"MIT"}) {
		t.Errorf("MIT: %q, %v", ids, err)
	}
	apache, err := os.ReadFile("../../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := classify(apache); err != nil || !slices.Equal(ids, []string{"Apache-2.0"}) {
		t.Errorf("Apache: %q, %v", ids, err)
	}
	for name, text := range map[string]string{
		"not allowed": "This program is free software: you can redistribute it and/or modify it under the terms of the GNU General Public License as published by the Free Software Foundation, either version 3 of the License, or (at your option) any later version.",
		"unknown":     "Ask the author before you use this.",
		"more terms":  mit + strings.Repeat("Moreover the Software shall not be used on any day whose name ends in the letter y. ", 30),
		"empty":       "",
	} {
		if ids, err := classify([]byte(text)); err == nil {
			t.Errorf("%s: allowed as %q", name, ids)
		}
	}
}

func TestLicensesIn(t *testing.T) {
	top := t.TempDir()
	files := tree{
		"LICENSE.txt":       {modeFile, []byte(mit)},
		"NOTICE":            {modeFile, []byte("A notice.\n")},
		"a/b/b.go":          {modeFile, []byte("package b\n")},
		"a/licenses.go":     {modeFile, []byte("package a\n")},
		"a/license.go":      {modeFile, []byte("package a\n")},
		"a/b/license.pb.go": {modeFile, []byte("package b\n")},
		"a/notice.go":       {modeFile, []byte("package a\n")},
		"other/LICENSE":     {modeFile, []byte("Ask the author.\n")},
		"other/below/x.go":  {modeFile, []byte("package x\n")},
		"licence/read.text": {modeFile, []byte("x\n")},
	}
	if err := files.write(top); err != nil {
		t.Fatal(err)
	}
	ids, found, err := licensesIn(top, filepath.Join(top, "a", "b"))
	if err != nil || !slices.Equal(ids, []string{"MIT"}) || !slices.Equal(found, []string{"LICENSE.txt", "NOTICE"}) {
		t.Errorf("%q, %q, %v", ids, found, err)
	}
	if _, _, err := licensesIn(top, filepath.Join(top, "other", "below")); err == nil {
		t.Error("a licence between a package and its module is not read")
	}
}
