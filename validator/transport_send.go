package validator

import (
	"net"
	"net/http/httptrace"
	"time"
)

// send sends the head and what goes with it, and has the rest sent. It reports
// whether the connection could be used: if not, nothing was sent, and x has no
// connection any more.
func (x *trip) send() bool {
	if !x.ask.streamed {
		x.closeContent()
	}
	x.before = x.c.tap.sent.Load()
	x.asked = x.began
	if x.c.uses == 1 || x.attempts > 1 {
		x.asked = time.Now()
	}
	if x.c.kept && x.looksLater(x.c) {
		return x.lookAndSend()
	}
	x.sendErr = x.write(x.ask.head)
	x.sent = nowFrom(x.began)
	if x.trace != nil {
		x.traceHead()
	}
	if x.sendErr == nil && x.ask.streamed {
		x.up = x.upload()
	} else if x.trace != nil && x.trace.WroteRequest != nil {
		x.trace.WroteRequest(httptrace.WroteRequestInfo{Err: x.sendErr})
	}
	return true
}

// write writes b within its deadline.
func (x *trip) write(b []byte) error {
	limit := x.within(x.t.settings().deadlines.Write)
	if limit != 0 {
		x.c.SetWriteDeadline(time.Now().Add(limit))
	}
	_, err := x.c.Write(b)
	if limit != 0 {
		x.c.SetWriteDeadline(noTime)
	}
	return err
}

// looksLater reports whether c, which carried another exchange before, is looked
// at when the request is written: nothing else happens between, or is told of.
func (x *trip) looksLater(c *conn) bool {
	return c.isBare() && !x.ask.streamed && !x.watched
}

// isBare reports whether nothing stands between c and the descriptor.
func (c *conn) isBare() bool { return c.tap.plain && c.facts == nil }

// lookAndSend is send for what looksLater.
func (x *trip) lookAndSend() bool {
	if x.t.set.timed {
		x.sent = time.Now() // as good as
		x.c.fired = x.c.fired || x.c.armed.Before(x.sent) && !x.c.armed.IsZero()
		x.arm()
	}
	seen, n, at, err := x.c.tap.ask(x.ask.head, x.began)
	if seen != alive {
		x.unusable(seen)
		return false
	}
	x.sent, x.sendErr = at, err
	if err == nil && n < len(x.ask.head) {
		x.sendErr = x.write(x.ask.head[n:])
		x.sent = time.Now()
	}
	return true
}

// unusable gives up x's connection, on which nothing was sent for what was seen of
// it: x has its turn, unless another is idle.
func (x *trip) unusable(seen look) {
	c, p := x.c, &x.t.pool
	if x.unbind != nil {
		x.unbind()
		x.unbind = nil
	}
	if x.ctx.Err() == nil { // or else it was closed here, perhaps
		x.surprised = x.surprised || seen == talks
	}
	p.mu.Lock()
	if now := time.Now(); seen == closed && x.ctx.Err() == nil {
		c.died(seen, now)
	}
	switch {
	case len(c.o.idle) > 0:
		p.lose(c)
	case !c.lost:
		c.lost, x.turn = true, true
	}
	p.mu.Unlock()
	c.close()
	x.c, x.sent, x.phase, x.tls, x.address = nil, noTime, PhaseDNS, nil, ""
}

// ask looks at the connection, which is plain, and writes b where nothing can be
// read at that moment: if seen is not alive, nothing was written. Then it waits
// until something can be read; whatever else ends that, the next Read tells. n is
// less than there is of b where the connection takes no more for now.
//
// So no Read is tried in vain before the answer is there, and the look costs no
// more than that would.
func (t *tap) ask(b []byte, began time.Time) (seen look, n int, at time.Time, err error) {
	seen, n, at, err = t.eye.ask(b, began)
	t.sent.Add(int64(n))
	if err != nil {
		local := t.LocalAddr()
		err = &net.OpError{Op: "write", Net: local.Network(), Source: local, Addr: t.RemoteAddr(), Err: err}
	}
	return seen, n, at, err
}

// A sending is what an eye writes once it has looked.
type sending struct {
	b     []byte
	began time.Time // the exchange
	n     int       // bytes that were written
	at    time.Time // then; zero: they were not yet
	err   error
}

// ask is tap's. Events from the begin of RawConn.Read on end its wait, and what
// was there before is seen: none is missed.
func (e *eye) ask(b []byte, began time.Time) (seen look, n int, at time.Time, err error) {
	e.seen, e.put = alive, sending{b: b, began: began}
	waited := e.raw.Read(e.step)
	seen, n, at, err = e.seen, e.put.n, e.put.at, e.put.err
	e.put = sending{}
	if waited != nil && seen == alive && at.IsZero() { // it was not even called: for a deadline that is over, perhaps
		seen = e.peek()
	}
	return seen, n, at, err
}

// lookAndPut is what RawConn.Read calls at once, and again when something can be
// read.
func (e *eye) lookAndPut(fd uintptr) (done bool) {
	p := &e.put
	if !p.at.IsZero() {
		return true
	}
	if e.seen = e.peeking.peek(fd); e.seen != alive {
		return true
	}
	p.n, p.err = give(fd, p.b)
	p.at = nowFrom(p.began)
	return p.n < len(p.b)
}
