package validator

import (
	"context"
	"sync"
	"time"

	"why520/wire"
)

// An exchange is one request and what comes back. Two goroutines work on it:
// one sends, one reads; so that an early answer is seen, and an origin that
// does not read cannot keep it from being read.
type exchange struct {
	p         *Prober
	ask       *ask
	e         *Evidence
	deadlines Deadlines
	began     time.Time
	total     time.Time // when the time for all of it is over
	local     error     // a fault of the asking side: there is no verdict

	l    *link
	seen *observer

	mu       sync.Mutex
	sent     time.Time // when the request was; zero: not yet
	sendErr  error     // why it never will be
	lastByte time.Time // of the response; zero: none came
	headAt   time.Time // when the final head was complete
}

func (p *Prober) newExchange(a *ask, address string) *exchange {
	x := &exchange{p: p, ask: a, e: a.evidence(p), deadlines: p.Deadlines.withDefaults()}
	x.e.Address = address
	return x
}

// started starts the clock.
func (x *exchange) started() {
	x.began = time.Now()
	x.total = x.began.Add(x.deadlines.Total)
}

// run makes the exchange on l; it reports whether l can carry another.
func (x *exchange) run(ctx context.Context, l *link) bool {
	x.l = l
	if l.tls != nil {
		x.e.TLS = l.tls
	}
	x.e.Phase = PhaseRequest
	x.seen = newObserver(x.e, x.p.Digest, x.p.Decode)
	before, asked := l.tap.sent.Load(), time.Now()
	early := l.early
	l.early = nil
	if len(early) > 0 {
		x.received(early)
	}
	if l.earlyEnd != nil { // nothing that was sent now could be answered
		x.e.Error = l.earlyEnd.Error()
		x.finish(l.ended(l.earlyEnd), l.earlyEnd)
		x.e.Acked = 0
		return false
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		x.send()
	}()
	end, err := x.read()
	l.SetWriteDeadline(time.Unix(1, 0))
	<-done
	l.SetWriteDeadline(time.Time{})
	if (end == wire.FIN || end == wire.Truncated) && !x.seen.whole {
		end = x.fold(end)
	}
	unsent := x.sent.IsZero()
	x.e.Sent = l.tap.sent.Load() - before
	x.e.Acked = l.tap.ackedSince(before)
	if x.seen.whole && unsent {
		x.e.Seen = append(x.e.Seen, Finding{Reason: AnsweredBeforeUploadDone, Offset: -1})
	}
	x.finish(end, err)
	x.time(asked)
	if x.e.End != wire.Open {
		l.earlyEnd = err // of the request that comes next, had one been announced or not
	}
	return x.seen.whole && !x.seen.closes && !x.seen.surplus && !unsent &&
		x.e.Response.Body.Framing != wire.Tunnel.String() && ctx.Err() == nil
}

// finish completes the evidence: the exchange ended so, err told of it.
func (x *exchange) finish(end wire.End, err error) {
	if err != nil && x.e.Error == "" {
		x.e.Error = err.Error()
	}
	if end == Alert {
		x.e.TLS.Alert = alert(err)
	}
	if x.e.Response == nil && x.sendErr == nil && !x.sent.IsZero() {
		x.e.Phase = PhaseWait
	}
	bytes := end
	switch {
	case end == Alert && x.e.Response != nil:
		bytes = wire.RST // within content, an alert counts as one
	case end == Alert:
		bytes = wire.FIN
	}
	x.seen.end(bytes)
	x.e.End = end
	x.trace(StepInfo, 0, nil, "ended: %v, %d bytes received", end, x.e.Received)
}

// piece is how many bytes of content are sent at a time, each with a deadline
// of its own.
const piece = 16 << 10

