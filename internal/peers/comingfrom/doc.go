// Package comingfrom proves the tables of corsrpc/docs/coming-from-go.md. It has only tests.
//
// Each row of a table is an option of another library, as a function of this package sets it, and the lines of a
// policy that take its place. A simulated browser makes the same calls to both. Each difference has to be one that
// the row names, or one that the page names for the whole library, and each that is named has to occur. The text of
// the option on the page is that of the function.
//
// corsrpc init --from-go reads the same functions, and has to agree with the rows.
package comingfrom
