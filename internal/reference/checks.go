package main

import (
	"fmt"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// checks writes the tables of the checks of a policy and of the kinds of findings about one.
func (w *writer) checks() {
	w.text.WriteString("\n## Checks\n\nA policy loads only if it passes every check. A message about one that fails ends with its name: see [Mistakes](policy.md#mistakes).\n\n" +
		"| Check | Holds for every valid policy |\n| --- | --- |\n")
	for _, c := range corsrpc.Checks() {
		fmt.Fprintf(&w.text, "| `%s` | %s |\n", c, inCell(c.Purpose()))
	}
	w.text.WriteString("\n## Findings\n\nA policy with findings loads. Each is a part that may grant more than is meant, or that changes nothing: see [Findings](policy.md#findings).\n\n" +
		"| Kind | The part of the policy |\n| --- | --- |\n")
	for _, k := range corsrpc.FindingKinds() {
		fmt.Fprintf(&w.text, "| `%s` | %s |\n", k, inCell(k.Meaning()))
	}
}
