package wire

// Classes of bytes.
const (
	classToken   = 1 << iota // tchar (RFC 9110 section 5.6.2)
	classText                // HTAB, SP, VCHAR and obs-text: what a value or reason phrase is made of
	classControl             // below 0x20 except HTAB, CR and LF; and DEL
)

var class = classes()

func classes() (t [256]uint8) {
	for c := range t {
		switch {
		case c < 0x20 && c != '\t' && c != '\r' && c != '\n', c == 0x7F:
			t[c] |= classControl
		case c != '\r' && c != '\n':
			t[c] |= classText
		}
		switch {
		case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z':
			t[c] |= classToken
		}
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] |= classToken
	}
	return t
}

func isToken(c byte) bool   { return class[c]&classToken != 0 }
func isText(c byte) bool    { return class[c]&classText != 0 }
func isControl(c byte) bool { return class[c]&classControl != 0 }
func isSpace(c byte) bool   { return c == ' ' || c == '\t' }
func isDigit(c byte) bool   { return '0' <= c && c <= '9' }

// isBlank knows white space and the line ends of folding that was tolerated.
func isBlank(c byte) bool { return isSpace(c) || c == '\r' || c == '\n' }
