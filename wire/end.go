package wire

import "strconv"

// An End says how a stream of bytes ended, as it was on the wire. Package
// validator declares further ends, of connections that never carried a byte.
type End uint8

const (
	Open      End = iota // it has not ended, or we ended it ourselves
	FIN                  // closed in order (within TLS: with close_notify)
	RST                  // reset; within TLS an alert counts as one
	Timeout              // silent for as long as we were prepared to wait
	Deadline             // still arriving when the time for all of it was over
	Truncated            // FIN within TLS, without close_notify
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func quote(s string) string {
	if len(s) > 64 {
		s = s[:64] + "..."
	}
	return strconv.QuoteToASCII(s)
}

var ends = [256]string{Open: "open", FIN: "fin", RST: "rst", Timeout: "timeout", Deadline: "deadline", Truncated: "truncated"}

// String gives the word that stored evidence has for e.
func (e End) String() string { return ends[e] }

// MarshalText gives the word.
func (e End) MarshalText() ([]byte, error) { return []byte(ends[e]), nil }

// UnmarshalText takes the word.
func (e *End) UnmarshalText(text []byte) error {
	for i, w := range ends {
		if w != "" && w == string(text) {
			*e = End(i)
			return nil
		}
	}
	return UnknownEndError(text)
}

// UnknownEndError is a word that names no end.
type UnknownEndError string

func (e UnknownEndError) Error() string { return "no end is called " + quote(string(e)) }

// DeclareEnd adds an end of another package, from 64 on. It is for init
// functions; a number below 64 or one that is taken panics.
func DeclareEnd(e End, word string) {
	if e < 64 || ends[e] != "" {
		panic("wire: the end " + quote(word) + " is declared already, or is wire's own")
	}
	ends[e] = word
}
