// Package scan finds the ends of field names and lines in bytes that are well
// formed, and stops at the first that is not: it accepts, and names no reason.
//
// # The masks
//
// Bytes are taken in blocks of 64, each classified into bit masks, bit i for byte
// i of the block: T (token characters), COLON, CR, LF, and BAD (control bytes
// other than HTAB, CR and LF; and DEL). With the carries of the block before:
//
//	S     = LF<<1 | Start                line starts
//	E     = (T + S + Name) &^ T          where each field name ends; the addition's carry is the next Name
//	X     = (E &^ COLON) | (E & S)       a name ends in no colon, or is empty
//	bad   = ((CR<<1 | CR in) ^ LF) | BAD a CR without LF, an LF without CR, other controls
//	stop  = X | bad                      its first bit is where reading stops
//	marks = (E | LF) below the stop      colons and LFs, in turn
//
// One addition finds all names: a run of token characters is a run of ones, and
// adding a one at its beginning carries to the zero behind it, which is its end.
// Runs within values have no line start and stay as they are; &^ T takes them
// away.
//
// A worked example, bit 0 first, "." for 0, r for CR and n for LF:
//
//	bytes  A b : _ 1 r n C : _ x y r n r n
//	T      1 1 . . 1 . . 1 . . 1 1 . . . .
//	S      1 . . . . . . 1 . . . . . . 1 .  Start is 1: the block begins a line
//	T+S    . . 1 . 1 . . . 1 . 1 1 . . 1 .
//	E      . . 1 . . . . . 1 . . . . . 1 .  two colons, and the empty line: no name is there
//	X      . . . . . . . . . . . . . . 1 .  E & S: the stop, which is the end of the head
//	CR<<1  . . . . . . 1 . . . . . . 1 . 1
//	LF     . . . . . . 1 . . . . . . 1 . 1  equal: every CR has its LF, and every LF its CR
//	marks  . . 1 . . . 1 . 1 . . . . 1 . .  colon, LF, colon, LF
//
// A value without a mark in two blocks goes on through a loop that looks for
// control bytes alone.
//
// # Variants
//
// AVX2 and AVX-512 (VBMI2) on amd64 and NEON on arm64, chosen when the program
// starts; elsewhere, and under the build tag purego, Go that takes words of 8
// bytes. All give the same answers, which the tests hold.
package scan

// A State is where reading goes on.
type State struct {
	Pos  int // the next byte
	N    int // marks of the bytes before it
	Open int // what is open there
}

// What Lines gives for stop where it has found none.
const (
	Exhausted = -1 // all of b was read
	Full      = -2 // marks has not enough room
)

// Room is how many places the marks of two blocks may take, and what is written
// over by the next ones: with less room Lines gives Full.
const Room = 68

// What is open at State.Pos: the carries of the masks.
const (
	InValue  = 0 // nothing that matters: a value or a status line
	AtLine   = 1 // it begins a line: Start
	BehindCR = 2 // the LF that ends a line has to come: CR in
	InName   = 4 // a field name: Name
)

// Again makes s, which Lines has left, where Lines goes on: with Open, behind
// the first N of marks.
func (s *State) Again(b []byte, marks []uint32) {
	switch {
	case s.N&1 == 0 && s.Pos > 0 && b[s.Pos-1] == '\r':
		s.Open = BehindCR
	case s.N&1 == 0:
		s.Open = InValue
	case marks[s.N-1]+1 == uint32(s.Pos):
		s.Open = AtLine
	default:
		s.Open = InName
	}
}

// func Lines(b []byte, s *State, marks *[]uint32) (stop int)
//
// Lines, which every variants_*.go has, reads lines from b[s.Pos:] on. It keeps
// the first s.N marks, puts behind them the offsets of every colon that ends a
// field name and of every LF, in turn, up to stop, and makes that the length of
// marks, never beyond its capacity. stop is the first byte that is at fault, or
// the CR of an empty line.
//
// If stop is Exhausted or Full, s is where to go on, after Again; with Exhausted,
// bytes from s.Pos on have been looked at, and the marks behind the first s.N
// come again. Else s stays as it is.
