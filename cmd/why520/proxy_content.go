package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// requestContent is content that a client sends. The goroutine that sends it to
// the origin reads it; Close may come meanwhile, and ends the Read.
type requestContent struct {
	io.ReadCloser
	x *exchange

	mu     sync.Mutex
	n      int64
	ended  bool // all came
	faulty bool // what came is malformed, or the client left
	closed bool
	slow   bool      // the client made no progress
	until  time.Time // a Read that is under way; else zero
}

var errSlowClient = errors.New("the client sends nothing")

func (c *requestContent) Read(b []byte) (int, error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return 0, http.ErrBodyReadAfterClose
	}
	c.until = time.Now().Add(c.x.limit)
	c.x.setReadDeadline(c.until)
	c.mu.Unlock()
	n, err := c.ReadCloser.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += int64(n)
	c.ended = c.ended || err == io.EOF
	c.until = time.Time{}
	if !c.closed {
		c.x.setReadDeadline(time.Time{})
		switch {
		case err == nil || err == io.EOF:
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.slow, err = true, errSlowClient
		default:
			c.faulty = true
		}
	}
	return n, err
}

// Close does not wait for a Read, as that of net/http's server would, which closes
// its own when the exchange is over.
func (c *requestContent) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed && !c.ended {
		c.x.setReadDeadline(time.Now())
	}
	c.closed = true
	return nil
}

// finish leaves the connection to the next exchange; it reports whether all of
// the content came.
func (c *requestContent) finish() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return c.ended
}

func (c *requestContent) bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *requestContent) all() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// isFaulty reports whether content came to a bad end.
func (c *requestContent) isFaulty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.faulty
}

// isSlow reports whether the client made no progress. net/http's server cancels the
// request for that before the Read returns.
func (c *requestContent) isSlow() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slow || !c.until.IsZero() && !time.Now().Before(c.until)
}
