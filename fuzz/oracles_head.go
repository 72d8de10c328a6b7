package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"why520/wire"
)

// A Teller is a Parser that tells what it read: some oracles need that. Head is
// called after Parse gave no error, with the b that Parse was given; what it
// gives must not change when b does.
type Teller interface {
	Parser
	Head(b []byte) Head
}

// Wire is a Teller of package wire's Parser, under the limits l.
func Wire(l wire.Limits) Teller { return &wireTeller{wire.Parser{Limits: l}} }

type wireTeller struct{ wire.Parser }

func (p *wireTeller) Head(b []byte) Head { return headOf(&p.Parser.Head, b) }

// told gives what a parser made of b, as far as it tells.
func told(p Parser, b []byte) (head Head, n int, err error) {
	n, err = p.Parse(b)
	if t, ok := p.(Teller); ok && err == nil {
		head = t.Head(b)
	}
	return head, n, err
}

// Rebuild checks, of a Teller, that a head that is accepted and written again
// with one space behind each colon is read as the same head.
func Rebuild(parser func() Parser, input []byte) error {
	first, _, err := told(parser(), input)
	if err != nil || first.Status == 0 {
		return nil
	}
	again := first.Append(nil)
	second, n, err := told(parser(), again)
	switch {
	case err != nil || n != len(again):
		return atHead("rebuild", input, "%q, made of an accepted head, is refused: %d, %v", again, n, err)
	case !reflect.DeepEqual(first, second):
		return atHead("rebuild", input, "%q is read as %+v, and was %+v", again, second, first)
	}
	return nil
}

// Append appends h to b as it goes on the wire, with an empty reason phrase.
func (h Head) Append(b []byte) []byte {
	b = fmt.Appendf(b, "HTTP/1.%d %03d \r\n", h.Minor, h.Status)
	for _, f := range h.Fields {
		b = append(b, f.Name+": "+f.Value+"\r\n"...)
	}
	return append(b, "\r\n"...)
}

// Same checks that two parsers say the same of input: both accept it and, if
// they tell, read the same; or both refuse it at the same byte.
func Same(a, b func() Parser, input []byte) error {
	headA, nA, errA := told(a(), input)
	headB, nB, errB := told(b(), input)
	switch {
	case nA != nB || (errA == nil) != (errB == nil) || !sameReason(errA, errB):
		return atHead("same", input, "one parser says %d, %v; the other %d, %v", nA, errA, nB, errB)
	case headA.Status != 0 && headB.Status != 0 && !reflect.DeepEqual(headA, headB):
		return atHead("same", input, "one parser reads %+v; the other %+v", headA, headB)
	}
	return nil
}

// sameReason reports whether two errors say the same, where both are Reasons.
func sameReason(a, b error) bool {
	ra, okA := a.(wire.Reason)
	rb, okB := b.(wire.Reason)
	return !okA || !okB || ra == rb
}

// NoOverread checks that the result does not depend on what stands in memory
// behind the input, and that nothing is written there.
func NoOverread(parser func() Parser, input []byte) error {
	wantHead, wantN, wantErr := told(parser(), bytes.Clone(input))
	for _, poison := range []string{"\r\n\r\n", ":\r\n\r\n", "\x00", "\n", "A: b\r\n\r\n"} {
		tail := bytes.Repeat([]byte(poison), 64/len(poison)+1)
		memory := append(bytes.Clone(input), tail...)
		head, n, err := told(parser(), memory[:len(input)])
		switch {
		case n != wantN || !same(err, wantErr) || !reflect.DeepEqual(head, wantHead):
			return atHead("overread", input, "with %q behind the input, %d, %v; else %d, %v", poison, n, err, wantN, wantErr)
		case !bytes.Equal(memory[len(input):], tail):
			return atHead("overread", input, "the bytes behind the input were written to")
		}
	}
	return nil
}

// Alias checks that a parser keeps nothing of the memory it was given: between
// calls the bytes move, and where they were is overwritten.
func Alias(parser func() Parser, input []byte) error {
	wantHead, wantN, wantErr := told(parser(), bytes.Clone(input))
	for _, step := range []int{1, 7, 64} {
		p := parser()
		for end := min(step, len(input)); ; end = min(end+step, len(input)) {
			b := bytes.Clone(input[:end])
			head, n, err := told(p, b)
			for i := range b {
				b[i] = 0xAA
			}
			if errors.Is(err, wire.ErrIncomplete) && end < len(input) {
				continue
			}
			if n != wantN || !same(err, wantErr) || !reflect.DeepEqual(head, wantHead) {
				return atHead("alias", input, "in steps of %d with moving bytes, %d, %v, %+v; else %d, %v, %+v", step, n, err, head, wantN, wantErr, wantHead)
			}
			break
		}
	}
	return nil
}
