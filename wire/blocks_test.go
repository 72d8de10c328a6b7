package wire_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/fuzz"
	"why520/wire"
	"why520/wire/internal/scan"
)

// differently reads k in every way that blocks have, and without them, whole and
// in pieces, and gives the first way in which the outcome is another.
func differently(t *testing.T, s *wire.Stream, k fuzz.Case, cut func(int) int) (want, got outcome, way string) {
	t.Helper()
	ways := scan.Variants()
	defer scan.Use(ways[len(ways)-1])
	require.True(t, scan.Use(scan.Nothing))
	want = read(s, k.Request, k.Bytes, k.End, whole)
	for _, way := range append(slices.Clone(ways), scan.Nothing) {
		require.True(t, scan.Use(way))
		for _, c := range []func(int) int{whole, cut} {
			if got := read(s, k.Request, k.Bytes, k.End, c); !assert.ObjectsAreEqual(want, got) {
				return want, got, way
			}
		}
	}
	return want, want, ""
}

// budgets are some that end within the heads of vectors.
var budgets = []wire.Limits{
	{}, {Head: 20}, {Head: 40}, {Head: 64}, {Head: 65}, {Head: 100}, {Line: 17}, {Line: 30}, {Line: 64}, {Fields: 1}, {Fields: 2}, {Fields: 3, Line: 40, Head: 130},
	{Tolerate: wire.Tolerable}, {Tolerate: wire.Tolerable, Head: 70, Line: 25, Fields: 2},
}

// Blocks only accept: with them all is as the state machine alone has it, under
// every budget.
func TestBlocksChangeNothing(t *testing.T) {
	s := &wire.Stream{}
	for _, v := range fuzz.Vectors() {
		for _, s.Survey = range []bool{false, true} {
			for _, l := range append(budgets, v.Limits) {
				s.Limits = l
				want, got, way := differently(t, s, fuzz.Case{Bytes: v.Bytes, End: v.End, Request: v.Request}, five)
				if !assert.Equal(t, want, got, "%s, %s, survey %v, limits %+v", v.Name, way, s.Survey, l) {
					return
				}
			}
		}
	}
}

// Every byte at every place of a status line.
func TestBytesOfStatusLines(t *testing.T) {
	const line = "HTTP/1.1 200 OK\r\n"
	s := &wire.Stream{}
	for at := range line {
		b := []byte(line + "A: b\r\n\r\n")
		for c := range 256 {
			b[at] = byte(c)
			want, got, way := differently(t, s, fuzz.Case{Bytes: b, End: wire.FIN}, one)
			assert.Equal(t, want, got, "%q, %s", b, way)
		}
	}
}

// FuzzBlocks holds blocks to the state machine.
func FuzzBlocks(f *testing.F) {
	fuzz.AddSeeds(f)
	s := &wire.Stream{}
	f.Fuzz(func(t *testing.T, data []byte) {
		k := fuzz.Generate(data)
		for _, k := range []fuzz.Case{k, {Bytes: data, End: wire.FIN}} {
			for i, l := range append(budgets, k.Limits) {
				s.Limits, s.Survey = l, (len(data)+i)&1 == 0
				want, got, way := differently(t, s, k, func(from int) int { return from + 1 + (i*7+from)%90 })
				assert.Equal(t, want, got, "%s, survey %v, limits %+v: %q", way, s.Survey, l, k.Bytes)
			}
		}
	})
}
