package validator

import (
	"errors"
	"io"
	"time"

	"why520/wire"
)

// A reception is the response that comes on a Conn.
type reception struct {
	intake
	ask      question // that it answers; of a copy of Conn.asking's
	open     bool     // it began, and is not over
	early    bool     // it came before any request
	found    int      // violations that were gone past before the current head
	trailers int      // field lines of its trailer section
	count    int      // responses before it
	switched bool     // the connection is another protocol's, once all is given
	left     bool     // nobody reads on
	cause    error    // what the system said of the end
	late     *Error   // that nobody was told of yet: the client's deadline passed since the last byte, or there was no request

	repaired []byte // heads that were written anew, to be given first
	given    int    // of buf: behind it
	pass     int    // the next that may be given is up to here

	phase     Phase
	firstByte time.Time
	lastByte  time.Time
	headAt    time.Time

	good goodEvidence
}

// errTunnel says that reading is to go on below.
var errTunnel = errors.New("validator: tunnel")

// read is Read, while nobody else reads.
func (c *Conn) read(p []byte) (int, error) {
	r := &c.response
	for {
		n := r.give(p)
		switch {
		case n > 0 || len(p) == 0:
			return n, nil
		case c.err != nil:
			return 0, c.err
		case r.switched:
			c.tunnel.Store(true)
			r.buf, r.given, r.pass = nil, 0, 0
			return 0, errTunnel
		case r.open && c.advance():
			continue
		case !r.open && r.from < r.to:
			c.begin(r.from)
			continue
		case r.open && r.head > 0 && r.direct(len(p)):
			into := r.room(p)
			n, err := c.fetch(into)
			if n > 0 {
				n = r.passed(into[:n])
				r.given, r.pass = r.from, r.from
				if r.isWhole() {
					c.succeed()
				}
				return n, nil
			}
			if err != nil {
				return 0, err
			}
			continue
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
}

// give gives what may be given of what was read.
func (r *reception) give(p []byte) int {
	if len(r.repaired) > 0 {
		n := copy(p, r.repaired)
		if r.repaired = r.repaired[:copy(r.repaired, r.repaired[n:])]; len(r.repaired) > 0 {
			return n
		}
		return n + r.give(p[n:])
	}
	n := copy(p, r.buf[r.given:r.pass])
	r.given += n
	return n
}

// advance takes what the buffer holds of the response; it reports whether that
// changed anything.
func (c *Conn) advance() (moved bool) {
	r := &c.response
	for r.open {
		ev, b, ok := r.step()
		switch {
		case r.refused:
			c.fail()
			return true
		case !ok:
			return moved
		case ev == wire.InterimHead, ev == wire.FinalHead:
			c.passHead(ev, b)
		case ev == wire.Content:
			r.pass = r.from
		case ev == wire.TrailerSection:
			r.trailers = r.stream.Trailer().Len()
		case ev == wire.Done:
			r.pass, r.whole = r.from, true
			c.succeed()
		}
		moved = true
	}
	return moved
}

// passHead gives the head b, written anew where there is something to repair.
func (c *Conn) passHead(ev wire.Event, b []byte) {
	r := &c.response
	found := r.found
	if r.found = len(r.stream.Found); r.found == found && found < wire.MaxFound {
		r.pass = r.from
	} else {
		r.repaired = append(r.repaired, r.buf[r.given:r.pass]...)
		r.repaired = appendRepaired(r.repaired, r.stream.Head(), b)
		r.given, r.pass = r.from, r.from
	}
	if ev == wire.InterimHead {
		for range r.stream.Head().Notes(b) {
			r.noted = true
			break
		}
		return
	}
	r.finalHead(b)
	r.phase, r.headAt = PhaseBody, r.lastByte
	if r.stream.Framing.Delimiter == wire.Tunnel {
		r.pass, r.from, r.whole, r.switched = r.to, r.to, true, true
		c.succeed()
		return
	}
	if r.ask.mayTunnel() {
		c.mu.Lock()
		if q := c.asking.front(); q != nil {
			c.asking.declined = q.number
		}
		c.mu.Unlock()
	}
}

// begin begins a response, whose bytes are behind from in the buffer, or which
// came to its end before any. Where nobody waits for one, reading fails.
func (c *Conn) begin(from int) {
	r := &c.response
	c.mu.Lock()
	q := c.asking.front()
	if q == nil && r.count > 0 {
		c.err, c.asking.over = errUnasked, errUnasked
		c.mu.Unlock()
		return
	}
	if r.early = q == nil; r.early {
		r.ask = question{before: c.link.tap.sent.Load()}
	} else {
		r.ask = *q
	}
	c.mu.Unlock()
	r.to = copy(r.buf, r.buf[from:r.to])
	r.received, r.from, r.given, r.pass, r.kept, r.head, r.start = int64(r.to), 0, 0, 0, 0, 0, 0
	r.end, r.cause, r.refused, r.whole, r.surplus, r.noted, r.trailers, r.found = wire.Open, nil, false, false, false, false, 0, 0
	r.stream.Limits = c.g.set.policy.Limits
	r.stream.Expect(r.ask.Request)
	r.open, r.phase = true, PhaseRequest
	if r.received > 0 {
		r.phase, r.firstByte = PhaseHead, nowFrom(c.made)
		r.lastByte = r.firstByte
	}
	c.tick()
}

// fill reads once into the buffer.
func (c *Conn) fill() error {
	r := &c.response
	if r.open {
		before := r.from
		r.makeRoom(r.pass)
		r.given -= before - r.from
		r.pass = r.given
	} else if r.from, r.to, r.given, r.pass = 0, 0, 0, 0; len(r.buf) == 0 || len(r.buf) > bigBuffer {
		r.buf = make([]byte, leastBuffer)
	}
	n, err := c.fetch(r.buf[r.to:])
	r.full = n == len(r.buf)-r.to
	if r.to += n; n > 0 && !r.open {
		c.begin(0)
	}
	return err
}

// fetch reads once. Without bytes, and without an error of this Read, c.err is
// set, or there is something to begin with.
func (c *Conn) fetch(into []byte) (int, error) {
	r := &c.response
	for {
		if c.g.set.timed {
			c.tick()
		}
		n, err := c.link.Conn.Read(into)
		if n > 0 {
			if r.late = nil; r.open {
				r.arrived(n, c.made, c.g.set.timed)
			}
			return n, nil
		}
		if err != nil {
			again, err := c.ended(err)
			if again {
				continue
			}
			return 0, err
		}
	}
}

// arrived notes that n bytes of the response came.
func (r *reception) arrived(n int, made time.Time, timed bool) {
	if r.received == 0 {
		r.phase, r.firstByte = PhaseHead, nowFrom(made)
		r.lastByte = r.firstByte
	} else if timed || r.head == 0 {
		r.lastByte = nowFrom(made)
	}
	r.received += int64(n)
}

// ended takes the error of a read. It gives the error of this Read, if c.err is
// not to be it; again: there is nothing to it.
func (c *Conn) ended(err error) (again bool, _ error) {
	r := &c.response
	if c.closed.Load() {
		return false, err
	}
	end := c.link.ended(err)
	if !r.open {
		switch c.mu.Lock(); {
		case c.asking.front() == nil && end == wire.Timeout && timedOut(err):
			c.mu.Unlock()
			_, _, again = c.late()
			return again, err
		case c.asking.front() == nil && r.count > 0:
			c.err, c.asking.over = err, err
			c.mu.Unlock()
			return false, nil
		}
		c.mu.Unlock()
		r.to = 0
		c.begin(0)
	}
	sticky := true
	if end == wire.Timeout && timedOut(err) {
		end, sticky, again = c.late()
		if again {
			return true, nil
		}
	}
	r.end, r.cause = c.folded(end, err)
	if !sticky {
		r.late = c.failure()
		r.end, r.cause = wire.Open, nil
		return false, r.late
	}
	if r.head > 0 && r.stream.Close(inStream(r.end, true)) == nil {
		r.whole = true
		c.succeed()
		c.finish(io.EOF)
		return false, nil
	}
	c.fail()
	return false, nil
}

// folded names the end of a connection whose reading ended in order: a reset that
// a Write was told of is swallowed, and the next Read says FIN.
func (c *Conn) folded(end wire.End, err error) (wire.End, error) {
	if end == wire.FIN || end == wire.Truncated {
		c.awaitWrite(10 * patience) // one that was told of a reset may be returning just now
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if broken := c.asking.err; broken != nil && (end == wire.FIN || end == wire.Truncated) && ended(broken) == wire.RST {
		return wire.RST, broken
	}
	return end, err
}

// awaitWrite waits until no Write is under way, for as long as that.
func (c *Conn) awaitWrite(most time.Duration) {
	for until := time.Now().Add(most); !c.writing.TryLock(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			return
		}
	}
	c.writing.Unlock()
}
