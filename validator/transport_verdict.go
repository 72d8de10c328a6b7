package validator

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"why520/wire"
)

// How long a response that is whole waits for its request: one whose connection
// would be used again, and any.
const (
	patience      = 50 * time.Millisecond
	leastPatience = 2 * time.Millisecond
)

// succeed ends x, whose response is whole.
func (x *trip) succeed() {
	x.phase, x.whole = PhaseIdle, true
	x.surplus = x.from < x.to
	reusable := !x.closes && !x.surplus && x.uploaded()
	if x.unbind != nil {
		reusable = x.unbind() && reusable
		x.unbind = nil
	}
	x.report()
	c := x.c
	if x.trace != nil && x.trace.PutIdleConn != nil {
		defer x.trace.PutIdleConn(x.giveBack(c, reusable))
	} else {
		x.giveBack(c, reusable)
	}
	x.free()
}

// giveBack puts c, which x is done with, into the pool, or says why not.
func (x *trip) giveBack(c *conn, reusable bool) error {
	x.c = nil
	if reusable && x.t.settings().idleEach > 0 {
		if x.t.set.timed {
			c.tap.SetReadDeadline(noTime)
			c.armed = false
		}
		if x.t.keep(c) {
			return nil
		}
		return errTooManyIdle
	}
	if x.up != nil {
		x.up.close()
	}
	c.close()
	x.t.pool.gone(c.o)
	return errNotReusable
}

// uploaded reports whether the whole request was sent.
func (x *trip) uploaded() bool {
	if x.sendErr != nil {
		return false
	}
	if x.up == nil {
		return true
	}
	limit := patience
	if x.closes {
		limit = leastPatience
	}
	if !x.up.over(limit) {
		return false
	}
	return x.up.err == nil && !x.up.withheld
}

// fail ends the exchange of x, which came to no whole response, and gives the
// error for it. x is still to be freed.
func (x *trip) fail() error {
	err := x.failure()
	if x.up != nil {
		x.withhold(false)
	}
	x.drop()
	if x.up != nil {
		x.up.close()
	}
	x.closeContent()
	return err
}

func (x *trip) failure() error {
	if x.up != nil {
		x.up.mu.Lock()
		broken := x.up.contentErr
		x.up.mu.Unlock()
		if broken != nil && x.local == nil {
			x.local, x.left = broken, true
		}
	}
	switch gone := x.ctx.Err(); {
	case gone != nil:
		x.left = true
		x.report()
		return leftBy(gone, context.Cause(x.ctx))
	case x.left:
		x.report()
		return either[error](x.local, errLeft)
	case x.local != nil:
		return x.local
	}
	e := x.evidence()
	v := Judge(e, nil)
	if v.OK() {
		return &LocalError{"asking " + x.address, x.cause}
	}
	if x.t.Recorder != nil {
		x.t.Recorder.Record(e)
	}
	if x.t.OnVerdict != nil {
		x.t.OnVerdict(x.req, e, &v)
	}
	if x.received > 0 && x.cause == io.EOF {
		x.cause = io.ErrUnexpectedEOF // nobody shall take it for an end in order
	}
	return &Error{&v, e, x.cause}
}

// report calls OnVerdict for an exchange that the origin is not to blame for.
func (x *trip) report() {
	if x.t.OnVerdict == nil {
		return
	}
	if x.left || x.notable() {
		e := x.evidence()
		v := Judge(e, nil)
		if x.left {
			v = left(e)
		}
		x.t.OnVerdict(x.req, e, &v)
		return
	}
	g := &x.good
	g.praise(&x.intake, x.t.set.policy, len(x.trailer))
	x.facts(&g.e)
	x.t.OnVerdict(x.req, &g.e, &g.v)
}

// left judges e, whose response nobody waited for.
func left(e *Evidence) Verdict {
	v := Judge(e, nil)
	v.Notes = append(v.Notes, described(e, Finding{Reason: ClientClosed, Offset: -1}))
	v.Findings, v.Reason, v.Cause, v.EdgeStatus, v.Offset = nil, wire.OK, "", 0, -1
	return v
}

// notable reports whether there is something to note of a whole response.
func (x *trip) notable() bool {
	if _, unsent := x.state(); unsent != nil || x.up != nil && !x.up.over(0) {
		return true
	}
	return x.surprised || x.intake.notable(x.t.set.limits.Head)
}

// facts fills in what is known without the bytes of the response.
func (x *trip) facts(e *Evidence) {
	e.Address, e.Attempts, e.Phase, e.End = x.address, max(x.attempts, 1), x.phase, x.end
	e.Name, e.TLS, e.Received = x.name, x.tls, x.received
	e.Request = RequestFacts{Method: x.ask.wire.Method, Host: x.req.Host, Size: int64(x.ask.size) + max(x.ask.length, 0),
		Upload: max(x.ask.length, 0), Upgrade: x.ask.wire.Upgrade, Expect: x.ask.wire.Expect}
	if x.surprised {
		e.Seen = append(e.Seen, Finding{Reason: wire.BytesOnIdleConnection, Offset: -1})
	}
	now, t := time.Now(), &e.Timing
	t.Connect, t.TLS, t.Total = x.dialled, x.encrypted, now.Sub(x.began)
	if x.c == nil {
		return
	}
	e.Reused = x.c.uses > 1
	e.Sent = x.c.tap.sent.Load() - x.before
	sent, _ := x.state()
	if sent.IsZero() || x.received > 0 && x.firstByte.Before(sent) {
		sent = either(x.firstByte, now)
	}
	t.Request = sent.Sub(x.asked)
	switch {
	case x.received == 0:
		t.Wait = now.Sub(sent)
	case x.head == 0:
		t.Wait, t.Head = x.firstByte.Sub(sent), now.Sub(x.firstByte)
	default:
		t.Wait, t.Head, t.Body = x.firstByte.Sub(sent), max(x.headAt.Sub(x.firstByte), 1), now.Sub(x.headAt)
	}
}

// evidence gives what a Prober would have of the exchange.
func (x *trip) evidence() *Evidence {
	e := newEvidence(x.t.set.policy)
	x.facts(e)
	e.Target = x.req.URL.Redacted()
	x.requestFacts(&e.Request)
	if x.cause != nil {
		e.Error = x.cause.Error()
	}
	if x.end == Alert && e.TLS != nil {
		tls := *e.TLS // it is the connection's
		tls.Alert = alert(x.cause)
		e.TLS = &tls
	}
	if x.c == nil || x.phase < PhaseRequest {
		return e
	}
	e.Acked = x.c.tap.ackedSince(x.before)
	sent, sendErr := x.state()
	if x.whole && (sendErr != nil || sent.IsZero()) {
		e.Seen = append(e.Seen, Finding{Reason: AnsweredBeforeUploadDone, Offset: -1})
	}
	if x.received == 0 {
		if !sent.IsZero() {
			e.Phase = PhaseWait
		}
		return e
	}
	x.observe(e, len(x.trailer))
	return e
}

// requestFacts takes what was asked from the head that was written.
func (x *trip) requestFacts(q *RequestFacts) {
	first := true
	for line := range bytes.SplitSeq(x.ask.head[:x.ask.size], []byte("\r\n")) {
		name, value, _ := strings.Cut(string(line), ": ")
		switch {
		case first:
			words := strings.Fields(name)
			q.Target = words[len(words)-2]
			first = false
		case name == "Host":
			q.Host = value
		case name != "":
			q.Fields = append(q.Fields, name+": "+maskField(name, value))
		}
	}
	q.Fields = slices.Clip(q.Fields)
}
