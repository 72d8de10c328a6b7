package validator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"why520/wire"
)

// An observer turns the bytes of one response into facts. It holds no more than
// the budgets of its policy and rawExtra.
type observer struct {
	e      *Evidence
	r      *Response // e.Response, once a byte came
	stream wire.Stream
	digest hash.Hash // nil: not asked for
	decode bool
	coding *decoder

	pending []byte // bytes that the stream is not done with
	raw     []byte // for Response.Raw
	tail    []byte // the last bytes that the stream was done with, behind raw
	until   int64  // offset up to which bytes around a fault are kept; 0: there is no fault
	tally   tally
	notes   []Finding
	start   int64 // offset of the current head
	head    bool  // the final head is complete
	closes  bool  // the connection ends with this response
	whole   bool  // the response is complete
	refused bool
	surplus bool
}

const (
	rawLeast = 512 // bytes of the response that are kept, be the head shorter
	rawExtra = 64  // bytes kept around a fault
)

// newObserver observes the response to q. A survey is made: violations that can
// be tolerated do not end it.
func newObserver(e *Evidence, digest, decode bool) *observer {
	o := &observer{decode: decode}
	o.begin(e)
	if digest {
		o.digest = sha256.New()
	}
	return o
}

// begin makes o, which saw nothing yet, write its facts to e.
func (o *observer) begin(e *Evidence) {
	o.e = e
	o.stream.Limits, o.stream.Survey = e.Policy.Limits, true
	o.stream.Expect(e.Request.Wire())
}

// feed takes the next bytes; it keeps none of b.
func (o *observer) feed(b []byte) {
	if len(b) == 0 {
		return
	}
	if o.r == nil {
		o.r = &Response{Offset: -1}
		o.e.Response, o.e.Phase = o.r, PhaseHead
	}
	o.e.Received += int64(len(b))
	if o.refused {
		o.more(b)
		return
	}
	if len(o.pending) > 0 {
		o.pending = append(o.pending, b...)
		b = o.pending
	}
	for {
		ev, n, err := o.stream.Next(b)
		if ev != wire.NoEvent {
			o.event(ev, b[:n])
		} else if o.head {
			o.remember(b[:n])
		}
		if err != nil && err != wire.ErrIncomplete {
			o.refuse(b, n)
		}
		b = b[n:]
		if err != nil {
			break
		}
	}
	o.pending = append(o.pending[:0:len(o.pending)], b...)
}

// event takes what the stream came upon in b.
func (o *observer) event(ev wire.Event, b []byte) {
	end := o.stream.Offset()
	switch ev {
	case wire.InterimHead:
		o.raw = append(o.raw, b...)
		o.noteHead(b)
		o.r.Interim++
		o.tally = tally{}
		o.start = end
	case wire.FinalHead:
		o.raw = append(o.raw, b...)
		o.tally.add(b)
		o.noteHead(b)
		o.finalHead(b)
	case wire.Measuring:
		if o.until == 0 {
			_, at := o.stream.Fault()
			o.until = max(rawLeast, at+rawExtra)
		}
		o.more(b)
		o.tally.add(b)
	case wire.Content:
		o.remember(b)
		o.content(b[len(b)-o.stream.Segment:])
	case wire.TrailerSection:
		o.remember(b)
		o.r.Body.Trailers = o.stream.Trailer().Len()
	case wire.Done:
		o.remember(b)
		o.whole, o.r.Body.Complete = true, true
		o.e.Phase = PhaseIdle
	case wire.Surplus:
		if !o.surplus {
			o.surplus = true
			note := wire.BytesAfterResponse
			if o.stream.Framing.Delimiter == wire.NoContent {
				note = wire.BodyNotAllowed
			}
			o.notes = append(o.notes, Finding{Reason: note, Offset: end - int64(len(b))})
		}
		o.remember(b)
	case wire.Tunnelled:
		o.r.Body.Bytes += int64(len(b))
		o.remember(b)
	}
}

// noteHead notes what is worth it in the head b.
func (o *observer) noteHead(b []byte) {
	h := o.stream.Head()
	for n := range h.Notes(b) {
		o.notes = append(o.notes, Finding{Reason: n.Reason, Offset: o.start + n.Offset})
	}
}

// finalHead takes the framing of the content behind the head b.
func (o *observer) finalHead(b []byte) {
	h, f := o.stream.Head(), o.stream.Framing
	o.head = true
	o.e.Phase = PhaseBody
	o.r.Body = &BodyFacts{Framing: f.Delimiter.String()}
	if f.Delimiter == wire.ByLength {
		o.r.Body.Length = f.Length
	}
	if f.Delimiter == wire.Tunnel {
		o.whole, o.r.Body.Complete, o.e.Phase = true, true, PhaseIdle
	}
	o.closes = f.Delimiter == wire.ByClose || h.Minor == 0
	for i := range h.All(b, "connection") {
		for option := range strings.SplitSeq(string(h.Value(b, i)), ",") {
			switch strings.ToLower(strings.Trim(option, " \t")) {
			case "close":
				o.closes = true
			case "keep-alive":
				o.closes = f.Delimiter == wire.ByClose
			}
		}
	}
	if v, ok := h.Get(b, "content-encoding"); ok && o.decode {
		o.coding = newDecoder(string(v))
	}
}

