package main

import (
	"os"
	"strings"
	"testing"
)

func TestCheckExtensions(t *testing.T) {
	for text, want := range map[string]string{
		registeredOptions:  "",
		provisionalOptions: "service = 261837490",
		"extend google.protobuf.ServiceOptions { Rule service = 999; }":                 "service = 999",
		"extend google.protobuf.ServiceOptions { Rule service = 50000; }":               "service = 50000",
		"extend google.protobuf.ServiceOptions { Rule service = 99999999999999999999;}": "service = 99999999999999999999",
		"extend google.protobuf.FileOptions { Rule a = 1000 [deprecated = true]; }":     "",
		"// extend google.protobuf.ServiceOptions { Rule service = 1000; }":             "has no extension",
		"": "has no extension",
	} {
		err := checkExtensions(tree{optionsFile: {modeFile, []byte(text)}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := checkExtensions(tree{}); err == nil {
		t.Error("a tree without options.proto is released")
	}
}

func TestCheckGeneratedExtensions(t *testing.T) {
	for generated, want := range map[string]string{
		generatedOptions: "",
		strings.Replace(generatedOptions, "1234", "261837490", 1): "corsrpc/corsrpcv1/options.pb.go has service = 261837490, method = 1234: run `make generate`",
		"": "has : run `make generate`",
	} {
		err := checkGeneratedExtensions(tree{optionsFile: {modeFile, []byte(registeredOptions)}, generatedOptionsFile: {modeFile, []byte(generated)}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", generated, err)
		}
	}
}

// TestOwnGeneratedExtensions: the generated code of this repository is read as protoc-gen-go writes it.
func TestOwnGeneratedExtensions(t *testing.T) {
	own := tree{}
	for _, name := range []string{optionsFile, generatedOptionsFile} {
		text, err := os.ReadFile("../../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		own[name] = file{modeFile, text}
	}
	if err := checkGeneratedExtensions(own); err != nil {
		t.Error(err)
	}
}

func TestOwnExtensionsAreFound(t *testing.T) {
	text, err := os.ReadFile("../../../" + optionsFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkExtensions(tree{optionsFile: {modeFile, text}}); err != nil && strings.Contains(err.Error(), "no extension") {
		t.Error(err)
	}
}
