package validator

import (
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"why520/wire"
)

// readHead reads up to the end of the final head. It reports whether that came;
// otherwise x knows the end.
func (x *trip) readHead() bool {
	for {
		ev, b, ok := x.next()
		switch {
		case !ok:
			return false
		case ev == wire.InterimHead:
			if !x.interim(b) {
				return false
			}
		case ev == wire.FinalHead:
			x.phase, x.headAt = PhaseBody, x.lastByte
			x.finalHead(b)
			return true
		}
	}
}

// interim tells of an interim response, b.
func (x *trip) interim(b []byte) bool {
	status := x.stream.Head().Status
	if status == http.StatusContinue {
		x.withhold(true)
		if x.trace != nil && x.trace.Got100Continue != nil && x.ask.awaits {
			x.trace.Got100Continue()
		}
	}
	for range x.stream.Head().Notes(b) {
		x.noted = true
		break
	}
	if x.trace == nil || x.trace.Got1xxResponse == nil {
		return true
	}
	header := x.header(b, nil, nil)
	passOn(header)
	x.local = x.trace.Got1xxResponse(status, textproto.MIMEHeader(header))
	x.left = x.local != nil
	return !x.left
}

// ofTheConnection are fields that say nothing to who is behind it (RFC 9110
// section 7.6.1), and those that frame, which no interim response needs.
var ofTheConnection = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length",
}

// passOn leaves in the header of an interim response what is passed on.
func passOn(header http.Header) {
	for _, list := range header["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			header.Del(textproto.TrimString(name))
		}
	}
	for _, name := range ofTheConnection {
		delete(header, name)
	}
}

// withhold tells the upload that waits for it whether to send the content.
func (x *trip) withhold(proceed bool) {
	if x.up != nil && x.up.proceed != nil {
		select {
		case x.up.proceed <- proceed:
		default: // it has been told
		}
	}
}

// next gives the next event and its bytes, which are valid until the next call;
// it reads as need be. If not ok, the response was refused or ended early.
func (x *trip) next() (ev wire.Event, b []byte, ok bool) {
	for {
		if ev, b, ok = x.step(); ok {
			return ev, b, true
		}
		if x.refused || !x.fill() && !x.settled() {
			return wire.NoEvent, nil, false
		}
	}
}

// settled reports whether the response is whole, now that the connection ended.
func (x *trip) settled() bool {
	return x.head > 0 && x.local == nil && x.ctx.Err() == nil && x.stream.Close(inStream(x.end, true)) == nil
}

// inStream says how an end counts in a stream: an alert in a response is a reset,
// and before one a close.
func inStream(end wire.End, began bool) wire.End {
	switch {
	case end == Alert && began:
		return wire.RST
	case end == Alert:
		return wire.FIN
	}
	return end
}

// fill reads once into the buffer, or reports that there is no more.
func (x *trip) fill() bool {
	x.makeRoom(x.from)
	n, ok := x.read(x.buf[x.to:])
	x.full = n == len(x.buf)-x.to
	x.to += n
	return ok
}

// read reads once. If not ok, the connection ended: x knows how.
func (x *trip) read(into []byte) (n int, ok bool) {
	timed := x.t.set.timed
	for {
		if timed {
			x.arm()
		}
		n, err := x.c.Read(into)
		if n > 0 {
			x.arrived(n)
			return n, true
		}
		end := x.c.ended(err)
		x.c.fired = x.c.fired || end == wire.Timeout
		switch {
		case end == wire.Open:
			continue
		case end == wire.Timeout && (timed || x.up != nil):
			late, over := x.late()
			if !over {
				continue
			}
			x.end, x.cause = late, err
		default:
			x.end, x.cause = end, err
			x.fold()
		}
		return 0, false
	}
}

// arrived notes that n bytes came.
func (x *trip) arrived(n int) {
	if x.received == 0 {
		x.firstByte = nowFrom(x.began)
		x.lastByte = x.firstByte
		x.phase = PhaseHead
		if x.trace != nil && x.trace.GotFirstResponseByte != nil {
			x.trace.GotFirstResponseByte()
		}
	} else if x.t.set.timed || x.head == 0 {
		x.lastByte = nowFrom(x.began)
	} else {
		x.lastByte = noTime
	}
	x.received += int64(n)
}

// fold names the end of a connection whose reading ended in order: a reset that
// a write was told of is swallowed, and the next read says FIN.
func (x *trip) fold() {
	if x.end != wire.FIN && x.end != wire.Truncated {
		return
	}
	if sent, err := x.state(); x.up != nil && err == nil && sent.IsZero() {
		x.up.over(10 * patience) // the write that was told of it may be returning just now
	}
	if _, err := x.state(); err != nil && ended(err) == wire.RST {
		x.end, x.cause = wire.RST, err
	}
}

// state gives when the request was sent, and why it was not.
func (x *trip) state() (sent time.Time, err error) {
	switch {
	case x.sendErr != nil:
		return time.Time{}, x.sendErr
	case x.up != nil:
		return x.up.state()
	}
	return x.sent, nil
}

// arm sets the deadline of the next read.
func (x *trip) arm() {
	if x.up != nil {
		x.up.mu.Lock() // so that what it sets when it is done is not undone here
		defer x.up.mu.Unlock()
		x.armAt(x.deadline(x.up.sent, x.up.err))
		return
	}
	x.armAt(x.deadline(x.sent, x.sendErr))
}

// armAt sees to it that a read ends at that time, zero for never. On a bare
// connection it may end earlier: read finds out then that the time is not over.
// So the deadline of a connection in use moves once in its own time, not with
// each read.
func (x *trip) armAt(at time.Time, _ bool) {
	switch c := x.c; {
	case c.fired:
	case c.armed.Equal(at):
		return
	case c.isBare() && !c.armed.IsZero() && (at.IsZero() || c.armed.Before(at)):
		return
	}
	x.c.tap.SetReadDeadline(at)
	x.c.armed, x.c.fired = at, false
}

// deadline says when the origin will have been waited for long enough, zero if
// never, and whether that is for a phase as a whole, be it silent or not.
func (x *trip) deadline(sent time.Time, sendErr error) (at time.Time, overall bool) {
	w := waiting{began: x.began, sent: sent, sendErr: sendErr, last: x.lastByte, received: x.received > 0, headed: x.head > 0}
	w.between = x.stream.Interim > 0 && x.from == x.to
	return w.due(&x.t.set.deadlines)
}

// late reports whether the deadline is over, and which end that is.
func (x *trip) late() (end wire.End, over bool) {
	sent, err := x.state()
	at, overall := x.deadline(sent, err)
	return lateBy(at, overall, x.received > 0, x.lastByte, x.t.set.deadlines.Idle)
}

// within gives limit, or what is left of the time for all of it where that is
// less or limit is zero; zero: there is none.
func (x *trip) within(limit time.Duration) time.Duration {
	total := x.t.set.deadlines.Total
	if total <= 0 {
		return limit
	}
	left := either(total-time.Since(x.began), -1)
	if limit > 0 && limit < left {
		return limit
	}
	return left
}

// crowded reports whether the time for all of it is over for x's having waited in
// line: its origin had less.
func (x *trip) crowded() bool {
	total := x.t.set.deadlines.Total
	if x.granted.IsZero() || total <= 0 || x.end != wire.Timeout && x.end != wire.Deadline {
		return false
	}
	return time.Since(x.began) >= total && time.Since(x.granted) < total
}
