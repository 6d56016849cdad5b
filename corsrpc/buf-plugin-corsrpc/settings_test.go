package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"buf.build/go/bufplugin/check"
)

// TestOptionsOfThePlugin checks that a mistake in the options of the plugin ends buf with what to write.
func TestOptionsOfThePlugin(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ options, want string }{
		"an unknown option":            {"origin_list: a", `the plugin has no option "origin_list": its options are policy, profile, schema_options`},
		"a misspelled option":          {"polcy: cors.yaml", `the plugin has no option "polcy": write policy`},
		"a number":                     {"policy: 5", "the option policy of the plugin is not a text: write policy: cors.yaml"},
		"a list":                       {"policy: [cors.yaml]", "the option policy of the plugin is not a text: write policy: cors.yaml"},
		"a profile without a policy":   {"profile: dev", "add policy: cors.yaml, or leave profile out"},
		"a policy and schema_options":  {"policy: cors.yaml\nschema_options: FULL", "leave schema_options out, since the policy has its own"},
		"an unknown value":             {"schema_options: ALL", `the option schema_options of the plugin is "ALL": write SHAPE or FULL`},
		"a policy that does not exist": {"policy: other.yaml", "the option policy of the plugin, whose path begins where buf runs: open other.yaml"},
		"a policy that is a folder":    {"policy: proto", "read proto: not a regular file"},
		"a policy that is a device":    {"policy: /dev/null", "read /dev/null: not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newWorkspace(t, test.options, map[string]string{protoFile: shop(get), "cors.yaml": "defaults: {disabled: true}\n"})
			r := runBuf(t, dir, "lint")
			if r.code != bufFails || strings.Count(r.err, test.want) != 1 {
				t.Errorf("%d %s%s", r.code, r.out, r.err)
			}
		})
	}
}

// TestRuleThatIsTurnedOff checks that a problem which keeps the other rules from their work is an error if its own rule
// is turned off.
func TestRuleThatIsTurnedOff(t *testing.T) {
	t.Parallel()
	dir := newWorkspace(t, "", map[string]string{
		protoFile:  shop(`  option (corsrpc.v1.service) = {allow_headers: ["no name", "x-a", "x-a"]};`),
		"buf.yaml": strings.Replace(bufYAML(""), "breaking:", "  except: [CORSRPC_HEADER_SYNTAX]\nbreaking:", 1),
	})
	r := runBuf(t, dir, "lint")
	if r.code != bufFails || !strings.Contains(r.err, `"no name" is not a valid header name`) || !strings.Contains(r.err, "the rule CORSRPC_HEADER_SYNTAX, which reports it, is turned off") {
		t.Errorf("%d %s%s", r.code, r.out, r.err)
	}
}

// TestIgnoreComment checks that buf's own comment turns a rule off for a method, without another option of it.
func TestIgnoreComment(t *testing.T) {
	t.Parallel()
	dir := newWorkspace(t, "", map[string]string{protoFile: shop(`
  // buf:lint:ignore CORSRPC_DUPLICATE_VALUE
  rpc Get(Empty) returns (Empty) {
    option (corsrpc.v1.method) = {allow_headers: ["x-a", "x-a"]};
  }`)})
	if got := annotationsOf(t, dir, "lint"); len(got) > 0 {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

// TestNewerOptions checks that a field of an option that a newer version of corsrpc has is refused, as a server refuses
// it: it may narrow.
func TestNewerOptions(t *testing.T) {
	t.Parallel()
	dir := newWorkspace(t, "", map[string]string{protoFile: shop(`  option (corsrpc.v1.service) = {newer: true};`)})
	name := filepath.Join(dir, "proto/corsrpc/v1/policy.proto")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(text), "\nmessage Rule {\n", "\nmessage Rule {\n  bool newer = 1000;\n", 1)
	write(t, dir, map[string]string{"proto/corsrpc/v1/policy.proto": newer})
	got := annotationsOf(t, dir, "lint")
	want := "proto/acme/v1/shop.proto:10:10: UNKNOWN_FIELD: option(acme.v1.Shop): contains fields that this version of corsrpc does not know, and that may narrow what the other fields grant [UNKNOWN_FIELD]"
	if len(got) != 1 || got[0] != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// TestRules checks that the plugin is valid, and that each of its rules has a case that it reports.
func TestRules(t *testing.T) {
	t.Parallel()
	s := spec()
	if err := check.ValidateSpec(s); err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{prefix + "UNKNOWN_FIELD": true} // TestNewerOptions
	for _, c := range lintCases {
		has[prefix+c.rule] = true
	}
	for _, c := range breakingCases {
		has[prefix+c.rule] = has[prefix+c.rule] || !c.harmless
	}
	for _, r := range s.Rules {
		if !has[r.ID] {
			t.Errorf("no test has a schema that %s reports", r.ID)
		}
		delete(has, r.ID)
	}
	for id := range has {
		t.Errorf("the tests have the rule %s, which the plugin does not have", id)
	}
}
