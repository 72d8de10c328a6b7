package fuzz

import (
	"bytes"
	"errors"

	"why520/wire"
)

// A Parser reads one head, as wire.Parser does: b begins with the bytes given to
// the call before; n and err are those of wire.Parser.Parse, or where err is no
// wire.Reason, n is where the parser gave up.
type Parser interface {
	Parse(b []byte) (n int, err error)
}

// Split checks that the result is the same however input is split into calls:
// whole, in two at every place, and byte by byte. An early result on the way
// must be the result of the whole.
func Split(parser func() Parser, input []byte) error {
	wantN, wantErr := parser().Parse(input)
	try := func(p Parser, ends ...int) error {
		for _, end := range ends {
			n, err := p.Parse(input[:end])
			if errors.Is(err, wire.ErrIncomplete) && end < len(input) {
				continue
			}
			if n != wantN || !same(err, wantErr) {
				return atHead("split", input, "bytes up to %d of %d: got %d, %v; want %d, %v", end, len(input), n, err, wantN, wantErr)
			}
			return nil
		}
		return nil
	}
	each := make([]int, 0, len(input))
	for end := 1; end <= len(input); end++ {
		each = append(each, end)
		if err := try(parser(), end, len(input)); err != nil {
			return err
		}
	}
	return try(parser(), each...)
}

func same(a, b error) bool {
	return a == nil && b == nil || a != nil && b != nil && (errors.Is(a, b) || a.Error() == b.Error())
}

// completions are ways in which a head that has begun can end. Whatever the
// grammar can begin with, one of them makes a whole head of.
var completions = func() []string {
	const status, rest = "HTTP/1.1 200 OK", "\r\nA: b\r\n\r\n"
	all := []string{"\r\n", "\r\n\r\n", "\n", "\n\r\n", "A: b\r\n\r\n", ": b\r\n\r\n", "\nA: b\r\n\r\n"}
	for i := range status {
		all = append(all, status[i:]+rest)
	}
	return append(all, "00 OK"+rest, "0 OK"+rest, " OK"+rest, rest)
}()

// viable reports whether a head can begin with b, by the parser's own word on
// the completions of b: what it accepts is accepted by the grammar, which other
// oracles and the vectors look after.
func viable(parser func() Parser, b []byte) bool {
	for _, c := range completions {
		whole := append(bytes.Clone(b), c...)
		if n, err := parser().Parse(whole); err == nil && n >= len(b) {
			return true
		}
	}
	return false
}

// Earliest checks, of an input that is refused for its grammar, that the byte
// said to be at fault is the first: a head can begin with what stands before
// it, and with it no more. Reasons of budgets are passed over.
func Earliest(parser func() Parser, input []byte) error {
	n, err := parser().Parse(input)
	if err == nil || errors.Is(err, wire.ErrIncomplete) && n == len(input) || ofBudget(err) {
		return nil
	}
	switch {
	case n < 0 || n >= len(input):
		return atHead("earliest", input, "%v at %d, of %d bytes", err, n, len(input))
	case !viable(parser, input[:n]):
		return atHead("earliest", input, "%v at %d, but no head begins with what stands before it", err, n)
	case viable(parser, input[:n+1]):
		return atHead("earliest", input, "%v at %d, but a head can go on with that byte", err, n)
	}
	return nil
}

func ofBudget(err error) bool {
	for _, r := range []wire.Reason{wire.HeadTooLarge, wire.StatusLineTooLong, wire.FieldLineTooLong, wire.TooManyFields} {
		if errors.Is(err, r) {
			return true
		}
	}
	return false
}

// Suffix checks that what stands behind a head changes nothing about it.
func Suffix(parser func() Parser, input []byte) error {
	n, err := parser().Parse(input)
	if err != nil {
		return nil
	}
	for _, suffix := range []string{"", "\r", "\n", "\x00", ": ", "HTTP/1.1 200 OK\r\n\r\n"} {
		b := append(bytes.Clone(input[:n]), suffix...)
		if m, err := parser().Parse(b); m != n || err != nil {
			return atHead("suffix", input, "%q behind a head of %d bytes: got %d, %v", suffix, n, m, err)
		}
	}
	return nil
}

// Budget checks that the budget for the head is exact: a head of n bytes is
// accepted under budgets of n and n+1, refused at offset n-1 under one of n-1,
// and so is every beginning of it that is longer than the budget.
func Budget(parser func(head int) Parser, input []byte) error {
	n, err := parser(wire.MaxLimit).Parse(input)
	if err != nil || n < 2 {
		return nil
	}
	for _, budget := range []int{n, n + 1} {
		if m, err := parser(budget).Parse(input); m != n || err != nil {
			return atHead("budget", input, "budget %d, head of %d bytes: got %d, %v", budget, n, m, err)
		}
	}
	for budget := 1; budget < n; budget++ {
		for _, b := range [][]byte{input, input[:budget+1]} {
			m, err := parser(budget).Parse(b)
			if m != budget || !ofBudget(err) {
				return atHead("budget", input, "budget %d, %d bytes of a head of %d: got %d, %v", budget, len(b), n, m, err)
			}
		}
	}
	return nil
}

// ReadOnly checks that the parser leaves its input alone.
func ReadOnly(parser func() Parser, input []byte) error {
	b := bytes.Clone(input)
	_, _ = parser().Parse(b)
	if !bytes.Equal(b, input) {
		return atHead("read-only", input, "the parser wrote to its input")
	}
	return nil
}
