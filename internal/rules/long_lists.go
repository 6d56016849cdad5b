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

// DefaultLongList is the number of origins from which on a list is held outside of its rule's
// message: longer lists are, which takes a tenth of the memory.
const DefaultLongList = 1000

// originLists holds the long lists of origins of a policy, by the rule whose message has none.
// It is immutable once the policy is compiled.
type originLists map[*corsrpcv1.Rule]*originList

type originList struct {
	texts *origin.StringList
	set   *origin.Set // the set of these texts, shared by all profiles; nil if one of them is not a pattern
}

// extractLists removes the lists of more than longList origins from the messages of a policy.
// It returns them together with the lists that were cut out of the policy's bytes, which are
// given by the field of their rule.
func extractLists(policy *corsrpcv1.Policy, cut map[string]*origin.StringList, longList int) originLists {
	lists := originLists{}
	for field, r := range rulesOf(policy) {
		texts := cut[field]
		if texts == nil && len(r.GetAllowOrigins()) <= longList {
			continue
		}
		if texts == nil {
			texts = &origin.StringList{}
		}
		if appendAll(texts, r.AllowOrigins) {
			r.AllowOrigins = nil
			lists[r] = &originList{texts: texts}
		}
	}
	return lists
}

// appendAll appends items. It returns false if one is too long for an origin: the list then
// stays in its message, where the item is reported.
func appendAll(texts *origin.StringList, items []string) bool {
	for _, item := range items {
		if !texts.Append(item) {
			return false
		}
	}
	return true
}

// restore returns a copy of the policy whose messages have their lists.
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

// size returns the number of bytes that the lists take in the policy's binary form.
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

// rulesOf returns the rules of a policy, its profiles and its shadow policy, with their fields,
// always in the same order.
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
