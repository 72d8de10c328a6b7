package wire

import "encoding/binary"

// Most responses are framed by one Content-Length or by chunks, and have no fault
// in that. These are found here in one look at the lengths of their names, in few
// steps. Whatever is not quite so is left to the code that names reasons.

// The words of 8 bytes that these names begin and end with, and the hyphen
// between those of the longer one.
const (
	content = 'c' | 'o'<<8 | 'n'<<16 | 't'<<24 | 'e'<<32 | 'n'<<40 | 't'<<48 | '-'<<56
	tLength = 't' | '-'<<8 | 'l'<<16 | 'e'<<24 | 'n'<<32 | 'g'<<40 | 't'<<48 | 'h'<<56

	transfer = 't' | 'r'<<8 | 'a'<<16 | 'n'<<24 | 's'<<32 | 'f'<<40 | 'e'<<48 | 'r'<<56
	encoding = 'e' | 'n'<<8 | 'c'<<16 | 'o'<<24 | 'd'<<32 | 'i'<<40 | 'n'<<48 | 'g'<<56
)

// lower sets the bit of every byte that a letter's other case differs in. Of
// token characters none but a letter's other case becomes a letter by it, and
// none but itself a hyphen.
const lower = 0x2020202020202020

// plainFraming is Framing where ok is true; elsewhere it has no say.
func (h *Head) plainFraming(b []byte, method string) (f Framing, ok bool) {
	const unlike = 3 // bits in which 14 and 17, less 14, may differ
	m := h.marks
	if method != "" && method != "GET" || h.Status < 200 || h.Status == 204 || h.Status == 304 || h.spaced || len(m) < 3 {
		return f, false
	}
	lf, at, end := m[0], uint32(0), uint32(0)
	for k := 2; k < len(m); k += 2 {
		colon, next := m[k-1], m[k]
		if n := colon - lf - 1; (n-uint32(len(contentLength)))&^unlike == 0 {
			switch name := b[lf+1 : colon]; len(name) {
			case len(contentLength):
				if binary.LittleEndian.Uint64(name)|lower == content && binary.LittleEndian.Uint64(name[len(name)-8:])|lower == tLength {
					if f.Delimiter != NoContent {
						return f, false
					}
					f.Delimiter, at, end = ByLength, colon+1, next
				}
			case len(transferEncoding):
				if binary.LittleEndian.Uint64(name)|lower == transfer && binary.LittleEndian.Uint64(name[len(name)-8:])|lower == encoding {
					if f.Delimiter != NoContent || name[8] != '-' || h.Minor == 0 || !plainChunked(b[colon+1:next]) {
						return f, false
					}
					f.Delimiter = ByChunks
				}
			}
		}
		lf = next
	}
	switch f.Delimiter {
	case NoContent:
		f.Delimiter = ByClose
	case ByLength:
		if b[at] == ' ' {
			at++
		}
		f.lengthAt = int(at)
		f.Length, ok = plainNumber(b[:end-1], int(end-1-at))
		return f, ok && b[end-1] == '\r'
	}
	return f, true
}

// plainChunked reports whether a value as it stands between colon and LF is
// " chunked" and CR.
func plainChunked(v []byte) bool {
	const chunked = ' ' | 'c'<<8 | 'h'<<16 | 'u'<<24 | 'n'<<32 | 'k'<<40 | 'e'<<48 | 'd'<<56
	return len(v) == 9 && binary.LittleEndian.Uint64(v) == chunked && v[8] == '\r'
}

// plainNumber reads the last n bytes of b, which has more than 8: 1 to 8 digits.
func plainNumber(b []byte, n int) (number int64, ok bool) {
	const (
		ones  = 0x0101010101010101
		zeros = '0' * ones
		high  = 0x80 * ones
		pairs = 10<<8 | 1
		fours = 100<<16 | 1
		whole = 10000<<32 | 1
	)
	if n < 1 || n > 8 {
		return 0, false
	}
	w := binary.LittleEndian.Uint64(b[len(b)-8:]) ^ zeros // the first digit in the lowest byte
	w = w >> (64 - 8*n) << (64 - 8*n)                     // and zeros before it
	if (w|(w+(0x80-10)*ones))&high != 0 {
		return 0, false
	}
	w = w * pairs >> 8 & 0x00FF00FF00FF00FF
	w = w * fours >> 16 & 0x0000FFFF0000FFFF
	return int64(w * whole >> 32), true
}
