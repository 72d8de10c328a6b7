package edge

import (
	"iter"
	"strconv"
	"strings"
)

// A member is an item of a List with its parameters (RFC 9651 sections 3.1 and
// 3.1.2) in the making.
type member struct{ strings.Builder }

// newMember begins with a name, as an item.
func newMember(name string) *member {
	m := new(member)
	m.item(name)
	return m
}

// item writes a Token where s can be one, and else a String.
func (m *member) item(s string) {
	if isItemToken(s) {
		m.WriteString(s)
	} else {
		m.quote(s)
	}
}

// isItemToken reports whether s is a Token of RFC 9651 section 3.3.4, which begins
// otherwise than that of RFC 9110:
//
//	sf-token = ( ALPHA / "*" ) *( tchar / ":" / "/" )
func isItemToken(s string) bool {
	return s != "" && (isAlpha(s[0]) || s[0] == '*') && isToken(strings.NewReplacer(":", "", "/", "").Replace(s))
}

// flag writes a parameter that is true.
func (m *member) flag(key string) { m.WriteString("; " + key) }

func (m *member) token(key, value string) { m.WriteString("; " + key + "=" + value) }

func (m *member) integer(key string, value int64) {
	const most = 999_999_999_999_999 // RFC 9651 section 3.3.1
	m.token(key, strconv.FormatInt(max(min(value, most), -most), 10))
}

func (m *member) string(key, value string) {
	m.token(key, "")
	m.quote(value)
}

// quote writes a String. It can hold visible ASCII and spaces; what else there is
// becomes a question mark.
func (m *member) quote(s string) {
	m.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			m.WriteByte('\\')
		case c < ' ' || c > '~':
			c = '?'
		}
		m.WriteByte(byte(c))
	}
	m.WriteByte('"')
}

// splitOutsideQuotes gives the parts of a field's value between separators that stand
// in no quoted-string (RFC 9110 section 5.6.4). One without an end reaches to the end.
func splitOutsideQuotes(s string, separator byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		begin, quoted := 0, false
		for i := 0; i < len(s); i++ {
			switch c := s[i]; {
			case c == '"':
				quoted = !quoted
			case c == '\\' && quoted:
				i++
			case c == separator && !quoted:
				if !yield(s[begin:i]) {
					return
				}
				begin = i + 1
			}
		}
		yield(s[begin:])
	}
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isToken reports whether s is a token (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	const others = "!#$%&'*+-.^_`|~"
	for i := range len(s) {
		if c := s[i]; !isAlpha(c) && !('0' <= c && c <= '9') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return s != ""
}
