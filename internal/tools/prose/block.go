package main

import (
	"path/filepath"
	"strings"
	"unicode"
)

// block is one paragraph of prose, or one text for users, on a single line.
type block struct {
	text  string
	parts []part
}

// part is a piece of a block that comes from one line of the source.
type part struct {
	offset       int // in the block's text, in bytes
	line, column int // in the source, counted from 1
}

// add appends a piece of text, with a space between it and the text before.
func (b *block) add(text string, line, column int) {
	text = strings.TrimRightFunc(text, unicode.IsSpace)
	trimmed := strings.TrimLeftFunc(text, unicode.IsSpace)
	if trimmed == "" {
		return
	}
	column += len(text) - len(trimmed)
	if b.text != "" {
		b.text += " "
	}
	b.parts = append(b.parts, part{offset: len(b.text), line: line, column: column})
	b.text += trimmed
}

// at returns the line and the column in the source of an offset in the block's text.
func (b *block) at(offset int) (line, column int) {
	from := b.parts[0]
	for _, p := range b.parts[1:] {
		if p.offset > offset {
			break
		}
		from = p
	}
	return from.line, from.column + max(0, offset-from.offset)
}

// line is one line of a comment, without the comment's marks.
type line struct {
	text         string
	line, column int // of the text's first byte
}

// paragraphs puts the lines of a comment together into paragraphs and list items. It leaves out
// lines that are indented as code is, and lines that are part of a drawing.
func paragraphs(lines []line) []block {
	var blocks []block
	var current block
	flush := func() {
		if current.text != "" {
			blocks = append(blocks, current)
		}
		current = block{}
	}
	inList := false
	for _, l := range lines {
		text := strings.TrimPrefix(l.text, " ")
		switch indented := strings.HasPrefix(text, "\t") || strings.HasPrefix(text, "  "); {
		case strings.TrimSpace(text) == "":
			flush()
			inList = false
			continue
		case isListItem(text):
			flush()
			inList = true
		case indented && !inList, strings.ContainsAny(text, "─│┌└▶"):
			flush()
			continue
		case strings.HasPrefix(text, "# "): // a heading of a Go doc comment
			flush()
			continue
		}
		current.add(l.text, l.line, l.column)
	}
	flush()
	return blocks
}

// isListItem reports whether a line of a comment begins an item of a list.
func isListItem(text string) bool {
	text = strings.TrimLeft(text, " ")
	if strings.HasPrefix(text, "- ") || strings.HasPrefix(text, "* ") {
		return true
	}
	number, rest, found := strings.Cut(text, ". ")
	return found && rest != "" && number != "" && strings.Trim(number, "0123456789") == ""
}

// isProse reports whether a string is a text for people: three words or more.
func isProse(text string) bool {
	words := 0
	for field := range strings.FieldsSeq(text) {
		if strings.Trim(field, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-'’,.:;()%") == "" && strings.ContainsFunc(field, unicode.IsLetter) {
			words++
		}
	}
	return words >= 3
}

// extractor returns the function that finds the prose of a file, or nil if vale reads the whole
// file itself or if the file holds no prose.
func extractor(path string) func(path, source string) ([]block, error) {
	switch filepath.Ext(path) {
	case ".go":
		return goProse
	case ".proto":
		return slashProse
	case ".ts":
		return slashProse
	case ".sh":
		return shellProse
	case ".yaml", ".yml", ".ini":
		return hashProse
	}
	if filepath.Base(path) == "Makefile" {
		return hashProse
	}
	return nil
}
