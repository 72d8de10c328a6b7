package validator

import (
	"context"
	"io"
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
	e, v := x.assess()
	idle := x.giveBack(x.c, reusable)
	x.tell(e, v)
	if x.trace != nil && x.trace.PutIdleConn != nil {
		x.trace.PutIdleConn(idle)
	}
	x.free()
}

// giveBack puts c, which x is done with, into the pool, or says why not.
func (x *trip) giveBack(c *conn, reusable bool) error {
	x.c = nil
	if reusable && !c.blind && x.t.settings().idleEach > 0 {
		if x.t.set.timed && (x.up != nil || !c.isBare()) { // which may be read where it is looked at
			c.tap.SetReadDeadline(noTime)
			c.armed, c.fired = noTime, false
		}
		since := x.lastByte
		if since.IsZero() {
			since = time.Now()
		}
		if x.t.keep(c, since) {
			return nil
		}
		return errTooManyIdle
	}
	c.close()
	x.t.pool.gone(c)
	if x.up != nil {
		x.up.close()
	}
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
	e, v, err := x.failure()
	x.abandon()
	x.tell(e, v)
	return err
}

// abandon gives up all that x has of the pool, and the content of the request.
func (x *trip) abandon() {
	if x.up != nil {
		x.withhold(false)
	}
	x.drop()
	if x.turn {
		x.turn = false
		x.t.pool.unmade(x.o)
	}
	if x.dialling != nil {
		x.dialling.Close()
		x.dialling = nil
	}
	if x.up != nil {
		x.up.close()
	}
	x.closeContent()
}

// failure gives what there is to tell of the exchange, which failed, and its
// error.
func (x *trip) failure() (*Evidence, *Verdict, error) {
	if x.up != nil {
		x.up.mu.Lock()
		broken := x.up.contentErr
		x.up.mu.Unlock()
		if broken != nil && x.local == nil {
			x.local, x.left = broken, true
		}
	}
	if x.local == nil && x.crowded() {
		x.local, x.left = x.inLine(), x.phase >= PhaseRequest
	}
	switch gone := x.gone(); {
	case gone != nil:
		x.left = true
		e, v := x.assess()
		return e, v, leftBy(gone, either(context.Cause(x.ctx), gone))
	case x.left:
		e, v := x.assess()
		return e, v, either[error](x.local, errLeft)
	case x.local != nil:
		return nil, nil, x.local
	}
	e := x.evidence()
	v := Judge(e, nil)
	if v.OK() {
		return nil, nil, &LocalError{"asking " + x.address, x.cause}
	}
	if x.t.Recorder != nil {
		x.t.Recorder.Record(e)
	}
	if x.received > 0 && x.cause == io.EOF {
		x.cause = io.ErrUnexpectedEOF // nobody shall take it for an end in order
	}
	return e, &v, &Error{&v, e, x.cause}
}

// gone gives the error of the caller's context, if that is over. A dialer or a
// socket that obeys its deadline may be earlier than the context itself.
func (x *trip) gone() error {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	if at, ok := x.ctx.Deadline(); ok && !time.Now().Before(at) {
		return context.DeadlineExceeded
	}
	return nil
}

// tell calls OnVerdict, where there is something to tell. It may panic: x holds
// nothing of the pool any more.
func (x *trip) tell(e *Evidence, v *Verdict) {
	if e != nil && x.t.OnVerdict != nil {
		x.t.OnVerdict(x.req, e, v)
	}
}

// assess gives what OnVerdict, if set, is to be told of an exchange that the
// origin is not to blame for; x.good is valid from then on.
func (x *trip) assess() (*Evidence, *Verdict) {
	if x.t.OnVerdict == nil {
		return nil, nil
	}
	if x.left || x.notable() {
		e := x.evidence()
		v := Judge(e, nil)
		if x.left {
			v = left(e)
		}
		return e, &v
	}
	g := &x.good
	g.praise(&x.intake, x.t.set.policy, len(x.trailer))
	x.facts(&g.e)
	return &g.e, &g.v
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
	return x.surprised || x.tls.borne(&x.t.set.policy) || x.intake.notable(x.t.set.limits.Head)
}
