// Package serve has what the programs that enforce policies in front of other servers share: a policy
// that is kept in force while the program runs (Policy), the databases of origin sources (OpenOrigins),
// and the internal port with health, metrics and inspectors (NewInternal).
package serve
