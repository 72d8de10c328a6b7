package validator

import (
	"net"
	"os"
	"syscall"
	"time"
)

// A look says what is seen of a connection on which nothing is waited for.
type look uint8

const (
	alive  look = iota // and silent: nothing can be read, in the system or in a layer above it
	closed             // by the origin; or it cannot be looked at
	talks              // it sent what nobody asked for
	partly             // it sent something, which may be TLS's own or a part of a record
)

// lookWait is how long a connection without a descriptor is looked at: a read
// whose deadline is over would not even try.
const lookWait = time.Millisecond

// look looks at l, which nobody reads. It takes bytes only where there are some
// that nobody asked for. A read deadline may be gone.
func (l *link) look() look {
	t := l.tap
	if !t.plain {
		return l.lookThrough()
	}
	if l.Conn == net.Conn(t) {
		return t.eye.peek()
	}
	t.looking, t.seen = true, alive
	n, err := l.Conn.Read(t.one[:])
	t.looking = false
	switch {
	case n > 0:
		return talks
	case !timedOut(err):
		return closed
	case t.seen != alive:
		return t.seen
	}
	return l.silent()
}

// lookThrough looks at l through layers that are not ours, or without a
// descriptor.
func (l *link) lookThrough() look {
	t := l.tap
	below := talks
	var n int
	var err error
	if t.eye != nil {
		below = t.eye.peek()
	}
	if below == alive {
		if err = t.SetReadDeadline(time.Unix(1, 0)); err == nil {
			n, err = l.Conn.Read(t.one[:]) // is what the layers have
		}
	} else {
		n, err = l.readForAMoment(t.one[:])
	}
	switch {
	case n > 0:
		return talks
	case !timedOut(err) || t.SetReadDeadline(noTime) != nil:
		return closed
	case t.eye != nil && below != alive:
		return partly
	}
	return l.silent()
}

// mostLooks is how often a read is tried that may not have been one.
const mostLooks = 8

// readForAMoment reads what comes within lookWait. A busy machine may come to the
// read when that is over, and then nothing is read that is there: a read that did
// not last as long as it should have is tried again.
func (l *link) readForAMoment(b []byte) (n int, err error) {
	for range mostLooks {
		if err = l.tap.SetReadDeadline(time.Now().Add(lookWait)); err != nil {
			return 0, err
		}
		began := time.Now()
		n, err = l.Conn.Read(b)
		if took := time.Since(began); !timedOut(err) || took >= lookWait/2 && took <= 2*lookWait {
			break
		}
	}
	return n, err
}

// silent gives alive, now that TLS has no whole record, or partly where it has a
// part of one.
func (l *link) silent() look {
	if l.tap.records.between() {
		return alive
	}
	return partly
}

// An eye looks at what the system has of a connection.
type eye struct {
	raw  syscall.RawConn
	see  func(fd uintptr)
	seen look
	peeking

	step func(fd uintptr) (done bool) // of ask
	put  sending                      // valid during ask
}

// newEye gives an eye for c, or nil where there is no descriptor.
func newEye(c net.Conn) *eye {
	raw := rawConn(c)
	for next := below(c); raw == nil && next != c; c, next = next, below(next) {
		raw = rawConn(next)
	}
	if raw == nil || !canPeek {
		return nil
	}
	e := &eye{raw: raw}
	e.see = func(fd uintptr) { e.seen = e.peeking.peek(fd) }
	e.step = e.lookAndPut
	return e
}

// peek looks without waiting and without taking a byte.
func (e *eye) peek() look {
	if e.raw.Control(e.see) != nil {
		return closed
	}
	return e.seen
}

// isPlain reports whether c is the system's own: no layer that might hold bytes.
func isPlain(c net.Conn) bool {
	switch c.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}

// readSeen reads what is there, if anything is.
func (t *tap) readSeen(b []byte) (int, error) {
	if t.seen = t.eye.peek(); t.seen == alive {
		return 0, os.ErrDeadlineExceeded
	}
	n, err := t.read(b)
	if n > 0 {
		t.seen = alive // until it is looked at again
	}
	return n, err
}

// records follows TLS records as they come, so that it is known whether a part
// of one is there. The zero value, of a connection without TLS, is between them.
type records struct {
	head [5]byte // type, version and length
	have int     // bytes of head
	left int     // bytes of the fragment that are to come
}

func (r *records) take(b []byte) {
	for len(b) > 0 {
		if r.left > 0 {
			n := min(r.left, len(b))
			r.left -= n
			b = b[n:]
			continue
		}
		n := copy(r.head[r.have:], b)
		b = b[n:]
		if r.have += n; r.have == len(r.head) {
			r.have, r.left = 0, int(r.head[3])<<8|int(r.head[4])
		}
	}
}

func (r *records) between() bool { return r.have == 0 && r.left == 0 }
