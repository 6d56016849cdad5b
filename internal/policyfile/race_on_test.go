//go:build race

package policyfile_test

const raceDetector = true
