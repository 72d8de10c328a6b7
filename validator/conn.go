package validator

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"why520/wire"
)

// A Conn is a connection to an origin of HTTP/1.x whose responses are judged as
// they are read. It follows the requests that are written to it, many of them
// and pipelined ones too; a [Guard] makes it.
//
// # Reading
//
// A head is held back until it is whole and judged, and no byte of one that is
// refused is ever given; neither is one of a chunk-size line or a trailer section.
// Content passes as it comes, with its framing, and ends where that says. Where
// the response is refused or cut, Read fails with an *[Error], and every Read
// after it with the same. A deadline of the client's that passes within an
// exchange is an *Error too, but reading may go on.
//
// Where a violation is tolerated, the head that is given is written anew as the
// RFC repairs it (RFC 9112 sections 5.1, 5.2 and 6.3): lines end with CRLF,
// folded ones are joined, control bytes are spaces, white space before a colon
// and empty lines before the status line are gone, a repeated Content-Length
// comes once, and Transfer-Encoding not at all in HTTP/1.0. Every other head is
// given byte for byte. The verdict has what was repaired as a note.
//
// Bytes behind a response that no request waits for are not given: they make the
// reading fail, so that the connection is not used again. The end of a connection
// that is idle is given as it is, io.EOF as a rule.
//
// After 101 (Switching Protocols) or a 2xx to CONNECT the connection is the other
// protocol's: bytes pass both ways untouched.
//
// # Writing
//
// Write frames what is written before it passes it on. What is no request of
// HTTP/1.x, or one whose end is uncertain, is not sent: Write fails, and always
// will. Where Write fails because the origin broke the connection, it reports
// success: an early answer may still be there, and what the origin did is Read's
// to tell, which ends soon. Where reading has failed, or bytes can be read that no
// request waits for, the next is not sent: Write fails, with what Read does. (A
// connection that has no descriptor, by SyscallConn or by NetConn's, is looked at
// for a millisecond then.) Deadlines are told of, and writing may go on with what
// was not written, as far as the connection can: one of TLS cannot. Close is told
// of too, save that Write fails with the *Error then where Read did.
//
// Reading, writing and closing may be done at the same time.
type Conn struct {
	g       *Guard
	net     net.Conn // what it was made of
	link    link     // what is read and written
	facts   *TLSFacts
	state   *tls.ConnectionState // nil: plain
	address string
	dialled [2]time.Duration // how long TCP and TLS took

	made time.Time

	closed   atomic.Bool
	failed   atomic.Pointer[Error] // what reading fails with
	tunnel   atomic.Bool           // the connection is another protocol's
	reading  sync.Mutex
	response reception // reading is locked
	err      error     // of every Read once the response's bytes are given; reading is locked

	writing sync.Mutex
	mu      sync.Mutex
	asking  asking      // mu is locked
	clock   connClock   // mu is locked
	shut    atomic.Bool // for writing, by us
}

var (
	errUnasked  = fmt.Errorf("validator: %w", wire.BytesOnIdleConnection)
	errBlind    = errors.New("validator: the origin declined to switch protocols, and bytes of the other were sent already")
	errPipeline = errors.New("validator: too many requests wait for their response")
)

// Read gives what may pass of the responses. See Conn.
func (c *Conn) Read(p []byte) (int, error) {
	if c.tunnel.Load() {
		return c.net.Read(p)
	}
	c.reading.Lock()
	n, err := c.read(p)
	c.reading.Unlock()
	if c.closed.Load() {
		c.leave()
	}
	if err == errTunnel {
		return c.net.Read(p)
	}
	return n, err
}

// Write writes bytes of requests. See Conn.
func (c *Conn) Write(p []byte) (int, error) {
	if c.tunnel.Load() {
		return c.net.Write(p)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.write(p)
}

// Close closes the connection. An exchange that is not over ends with it.
func (c *Conn) Close() error {
	c.closed.Store(true)
	c.link.tap.closing.Store(true)
	err := c.link.Conn.Close()
	c.leave()
	return err
}

// CloseWrite says that nothing more will be written, where the connection can.
func (c *Conn) CloseWrite() error {
	if w, ok := c.net.(interface{ CloseWrite() error }); ok {
		c.shut.Store(true)
		return w.CloseWrite()
	}
	return errNoCloseWrite
}

// NetConn gives the connection that c was made of: with TLS on it, where there is
// TLS. What is read from it is lost to c.
func (c *Conn) NetConn() net.Conn { return c.net }

// TLS gives the state of the TLS connection below c, or nil.
func (c *Conn) TLS() *tls.ConnectionState { return c.state }

// SyscallConn gives access to the descriptor of the TCP connection.
func (c *Conn) SyscallConn() (syscall.RawConn, error) {
	if s, ok := below(c.net).(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// LocalAddr is the connection's.
func (c *Conn) LocalAddr() net.Addr { return c.net.LocalAddr() }

// RemoteAddr is the connection's.
func (c *Conn) RemoteAddr() net.Addr { return c.net.RemoteAddr() }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetWriteDeadline(t); err != nil {
		return err
	}
	return c.SetReadDeadline(t)
}

// SetReadDeadline sets the deadline of reading. A deadline of the Guard's that is
// earlier goes first.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock.wanted = t
	return c.arm(true)
}

// SetWriteDeadline sets the deadline of writing. Where the Guard has one, that of
// each Write is the earlier.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock.wantedWrite = t
	return c.link.Conn.SetWriteDeadline(t)
}
