package report

import (
	"fmt"
	"strings"

	"why520/validator"
)

// escape shows bytes as a Go string literal does, without its quotes.
func escape(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteString(escapeByte(c))
	}
	return s.String()
}

func escapeByte(c byte) string {
	switch c {
	case '\r':
		return `\r`
	case '\n':
		return `\n`
	case '\t':
		return `\t`
	case '\\':
		return `\\`
	}
	if c < ' ' || c >= 0x7F {
		return fmt.Sprintf(`\x%02x`, c)
	}
	return string(c)
}

// dump shows the bytes around the one at fault, with a mark below it; nothing
// where these bytes were not kept. width is the room there is.
func dump(r *validator.Response, at int64, width int) []string {
	b, first := r.Raw, int64(0)
	if x := r.Around; x != nil && at >= x.Offset {
		b, first = x.Bytes, x.Offset
	}
	fault := int(at - first)
	if at < 0 || fault < 0 || fault > len(b) {
		return nil
	}
	before, room := "", width/2
	from := fault
	for from > 0 && len(before)+len(escapeByte(b[from-1])) <= room {
		from--
		before = escapeByte(b[from]) + before
	}
	marked, after := "", ""
	if fault < len(b) {
		marked = escapeByte(b[fault])
		for _, c := range b[fault+1:] {
			if len(before)+len(marked)+len(after)+len(escapeByte(c)) > width {
				break
			}
			after += escapeByte(c)
		}
	}
	if marked == "" {
		marked = " "
	}
	return []string{before + marked + after, strings.Repeat(" ", len(before)) + strings.Repeat("^", len(marked)) + fmt.Sprintf(" byte %d", at)}
}

// start shows the first bytes of a response on at most lines lines, broken
// where its lines end.
func start(raw []byte, width, lines int) []string {
	var out []string
	line := ""
	for _, c := range raw {
		e := escapeByte(c)
		if len(line)+len(e) > width {
			out, line = append(out, line), ""
		}
		line += e
		if c == '\n' {
			out, line = append(out, line), ""
		}
		if len(out) == lines {
			return append(out[:lines-1], out[lines-1]+" ...")
		}
	}
	if line != "" {
		out = append(out, line)
	}
	return out
}

// Lines gives the lines of b, escaped, each with the offset of its first byte;
// the first of b has the offset at.
func Lines(b []byte, at int64) []string {
	const most = 16 // lines of one piece; the rest is counted
	var out []string
	for len(b) > 0 {
		if len(out) == most {
			return append(out, fmt.Sprintf("%6d  ... %d bytes more", at, len(b)))
		}
		n := strings.IndexByte(string(b[:min(len(b), 100)]), '\n') + 1
		if n == 0 {
			n = min(len(b), 100)
		}
		out = append(out, fmt.Sprintf("%6d  %s", at, escape(b[:n])))
		b, at = b[n:], at+int64(n)
	}
	return out
}
