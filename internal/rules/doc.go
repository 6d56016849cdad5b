// Package rules is the policy's half of corsrpc. It reads a policy and the options of a
// schema, checks them completely, and merges their levels into the effective rule of each
// procedure and of each path rule. An effective rule returns values and the places where they
// are written, and holds no protobuf message. The package does not deal with requests.
package rules
