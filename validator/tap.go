package validator

import (
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"why520/wire"
)

// A tap stands between TLS, or the exchange, and the TCP connection: it counts
// what is sent and keeps the first bytes that come.
type tap struct {
	net.Conn
	trip  time.Duration // of the handshake
	sent  atomic.Int64  // payload bytes given to the system
	acked int64         // acknowledged before anything was sent: the SYN
	known bool          // whether acknowledgements can be known here
	first []byte        // of what came, at most firstBytes
	fin   bool          // the origin's FIN was read

	eye     *eye    // nil: there is no descriptor to look at
	plain   bool    // nothing stands between the tap and the descriptor
	looking bool    // a Read takes only what is there
	seen    look    // by the last Read of those
	one     [1]byte // room for a look
	framed  bool    // TLS is above
	records records // valid iff framed

	closing atomic.Bool // no write may last
}

const firstBytes = 256

func newTap(c net.Conn, trip time.Duration) *tap {
	t := &tap{Conn: c, trip: trip, eye: newEye(c)}
	t.plain = t.eye != nil && isPlain(c)
	t.acked, t.known = tcpAcked(c)
	return t
}

func (t *tap) Write(b []byte) (int, error) {
	n, err := t.Conn.Write(b)
	t.sent.Add(int64(n))
	return n, err
}

func (t *tap) Read(b []byte) (int, error) {
	if t.looking {
		return t.readSeen(b)
	}
	return t.read(b)
}

func (t *tap) read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	if t.framed {
		t.records.take(b[:n])
	}
	t.fin = t.fin || err != nil && ended(err) == wire.FIN
	if room := firstBytes - len(t.first); room > 0 {
		t.first = append(t.first, b[:min(n, room)]...)
	}
	return n, err
}

// closingTime is how long a close_notify may take to be written.
const closingTime = 5 * time.Millisecond

// SetWriteDeadline sets it, as far as it is not too late for one that is closed:
// crypto/tls gives its close_notify 5 s, in which the caller would wait.
func (t *tap) SetWriteDeadline(at time.Time) error {
	if t.closing.Load() {
		if soon := time.Now().Add(closingTime); at.IsZero() || at.After(soon) {
			at = soon
		}
	}
	return t.Conn.SetWriteDeadline(at)
}

// ackedSince gives how many of the payload bytes behind the first before are
// acknowledged, or -1 where that cannot be known.
func (t *tap) ackedSince(before int64) int64 {
	total, ok := tcpAcked(t.Conn)
	if !ok || !t.known {
		return -1
	}
	return min(max(total-t.acked-before, 0), t.sent.Load()-before)
}

// rawConn gives access to the descriptor of c, or nil.
func rawConn(c net.Conn) syscall.RawConn {
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
