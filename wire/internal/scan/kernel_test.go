package scan_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"why520/wire/internal/scan"
)

// plainly is what Lines must give, byte by byte: b begins a line if atLine, and
// is within a value otherwise.
func plainly(b []byte, atLine bool) (marks []uint32, stop int) {
	const (
		begins = iota
		name
		value
		behindCR
	)
	state := value
	if atLine {
		state = begins
	}
	for i, c := range b {
		token := '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0
		text := c == '\t' || c >= ' ' && c != 0x7F
		switch {
		case state <= name && token:
			state = name
		case state == name && c == ':':
			marks, state = append(marks, uint32(i)), value
		case state == value && text:
		case state == value && c == '\r':
			state = behindCR
		case state == behindCR && c == '\n':
			marks, state = append(marks, uint32(i)), begins
		default:
			return marks, i
		}
	}
	return marks, scan.Exhausted
}

// A reading is what Lines gave for bytes that came in pieces.
type reading struct {
	marks []uint32
	s     scan.State
	known int // marks that stand for no byte
}

func begin(atLine bool) *reading {
	r := &reading{marks: make([]uint32, 2*scan.Room)}
	if atLine {
		r.marks[0] = ^uint32(0) // an LF just before
		r.known, r.s = 1, scan.State{N: 1, Open: scan.AtLine}
	}
	return r
}

// next reads b, which begins with the bytes of the call before.
func (r *reading) next(b []byte) (marks []uint32, stop int) {
	for {
		stop := scan.Lines(b, &r.s, &r.marks)
		if stop < 0 {
			r.s.Again(b, r.marks)
		}
		if stop != scan.Full {
			return r.marks[r.known:], stop
		}
		r.marks = append(r.marks, make([]uint32, scan.Room)...)
	}
}

// each calls test with every variant in use.
func each(t *testing.T, test func(t *testing.T)) {
	defer scan.Use(scan.Variants()[len(scan.Variants())-1])
	for _, v := range scan.Variants() {
		require.True(t, scan.Use(v))
		t.Run(v, test)
	}
}

// same compares what Lines gives for b with what it must give.
func same(b []byte, atLine bool) error {
	want, wantStop := plainly(b, atLine)
	return sameAs(b, atLine, want, wantStop)
}

func sameAs(b []byte, atLine bool, want []uint32, wantStop int, ends ...int) error {
	r := begin(atLine)
	for _, end := range append(ends, len(b)) {
		got, stop := r.next(b[:end:end])
		if stop == scan.Exhausted && end < len(b) {
			continue
		}
		if stop != wantStop || !slices.Equal(got, want) {
			return fmt.Errorf("%q, at a line %v, in pieces to %v: got %v, stop %d; want %v, stop %d", b, atLine, ends, got, stop, want, wantStop)
		}
		break
	}
	return nil
}

// heads are well formed, of every length of names and values that matters.
func heads(r *rand.Rand, size int) []byte {
	const token, text = "abcXYZ019-_!#~", "abcXYZ 019-:;,\t\x80\xFF\"/"
	pick := func(from string, n int) (s []byte) {
		for range n {
			s = append(s, from[r.IntN(len(from))])
		}
		return s
	}
	var b []byte
	for len(b) < size {
		longest := []int{1, 4, 20, 70, 300}[r.IntN(5)]
		b = append(b, pick(token, 1+r.IntN(longest))...)
		b = append(b, ':')
		b = append(b, pick(text, r.IntN(2*longest))...)
		b = append(b, "\r\n"...)
	}
	return b[:size]
}

