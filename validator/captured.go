package validator

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"why520/wire"
)

// Rest is what is known of a response of which only the first bytes are at hand,
// as in a capture, from whoever saw all of them pass.
type Rest struct {
	Received int64       // bytes of the response in all; where that is no more than is at hand, nothing below counts
	Content  int64       // bytes of content in all
	Complete bool        // the response is whole
	Head     int         // bytes of a head that is over its budget, as far as it was measured
	Measured bool        // that is all of the head
	Reason   wire.Reason // what ended the reading
	Offset   int64       // of the byte at fault; -1: none is
	Around   *Excerpt    // bytes around a fault, where they are not at hand
}

// ReadFirst gives the evidence of a response as Read does, where raw is only its
// first bytes: at least all heads up to their budgets, or 512 bytes. What lies
// behind them is as rest says.
func ReadFirst(raw []byte, rest Rest, q RequestFacts, o ReadOptions) *Evidence {
	e := newEvidence(o.Policy)
	e.Request, e.Phase = q, PhaseWait
	seen := observers.Get().(*observer)
	defer seen.putBack()
	seen.begin(e)
	seen.feed(raw)
	if rest.Received <= int64(len(raw)) || seen.r == nil {
		seen.end(o.End)
		return e
	}
	e.End, e.Received = o.End, rest.Received
	refused := seen.refused
	seen.finish()
	r := seen.r
	if refused {
		return e
	}
	r.Reason, r.Offset = rest.Reason, rest.Offset
	switch {
	case r.Body != nil:
		r.Body.Bytes, r.Body.Complete = rest.Content, rest.Complete
		if rest.Complete {
			e.Phase = PhaseIdle
		}
		if rest.Around != nil {
			r.Around = &Excerpt{Offset: rest.Around.Offset, Bytes: mask(rest.Around.Bytes)}
			r.Part = "content"
		}
	case r.Head != nil:
		r.Head.Size, r.Head.Complete = rest.Head, rest.Measured
	}
	return e
}

// observers are at rest, with the storage of what they observed before: a
// capture has a great many responses.
var observers = sync.Pool{New: func() any { return new(observer) }}

// putBack lays o, which is done, aside.
func (o *observer) putBack() {
	clear(o.tally.sizes)
	*o = observer{stream: o.stream, raw: o.raw[:0], tally: tally{name: o.tally.name[:0], sizes: o.tally.sizes}}
	if cap(o.raw) <= rawMost {
		observers.Put(o)
	}
}

// rawMost is the most storage that an observer keeps when it is laid aside.
const rawMost = 64 << 10

// byReset are the reasons that a reset alone gives.
var byReset = wire.SetOf(ResetBeforeRequest, wire.ResetAfterRequest, ResetDuringUpload, ReusedConnectionWasDead,
	TLSResetInHandshake, TLSResetAfterHandshake, wire.HeadReset, wire.BodyReset, wire.ChunkedReset, wire.CloseDelimitedReset)

// withCapture gives what r, the reason without a capture, is with one: a reset
// that was forged is not the origin's.
func withCapture(e *Evidence, r wire.Reason) wire.Reason {
	if e.TCP != nil && e.TCP.ResetBy == "injected" && e.End == wire.RST && byReset.Has(r) {
		return InjectedReset
	}
	return r
}

// afterWhole gives what a capture shows behind a whole response.
func afterWhole(e *Evidence) wire.Reason {
	switch {
	case e.TCP == nil || e.End != wire.RST || e.TCP.Unacknowledged == 0:
		return wire.OK
	case e.TCP.ResetBy == "injected":
		return InjectedReset
	}
	return ResponseLostInReset
}

// orElse adds the reason that a capture leaves open to the message.
func orElse(e *Evidence, message string) string {
	if e.TCP != nil && e.TCP.Confidence == "open" && e.TCP.Or != wire.OK {
		return message + "; or else " + e.TCP.Or.String() + ": " + e.TCP.Or.Info().Meaning
	}
	return message
}

// asSeen says what a capture shows of responses in which nothing is refused, and
// what it does not show.
func asSeen(e *Evidence, notes []Finding) string {
	var said []string
	add := func(format string, a ...any) { said = append(said, fmt.Sprintf(format, a...)) }
	in := e.TCP
	partly := in.Unread || slices.ContainsFunc(notes, func(f Finding) bool {
		return f.Reason == FlowJoinedInTheMiddle || f.Reason == CaptureIncomplete
	})
	switch n := in.Whole; {
	case e.TLS != nil: // nobody can read it
	case n == 0 && e.Response != nil:
		add("%s of a response came, and not its end", count(e.Received, "byte"))
	case n == 0 && in.Unread:
		add("what the origin sent was not read as HTTP")
	case n == 0:
		add("no response was seen")
	case partly:
		add("nothing is refused in what was seen of %s", count(int64(n), "response"))
	case n == 1:
		add("the response is whole and well-formed")
	default:
		add("%d responses are whole and well-formed", n)
	}
	if in.Whole > 0 && e.Response != nil {
		add("%s of the next came, and not its end", count(e.Received, "byte"))
	}
	if len(notes) > 0 {
		add("%s", notes[0].Message)
	}
	return strings.Join(said, "; ")
}

func count(n int64, of string) string {
	if n != 1 {
		of += "s"
	}
	return fmt.Sprintf("%d %s", n, of)
}
