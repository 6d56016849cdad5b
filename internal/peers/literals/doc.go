// Package literals compares the policies that corsrpc init --from-go writes with the middlewares whose configurations
// it reads. It has only tests.
//
// Each configuration is a file of the package configurations. The test gives the text of the file to the program, and
// runs what the file compiles to. A simulated browser makes the same calls to both, from pages of many origins. Each
// difference has to be one that the program names, and each that it names has to occur.
package literals
