package validator

import (
	"bytes"
	"strconv"

	"why520/wire"
)

// appendRepaired appends the head h of b as it is without what was tolerated in
// it: see Conn.
func appendRepaired(dst []byte, h *wire.Head, b []byte) []byte {
	dst = append(dst, "HTTP/1."...)
	dst = strconv.AppendInt(dst, int64(h.Minor), 10)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, int64(h.Status), 10)
	dst = append(dst, ' ')
	from := len(dst)
	dst = append(dst, h.ReasonPhrase(b)...)
	wipe(dst[from:])
	dst = append(dst, "\r\n"...)
	stated := false
	for i := range h.Len() {
		name := h.Name(b, i)
		switch {
		case h.Minor == 0 && equalFold(name, "Transfer-Encoding"):
			continue
		case h.Status >= 200 && h.Status != 204 && equalFold(name, "Content-Length"):
			if stated {
				continue
			}
			stated = true // and all others are the same
			value, _, _ := bytes.Cut(h.Value(b, i), []byte(","))
			dst = append(append(dst, name...), ": "...)
			dst = append(dst, bytes.TrimSpace(value)...)
		default:
			dst = append(append(dst, name...), ": "...)
			from = len(dst)
			dst = h.AppendValue(dst, b, i)
			wipe(dst[from:])
		}
		dst = append(dst, "\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// wipe makes control bytes but HTAB spaces (RFC 9110 section 5.5).
func wipe(v []byte) {
	for i, c := range v {
		if c < ' ' && c != '\t' || c == 0x7F {
			v[i] = ' '
		}
	}
}

// equalFold reports whether a is b, in any case of its letters.
func equalFold(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if c != b[i] && (c|0x20 != b[i]|0x20 || c|0x20 < 'a' || 'z' < c|0x20) {
			return false
		}
	}
	return true
}
