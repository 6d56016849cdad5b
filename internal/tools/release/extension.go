package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const optionsFile = "proto/corsrpc/v1/options.proto"

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
)

// checkExtensions returns an error if protobuf's global extension registry does not assign the extension number of an
// option in options.proto. Two schemas whose options have one number cannot be used together.
func checkExtensions(t tree) error {
	source := protoComment.ReplaceAllString(string(t[optionsFile].data), "")
	var numbers, provisional []string
	for _, body := range protoExtend.FindAllStringSubmatch(source, -1) {
		for _, extension := range protoExtension.FindAllStringSubmatch(body[1], -1) {
			numbers = append(numbers, extension[2])
			number, err := strconv.Atoi(extension[2])
			if err != nil || number < firstRegistered || number > lastRegistered {
				provisional = append(provisional, extension[1]+" = "+extension[2])
			}
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
