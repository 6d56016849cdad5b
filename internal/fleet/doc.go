// Package fleet has the proofs that need several hosts. They have the build tag fleet, since they need root.
package fleet
