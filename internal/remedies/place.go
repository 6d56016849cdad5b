package remedies

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// field returns the rule that a field belongs to, and the name of the field.
func (a *Applied) field(path, said string, compare bool) (rule *corsrpcv1.Rule, name string, err error) {
	dot := strings.LastIndexByte(path, '.')
	if rule, err = a.at(path[:dot]); err != nil {
		return nil, "", err
	}
	if compare {
		err = a.comparePlace(path, said, "")
	}
	return rule, path[dot+1:], err
}

var levelPath = regexp.MustCompile(`^(?:option\((.+)\)|(shadow\.)?(?:profiles\[("(?:[^"\\]|\\.)*")\]\.)?(?:(defaults)|rules\[(\d+)\]))$`)

// at returns the level with a path.
func (a *Applied) at(path string) (*corsrpcv1.Rule, error) {
	m := levelPath.FindStringSubmatch(path)
	if m == nil {
		return nil, errors.New("there is no level " + path)
	}
	if m[1] != "" {
		if a.Options[m[1]] == nil {
			return nil, errors.New("there is no option of " + m[1])
		}
		return a.Options[m[1]], nil
	}
	defaults, rules := a.owner(unquoted(m[3]), m[2] != "")
	if m[4] != "" {
		if *defaults == nil {
			*defaults = &corsrpcv1.Rule{}
		}
		return *defaults, nil
	}
	i, _ := strconv.Atoi(m[5])
	if i >= len(*rules) {
		return nil, errors.New("there is no level " + path)
	}
	return (*rules)[i], nil
}

// owner returns the defaults and the rules of the policy, of a profile or of the shadow policy.
func (a *Applied) owner(profile string, shadow bool) (defaults **corsrpcv1.Rule, rules *[]*corsrpcv1.Rule) {
	if p := a.Policy.GetProfiles()[profile]; profile != "" && p != nil {
		return &p.Defaults, &p.Rules
	}
	policy := a.Policy
	if shadow && policy.GetShadow() != nil {
		policy = policy.GetShadow()
	}
	return &policy.Defaults, &policy.Rules
}

// named returns the level that a name in the form of nameText stands for, and its path. The rule is added
// if the name says that it is new.
func (a *Applied) named(m []string) (rule *corsrpcv1.Rule, field string, err error) {
	article, key, name, defaultsName, option, profile, shadow := m[0], m[1], unquoted(m[2]), m[3], m[4], unquoted(m[5]), m[6]
	if option != "" {
		rule, err = a.at(option)
		return rule, option, err
	}
	prefix := ""
	if profile != "" {
		prefix = "profiles[" + strconv.Quote(profile) + "]."
	} else if shadow != "" {
		prefix = "shadow."
	}
	if defaultsName != "" {
		rule, err = a.at(prefix + "defaults")
		return rule, prefix + "defaults", err
	}
	_, rules := a.owner(profile, shadow != "")
	i := slices.IndexFunc(*rules, func(r *corsrpcv1.Rule) bool {
		return key == "selector" && r.GetSelector() == name || key == "path" && r.GetPath() == name
	})
	switch {
	case article == "the" && i < 0:
		return nil, "", errors.New("there is no rule with this " + key)
	case article == "the":
		return (*rules)[i], fmt.Sprintf("%srules[%d]", prefix, i), nil
	case i >= 0:
		return nil, "", errors.New("there is a rule with this " + key)
	}
	r := &corsrpcv1.Rule{}
	if key == "selector" {
		r.Selector = name
	} else {
		r.Path = name
	}
	*rules = append(*rules, r)
	return r, "", nil
}
