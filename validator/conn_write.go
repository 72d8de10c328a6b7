package validator

import (
	"fmt"
	"net"
	"time"

	"why520/wire"
)

// asking is the requests that were written to a Conn.
type asking struct {
	made     time.Time // the connection
	requests wire.Requests
	open     []question // from first on: those that wait for their response, the oldest first
	first    int
	heads    []byte // of open questions
	tunnel   bool   // the connection is another protocol's
	blind    bool   // bytes behind a request to switch protocols were sent before its answer
	refused  error  // what is no request was to be written
	over     error  // why no further one is sent: reading fails
	err      error  // why requests cannot be sent any more
	errAt    int    // of the first question that it befell, counted from the first on the connection
	count    int    // of questions so far
}

// A question is a request that began to be written and is not answered.
type question struct {
	wire.Request
	number   int
	head     int       // where its head is in heads
	size     int64     // bytes so far
	kept     int       // bytes of the head in heads
	upload   int64     // bytes of content so far, framing included
	known    bool      // the head is whole
	whole    bool      // all of it is
	declined bool      // the answer is no switch of protocols
	before   int64     // bytes given to the system before it
	asked    time.Time // it began
	sent     time.Time // it was sent; zero: not yet, or never
}

const (
	maxQuestions = 1024     // that wait at a time
	keepHead     = 8 << 10  // bytes of a request's head
	keepHeads    = 64 << 10 // of all of them
)

// front gives the question that is to be answered next, or nil.
func (a *asking) front() *question {
	if a.first == len(a.open) {
		return nil
	}
	return &a.open[a.first]
}

// newest gives the last question, if it is not answered yet.
func (a *asking) newest() *question {
	if a.first == len(a.open) {
		return nil
	}
	if q := &a.open[len(a.open)-1]; q.number == a.count {
		return q
	}
	return nil
}

// answered removes the front; the next, if there is one, is waited for from now
// on.
func (a *asking) answered() {
	if a.front() == nil {
		return
	}
	if a.first++; a.first == len(a.open) {
		a.open, a.heads, a.first = a.open[:0], a.heads[:0], 0
	} else if q := a.front(); !q.sent.IsZero() {
		q.sent = time.Now()
	}
}

// begin adds a question.
func (a *asking) begin(before int64) error {
	switch {
	case a.over != nil:
		return a.over
	case len(a.open)-a.first == maxQuestions:
		return errPipeline
	case a.first > 0 && len(a.open) == cap(a.open):
		a.open = a.open[:copy(a.open, a.open[a.first:])]
		a.first = 0
	}
	a.count++
	a.open = append(a.open, question{number: a.count, before: before, head: len(a.heads), asked: nowFrom(a.made)})
	return nil
}

// mayTunnel reports whether q, if its answer is so, makes the connection
// another protocol's.
func (q *question) mayTunnel() bool { return (q.Upgrade || q.Method == "CONNECT") && !q.declined }

// take frames p, which is to be written behind before bytes.
func (a *asking) take(p []byte, before int64) error {
	for {
		q := a.newest()
		if a.requests.Between() {
			for len(p) > 0 && (p[0] == '\r' || p[0] == '\n') { // RFC 9112 section 2.2
				p = p[1:]
			}
		}
		switch {
		case a.requests.Between() && q != nil && q.whole && q.mayTunnel():
			a.blind = a.blind || len(p) > 0
			return nil
		case a.requests.Between() && len(p) == 0:
			return nil
		case a.requests.Between() && (q == nil || q.whole):
			if err := a.begin(before); err != nil {
				return err
			}
			q = a.newest()
		}
		ev, n, err := a.requests.Next(p)
		if err != nil {
			return fmt.Errorf("validator: what is written is no request that can be followed: %w", err)
		}
		if q != nil {
			a.note(q, ev, p[:n])
		}
		if p = p[n:]; ev == wire.NoEvent && len(p) == 0 {
			return nil
		}
	}
}

