package validator

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// late is a connection on which something is there, and a machine that comes to
// the first reads of it when their deadlines are over.
type late struct {
	net.Conn
	until time.Time
	late  int
}

func (c *late) SetReadDeadline(at time.Time) error { c.until = at; return nil }

func (c *late) Read(b []byte) (int, error) {
	if c.late > 0 {
		c.late--
		return 0, os.ErrDeadlineExceeded
	}
	return copy(b, "!"), nil
}

func TestALookThatComesTooLateIsRepeated(t *testing.T) {
	below := &late{late: 3}
	tap := &tap{Conn: below}
	l := &link{Conn: tap, tap: tap}
	assert.Equal(t, talks, l.look())
}
