package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	optionsFile          = "proto/corsrpc/v1/options.proto"
	generatedOptionsFile = "corsrpc/corsrpcv1/options.pb.go"
)

// protobuf's global extension registry assigns the numbers of options from 1000 up, one after another. From 50000 up
// descriptor.proto leaves them to the inside of an organization.
const (
	firstRegistered = 1_000
	lastRegistered  = 49_999
)

var (
	protoComment   = regexp.MustCompile(`(?s)//[^\n]*|/\*.*?\*/`)
	protoExtend    = regexp.MustCompile(`(?s)\bextend\s+google\.protobuf\.\w+Options\s*\{(.*?)\}`)
	protoExtension = regexp.MustCompile(`\b(\w+)\s*=\s*(\d+)\s*[;\[]`)
	goExtension    = regexp.MustCompile(`Tag:\s*"\w+,(\d+),\w+,name=(\w+)`)
)

// optionNumbers returns the extension numbers of the options in options.proto, as "name = number".
func optionNumbers(t tree) (numbers []string) {
	source := protoComment.ReplaceAllString(string(t[optionsFile].data), "")
	for _, body := range protoExtend.FindAllStringSubmatch(source, -1) {
		for _, extension := range protoExtension.FindAllStringSubmatch(body[1], -1) {
			numbers = append(numbers, extension[1]+" = "+extension[2])
		}
	}
	return numbers
}

// checkGeneratedExtensions returns an error if the generated code has other extension numbers than options.proto: users
// would then write options that the library does not read.
func checkGeneratedExtensions(t tree) error {
	var generated []string
	for _, extension := range goExtension.FindAllStringSubmatch(string(t[generatedOptionsFile].data), -1) {
		generated = append(generated, extension[2]+" = "+extension[1])
	}
	if numbers := optionNumbers(t); !slices.Equal(numbers, generated) {
		return fmt.Errorf("%s has the extension numbers %s, and %s has %s: run `make generate` and commit",
			optionsFile, strings.Join(numbers, ", "), generatedOptionsFile, strings.Join(generated, ", "))
	}
	return nil
}

// checkExtensions returns an error if protobuf's global extension registry does not assign the extension number of an
// option in options.proto. Two schemas whose options have one number cannot be used together.
func checkExtensions(t tree) error {
	numbers := optionNumbers(t)
	var provisional []string
	for _, option := range numbers {
		_, text, _ := strings.Cut(option, " = ")
		number, err := strconv.Atoi(text)
		if err != nil || number < firstRegistered || number > lastRegistered {
			provisional = append(provisional, option)
		}
	}
	switch {
	case len(numbers) == 0:
		return fmt.Errorf("%s has no extension of protobuf's options", optionsFile)
	case len(provisional) > 0:
		return fmt.Errorf("%s has provisional extension numbers: %s", optionsFile, strings.Join(provisional, ", "))
	}
	return nil
}
