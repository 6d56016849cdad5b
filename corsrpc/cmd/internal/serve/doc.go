// Package serve has the parts that programs share which enforce policies in front of other servers. Policy
// keeps a policy in force while the program runs, OpenOrigins opens the databases of origin sources, and
// NewInternal is the internal port with health, metrics and inspectors.
package serve
