package policyfile

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// The numbers of the fields that lead from a policy to the origins of its rules.
var (
	policyDefaults = fieldNumber(&corsrpcv1.Policy{}, "defaults")
	policyRules    = fieldNumber(&corsrpcv1.Policy{}, "rules")
	policyShadow   = fieldNumber(&corsrpcv1.Policy{}, "shadow")
	ruleOrigins    = fieldNumber(&corsrpcv1.Rule{}, "allow_origins")
)

// CutOrigins removes each list of more than maxKept origins from a binary policy, since parsing
// the list would make a string of each origin. It returns the rest of the policy, and the lists
// by the field of their rule, such as rules[3]. It leaves in the lists of profiles. If b is not
// a valid policy, it returns b unchanged.
func CutOrigins(b []byte, maxKept int) (rest []byte, lists map[string]*origin.StringList) {
	c := originCutter{maxKept: maxKept, lists: map[string]*origin.StringList{}, rules: map[string]int{}}
	rest, ok := c.policy(b, "")
	if !ok || len(c.lists) == 0 {
		return b, nil
	}
	return rest, c.lists
}

// originCutter holds the state of CutOrigins.
type originCutter struct {
	maxKept int
	lists   map[string]*origin.StringList
	rules   map[string]int // the number of rules so far, by the policy's field prefix
}

func (c *originCutter) policy(b []byte, prefix string) (rest []byte, ok bool) {
	for len(b) > 0 {
		number, kind, size := protowire.ConsumeTag(b)
		whole := protowire.ConsumeFieldValue(number, kind, b[max(size, 0):])
		if size < 0 || whole < 0 {
			return nil, false
		}
		tag, value := b[:size], b[size:size+whole]
		b = b[size+whole:]
		if kind != protowire.BytesType {
			rest = append(append(rest, tag...), value...)
			continue
		}
		message, _ := protowire.ConsumeBytes(value)
		switch number {
		case policyDefaults:
			message, ok = c.rule(message, prefix+"defaults")
		case policyRules:
			message, ok = c.rule(message, fmt.Sprintf("%srules[%d]", prefix, c.rules[prefix]))
			c.rules[prefix]++
		case policyShadow:
			message, ok = c.policy(message, prefix+"shadow.")
		default:
			ok = true
		}
		if !ok {
			return nil, false
		}
		rest = protowire.AppendBytes(append(rest, tag...), message)
	}
	return rest, true
}

// rule removes the origins of a rule if there are more than maxKept.
func (c *originCutter) rule(b []byte, field string) (rest []byte, ok bool) {
	origins := 0
	for at := b; len(at) > 0; {
		number, kind, size := protowire.ConsumeField(at)
		if size < 0 {
			return nil, false
		}
		if number == ruleOrigins && kind == protowire.BytesType {
			origins++
		}
		at = at[size:]
	}
	if origins <= c.maxKept {
		return b, true
	}
	if c.lists[field] == nil {
		c.lists[field] = &origin.StringList{}
	}
	for len(b) > 0 {
		number, kind, size := protowire.ConsumeField(b)
		if number == ruleOrigins && kind == protowire.BytesType {
			_, _, tag := protowire.ConsumeTag(b)
			text, _ := protowire.ConsumeBytes(b[tag:size])
			if !c.lists[field].AppendBytes(text) {
				return nil, false // too long for an origin, which is reported when the policy is compiled
			}
		} else {
			rest = append(rest, b[:size]...)
		}
		b = b[size:]
	}
	return rest, true
}

func fieldNumber(m proto.Message, name protoreflect.Name) protowire.Number {
	return m.ProtoReflect().Descriptor().Fields().ByName(name).Number()
}
