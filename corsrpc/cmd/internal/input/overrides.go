package input

import (
	"flag"
	"slices"
)

// Overrides are flags for one of several policies, which win over the flags for all of them.
type Overrides struct {
	flags   Flags
	profile *string // nil if the flag is not given
}

// Register registers the flags. Their names begin with a prefix, and which is the policy's name in their
// usage.
func (o *Overrides) Register(flags *flag.FlagSet, prefix, which string) {
	flags.Var(&o.flags.Descriptors, prefix+"descriptors", "`FILE` with the schema of "+which+", in place of --descriptors and --reflect (repeatable)")
	flags.Func(prefix+"profile", "`NAME` of the profile of "+which+", in place of --profile; empty if there is none", func(value string) error {
		o.profile = &value
		return nil
	})
	flags.Var(&o.flags.Env, prefix+"env", "`NAME=VALUE`: an environment variable of "+which+", which wins over --env (repeatable)")
	flags.Var(&o.flags.EnvFiles, prefix+"env-file", "`FILE` with lines NAME=VALUE for "+which+", which win over --env-file (repeatable)")
	flags.Var(&o.flags.Prefixes, prefix+"path-prefix", "`PATH` below which procedures of "+which+" are served, in place of --path-prefix (repeatable)")
}

// With returns the flags with the overrides. Environment variables are added, and the other flags
// replaced.
func (f *Flags) With(over *Overrides) *Flags {
	with := *f
	if len(over.flags.Descriptors) > 0 {
		with.Descriptors, with.Reflect = over.flags.Descriptors, ""
	}
	if over.profile != nil {
		with.Profile = *over.profile
	}
	with.Env = slices.Concat(f.Env, over.flags.Env)
	with.EnvFiles = slices.Concat(f.EnvFiles, over.flags.EnvFiles)
	if len(over.flags.Prefixes) > 0 {
		with.Prefixes = over.flags.Prefixes
	}
	return &with
}
