// Package rules is the policy's half of corsrpc: it reads a policy and the options of a
// schema, checks them whole, and puts their levels together into the effective rule of each
// procedure and of each path. It hands over values and where they are written. It knows
// nothing of requests, and an effective rule holds no protobuf message.
package rules
