package policyfile

import "unicode/utf8"

// cursor converts increasing byte offsets into positions, in one pass over the text.
type cursor struct {
	offset int
	pos    Position
}

func newCursor() *cursor { return &cursor{pos: Position{1, 1}} }

// at returns the position of an offset, which must not be less than the previous one.
func (c *cursor) at(text []byte, offset int) Position {
	for offset = min(offset, len(text)); c.offset < offset; {
		if text[c.offset] == '\n' {
			c.pos = Position{c.pos.Line + 1, 0}
		}
		_, size := utf8.DecodeRune(text[c.offset:])
		c.offset += size
		c.pos.Column++
	}
	return c.pos
}
