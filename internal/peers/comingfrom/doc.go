// Package comingfrom compares other CORS implementations with the policies that replace them, option by option. It has
// only tests.
//
// Each row of its tables is an option of another implementation, with the lines of the policy that it becomes. The
// tests make the same calls to both, in a simulated browser, from pages of five origins. The scripts have to see the
// same, apart from the differences that the row names. The tables of corsrpc/docs/coming-from-options.md are written
// from the rows, and the table of corsrpc/docs/beside-others.md is written from what each implementation does.
package comingfrom
