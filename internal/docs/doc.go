// Package docs tests the documents: README.md, the pages of corsrpc/docs,
// examples/README.md, CONTRIBUTING.md and SECURITY.md. The tests read each page
// as GitHub does. They fail for
//
//   - a code block that no test compiles, loads or runs,
//   - a link that does not resolve,
//   - a number that no command writes,
//   - a command, a test or a name that does not exist.
//
// Run it with -count=1: the go command's cache of test results does not see
// changes outside of this module.
//
//	cd internal/docs && go test -count=1 .
//
// A check is a function from a page to the problems in it. Each check has a
// test on a made-up page that is wrong.
//
// An author needs four rules:
//
//   - Every code block is fenced and has a language. A block whose first line
//     is a comment with the name of a file of the repository, or of examples,
//     equals that file.
//   - The shell commands of a page are in the table of shell_table.go, with
//     the test or the make target that runs them. The page
//     corsrpc/docs/getting-started.md is one walkthrough, which a test runs
//     from top to bottom in an empty folder.
//   - A number that was counted or measured is followed by a comment that names
//     its figure: <!-- figure: matrix.cells -->. The name is one of
//     internal/figures/figures.txt, or the path of a RESULTS.md that has the
//     number. One comment may name several figures, separated by commas. The
//     comment is in the same paragraph, list item or table row, or on a line
//     of its own after the table or list.
//   - A number that the protocol or the source fixes, such as a default, is a
//     row of the table in constants.go, with the place in the source.
package docs
