package main

import (
	"fmt"
	"math"
)

func ratio(f figure) string { return fmt.Sprintf("%.2f [%.2f, %.2f]", f.middle, f.low, f.high) }

func between(f figure, unit float64, name string) string {
	return fmt.Sprintf("%s %s [%s, %s]", short(f.middle/unit), name, short(f.low/unit), short(f.high/unit))
}

func nanoseconds(f figure) string  { return number(f.middle) }
func microseconds(f figure) string { return number(f.middle/1e3) + " µs" }
func mebibytes(f figure) string    { return fmt.Sprintf("%.1f MiB", f.middle/(1<<20)) }

// number formats a number with thousands separators, and with one decimal if it is small.
func number(v float64) string {
	if math.IsInf(v, 0) {
		return "unknown"
	}
	if math.Abs(v) < 10 && v != math.Trunc(v) {
		return fmt.Sprintf("%.1f", v)
	}
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// short formats a number with about three digits.
func short(v float64) string {
	if math.Abs(v) < 10 {
		return fmt.Sprintf("%.2g", v)
	}
	return number(v)
}
