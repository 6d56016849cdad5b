// Package input reads what the subcommands work on: policies from files, from the standard input and
// from git, the schema, and environment variables.
package input

import (
	"flag"
	"strings"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// Flags are the flags of every subcommand that compiles a policy.
type Flags struct {
	// Descriptors are files with a FileDescriptorSet or an image of buf. Reflect is the URL of a
	// server with gRPC server reflection; empty if there is none.
	Descriptors List
	Reflect     string
	// ReflectCA is a PEM file with the authorities of the certificate of that server, and
	// ReflectServerName the name that its certificate is for; empty for the usual ones.
	ReflectCA, ReflectServerName string
	// Profile is the profile of the policy; empty if there is none.
	Profile string
	// Env holds environment variables as NAME=VALUE, and EnvFiles files with such lines.
	Env, EnvFiles List
	// Prefixes are path prefixes below which procedures are served.
	Prefixes List
	// MaxPolicyBytes is the maximum size of a policy's text.
	MaxPolicyBytes int
}

// Register registers the flags.
func (f *Flags) Register(flags *flag.FlagSet) {
	f.RegisterSchema(flags)
	f.RegisterPolicy(flags)
}

// RegisterSchema registers the flags that name the schema.
func (f *Flags) RegisterSchema(flags *flag.FlagSet) {
	flags.Var(&f.Descriptors, "descriptors", "`FILE` with the schema: a FileDescriptorSet or an image of buf build (repeatable)")
	flags.StringVar(&f.Reflect, "reflect", "", "`URL` of a server that tells its schema by gRPC server reflection, such as h2c://127.0.0.1:9090, or https:// for one with TLS")
	flags.StringVar(&f.ReflectCA, "reflect-ca", "", "`FILE` in PEM form with the authorities of the server's certificate, instead of those of the system")
	flags.StringVar(&f.ReflectServerName, "reflect-server-name", "", "`NAME` that the server's certificate is for, instead of the URL's host")
}

// RegisterPolicy registers the flags that a policy is compiled with, apart from those of the schema.
func (f *Flags) RegisterPolicy(flags *flag.FlagSet) {
	flags.StringVar(&f.Profile, "profile", "", "`NAME` of the policy's profile")
	flags.Var(&f.Env, "env", "`NAME=VALUE`: an environment variable of the policy (repeatable); those of the process are not used")
	flags.Var(&f.EnvFiles, "env-file", "`FILE` with lines NAME=VALUE (repeatable)")
	flags.Var(&f.Prefixes, "path-prefix", "`PATH` below which procedures are served too, such as /api (repeatable)")
	flags.IntVar(&f.MaxPolicyBytes, "max-policy-bytes", corsrpc.DefaultMaxPolicyBytes, "maximum size of a policy's text, `N` bytes, as corsrpc.WithMaxPolicyBytes sets it for a server")
}

// List is the value of a flag that may be repeated.
type List []string

// String returns the values, separated by commas.
func (l *List) String() string {
	if l == nil {
		return ""
	}
	return strings.Join(*l, ",")
}

// Set appends a value.
func (l *List) Set(value string) error {
	*l = append(*l, value)
	return nil
}
