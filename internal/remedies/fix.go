package remedies

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// Fix returns copies of the policy and of the options in which a violation is mended as its Fix says: the
// value is replaced, or a line is added to the rule. ok is false if the Fix is empty, or if it is advice in words.
func Fix(c Case, v corsrpc.Violation) (fixed Case, ok bool) {
	path, index := v.Field, -1
	if strings.HasSuffix(path, "]") {
		open := strings.LastIndexByte(path, '[')
		i, err := strconv.Atoi(path[open+1 : len(path)-1])
		if err != nil {
			return c, false
		}
		if strings.HasSuffix(path[:open], "rules") {
			return addLine(c, path, v.Fix)
		}
		path, index = path[:open], i
	}
	dot := strings.LastIndexByte(path, '.')
	if dot < 0 || v.Fix == "" {
		return c, false
	}
	if _, err := parsed(v.Fix); err == nil && index < 0 {
		return replaceLine(c, path[:dot], path[dot+1:], v.Fix)
	}
	a := Applied{Case: c.clone()}
	rule, err := a.at(path[:dot])
	if err != nil {
		return c, false
	}
	field := rule.ProtoReflect().Descriptor().Fields().ByTextName(path[dot+1:])
	if field == nil || !rule.ProtoReflect().Has(field) {
		return c, false
	}
	if strings.Contains(v.Reason, "the environment variable ") && strings.Contains(v.Fix, ",") {
		return c, false // the value of the variable, with several origins, which one item of the policy cannot hold
	}
	value := v.Fix
	if field.IsList() {
		value = "[" + value + "]"
	}
	replacement, err := parsed(path[dot+1:] + ": " + value)
	if err != nil {
		return c, false
	}
	if index >= 0 && !setItem(rule, replacement, field, index) {
		return c, false
	}
	if index < 0 {
		rule.ProtoReflect().Clear(field)
		proto.Merge(rule, replacement)
	}
	return a.Case, true
}

// setItem replaces an item of a list by the only item of another rule's list.
func setItem(rule, replacement *corsrpcv1.Rule, field protoreflect.FieldDescriptor, index int) bool {
	list, with := rule.ProtoReflect().Mutable(field).List(), replacement.ProtoReflect().Get(field).List()
	if index >= list.Len() || with.Len() != 1 {
		return false
	}
	list.Set(index, with.Get(0))
	return true
}

// addLine adds a line to the rule at a path.
func addLine(c Case, path, line string) (Case, bool) {
	a := Applied{Case: c.clone()}
	rule, err := a.at(path)
	if err != nil {
		return c, false
	}
	added, err := parsed(line)
	if err != nil {
		return c, false
	}
	proto.Merge(rule, added)
	return a.Case, true
}

// replaceLine replaces a field of the rule at a path by a line with another field, such as path by selector.
func replaceLine(c Case, path, name, line string) (Case, bool) {
	fixed, ok := addLine(c, path, line)
	if !ok {
		return c, false
	}
	a := Applied{Case: fixed}
	rule, err := a.at(path)
	if err != nil {
		return c, false
	}
	if written, _, _ := strings.Cut(line, ":"); written != name {
		rule.ProtoReflect().Clear(rule.ProtoReflect().Descriptor().Fields().ByTextName(name))
	}
	return fixed, true
}

// risk matches the risk that a violation names, and the rule to accept it in.
var risk = regexp.MustCompile(`\(accept_risks: \[([A-Z_]+)\] (in this rule|beside add_origins) accepts it\)`)

var profilePath = regexp.MustCompile(`^profiles\["(\w+)"\]\.add_origins`)

// AcceptRisk returns a copy of the case in which the rule, or the profile, accepts the risk that a violation
// names. ok is false if it names none.
func AcceptRisk(c Case, v corsrpc.Violation) (accepted Case, ok bool) {
	m := risk.FindStringSubmatch(v.Reason)
	if m == nil {
		return c, false
	}
	a := Applied{Case: c.clone()}
	if p := profilePath.FindStringSubmatch(v.Field); p != nil && m[2] == "beside add_origins" {
		profile := a.Policy.GetProfiles()[p[1]]
		profile.AcceptRisks = append(slices.Clone(profile.AcceptRisks), corsrpcv1.Risk(corsrpcv1.Risk_value["RISK_"+m[1]]))
		return a.Case, true
	}
	end := strings.LastIndexByte(v.Field, '.')
	if end < 0 {
		return c, false
	}
	rule, err := a.at(v.Field[:end])
	if err != nil {
		return c, false
	}
	rule.AcceptRisks = append(slices.Clone(rule.AcceptRisks), corsrpcv1.Risk(corsrpcv1.Risk_value["RISK_"+m[1]]))
	return a.Case, true
}
