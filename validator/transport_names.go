package validator

import (
	"encoding/binary"

	"why520/wire"
)

// canonical gives b as a string in which the field names of h are as
// http.CanonicalHeaderKey has them.
func (x *trip) canonical(h *wire.Head, b []byte) string {
	var behind [wordSize]byte
	text := append(append(x.text[:0], b...), behind[:]...)
	x.text = text[:len(b)]
	for i := range h.Len() {
		name := h.Name(x.text, i)
		if !isCanonical(name[:len(name)+wordSize], len(name)) {
			canonicalize(name)
		}
	}
	return string(x.text)
}

const (
	caseBit  = 'a' - 'A'
	wordSize = 8
	each     = 0x0101010101010101 // times a byte: that in each place of a word
	tops     = 0x80 * each
)

// isCanonical reports whether a letter of the name b[:n], a token, is in upper
// case where it is the first or behind a hyphen, and only there. It looks at
// eight bytes at a time: b has a word behind the name.
//
// A byte of a token is less than 0x80, so that what is added to each of eight
// carries into its own highest bit alone.
func isCanonical(b []byte, n int) bool {
	begins := uint64(0x80) // of a place: the highest bit of the byte that has the first letter of a word
	for ; n > 0; n -= wordSize {
		w := binary.LittleEndian.Uint64(b)
		if b = b[wordSize:]; n < wordSize {
			w &= 1<<(8*n) - 1
		}
		lower := w | caseBit*each
		letter := (lower + (0x80-'a')*each) &^ (lower + (0x80-'z'-1)*each) & tops
		upper := letter &^ (w << 2) // whose bit of the case is its highest there
		hyphen := ^((w ^ '-'*each) + 0x7F*each) & tops
		if letter&(begins|hyphen<<8) != upper {
			return false
		}
		begins = hyphen >> 56
	}
	return true
}

// canonicalize puts letters of name into the case that isCanonical wants.
func canonicalize(name []byte) {
	wrong := byte('a') // first letter of the case that would be wrong
	for i, c := range name {
		if c-wrong < 26 {
			name[i] = c ^ caseBit
		}
		wrong = 'A'
		if c == '-' {
			wrong = 'a'
		}
	}
}
