package fuzz

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"why520/wire"
)

// An Origin is a listener that answers every connection with one Case: in the
// pieces of its cuts, with its pauses, and ended as it ends. A client that
// dials its Addr is fuzzed whole: what it reads, and what it makes of splits,
// resets and silence.
type Origin struct {
	net.Listener

	k       atomic.Pointer[Case]
	ended   chan struct{}
	serving sync.WaitGroup
}

// Listen starts an Origin of k on a free port of 127.0.0.1. Close ends it and
// its connections, and waits for that.
func Listen(k Case) (*Origin, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o := &Origin{Listener: l, ended: make(chan struct{})}
	o.Answer(k)
	o.serving.Go(o.accept)
	return o, nil
}

// Answer makes k the case that connections are answered with from now on: one
// Origin serves a whole fuzz test, which a new one for each input could not,
// for want of ports.
func (o *Origin) Answer(k Case) { o.k.Store(&k) }

// URL is what to ask the origin for.
func (o *Origin) URL() string { return "http://" + o.Addr().String() + "/" }

// Close ends the origin and its connections, and waits for that.
func (o *Origin) Close() error {
	close(o.ended)
	err := o.Listener.Close()
	o.serving.Wait()
	return err
}

func (o *Origin) accept() {
	for {
		c, err := o.Accept()
		if err != nil {
			return
		}
		o.serving.Go(func() { o.serve(c.(*net.TCPConn)) })
	}
}

// serve reads the head of a request and answers with the case.
func (o *Origin) serve(c *net.TCPConn) {
	defer c.Close()
	done := make(chan struct{})
	defer close(done)
	o.serving.Go(func() { // a connection ends with the origin
		select {
		case <-o.ended:
			c.SetDeadline(time.Unix(1, 0))
		case <-done:
		}
	})
	if !readHead(c) {
		return
	}
	k, at := o.k.Load(), 0
	for i, cut := range append(k.Cuts[:len(k.Cuts):len(k.Cuts)], len(k.Bytes)) {
		if i > 0 && k.Pauses != nil {
			time.Sleep(k.Pauses[i-1])
		}
		if _, err := c.Write(k.Bytes[at:cut]); err != nil {
			return
		}
		at = cut
	}
	switch k.End {
	case wire.RST:
		_ = c.SetLinger(0)
		return
	case wire.Timeout:
	default:
		_ = c.CloseWrite()
	}
	// What the client still sends would turn a close into a reset.
	_, _ = io.Copy(io.Discard, c)
}

// readHead reads up to the empty line that ends a request's head.
func readHead(c net.Conn) bool {
	var last [4]byte
	for b := make([]byte, 1); ; {
		if _, err := c.Read(b); err != nil {
			return false
		}
		copy(last[:], last[1:])
		last[3] = b[0]
		if string(last[:]) == "\r\n\r\n" {
			return true
		}
	}
}
