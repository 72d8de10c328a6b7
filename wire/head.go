package wire

import (
	"bytes"
	"encoding/binary"

	"why520/wire/internal/scan"
)

// A Span is a piece of the bytes that a Head was parsed from.
type Span struct{ Off, Len uint32 }

// Of gives the piece of b, which is what was parsed.
func (s Span) Of(b []byte) []byte { return b[s.Off : s.Off+s.Len : s.Off+s.Len] }

// A Head is a status line and its field lines, as offsets into the bytes that
// were parsed: these are the b of its methods. It holds no pointer to them, so
// they may move.
type Head struct {
	Status int // three digits; 0 until they are read
	Minor  int // of HTTP-version 1.Minor; valid iff Status is

	code   uint32   // offset of the status code
	phrase Span     // reason phrase
	bare   bool     // the line ended after the code, without SP
	spaced bool     // white space before a colon was gone past
	size   uint32   // bytes of the head; valid once it is complete
	marks  []uint32 // the LF before the first field line, then of every field line its colon and its LF, the last one's of a folded line
}

// before is the LF before the first field line where that is at offset 0.
const before = ^uint32(0)

// reset empties h and keeps its storage.
func (h *Head) reset() {
	h.Status, h.Minor, h.code, h.phrase = 0, 0, 0, Span{}
	h.bare, h.spaced, h.size = false, false, 0
	h.marks = h.marks[:0]
}

// Use gives h storage, so that even the first parse does not allocate: two
// places for each field line, and Spare of them besides.
func (h *Head) Use(store []uint32) { h.marks = store[:0] }

// Spare is how many places of a Head's storage are for no field line.
const Spare = 1 + scan.Room

// Len is the number of field lines.
func (h *Head) Len() int { return (len(h.marks) - 1) / 2 }

// Size is the number of bytes of the head, tolerated blank lines and the final
// CRLF included; 0 until it is complete.
func (h *Head) Size() int { return int(h.size) }

// ReasonPhrase gives the reason phrase, which may be empty.
func (h *Head) ReasonPhrase(b []byte) []byte { return h.phrase.Of(b) }

// start gives the offset of field line i.
func (h *Head) start(i int) uint32 { return h.marks[2*i] + 1 }

// Line gives field line i, its line end and the folded lines after it included.
func (h *Head) Line(b []byte, i int) []byte { return b[h.start(i) : h.marks[2*i+2]+1] }

// Name gives the name of field line i, without white space before the colon
// that was tolerated.
func (h *Head) Name(b []byte, i int) []byte {
	name := b[h.start(i):h.marks[2*i+1]]
	for n := len(name); h.spaced && n > 0 && isSpace(name[n-1]); n-- {
		name = name[:n-1]
	}
	return name
}

// Field gives name and value of field line i as spans: what Name and Value give.
func (h *Head) Field(b []byte, i int) (name, value Span) {
	return Span{h.start(i), uint32(len(h.Name(b, i)))}, h.value(i, b)
}

// Value gives the value of field line i without the white space around it.
// Where folding was tolerated (Folded), it still holds the line ends:
// AppendValue replaces them.
func (h *Head) Value(b []byte, i int) []byte { return h.value(i, b).Of(b) }

func (h *Head) value(i int, b []byte) Span {
	from, to := h.marks[2*i+1]+1, h.marks[2*i+2]
	if to > from && b[to-1] == '\r' {
		to--
	}
	for from < to && isBlank(b[from]) {
		from++
	}
	for to > from && isBlank(b[to-1]) {
		to--
	}
	return Span{from, to - from}
}

// Folded reports whether the value of field line i spans several lines.
func (h *Head) Folded(b []byte, i int) bool {
	for _, c := range h.Value(b, i) {
		if c == '\n' {
			return true
		}
	}
	return false
}

// AppendValue appends the value of field line i to dst, with each line end and
// the white space around it replaced by one space (RFC 9112 section 5.2).
func (h *Head) AppendValue(dst, b []byte, i int) []byte {
	v := h.Value(b, i)
	for j := 0; j < len(v); j++ {
		if v[j] != '\n' {
			dst = append(dst, v[j])
			continue
		}
		for n := len(dst); n > 0 && (isSpace(dst[n-1]) || dst[n-1] == '\r'); n-- {
			dst = dst[:n-1]
		}
		for j+1 < len(v) && (isSpace(v[j+1]) || v[j+1] == '\r') {
			j++
		}
		dst = append(dst, ' ')
	}
	return dst
}

// Get gives the value of the first field line of that name, in any case.
func (h *Head) Get(b []byte, name string) (value []byte, ok bool) {
	for i := range h.Len() {
		if equalFold(h.Name(b, i), name) {
			return h.Value(b, i), true
		}
	}
	return nil, false
}

// All calls yield with the number of each field line of that name, in any
// case. It is an iterator: for i := range h.All(b, "set-cookie").
func (h *Head) All(b []byte, name string) func(yield func(i int) bool) {
	return func(yield func(int) bool) {
		for i := range h.Len() {
			if equalFold(h.Name(b, i), name) && !yield(i) {
				return
			}
		}
	}
}

// Notes calls yield with what is worth a note in h, in the order of the bytes,
// each reason at its first place. It looks at all of b: ask where a person will
// read the answer.
func (h *Head) Notes(b []byte) func(yield func(Found) bool) {
	return func(yield func(Found) bool) {
		switch {
		case h.Minor > 1 && !yield(Found{HTTPMinorVersion, int64(h.code) - 2}):
			return
		case h.Status >= 600 && !yield(Found{StatusCodeUnassignedClass, int64(h.code)}):
			return
		case h.Status > 103 && h.Status < 200 && !yield(Found{UnknownInterim, int64(h.code)}):
			return
		case h.bare && !yield(Found{ReasonPhraseMissing, int64(h.code) + 3}):
			return
		}
		if h.size > 0 && h.Status >= 200 && h.Status != 204 && unremarkable(b[:h.size]) {
			return
		}
		var seen Set
		note := func(r Reason, off int) bool {
			if seen.Has(r) {
				return true
			}
			seen = seen.With(r)
			return yield(Found{r, int64(off)})
		}
		for i := range h.Len() {
			name, value := h.Name(b, i), h.value(i, b)
			start := int(h.start(i))
			for j, c := range name {
				if c == '_' && !note(FieldNameUnderscore, start+j) {
					return
				}
			}
			if (h.Status < 200 || h.Status == 204) && (equalFold(name, contentLength) || equalFold(name, transferEncoding)) &&
				!note(ContentLengthOnNoContent, start) {
				return
			}
			for j, c := range value.Of(b) {
				if c >= 0x80 && !note(FieldObsText, int(value.Off)+j) {
					return
				}
			}
		}
	}
}

// unremarkable reports whether b has neither an underscore nor a byte that is not
// ASCII: most heads.
func unremarkable(b []byte) bool {
	if bytes.IndexByte(b, '_') >= 0 {
		return false
	}
	const high = 0x8080808080808080
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&high != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// equalFold reports whether name is lower, which is in lower case, in any case.
func equalFold(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		want := lower[i]
		if 'A' <= want && want <= 'Z' {
			want += 'a' - 'A'
		}
		if c != want {
			return false
		}
	}
	return true
}
