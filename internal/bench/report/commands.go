package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// The size of the policies of the commands: a rule for each procedure, some origins for all of them, and the cases and
// guarantees of a test.
const (
	commandRules, commandOrigins      = 10_000, 1_000
	commandCases, commandGuarantees   = 1_000, 50
	commandRuns                       = 2
	methodsOfService, everyNthDiffers = 10, 3
)

// measureCommands runs corsrpc check, diff and test with large policies.
func (m *measuring) measureCommands() error {
	binary, err := filepath.Abs(filepath.Join(m.dir, "corsrpc"))
	if err != nil {
		return err
	}
	build := exec.Command("go", "build", "-o", binary, "./corsrpc")
	build.Dir = "../../corsrpc/cmd"
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	image, err := proto.Marshal(commandSchema())
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"image.binpb": string(image), "old.yaml": commandPolicy(false), "cors.yaml": commandPolicy(true), "cors_test.yaml": commandTest(),
	} {
		if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	size := fmt.Sprintf("%s rules, %s origins", number(commandRules), number(commandOrigins))
	for _, c := range []struct {
		what string
		args []string
	}{
		{"check --strict, " + size, []string{"check", "--strict", "--descriptors", "image.binpb", "cors.yaml"}},
		{"diff of two policies that are equal, " + size, []string{"diff", "--descriptors", "image.binpb", "cors.yaml", "cors.yaml"}},
		{"diff, each third rule differs, " + size, []string{"diff", "--descriptors", "image.binpb", "old.yaml", "cors.yaml"}},
		{fmt.Sprintf("test, %s cases, %d guarantees, %s", number(commandCases), commandGuarantees, size), []string{"test", "cors_test.yaml"}},
	} {
		runs := commandRuns
		if m.rounds < leastRounds {
			runs = 1
		}
		for i := range runs {
			values, err := runCommand(m.dir, binary, c.args)
			if err != nil {
				return err
			}
			m.lines = append(m.lines, line{i, "Command/run=" + c.what, values})
		}
	}
	return nil
}

// runCommand runs a command in a folder, and returns its time on the clock, its processor time, and its peak memory.
// The exit code 1 is that of a result, such as a finding.
func runCommand(dir, binary string, args []string) (map[string][]float64, error) {
	var out bytes.Buffer
	c := exec.Command(binary, args...)
	c.Dir, c.Stdout, c.Stderr = dir, &out, &out
	start := time.Now()
	err := c.Run()
	took := time.Since(start)
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
		return nil, fmt.Errorf("corsrpc %s: %w: %.2000s", strings.Join(args, " "), err, out.String())
	}
	usage := c.ProcessState.SysUsage().(*syscall.Rusage)
	return map[string][]float64{
		"wall-ns": {float64(took)},
		"ns":      {float64(c.ProcessState.UserTime() + c.ProcessState.SystemTime())},
		"peak-B":  {float64(usage.Maxrss) * 1024},
	}, nil
}

// commandSchema returns a schema with a procedure for each rule.
func commandSchema() *descriptorpb.FileDescriptorSet {
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("large.proto"), Package: proto.String("large.v1"), Syntax: proto.String("proto3"), MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
	}
	for i := range commandRules / methodsOfService {
		service := &descriptorpb.ServiceDescriptorProto{Name: proto.String(fmt.Sprintf("S%d", i))}
		for j := range methodsOfService {
			service.Method = append(service.Method, &descriptorpb.MethodDescriptorProto{Name: proto.String(fmt.Sprintf("M%d", j)), InputType: proto.String(".large.v1.M"), OutputType: proto.String(".large.v1.M")})
		}
		file.Service = append(file.Service, service)
	}
	return &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file}}
}

// commandPolicy returns a policy with a rule for each procedure. In the newer one, some rules allow one more header.
func commandPolicy(newer bool) string {
	var b strings.Builder
	b.WriteString("defaults:\n  allow_origins:\n")
	for i := range commandOrigins {
		fmt.Fprintf(&b, "    - https://t%d.example.com\n", i)
	}
	b.WriteString("rules:\n")
	for i := range commandRules {
		header := fmt.Sprintf("x-%d", i%7)
		if newer && i%everyNthDiffers == 0 {
			header += ", x-extra"
		}
		fmt.Fprintf(&b, "  - {selector: large.v1.S%d.M%d, allow_headers: [%s]}\n", i/methodsOfService, i%methodsOfService, header)
	}
	return b.String()
}

// commandTest returns a test of the newer policy: cases that are readable, and guarantees about one service each.
func commandTest() string {
	var b strings.Builder
	b.WriteString("policy: cors.yaml\ndescriptors: [image.binpb]\ncases:\n")
	const services = commandRules / methodsOfService
	for i := range commandCases {
		fmt.Fprintf(&b, "  - {from: https://t%d.example.com, call: large.v1.S%d.M%d, expect: {readable: {}}}\n", i%commandOrigins, i*services/commandCases, i%methodsOfService)
	}
	b.WriteString("guarantees:\n")
	for i := range commandGuarantees {
		fmt.Fprintf(&b, "  - never: {calls: [large.v1.S%d], origins_outside: [\"https://*.example.com\"]}\n", i*services/commandGuarantees)
	}
	return b.String()
}
