package rules

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/origin"
)

// DefaultLongList is the number of origins beyond which the list of a rule stands apart from
// the rule's message, in a tenth of the memory.
const DefaultLongList = 1000

// originLists are the long lists of a policy's rules, whose messages have none. They
// are immutable once the policy is compiled.
type originLists map[*corsrpcv1.Rule]*originList

type originList struct {
	texts *origin.Texts
	set   *origin.Set // of these very texts, where every one of them is a pattern; every profile shares it
}

// takeLists takes the long lists out of a policy, and adds those that were cut out of
// its bytes, by the field of their rule.
func takeLists(policy *corsrpcv1.Policy, cut map[string]*origin.Texts, more int) originLists {
	lists := originLists{}
	for field, r := range rulesOf(policy) {
		texts := cut[field]
		if texts == nil && len(r.GetAllowOrigins()) <= more {
			continue
		}
		if texts == nil {
			texts = &origin.Texts{}
		}
		if appendAll(texts, r.AllowOrigins) {
			r.AllowOrigins = nil
			lists[r] = &originList{texts: texts}
		}
	}
	return lists
}

// appendAll reports false where a text is too long for an origin: such a list is
// refused where it is.
func appendAll(texts *origin.Texts, items []string) bool {
	for _, item := range items {
		if !texts.Append(item) {
			return false
		}
	}
	return true
}

// restore returns a copy of the policy with its lists.
func (lists originLists) restore(policy *corsrpcv1.Policy) *corsrpcv1.Policy {
	whole := proto.CloneOf(policy)
	var own []*corsrpcv1.Rule
	for _, r := range rulesOf(policy) {
		own = append(own, r)
	}
	i := 0
	for _, r := range rulesOf(whole) {
		if list := lists[own[i]]; list != nil {
			for _, text := range list.texts.All {
				r.AllowOrigins = append(r.AllowOrigins, text)
			}
		}
		i++
	}
	return whole
}

// size returns how many bytes the lists take in a policy's binary form.
func (lists originLists) size(policy *corsrpcv1.Policy) (size int) {
	for _, r := range rulesOf(policy) {
		list := lists[r]
		if list == nil {
			continue
		}
		for _, text := range list.texts.All {
			size += protowire.SizeTag(1) + protowire.SizeBytes(len(text))
		}
	}
	return size
}

// rulesOf ranges over the rules of a policy, its shadow and its profiles, with their
// fields, in the same order each time.
func rulesOf(policy *corsrpcv1.Policy) func(yield func(field string, r *corsrpcv1.Rule) bool) {
	return func(yield func(string, *corsrpcv1.Rule) bool) {
		rangeRules(policy, "", yield)
	}
}

func rangeRules(policy *corsrpcv1.Policy, prefix string, yield func(string, *corsrpcv1.Rule) bool) bool {
	of := func(prefix string, defaults *corsrpcv1.Rule, rules []*corsrpcv1.Rule) bool {
		if defaults != nil && !yield(prefix+"defaults", defaults) {
			return false
		}
		for i, r := range rules {
			if !yield(fmt.Sprintf("%srules[%d]", prefix, i), r) {
				return false
			}
		}
		return true
	}
	if policy == nil {
		return true
	}
	if !of(prefix, policy.GetDefaults(), policy.GetRules()) {
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(policy.GetProfiles())) {
		profile := policy.GetProfiles()[name]
		if !of(fmt.Sprintf("%sprofiles[%q].", prefix, name), profile.GetDefaults(), profile.GetRules()) {
			return false
		}
	}
	return rangeRules(policy.GetShadow(), prefix+"shadow.", yield)
}
