// Package editors tests what an editor says about a policy, and about a test of a policy. It runs the JSON Schemas of
// corsrpc/cmd/internal/jsonschema in the programs that editors use: a validator (ajv) behind their YAML parser, the
// language server of YAML, and VS Code's service for JSON. These run under Node.js.
package editors