// content takes a segment of content.
func (o *observer) content(b []byte) {
	o.r.Body.Bytes = o.stream.Bytes
	if o.digest != nil {
		o.digest.Write(b)
	}
	if o.coding != nil {
		o.coding.write(b)
	}
}

// keep appends b to what is kept of the response.
func (o *observer) keep(b []byte) { o.raw = append(o.raw, b...) }

// remember keeps the first bytes behind the head, and then the last few.
func (o *observer) remember(b []byte) {
	if room := rawLeast - len(o.raw); room > 0 && o.tail == nil {
		room = min(room, len(b))
		o.keep(b[:room])
		b = b[room:]
	}
	if len(b) == 0 {
		return
	}
	if len(b) >= rawExtra {
		o.tail = append(o.tail[:0], b[len(b)-rawExtra:]...)
		return
	}
	o.tail = append(o.tail, b...)
	if extra := len(o.tail) - rawExtra; extra > 0 {
		o.tail = o.tail[:copy(o.tail, o.tail[extra:])]
	}
}

// refuse records why the stream refuses the response; n bytes of b were done
// with in the call that found it.
func (o *observer) refuse(b []byte, n int) {
	o.refused = true
	o.r.Reason, o.r.Offset = o.stream.Fault()
	first := o.stream.Offset() - int64(n) // the offset of b[0]
	if o.until == 0 {
		o.until = max(rawLeast, max(o.r.Offset, o.stream.Offset())+rawExtra)
	}
	switch {
	case o.head: // in the content
		o.r.Part = "content"
		if o.tail != nil {
			o.r.Around = &Excerpt{Offset: o.stream.Offset() - int64(len(o.tail)), Bytes: o.tail}
		}
		o.more(b[n:])
	case o.tally.size > 0: // measured
		o.r.Part = "head"
	default:
		size := o.stream.Head().Size()
		fault := min(max(int(o.r.Offset-first), 0), len(b))
		o.tally.add(b[:fault])
		o.r.Part = o.part()
		if size > 0 && o.r.Reason != wire.TooManyInterim { // whole, and refused for its framing
			o.tally.add(b[fault:size])
			o.until = max(o.until, first+int64(size))
		}
		o.more(b)
	}
}

// more keeps bytes of b, which follow what is kept, up to those around a fault.
func (o *observer) more(b []byte) {
	kept, have := &o.raw, int64(len(o.raw))
	if x := o.r.Around; x != nil {
		kept, have = &x.Bytes, x.Offset+int64(len(x.Bytes))
	}
	if room := o.until - have; room > 0 {
		*kept = append(*kept, b[:min(room, int64(len(b)))]...)
	}
}

// part says where in the head the tally stands.
func (o *observer) part() string {
	switch {
	case !o.tally.status:
		return "status line"
	case o.tally.fields == 0 || o.tally.line == 0 && o.tally.charge == nil:
		return "header section"
	}
	return fmt.Sprintf("field line %d", o.tally.fields)
}

// end says how the bytes ended, and completes the evidence.
func (o *observer) end(e wire.End) {
	o.e.End = e
	if o.r == nil {
		return
	}
	if !o.refused {
		if !o.head && len(o.pending) > 0 {
			o.keep(o.pending)
			o.tally.add(o.pending)
		}
		if err := o.stream.Close(e); err == nil {
			if o.r.Body != nil && !o.whole {
				o.whole, o.r.Body.Complete, o.e.Phase = true, true, PhaseIdle
			}
		} else if err != wire.ErrIncomplete {
			o.r.Reason, o.r.Offset = o.stream.Fault()
			o.r.Part = o.part()
		}
	}
	o.finish()
}

// finish fills in what is known once no more bytes come.
func (o *observer) finish() {
	r, h := o.r, o.stream.Head()
	r.Raw = mask(o.raw)
	if r.Around != nil {
		r.Around.Bytes = mask(r.Around.Bytes)
	}
	r.Banner = wire.Protocol(r.Raw)
	if r.Reason != wire.OtherProtocolBanner {
		r.Banner = ""
	}
	if h.Status > 0 && o.tally.size > 0 {
		r.Head = &HeadFacts{
			Offset: o.start, Minor: h.Minor, Status: h.Status, Fields: o.tally.fields, Size: o.tally.size,
			Longest: max(o.tally.longest, o.tally.line), Complete: h.Size() > 0, Largest: o.tally.largest(),
		}
		if _, whole := o.stream.Measured(); whole {
			r.Head.Complete = true
		}
	}
	for _, f := range o.stream.Found {
		r.Found = append(r.Found, Finding{Reason: f.Reason, Offset: f.Offset})
	}
	if r.Body != nil {
		if h.Status == 205 && r.Body.Bytes > 0 {
			o.notes = append(o.notes, Finding{Reason: wire.ContentOnResetContent, Offset: o.start + int64(h.Size())})
		}
		if o.digest != nil {
			r.Body.SHA256 = hex.EncodeToString(o.digest.Sum(nil))
		}
		if o.coding != nil {
			r.Body.Coding = o.coding.close(r.Body.Complete)
		}
	}
	r.Found = append(r.Found, o.notes...)
}
