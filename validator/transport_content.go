package validator

import (
	"io"
	"net/http"
	"sync"

	"why520/wire"
)

// An inflow is the body of a Response. Its Read and its Close may be called at
// the same time.
type inflow struct {
	response *http.Response

	mu      sync.Mutex
	x       *trip  // nil: it is over
	held    []byte // was read ahead
	err     error  // of every Read once held is given
	reading bool
	closed  bool
}

// directLeast is the room of a Read from which on it is given to the connection.
const directLeast = 2 << 10

// Read gives content. Its error is io.EOF only where the content is whole.
func (c *inflow) Read(p []byte) (n int, err error) {
	c.mu.Lock()
	x := c.x
	switch {
	case c.closed:
		err = http.ErrBodyReadAfterClose
	case len(c.held) > 0:
		n = copy(p, c.held)
		if c.held = c.held[n:]; len(c.held) == 0 && c.err == io.EOF {
			err = io.EOF
		}
	case c.err != nil:
		err = c.err
	case c.reading:
		err = errTwoReads
	case len(p) > 0:
		c.reading = true
		c.mu.Unlock()
		return c.read(x, p)
	}
	c.mu.Unlock()
	return n, err
}

// read reads from the connection; nobody else does.
func (c *inflow) read(x *trip, p []byte) (int, error) {
	n, over := x.readContent(p)
	c.mu.Lock()
	if !over && !c.closed {
		c.reading = false
		c.mu.Unlock()
		return n, nil
	}
	c.x = nil // from here on, Close leaves x alone
	x.left = c.closed && !x.whole
	c.mu.Unlock()
	err := x.finish(c.response)
	c.mu.Lock()
	c.reading, c.err = false, err
	c.mu.Unlock()
	if n > 0 && err != io.EOF {
		return n, nil
	}
	return n, err
}

// Close ends the exchange. What is left of the content, if it is not there
// already, costs the connection.
func (c *inflow) Close() error {
	c.mu.Lock()
	x := c.x
	if c.closed || x == nil {
		c.closed = true
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	if c.reading { // which then does the rest
		x.c.kill()
		c.mu.Unlock()
		return nil
	}
	c.x = nil
	c.mu.Unlock()
	x.skip()
	x.left = !x.whole
	x.finish(c.response)
	return nil
}

// hold reads the content ahead, at most so much, and what tells whether that is
// all of it. The error is the fault of it.
func (c *inflow) hold(most int64) error {
	x := c.x
	size := int64(leastBuffer)
	if n := c.response.ContentLength; n >= 0 {
		size = n
	}
	beyond := max(most, most+1)
	held := make([]byte, 0, min(size, most, bigBuffer)+1) // more as it comes: a length is but a promise
	for over := false; !over && int64(len(held)) <= most; {
		if len(held) == cap(held) {
			held = append(held, 0)[:len(held)]
		}
		var n int
		n, over = x.readContent(held[len(held):min(int64(cap(held)), beyond)])
		held = held[:len(held)+n]
		if over {
			c.x = nil
			if c.err = x.finish(c.response); c.err != io.EOF {
				return c.err
			}
		}
	}
	c.held = held
	return nil
}

// readContent reads content into p, which has room. It is over when the response
// is whole or will never be.
func (x *trip) readContent(p []byte) (n int, over bool) {
	for {
		k := copy(p[n:], x.segment)
		x.segment = x.segment[k:]
		if n += k; len(x.segment) > 0 {
			return n, false
		}
		ev, b, ok := x.step()
		switch {
		case ok && ev == wire.Content:
			x.segment = b[len(b)-x.stream.Segment:]
		case ok && ev == wire.TrailerSection:
			x.trailer = x.fieldsOf(x.stream.Trailer(), b[len(b)-x.stream.Segment:], false, nil)
		case ok: // Done
			x.whole = true
			return n, true
		case x.refused:
			return n, true
		case n > 0:
			return n, false
		case x.direct(len(p)):
			if n, ok = x.readDirect(p); ok {
				return n, x.isWhole()
			}
			if !x.settled() {
				return 0, true
			}
		case !x.fill() && !x.settled():
			return n, true
		}
	}
}

// readDirect reads content into p, and keeps what evidence may need.
func (x *trip) readDirect(p []byte) (n int, ok bool) {
	if n, ok = x.read(x.room(p)); !ok {
		return 0, false
	}
	return x.passed(p[:n]), true
}

// skip goes past content that is there already.
func (x *trip) skip() {
	x.segment = nil
	for {
		ev, _, ok := x.step()
		if !ok {
			return
		}
		if ev == wire.Done {
			x.whole = true
			return
		}
	}
}

// finish ends x, which must not be used any more: it gives io.EOF where the
// response was whole.
func (x *trip) finish(r *http.Response) error {
	if !x.whole {
		err := x.fail()
		x.free()
		return err
	}
	for name, values := range x.trailer {
		if mayTrail(name) {
			if r.Trailer == nil {
				r.Trailer = http.Header{}
			}
			r.Trailer[name] = values
		}
	}
	x.succeed()
	return io.EOF
}

// A tunnel is the body of a Response that switched protocols: what is read and
// written is the connection's.
type tunnel struct {
	*conn
	t     *Transport
	early []byte // came with the head
	once  sync.Once
}

// tunnel hands the connection over.
func (x *trip) tunnel() io.ReadWriteCloser {
	w := &tunnel{conn: x.c, t: x.t}
	if x.from < x.to {
		w.early = append(w.early, x.buf[x.from:x.to]...)
	}
	if x.up != nil {
		x.up.mu.Lock()
		x.up.wakes = false // who reads from here on
		x.up.mu.Unlock()
	}
	if x.t.set.timed {
		x.c.tap.SetReadDeadline(noTime)
	}
	if x.unbind != nil {
		x.unbind()
		x.unbind = nil
	}
	x.phase, x.whole = PhaseIdle, true
	e, v := x.assess()
	x.tell(e, v)
	x.c = nil
	x.free()
	return w
}

func (w *tunnel) Read(p []byte) (int, error) {
	if len(w.early) > 0 {
		n := copy(p, w.early)
		w.early = w.early[n:]
		return n, nil
	}
	return w.conn.Read(p)
}

// CloseWrite says that nothing more will be written.
func (w *tunnel) CloseWrite() error {
	if c, ok := w.conn.link.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite() // of TLS
	}
	if c, ok := w.conn.tap.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errNoCloseWrite
}

func (w *tunnel) Close() error {
	w.once.Do(func() {
		w.conn.close()
		w.t.pool.gone(w.conn)
	})
	return nil
}
