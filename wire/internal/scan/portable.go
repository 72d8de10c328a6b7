package scan

import (
	"encoding/binary"
	"math/bits"
)

// Classes of bytes.
const (
	Token   = 1 << iota // tchar (RFC 9110 section 5.6.2)
	Text                // HTAB, SP, VCHAR and obs-text: what a value or reason phrase is made of
	Control             // below 0x20 except HTAB, CR and LF; and DEL
)

// Class has the classes of every byte.
var Class = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c < 0x20 && c != '\t' && c != '\r' && c != '\n', c == 0x7F:
			t[c] |= Control
		case c != '\r' && c != '\n':
			t[c] |= Text
		}
		switch {
		case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z':
			t[c] |= Token
		}
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] |= Token
	}
	return t
}()

// portable is Lines in Go.
func portable(b []byte, s *State, marks *[]uint32) (stop int) {
	i, n, to := s.Pos, s.N, (*marks)[:cap(*marks)]
	switch s.Open {
	case BehindCR:
		goto afterCR
	case InName:
		goto name
	case InValue:
		goto value
	}
line:
	if i == len(b) || len(to)-n < Room {
		goto pause
	}
	if Class[b[i]]&Token == 0 {
		goto stopped
	}
	i++
name:
	for i < len(b) && Class[b[i]]&Token != 0 {
		i++
	}
	if i == len(b) || len(to)-n < Room {
		goto pause
	}
	if b[i] != ':' {
		goto stopped
	}
	to[n] = uint32(i)
	n++
	i++
value:
	i = text(b, i)
	if i == len(b) {
		goto pause
	}
	if b[i] != '\r' {
		goto stopped
	}
	i++
afterCR:
	if i == len(b) || len(to)-n < Room {
		goto pause
	}
	if b[i] != '\n' {
		goto stopped
	}
	to[n] = uint32(i)
	n++
	i++
	goto line
stopped:
	*marks = to[:n]
	return i
pause:
	s.Pos, s.N = i, n
	*marks = to[:n]
	if i == len(b) {
		return Exhausted
	}
	return Full
}

// text gives the offset of the first byte of b[i:] that is no Text, or len(b).
func text(b []byte, i int) int {
	const (
		ones = 0x0101010101010101
		high = 0x80 * ones
	)
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		below := (w - 0x20*ones) &^ w & high // bytes below 0x20, perhaps also one above such a byte
		x := w ^ 0x7F*ones
		del := (x - ones) &^ x & high
		for found := below | del; found != 0; found &= found - 1 {
			if k := i + bits.TrailingZeros64(found)/8; Class[b[k]]&Text == 0 {
				return k
			}
		}
	}
	for i < len(b) && Class[b[i]]&Text != 0 {
		i++
	}
	return i
}
