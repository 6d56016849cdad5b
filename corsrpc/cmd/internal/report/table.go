package report

import "strings"

// maxColumn is the width up to which a column is aligned. Longer cells move the rest of their row.
const maxColumn = 72

// WriteTable writes rows of cells in aligned columns. Cells are made printable.
func WriteTable(b *strings.Builder, indent string, rows [][]string) {
	var widths []int
	shown := make([][]string, len(rows))
	for i, row := range rows {
		for j, cell := range row {
			cell = Printable(cell)
			shown[i] = append(shown[i], cell)
			if j == len(widths) {
				widths = append(widths, 0)
			}
			if n := cells(cell); n <= maxColumn {
				widths[j] = max(widths[j], n)
			}
		}
	}
	for _, row := range shown {
		line := indent
		for j, cell := range row {
			line += cell
			if j < len(row)-1 {
				line += strings.Repeat(" ", max(widths[j]-cells(cell), 0)+2)
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
