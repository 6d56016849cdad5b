package origin

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// TestTableIsASet: after random additions, a table and a map contain the same strings.
func TestTableIsASet(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, distinct := range []int{0, 1, 13, 14, 15, 16, 100, 5_000, 200_000} {
		table, model := NewTable(), map[string]bool{}
		text := func() string {
			n := random.IntN(distinct*2 + 1)
			return strings.Repeat("x", n%290) + fmt.Sprint(n)
		}
		for range distinct {
			s := text()
			if !table.Add(s) {
				t.Fatalf("%q was not added", s)
			}
			model[s] = true
			if !table.Has(s) {
				t.Fatalf("%q was added and is not there", s)
			}
		}
		if table.Len() != len(model) {
			t.Errorf("%d texts, want %d", table.Len(), len(model))
		}
		for s := range model {
			if !table.Has(s) {
				t.Fatalf("of %d, %q is not there", distinct, s)
			}
		}
		for range 10_000 {
			if s := text(); table.Has(s) != model[s] {
				t.Fatalf("of %d, %q: %t", distinct, s, table.Has(s))
			}
		}
	}
}

// TestTableOfMarks: strings whose hashes have the same mark are told apart, and so are a string
// and its prefix.
func TestTableOfMarks(t *testing.T) {
	t.Parallel()
	table := NewTable()
	for i := range 1000 {
		table.Add(strings.Repeat("a", i%200) + fmt.Sprint(i))
	}
	for _, s := range []string{"", "a", "aa", "0", "00", strings.Repeat("a", 250)} {
		want := s == "0"
		if table.Has(s) != want {
			t.Errorf("%q: %t", s, !want)
		}
	}
}

// TestTableBounds: a table holds strings of up to MaxLen bytes, a nil table is empty, and a
// full table accepts nothing.
func TestTableBounds(t *testing.T) {
	t.Parallel()
	var none *Table
	if none.Has("") || none.Has("https://a.example") || none.Len() != 0 || NewTable().Has("") {
		t.Error("an empty table holds something")
	}
	table := NewTable()
	longest := strings.Repeat("x", MaxLen)
	if !table.Add(longest) || !table.Has(longest) || table.Add(longest+"x") || table.Has(longest+"x") || table.Len() != 1 {
		t.Error("the longest text, and a longer one")
	}
	if !table.Add("") || !table.Has("") || table.Len() != 2 {
		t.Error("the empty text")
	}
	full := &Table{texts: StringList{blocks: make([]string, maxBlocks), last: new(strings.Builder)}, index: newIndex(maphash.String)}
	full.texts.last.Grow(blockSize)
	full.texts.last.WriteString(strings.Repeat("x", blockSize))
	if full.Add("https://a.example") || full.Has("https://a.example") || full.Len() != 0 {
		t.Error("a full table takes more")
	}
}

// TestTableCost: an origin takes at most 45 bytes, including its text of 33 bytes, and Has does
// not allocate.
func TestTableCost(t *testing.T) {
	live := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for _, n := range []int{200_000, 300_000, 400_000} { // between two sizes of the index
		before := live()
		table := NewTable()
		for i := range n {
			table.Add(fmt.Sprintf("https://tenant-%06d.example.com", i))
		}
		if each := float64(live()-before) / float64(n); each > 45 {
			t.Errorf("%d origins: %.1f bytes each", n, each)
		}
		if allocs := testing.AllocsPerRun(100, func() {
			if !table.Has("https://tenant-000007.example.com") || table.Has("https://tenant-7.example.com") {
				t.Error("not the set")
			}
		}); allocs != 0 {
			t.Errorf("%v allocations", allocs)
		}
		runtime.KeepAlive(table)
	}
}
