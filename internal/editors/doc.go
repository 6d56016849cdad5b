// Package editors tests what an editor says about a policy, a test of a policy, and a gateway file. It runs the JSON Schemas of
// corsrpc/cmd/internal/jsonschema in the programs that editors use: a validator (ajv) behind their YAML parser, the
// language server of YAML, and VS Code's service for JSON. These run under Node.js.
package editors
