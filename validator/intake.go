package validator

import (
	"bytes"

	"why520/wire"
)

// An intake is a response as far as it came: the stream that judges it, and
// those of its bytes that are not done with or that evidence may need.
type intake struct {
	stream wire.Stream
	buf    []byte
	progress
}

// progress is how far an intake is with its response.
type progress struct {
	from, to int   // of buf, what the stream is not done with
	kept     int   // of buf, the first bytes of the response, for evidence
	head     int   // of buf, the heads up to the end of the final one; 0: it is not complete
	start    int   // of buf, the final head's first byte
	full     bool  // the last read took all the room it was given
	received int64 // bytes of the response

	end     wire.End
	refused bool // by the stream, in whose last call
	done    int  // so many bytes behind from were done with
	whole   bool // the response is complete
	surplus bool // bytes followed that nobody asked for
	noted   bool // an interim head has something to note
}

// step takes the next event and its bytes: if not ok and not refused, more bytes
// are needed.
func (x *intake) step() (ev wire.Event, b []byte, ok bool) {
	ev, n, err := x.stream.Next(x.buf[x.from:x.to])
	if err != nil && err != wire.ErrIncomplete {
		x.refused, x.done = true, n
		return wire.NoEvent, nil, false
	}
	b = x.buf[x.from : x.from+n]
	x.from += n
	return ev, b, err == nil
}

// isWhole reports whether the content ended with the last of it: Done needs no
// further byte.
func (x *intake) isWhole() bool {
	if f := x.stream.Framing; f.Delimiter != wire.ByLength || x.stream.Bytes < f.Length {
		return false
	}
	ev, _, _ := x.step()
	x.whole = ev == wire.Done
	return x.whole
}

// finalHead takes the end of the final head b.
func (x *intake) finalHead(b []byte) {
	x.start, x.head = x.from-len(b), x.from
	x.kept = x.head
}

// compact makes room in the buffer behind the first bytes of the response and
// the last before what is undone, which evidence may need; what is behind low
// stays.
func (x *intake) compact(low int) {
	x.keepFirst()
	from := max(x.kept, min(low, x.from-rawExtra))
	n := copy(x.buf[x.kept:], x.buf[from:x.to])
	x.to = x.kept + n
	x.from -= from - x.kept
}

// makeRoom makes room to read into; what is behind low stays.
func (x *intake) makeRoom(low int) {
	if x.head > 0 && (x.from == x.to || x.to == len(x.buf)) {
		x.compact(low)
	}
	if room := len(x.buf) - x.to; room == 0 || x.head > 0 && (room < leastBuffer/2 || x.full && len(x.buf) < bigBuffer) {
		x.buf = append(x.buf, make([]byte, len(x.buf))...)
	}
}

// keepFirst keeps the first bytes of the response while they are in place.
func (x *intake) keepFirst() {
	if int64(x.to) == x.received {
		x.kept = max(x.kept, min(x.from, rawLeast))
	}
}

// direct reports whether content may be read into room bytes of the caller's: it
// has no framing, and the buffer is empty.
func (x *intake) direct(room int) bool {
	if room < directLeast || x.from < x.to {
		return false
	}
	d, most := x.stream.Framing.Delimiter, x.stream.Limits.Body
	return d == wire.ByLength || d == wire.ByClose && (most == 0 || most == wire.DefaultBody)
}

// room gives the part of p that content may be read into directly: a byte more
// than there is of it, where there is room, for what nobody asked for.
func (x *intake) room(p []byte) []byte {
	x.keepFirst()
	if f := x.stream.Framing; f.Delimiter == wire.ByLength {
		p = p[:min(int64(len(p)), f.Length-x.stream.Bytes+1)]
	}
	return p
}

// passed takes what was read into room, and gives how much of it is content; it
// keeps the rest, and what evidence may need.
func (x *intake) passed(p []byte) int {
	var behind []byte
	if f := x.stream.Framing; f.Delimiter == wire.ByLength && int64(len(p)) > f.Length-x.stream.Bytes {
		n := f.Length - x.stream.Bytes
		p, behind = p[:n], p[n:]
	}
	if x.kept == x.to && x.kept < rawLeast {
		x.kept += copy(x.buf[x.kept:rawLeast], p)
		x.from, x.to = x.kept, x.kept
	}
	x.stream.Next(p) // Content, all of it
	if len(behind) > 0 {
		x.makeRoom(x.from)
		x.to += copy(x.buf[x.to:], behind)
	}
	return len(p)
}

// notable reports whether there is something to note of a whole response, under
// a budget for its head.
func (x *intake) notable(budget int) bool {
	h := x.stream.Head()
	if len(x.stream.Found) > 0 || x.surplus || x.noted || h.Size() > budget/5*4 || h.Status == 205 && x.stream.Bytes > 0 {
		return true
	}
	for range h.Notes(x.buf[x.start:x.head]) {
		return true
	}
	return false
}

// observe lets an observer see again what was kept of the response, so that e
// is as if it had seen all of it; so many field lines were in its trailer section.
func (x *intake) observe(e *Evidence, trailers int) {
	o := newObserver(e, false, false)
	if x.head == 0 {
		e.Received = 0 // it counts anew
		o.feed(x.buf[:x.to])
		o.end(inStream(x.end, o.r != nil))
		e.End, e.Received = x.end, x.received
		return
	}
	o.feed(x.buf[:x.head])
	o.stream = x.stream
	o.r.Body.Bytes = x.stream.Bytes
	o.r.Body.Trailers = trailers
	x.keepFirst()
	if x.kept > x.head {
		o.keep(x.buf[x.head:x.kept])
	}
	if tail := max(x.kept, x.from-rawExtra); tail < x.from {
		o.tail = bytes.Clone(x.buf[tail:x.from])
	}
	switch {
	case x.whole:
		o.whole, o.r.Body.Complete = true, true
		e.Phase = PhaseIdle
		if x.surplus {
			o.event(wire.Surplus, x.buf[x.from:x.to])
		}
	case x.refused:
		o.remember(x.buf[x.from : x.from+x.done])
		o.refuse(x.buf[x.from:x.to], x.done)
	}
	o.end(inStream(x.end, true))
	e.End, e.Received = x.end, x.received
}

// goodEvidence is the evidence of an exchange that went well.
type goodEvidence struct {
	e Evidence
	r Response
	h HeadFacts
	b BodyFacts
	v Verdict
}

// praise fills g in for the response in x, which is whole, with trailers field
// lines behind it; what is of the connection is still to be filled in.
func (g *goodEvidence) praise(x *intake, p Policy, trailers int) {
	g.e = Evidence{Version: EvidenceVersion, Attempts: 1, Acked: -1, Policy: p, Response: &g.r}
	h := x.stream.Head()
	g.h = HeadFacts{Offset: int64(x.start), Minor: h.Minor, Status: h.Status, Fields: h.Len(), Size: h.Size(), Complete: true}
	g.b = BodyFacts{Framing: x.stream.Framing.Delimiter.String(), Bytes: x.stream.Bytes, Complete: true, Trailers: trailers}
	if x.stream.Framing.Delimiter == wire.ByLength {
		g.b.Length = x.stream.Framing.Length
	}
	g.r = Response{Interim: x.stream.Interim, Head: &g.h, Body: &g.b, Offset: -1}
	g.v = Verdict{Phase: PhaseIdle, Offset: -1}
}
