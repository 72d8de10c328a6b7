package fuzz

import (
	"errors"
	"fmt"

	"why520/wire"
)

// A Finding is what an oracle says is wrong with a subject. Every error of an
// oracle is a *Finding.
type Finding struct {
	Oracle string
	Reason wire.Reason // that a strict recipient, under the Case's Limits, refuses the Case with; OK: it accepts it
	Detail string
	Case   Case // that shows it
}

// Error says it in a line, and in another what the case was.
func (f *Finding) Error() string {
	text := f.Oracle + ": "
	if f.Reason != wire.OK {
		text += f.Reason.Error() + ": "
	}
	return text + f.Detail + "\n\tof " + f.Case.String()
}

// finding gives what is wrong with what a subject made of k.
func finding(oracle string, k Case, detail string, args ...any) *Finding {
	f := &Finding{Oracle: oracle, Detail: fmt.Sprintf(detail, args...), Case: k}
	_, refusal := StrictUnder(k.Limits)(k.Request, k.source(nil))
	errors.As(refusal, &f.Reason)
	return f
}

// atHead gives what is wrong with what a parser of heads made of input.
func atHead(oracle string, input []byte, detail string, args ...any) *Finding {
	return finding(oracle, Case{Bytes: input, End: wire.FIN}, detail, args...)
}
