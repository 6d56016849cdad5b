// Command buf-plugin-corsrpc is a plugin of buf. It checks the corsrpc options of services and methods, and
// what a change of a schema takes away from pages:
//
//	# buf.yaml
//	version: v2
//	lint:
//	  use: [STANDARD, CORSRPC]
//	breaking:
//	  use: [FILE, CORSRPC_BREAKING]
//	plugins:
//	  - plugin: buf-plugin-corsrpc
//	    options:
//	      policy: cors.yaml # the rules then judge the schema by this policy
//
// corsrpc/docs/buf.md describes the options and each rule.
package main

import "buf.build/go/bufplugin/check"

func main() { check.Main(spec()) }
