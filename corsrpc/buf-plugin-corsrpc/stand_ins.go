package main

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

// standInOrigin is the origin that stand-in policies allow.
const standInOrigin = "https://app.example.com"

// standIns returns policies that stand for all those that a schema may be served under. Together they show the effect
// of each value of an option: the first one grants only the call, the next two all that defaults can grant, and
// the fourth one withholds what is built in. The last one is for options that may widen the policy.
func standIns(trust corsrpcv1.SchemaOptions) []*corsrpcv1.Policy {
	defaults := []*corsrpcv1.Rule{
		{},
		{AllowCredentials: proto.Bool(true)},
		{
			AllowHeaders: []string{"*"}, Tracing: proto.Bool(true), Timing: proto.Bool(true),
			Expose: corsrpcv1.Exposure_EXPOSURE_PRESENT, MaxAge: durationpb.New(24 * time.Hour),
		},
		{
			DenyHeaders: []string{"*"}, HideHeaders: []string{"*"},
			Expose: corsrpcv1.Exposure_EXPOSURE_DECLARED, MaxAge: durationpb.New(0),
		},
	}
	if trust == corsrpcv1.SchemaOptions_SCHEMA_OPTIONS_FULL {
		defaults = append(defaults, &corsrpcv1.Rule{
			Protocols: []corsrpcv1.Protocol{corsrpcv1.Protocol_PROTOCOL_CONNECT}, Disabled: proto.Bool(true),
		})
	}
	var policies []*corsrpcv1.Policy
	for _, d := range defaults {
		d.AllowOrigins = []string{standInOrigin}
		policies = append(policies, &corsrpcv1.Policy{Defaults: d, SchemaOptions: trust})
	}
	return policies
}

// compilePolicy compiles a stand-in policy for a schema.
func compilePolicy(policy *corsrpcv1.Policy, files *protoregistry.Files) (*corsrpc.Plan, error) {
	return corsrpc.Compile(policy, toolOptions(files, false)...)
}
