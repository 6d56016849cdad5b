package route

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestBitmap: a bitmap contains the integers that were added, in sparse and dense blocks, also
// if blocks between them are missing.
func TestBitmap(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		want := map[int]bool{}
		for range 1 + random.IntN(4) {
			at, density := random.IntN(6)*blockSize, 1+random.IntN(blockSize)
			for n := at; n < at+blockSize; n += 1 + random.IntN(density) {
				want[n] = true
			}
		}
		var b bitmap
		for _, n := range slices.Sorted(maps.Keys(want)) {
			b.add(n)
		}
		got := map[int]bool{}
		for _, k := range b.blocks {
			if len(k.sparse) > maxSparse {
				t.Fatalf("a block lists %d numbers", len(k.sparse))
			}
		}
		for index := range 8 {
			var bits blockBits
			b.addTo(&bits, index)
			for n, ok := bits.first(); ok; n, ok = bits.first() {
				got[index*blockSize+n] = true
				bits[n/64] &^= 1 << (n % 64)
			}
		}
		if !maps.Equal(got, want) || b.count != len(want) {
			t.Fatalf("%d numbers of %d, of which %d are counted", len(got), len(want), b.count)
		}
	}
}