// note notes of q what came of it.
func (a *asking) note(q *question, ev wire.Event, p []byte) {
	q.size += int64(len(p))
	if !q.known {
		q.Method = a.requests.Request.Method
		room := max(min(len(p), keepHead-q.kept, keepHeads-len(a.heads)), 0)
		if q.head+q.kept == len(a.heads) {
			a.heads = append(a.heads, p[:room]...)
			q.kept += room
		}
	}
	switch ev {
	case wire.FinalHead:
		q.Request, q.known = a.requests.Request, true
	case wire.Content:
		q.upload += int64(len(p))
	case wire.Done:
		q.whole = true
	}
}

// sentAll notes that all that was framed was given to the system.
func (a *asking) sentAll(now time.Time) {
	for i := len(a.open) - 1; i >= a.first && a.open[i].sent.IsZero(); i-- {
		if q := &a.open[i]; q.whole {
			q.sent = now
		}
	}
}

// unasked looks whether anything can be read, now that a request is to be sent
// and none waits: it would be taken for the answer. Whoever reads is told then.
func (c *Conn) unasked() bool {
	c.mu.Lock()
	a := &c.asking
	between := a.count > 0 && a.front() == nil && a.requests.Between() && !a.tunnel && a.refused == nil && a.over == nil && a.err == nil
	c.mu.Unlock()
	if !between {
		return false
	}
	seen := alive
	if c.reading.TryLock() {
		seen = c.look()
		if c.reading.Unlock(); c.closed.Load() {
			c.leave()
		}
	} else if eye := c.link.tap.eye; eye != nil {
		seen = eye.peek()
	}
	return seen == talks || seen == partly
}

// look looks at c, which nobody reads: reading is locked.
func (c *Conn) look() look {
	r := &c.response
	if c.err != nil {
		return closed // or worse, as Read says
	}
	seen := talks
	if r.from == r.to {
		c.mu.Lock()
		seen = c.link.look()
		if !c.link.tap.plain {
			_ = c.arm(true) // a connection that has none fails by itself
		}
		c.mu.Unlock()
	}
	if seen == talks || seen == partly {
		c.finish(errUnasked)
	}
	return seen
}

// write is Write, while nobody else writes.
func (c *Conn) write(p []byte) (int, error) {
	if len(p) > 0 && c.unasked() {
		return 0, errUnasked
	}
	a := &c.asking
	limit := c.g.set.deadlines.Write
	c.mu.Lock()
	switch {
	case a.tunnel:
		c.mu.Unlock()
		return c.net.Write(p)
	case a.refused != nil:
		c.mu.Unlock()
		return 0, a.refused
	case a.err != nil: // Read tells of it
		c.mu.Unlock()
		return len(p), nil
	}
	if a.refused = a.take(p, c.link.tap.sent.Load()); a.refused != nil {
		c.mu.Unlock()
		return 0, a.refused
	}
	if limit > 0 {
		at := time.Now().Add(limit)
		if w := c.clock.wantedWrite; !w.IsZero() && w.Before(at) {
			at = w
		}
		_ = c.link.Conn.SetWriteDeadline(at) // a connection that has none fails by itself
	}
	c.mu.Unlock()
	n, err := c.link.Conn.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if limit > 0 {
		_ = c.link.Conn.SetWriteDeadline(c.clock.wantedWrite)
	}
	switch f := c.failed.Load(); {
	case err == nil:
		a.sentAll(nowFrom(c.made))
	case c.closed.Load() && f != nil:
		return n, f
	case c.closed.Load() || c.shut.Load() || a.tunnel || a.blind || timedOut(err) && !c.overdue(limit):
		return n, err
	default:
		a.err, a.errAt = err, a.count
	}
	if c.g.set.timed {
		_ = c.arm(false)
	}
	return len(p), nil
}

// overdue reports whether a Write that came to a deadline came to the Guard's.
func (c *Conn) overdue(limit time.Duration) bool {
	w := c.clock.wantedWrite
	return limit > 0 && (w.IsZero() || time.Now().Before(w))
}

var _ net.Conn = (*Conn)(nil)