// Every byte at every place, in inputs of every length up to 256 and a few more.
func TestEveryByteAtEveryLane(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sizes, times := []int{1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256}, 2
	if testing.Short() { // under an emulator
		sizes, times = []int{33, 64, 129, 200}, 1
	}
	each(t, func(t *testing.T) {
		for _, size := range sizes {
			for range times {
				good := heads(r, size)
				for at := range good {
					b := bytes.Clone(good)
					for c := range 256 {
						b[at] = byte(c)
						if err := same(b, at&1 == 0); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		}
		for size := range 257 {
			for range 4 {
				for _, atLine := range []bool{false, true} {
					require.NoError(t, same(heads(r, size), atLine))
				}
			}
		}
	})
}

// What has its parts on both sides of a block's border: each sequence at every
// place around it.
func TestAcrossBlockBorders(t *testing.T) {
	parts := []string{"\r\n", "\r\t", "\r\r\n", "\n", "\r\n\r\n", "\r\nA: b\r\n", "\r\n:", "\r\n ", ":\r\n", "\x7f", "\r\nA\r\n", "\r\nA :", "\r", "\r\nname", "\r\n\x80:"}
	each(t, func(t *testing.T) {
		for _, part := range parts {
			for _, fill := range []string{"a", " ", "\x80", "\t"} {
				for at := range 200 {
					for _, behind := range []int{0, 1, 5, 64, 130} {
						b := append(bytes.Repeat([]byte(fill), at), part...)
						b = append(b, bytes.Repeat([]byte(fill), behind)...)
						for _, atLine := range []bool{false, true} {
							if err := same(b, atLine); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
			}
		}
	})
}

// A head that ends at every place of a block, with content of every kind behind.
func TestAHeadEndsAnywhere(t *testing.T) {
	each(t, func(t *testing.T) {
		for size := range 200 {
			head := append(append([]byte("A: "), bytes.Repeat([]byte("v"), size)...), "\r\n\r\n"...)
			for _, content := range []string{"", "\x00", "\n", "\r\n", ":", "HTTP/1.1 200 OK\r\n", "a:\r\n"} {
				b := append(bytes.Clone(head), bytes.Repeat([]byte(content), 40)...)
				want, stop := plainly(b, true)
				require.Equal(t, len(head)-2, stop)
				require.NoError(t, sameAs(b, true, want, stop))
			}
		}
	})
}

// Splits change nothing, and marks have room only by and by.
func TestSplits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	each(t, func(t *testing.T) {
		for range 200 {
			b := heads(r, 1+r.IntN(700))
			if r.IntN(2) == 0 {
				b[r.IntN(len(b))] = "\r\n:\x00 a"[r.IntN(6)]
			}
			for _, atLine := range []bool{false, true} {
				want, stop := plainly(b, atLine)
				for at := range b {
					if err := sameAs(b, atLine, want, stop, at); err != nil {
						t.Fatal(err)
					}
				}
				var ends []int
				for end := range b {
					ends = append(ends, end)
				}
				require.NoError(t, sameAs(b, atLine, want, stop, ends...))
			}
		}
	})
}

// Marks without any room, and with too little.
func TestRoom(t *testing.T) {
	each(t, func(t *testing.T) {
		for room := range scan.Room {
			var s scan.State
			marks := make([]uint32, room)
			require.Equal(t, scan.Full, scan.Lines([]byte("some value\r\n"), &s, &marks), "room for %d", room)
			require.Empty(t, marks)
			require.Zero(t, s.N)
		}
		var marks []uint32
		require.Equal(t, scan.Full, scan.Lines([]byte("some value\r\n"), &scan.State{}, &marks))
	})
}

// A bare CR as the last byte of a block, with a long value on both sides.
func TestBareCRBeforeALongValue(t *testing.T) {
	each(t, func(t *testing.T) {
		for at := range 400 {
			b := bytes.Repeat([]byte("v"), 600)
			b[at] = '\r'
			require.NoError(t, same(b, false))
		}
	})
}

// Marks that are many: the shortest lines there can be.
func TestShortestLines(t *testing.T) {
	each(t, func(t *testing.T) {
		for size := range 600 {
			require.NoError(t, same(bytes.Repeat([]byte("a:\r\n"), 200)[size&3:size], size&3 == 0))
		}
	})
}

func TestLinesDoesNotAllocate(t *testing.T) {
	b, marks := bytes.Repeat([]byte("name: value\r\n"), 30), make([]uint32, 200)
	each(t, func(t *testing.T) {
		require.Zero(t, testing.AllocsPerRun(10, func() {
			s := scan.State{N: 1, Open: scan.AtLine}
			marks[0] = ^uint32(0)
			if stop := scan.Lines(b, &s, &marks); stop != scan.Exhausted {
				t.Fatal(stop)
			}
		}))
	})
}

// FuzzLines holds every variant to the plain reading, whole and in two pieces.
func FuzzLines(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for size := 1; size < 400; size += 13 {
		f.Add(heads(r, size), uint16(size/2), true)
	}
	f.Add([]byte("200 OK\r\nServer: x\r\n\r\nContent"), uint16(30), false)
	best := scan.Variants()[len(scan.Variants())-1]
	f.Fuzz(func(t *testing.T, b []byte, at uint16, atLine bool) {
		defer scan.Use(best)
		want, stop := plainly(b, atLine)
		at %= uint16(min(len(b), 1<<15) + 1)
		for _, v := range scan.Variants() {
			scan.Use(v)
			for _, ends := range [][]int{nil, {int(at)}, {int(at) / 2, int(at)}} {
				if err := sameAs(b, atLine, want, stop, ends...); err != nil {
					t.Errorf("%s: %v", v, err)
				}
			}
		}
	})
}

// Behind the capacity of marks nothing is written, be the lines as short as
// they can be.
func TestNothingIsWrittenBehindTheRoom(t *testing.T) {
	const canary = 0xA5A5A5A5
	each(t, func(t *testing.T) {
		for _, lines := range []string{"a:\r\n", "a:\r\nbc:\r\n", "a:b\r\n", "abc:\r\na:\r\na:\r\n", "a:" + strings.Repeat("x", 300) + strings.Repeat("\r\na:", 200)} {
			for size := 0; size < 600; size += 19 {
				for shift := range 4 {
					b := []byte("HTTP"[:shift] + "\r\n" + strings.Repeat(lines, size/len(lines)+1))
					for room := scan.Room; room < 3*scan.Room; room += 3 {
						store := make([]uint32, room+64)
						for i := range store[room:] {
							store[room+i] = canary
						}
						marks := store[:0:room]
						scan.Lines(b, &scan.State{}, &marks)
						for i, m := range store[room:] {
							require.EqualValues(t, canary, m, "place %d behind a room of %d", i, room)
						}
					}
				}
			}
		}
	})
}

// Long values, one behind the other, with every kind of byte at every place.
func TestLongValues(t *testing.T) {
	each(t, func(t *testing.T) {
		for _, size := range []int{255, 300, 390, 517, 700} {
			for _, c := range "xt\t\x7F\x00\r\n\u0080:" {
				for at := range size {
					value := []byte(strings.Repeat("v", size))
					value[at] = byte(c)
					b := slices.Concat([]byte("HTTP\r\na: "), value, []byte("\r\nb: "), value[at/2:], []byte("\r\nc:d\r\nef:g\r\n\r\n"))
					require.NoError(t, same(b[:len(b):len(b)], false), "%d bytes, %q at %d", size, c, at)
				}
			}
		}
	})
}
