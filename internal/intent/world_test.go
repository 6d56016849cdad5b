package intent

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// world is a policy that compiles, and its layer.
type world struct {
	Policy
	set   *descriptorpb.FileDescriptorSet // the schema without its options
	plan  *corsrpc.Plan
	layer *corsrpc.Layer
}

// failer is the part of testing.T and rapid.T that newWorld needs.
type failer interface {
	Helper()
	Fatal(args ...any)
}

// newWorld compiles a policy after it has removed the values that are not valid. It returns
// nil if it cannot repair the policy.
func newWorld(t failer, from Policy, set *descriptorpb.FileDescriptorSet) *world {
	t.Helper()
	return repaired(t, from, set, func(w *world) error { return w.compile(t) })
}

// repaired is newWorld for another way to compile the policy.
func repaired(t failer, from Policy, set *descriptorpb.FileDescriptorSet, compile func(*world) error) *world {
	t.Helper()
	for range 20 {
		w := &world{Policy: from, set: set}
		err := compile(w)
		if err == nil {
			if name := from.Impossible(); name != "" {
				t.Fatal("the policy loads with a header that no browser sends or shows: " + name)
			}
			return w
		}
		var problems *corsrpc.PolicyError
		if !errors.As(err, &problems) {
			t.Fatal(err)
		}
		from.Policy, from.Options = proto.CloneOf(from.Policy), maps.Clone(from.Options)
		for element, o := range from.Options {
			from.Options[element] = proto.CloneOf(o)
		}
		mended := false
		for _, v := range slices.Backward(problems.Violations) {
			mended = mend(from, v) || mended
		}
		if !mended {
			return nil
		}
	}
	t.Fatal("the policy is still not valid after 20 repairs")
	return nil
}

// compilePlan compiles the policy.
func (w *world) compilePlan(t failer, more ...corsrpc.CompileOption) (err error) {
	t.Helper()
	opts := append(more,
		corsrpc.WithFiles(registry(t, w.set, w.Options)), corsrpc.WithProfile(w.Profile),
		corsrpc.WithLookupEnv(func(name string) (string, bool) { v, ok := w.Env[name]; return v, ok }),
	)
	for _, prefix := range w.Prefixes {
		opts = append(opts, corsrpc.WithPathPrefix(prefix))
	}
	w.plan, err = corsrpc.Compile(w.Policy.Policy, opts...)
	return err
}

// compile compiles the policy and creates the layer.
func (w *world) compile(t failer, more ...corsrpc.LayerOption) (err error) {
	t.Helper()
	if err := w.compilePlan(t); err != nil {
		return err
	}
	layerOpts := append(more, corsrpc.WithLogger(slog.New(slog.DiscardHandler)))
	for _, name := range sourceNames {
		source := corsrpc.OriginSourceFunc(func(context.Context) iter.Seq2[string, error] {
			return func(yield func(string, error) bool) {
				for _, row := range w.Sources[name] {
					if !yield(row, nil) {
						return
					}
				}
			}
		})
		layerOpts = append(layerOpts, corsrpc.WithOriginSource(name, source, corsrpc.SourceWait(time.Minute)))
	}
	w.layer, err = corsrpc.New(w.plan, layerOpts...)
	return err
}

// with returns a copy of the world with another policy, not compiled yet.
func (w *world) with(policy *corsrpcv1.Policy) *world {
	other := &world{Policy: w.Policy, set: w.set}
	other.Policy.Policy = policy
	return other
}

// fieldPath matches the field of a violation. Its groups are: 1 the element of an option, 2 the
// shadow, 3 the profile, 4 defaults, 5 the index of a rule, 6 the index of an added origin. Group 7
// is the field of the rule, and 8 the index in that field.
var fieldPath = regexp.MustCompile(`^(?:option\((.+)\)|(shadow\.)?(?:profiles\["(\w+)"\]\.)?(?:(defaults)|rules\[(\d+)\]|add_origins\[(\d+)\]))(?:\.(\w+)(?:\[(\d+)\])?)?$`)

// addedField matches the field of a profile's added origins.
var addedField = regexp.MustCompile(`^profiles\["(\w+)"\]\.add_origins$`)

// mend removes the part of the policy that a violation is about. It returns false if it finds
// no such part.
func mend(p Policy, v corsrpc.Violation) bool {
	policy := p.Policy
	if v.Check == corsrpc.CheckNoOrigins && v.Field == "shadow" {
		policy.Shadow = nil
		return true
	}
	if name := addedField.FindStringSubmatch(v.Field); name != nil {
		policy.GetProfiles()[name[1]].AddOrigins = nil // no rule takes them
		return true
	}
	if v.Check == corsrpc.CheckNoOrigins {
		if policy.Defaults == nil {
			policy.Defaults = &corsrpcv1.Rule{}
		}
		policy.Defaults.AllowOrigins = []string{"https://app.example.com"}
		p.Options = nil
		rules := append(slices.Clip(policy.GetRules()), policy.Defaults)
		for _, profile := range policy.GetProfiles() {
			rules = append(rules, profile.GetRules()...)
			rules = append(rules, profile.GetDefaults())
		}
		for _, r := range rules {
			if r != nil {
				r.Disabled = nil
			}
		}
		return true
	}
	at := fieldPath.FindStringSubmatch(v.Field)
	if at == nil {
		return false
	}
	element, profile, field, item := at[1], policy.GetProfiles()[at[3]], at[7], at[8]
	if at[2] != "" {
		policy = policy.GetShadow()
		if policy == nil {
			return true // removed already
		}
	}
	defaults, rules := policy.GetDefaults(), &policy.Rules
	if profile != nil {
		defaults, rules = profile.GetDefaults(), &profile.Rules
	}
	if at[6] != "" {
		i, _ := strconv.Atoi(at[6])
		if i >= len(profile.AddOrigins) {
			return false
		}
		profile.AddOrigins = slices.Delete(slices.Clone(profile.AddOrigins), i, i+1)
		return true
	}
	r, i := defaults, 0
	switch {
	case element != "":
		r = p.Options[element]
	case at[4] == "":
		i, _ = strconv.Atoi(at[5])
		if i >= len(*rules) {
			return true // removed already
		}
		r = (*rules)[i]
	}
	switch v.Check {
	case corsrpc.CheckRuleIneffective:
		r.Disabled = proto.Bool(false)
		return true
	case corsrpc.CheckSelectorUnknown, corsrpc.CheckPathIsProcedure, corsrpc.CheckPathConflict, corsrpc.CheckPathSyntax:
		*rules = slices.Delete(*rules, i, i+1)
		return true
	}
	return dropValue(r, field, item)
}

// dropValue removes a field, or an item of a list, from a rule. It returns false if the rule
// does not have it.
func dropValue(r *corsrpcv1.Rule, field, item string) bool {
	m := r.ProtoReflect()
	f := m.Descriptor().Fields().ByName(protoName(field))
	if f == nil || !m.Has(f) {
		return false
	}
	if item == "" {
		m.Clear(f)
		return true
	}
	drop, _ := strconv.Atoi(item)
	list := m.NewField(f).List()
	for i := range m.Get(f).List().Len() {
		if i != drop {
			list.Append(m.Get(f).List().Get(i))
		}
	}
	if list.Len() == m.Get(f).List().Len() {
		return false
	}
	m.Clear(f)
	if list.Len() > 0 {
		m.Set(f, listValue(list))
	}
	return true
}
