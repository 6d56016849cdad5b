package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
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

// checkExtensions returns an error for each option in options.proto whose extension number protobuf's global extension
// registry does not assign. Two schemas with an option of the same number cannot be used together.
func checkExtensions(t tree) error {
	source := protoComment.ReplaceAllString(string(t[optionsFile].data), "")
	var problems []error
	found := false
	for _, body := range protoExtend.FindAllStringSubmatch(source, -1) {
		for _, extension := range protoExtension.FindAllStringSubmatch(body[1], -1) {
			found = true
			number, err := strconv.Atoi(extension[2])
			if err != nil || number < firstRegistered || number > lastRegistered {
				problems = append(problems, fmt.Errorf("%s: the extension number %s of the option %s is provisional", optionsFile, extension[2], extension[1]))
			}
		}
	}
	if !found {
		return fmt.Errorf("%s has no extension of protobuf's options", optionsFile)
	}
	return errors.Join(problems...)
}
