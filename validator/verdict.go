package validator

import (
	"slices"

	"why520/wire"
)

// A Cause is the family of reasons that an operator knows: "head-too-large",
// "empty-response", "reset-after-handshake", ...
type Cause string

// A Verdict is what Judge makes of Evidence.
type Verdict struct {
	Reason     wire.Reason // OK when nothing is refused
	Cause      Cause       // empty when OK
	EdgeStatus int         // 520 to 526, 530: what an edge answers; 0 when OK
	Phase      Phase       // where it failed
	Offset     int64       // of the byte at fault, from the first of the response; -1: no byte is
	Message    string      // what the origin did, with the numbers at hand; one sentence without a full stop
	Findings   []Finding   // all that is refused, Reason first; empty when OK
	Notes      []Finding   // what is worth knowing, and what was tolerated
}

// OK reports whether nothing is refused.
func (v *Verdict) OK() bool { return v.Reason == wire.OK }

// Clone gives a copy that shares no memory with v.
func (v *Verdict) Clone() *Verdict {
	c := *v
	c.Findings, c.Notes = slices.Clone(v.Findings), slices.Clone(v.Notes)
	return &c
}
