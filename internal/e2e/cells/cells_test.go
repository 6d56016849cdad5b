package cells

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAppendAndRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cells.jsonl")
	unary := Key{Test: "TestMatrix", Browser: "Firefox", Server: "connect v1", Client: "connect, JSON", Call: "unary"}
	withCookies := unary
	withCookies.Credentials = true
	t.Setenv(Variable, "")
	if err := Append(Cell{Key: unary}); err != nil {
		t.Errorf("without a file: %v", err)
	}
	t.Setenv(Variable, file)
	for _, c := range []Cell{{unary, map[string]string{"messages": "a\nb"}}, {withCookies, nil}} {
		if err := Append(c); err != nil {
			t.Fatal(err)
		}
	}
	read := func() (map[Key]map[string]string, error) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return Read(strings.NewReader(string(text)))
	}
	all, err := read()
	if err != nil || len(all) != 2 || all[unary]["messages"] != "a\nb" {
		t.Errorf("read %v, %v", all, err)
	}
	if err := Append(Cell{Key: unary}); err != nil {
		t.Fatal(err)
	}
	if _, err := read(); err == nil {
		t.Error("a cell that is there twice is read")
	}
	if _, err := Read(strings.NewReader("{\n")); err == nil {
		t.Error("half a line is read")
	}
}

func TestCompare(t *testing.T) {
	key := func(call string) Key { return Key{Test: "TestMatrix", Browser: "WebKit", Call: call} }
	before := map[Key]map[string]string{
		key("same"):    {"messages": "1"},
		key("changed"): {"messages": "1", "trailers": "a", "code": "Unknown"},
		key("gone"):    {"messages": "1"},
		key("fewer"):   {"messages": "1", "trailers": ""},
	}
	after := map[Key]map[string]string{
		key("same"):    {"messages": "1"},
		key("changed"): {"messages": "2", "trailers": "a", "code": "", "details": "x"},
		key("new"):     {},
		key("fewer"):   {"messages": "1"},
	}
	want := []Difference{
		{key("changed"), "code", "Unknown", ""},
		{key("changed"), "messages", "1", "2"},
		{key("gone"), "", "observed", "not observed"},
		{key("new"), "", "not observed", "observed"},
	}
	if got := Compare(before, after); !slices.Equal(got, want) {
		t.Errorf("the differences are\n%v\nwant\n%v", got, want)
	}
	if got := Compare(before, before); len(got) > 0 {
		t.Errorf("a run differs from itself: %v", got)
	}
}

func TestKeyString(t *testing.T) {
	k := Key{Test: "TestMatrix", Browser: "Firefox", Server: "grpc-go", Client: "protobuf-ts, text", Call: "unary", Credentials: true}
	if got, want := k.String(), "TestMatrix: Firefox; grpc-go; protobuf-ts, text; unary; with credentials"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
