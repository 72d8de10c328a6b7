package validator

import (
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
	"time"
)

// succeed ends the exchange, whose response is whole.
func (c *Conn) succeed() {
	r := &c.response
	r.phase = PhaseIdle
	c.mu.Lock()
	a := &c.asking
	r.surplus = r.from < r.to && len(a.open)-a.first < 2
	unsent, asked := false, false
	if q := a.front(); q != nil {
		r.ask, asked, unsent = *q, true, !q.whole || a.err != nil && a.errAt <= q.number
	}
	a.tunnel = r.switched
	if a.blind && !r.switched {
		c.err = errBlind
		a.refused = errBlind
	}
	c.mu.Unlock()
	if asked && c.g.OnVerdict != nil {
		c.report(unsent)
	}
	c.mu.Lock()
	a.answered()
	c.clock.waiting = waiting{}
	if r.switched && c.g.set.timed {
		c.clock.armed = time.Time{}
		_ = c.link.Conn.SetReadDeadline(c.clock.wanted)
	}
	c.mu.Unlock()
	r.open, r.late = false, nil
	r.count++
	if c.err == nil && (r.surplus || r.early) {
		c.err = errUnasked
	}
}

// young is how old a connection may be whose end before any request is told.
const young = time.Second

// fail ends the exchange, which comes to no whole response, and makes reading
// fail.
func (c *Conn) fail() {
	r := &c.response
	e := c.failure()
	r.open, r.late = false, nil
	c.err = e.orCause()
	switch {
	case e.Verdict.OK():
		return
	case c.waits() || r.received > 0 || time.Since(c.made) < young:
		c.g.tell(c, e.Evidence, e.Verdict)
	default:
		r.late = e
	}
	c.failed.Store(e)
}

// waits reports whether a request waits for its response.
func (c *Conn) waits() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asking.front() != nil
}

// orCause gives e, or what the system said where the origin is not to blame.
func (e *Error) orCause() error {
	if e.Verdict.OK() {
		return e.Err
	}
	return e
}

// failure gives the error that the exchange, as it stands, ends with.
func (c *Conn) failure() *Error {
	r := &c.response
	e := c.evidence()
	v := Judge(e, nil)
	cause := r.cause
	if r.received > 0 && cause == io.EOF {
		cause = io.ErrUnexpectedEOF // nobody shall take it for an end in order
	}
	return &Error{&v, e, cause}
}

// leave ends the exchange that was open at Close: whoever reads does it, or
// Close itself.
func (c *Conn) leave() {
	if !c.reading.TryLock() {
		return
	}
	defer c.reading.Unlock()
	r := &c.response
	if r.left {
		return
	}
	r.left = true
	waits := c.waits()
	if waits && c.err == nil && !r.open {
		r.to = 0
		c.begin(0)
	}
	switch {
	case waits && r.late != nil:
		c.g.tell(c, r.late.Evidence, r.late.Verdict)
	case waits && r.open && c.err == nil && c.g.OnVerdict != nil:
		c.abandon()
	}
	r.open, r.buf, r.repaired, r.from, r.to, r.given, r.pass = false, nil, nil, 0, 0, 0, 0
	if c.err == nil {
		c.err = net.ErrClosed
	}
}

// abandon tells of an exchange that the client did not wait for.
func (c *Conn) abandon() {
	e := c.evidence()
	v := left(e)
	c.g.OnVerdict(c, e, &v)
}

// report calls OnVerdict for a response that is whole; unsent: its request is
// not.
func (c *Conn) report(unsent bool) {
	r := &c.response
	if unsent || c.facts.borne(&c.g.set.policy) || r.notable(c.g.set.limits.Head) {
		e := c.evidence()
		if unsent {
			e.Seen = append(e.Seen, Finding{Reason: AnsweredBeforeUploadDone, Offset: -1})
		}
		v := Judge(e, nil)
		c.g.OnVerdict(c, e, &v)
		return
	}
	g := &r.good
	g.praise(&r.intake, c.g.set.policy, r.trailers)
	c.describe(&g.e)
	c.g.OnVerdict(c, &g.e, &g.v)
}

// describe fills in what is known without the bytes of request and response.
func (c *Conn) describe(e *Evidence) {
	r, q := &c.response, &c.response.ask
	e.Address, e.Phase, e.End, e.TLS, e.Received = c.address, r.phase, r.end, c.facts, r.received
	e.Request = RequestFacts{Method: q.Method, Size: q.size, Upload: q.upload, Upgrade: q.Upgrade, Expect: q.Expect}
	e.Reused = r.count > 0
	e.Sent = c.link.tap.sent.Load() - q.before
	now, t := time.Now(), &e.Timing
	if !e.Reused {
		t.Connect, t.TLS = c.dialled[0], c.dialled[1]
	}
	if q.asked.IsZero() {
		return
	}
	t.Total = now.Sub(q.asked)
	sent := q.sent
	if sent.IsZero() || r.received > 0 && r.firstByte.Before(sent) {
		sent = either(r.firstByte, now)
	}
	t.Request = sent.Sub(q.asked)
	switch {
	case r.received == 0:
		t.Wait = now.Sub(sent)
	case r.head == 0:
		t.Wait, t.Head = max(r.firstByte.Sub(sent), 1), now.Sub(r.firstByte)
	default:
		t.Wait, t.Head, t.Body = max(r.firstByte.Sub(sent), 1), max(r.headAt.Sub(r.firstByte), 1), now.Sub(r.headAt)
	}
}

// evidence gives what a Prober would have of the exchange.
func (c *Conn) evidence() *Evidence {
	r := &c.response
	e := newEvidence(c.g.set.policy)
	c.mu.Lock()
	broken := c.asking.err
	if q := c.asking.front(); q != nil {
		r.ask = *q
		requestFacts(e, c.asking.heads[q.head:q.head+q.kept])
	}
	behind := int64(-1) // bytes before the next request
	if a := &c.asking; len(a.open)-a.first > 1 {
		behind = a.open[a.first+1].before
	}
	c.mu.Unlock()
	target, host, fields := e.Request.Target, e.Request.Host, e.Request.Fields
	c.describe(e)
	e.Request.Target, e.Request.Host, e.Request.Fields = target, host, fields
	if r.cause != nil {
		e.Error = r.cause.Error()
	}
	if r.end == Alert && e.TLS != nil {
		facts := *e.TLS // it is the connection's
		facts.Alert = alert(r.cause)
		e.TLS = &facts
	}
	if behind > r.ask.before {
		e.Sent = behind - r.ask.before
	}
	if e.Acked = c.link.tap.ackedSince(r.ask.before); e.Acked > e.Sent {
		e.Acked = e.Sent
	}
	if r.early {
		e.Acked = 0
	}
	if r.received > 0 {
		r.observe(e, r.trailers)
	} else if !r.ask.sent.IsZero() && broken == nil {
		e.Phase = PhaseWait
	}
	return e
}

// requestFacts takes what was asked from the begin of a request's head.
func requestFacts(e *Evidence, head []byte) {
	q, first := &e.Request, true
	head = head[:bytes.LastIndexByte(head, '\n')+1] // its last line may be cut
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, _ := strings.Cut(string(line), ":")
		value = strings.Trim(value, " \t")
		switch {
		case len(line) == 0:
			continue
		case first:
			if words := strings.Fields(string(line)); len(words) >= 2 {
				q.Target = words[1]
			}
			first = false
		case strings.EqualFold(name, "Host"):
			q.Host = value
		default:
			q.Fields = append(q.Fields, name+": "+maskField(name, value))
		}
	}
	q.Fields = slices.Clip(q.Fields)
}