// send sends the request.
func (x *exchange) send() {
	x.trace(StepSent, 0, x.ask.head, "request head")
	body, left := x.ask.target.Body, x.ask.facts.Upload
	filler := make([]byte, min(left, piece))
	for i := range filler {
		filler[i] = "why520\n"[i%7]
	}
	err := x.write(x.ask.head)
	for err == nil && left > 0 {
		b := filler[:min(left, piece)]
		if body != nil {
			b, body = body[:len(b)], body[len(b):]
		}
		left -= int64(len(b))
		err = x.write(b)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.sendErr = err; err == nil {
		x.sent = time.Now()
	}
	x.l.SetReadDeadline(time.Unix(1, 0)) // wakes the reader, whose deadline is another now
}

func (x *exchange) write(b []byte) error {
	x.l.SetWriteDeadline(time.Now().Add(x.deadlines.Write))
	_, err := x.l.Write(b)
	return err
}

// read reads until the response is whole or refused, or ends otherwise. err is
// what told of the end.
func (x *exchange) read() (end wire.End, err error) {
	buf := make([]byte, 32<<10)
	for !x.seen.refused {
		if x.seen.whole {
			return x.readSurplus(buf)
		}
		x.arm()
		n, err := x.l.Read(buf)
		if n > 0 {
			x.received(buf[:n])
			continue
		}
		switch end := x.l.ended(err); end {
		case wire.Timeout:
			if end, over := x.over(); over {
				return end, err
			}
		default:
			return end, err
		}
	}
	return wire.Open, nil
}

// fold names the end of a connection whose reading ended with end, once sending
// is over, too: a reset that a write was told of is swallowed, and the next read
// says FIN.
func (x *exchange) fold(end wire.End) wire.End {
	if x.sendErr != nil && ended(x.sendErr) == wire.RST {
		x.e.Error = x.sendErr.Error()
		return wire.RST
	}
	return end
}

// received takes bytes of the response.
func (x *exchange) received(b []byte) {
	now := time.Now()
	x.trace(StepReceived, x.e.Received, b, "%d bytes", len(b))
	x.mu.Lock()
	if x.lastByte.IsZero() {
		x.e.Timing.Wait = now.Sub(x.began)
		if !x.sent.IsZero() {
			x.e.Timing.Wait = max(now.Sub(x.sent), 1) // it may be read before it is known that all was sent
		}
	}
	x.lastByte = now
	x.mu.Unlock()
	first := x.seen.r == nil
	x.seen.feed(b)
	if first {
		x.headAt = now
	}
	if x.seen.head && x.e.Timing.Head == 0 {
		x.e.Timing.Head = max(time.Since(x.headAt), 1)
		x.headAt = time.Now()
	}
}

// time fills in the durations of the phases that were reached.
func (x *exchange) time(asked time.Time) {
	t := &x.e.Timing
	if !x.sent.IsZero() {
		t.Request = x.sent.Sub(asked)
	} else {
		t.Request = time.Since(asked)
	}
	switch {
	case x.e.Response == nil && !x.sent.IsZero():
		t.Wait = time.Since(x.sent)
	case x.e.Response != nil && !x.seen.head:
		t.Head = time.Since(x.headAt)
	case x.e.Response != nil:
		t.Body = time.Since(x.headAt)
	}
}

// arm sets the deadline of the next read.
func (x *exchange) arm() {
	x.mu.Lock()
	defer x.mu.Unlock()
	at, _ := x.deadline()
	x.l.SetReadDeadline(at)
}

// deadline says when the origin will have been waited for long enough, and
// whether that is for a phase as a whole, be it silent or not.
func (x *exchange) deadline() (at time.Time, overall bool) {
	earlier := func(t time.Time, whole bool) {
		if t.Before(at) {
			at, overall = t, whole
		}
	}
	at, overall = x.total, true
	asked := !x.sent.IsZero()
	switch {
	case x.sendErr != nil && ended(x.sendErr) == wire.Timeout:
		return time.Unix(1, 0), false
	case x.lastByte.IsZero():
		if asked {
			earlier(x.sent.Add(x.deadlines.FirstByte), false)
		}
	case !x.seen.head:
		silence := x.deadlines.Idle
		if x.seen.r.Interim > 0 && len(x.seen.pending) == 0 {
			silence = x.deadlines.FirstByte
		}
		earlier(x.lastByte.Add(silence), false)
		if asked {
			earlier(x.sent.Add(x.deadlines.Head), true)
		}
	default:
		earlier(x.lastByte.Add(x.deadlines.Idle), false)
	}
	return at, overall
}

// over reports whether the deadline has passed, and how the exchange ended if
// so.
func (x *exchange) over() (end wire.End, over bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := time.Now()
	at, overall := x.deadline()
	switch {
	case now.Before(at):
		return wire.Open, false
	case overall && now.Sub(x.lastByte) < x.deadlines.Idle:
		return wire.Deadline, true
	}
	return wire.Timeout, true
}

// readSurplus takes what is there already behind a whole response, and reads on
// where the response says that the connection ends.
func (x *exchange) readSurplus(buf []byte) (wire.End, error) {
	if x.e.Response.Body.Framing == wire.Tunnel.String() {
		return wire.Open, nil
	}
	until := time.Now().Add(time.Millisecond)
	if x.seen.closes {
		until = time.Now().Add(x.deadlines.Idle)
	}
	if until.After(x.total) {
		until = x.total
	}
	for {
		x.l.SetReadDeadline(until)
		n, err := x.l.Read(buf)
		if n > 0 {
			x.received(buf[:n])
			continue
		}
		switch end := x.l.ended(err); {
		case end != wire.Timeout:
			return end, err
		case !time.Now().Before(until):
			return wire.Open, nil
		}
	}
}
