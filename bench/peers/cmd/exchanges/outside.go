package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// answer is what the origin sends to every request: a head of 283 bytes as a
// server of files sends it, and 128 bytes of content.
var answer = []byte("HTTP/1.1 200 OK\r\n" +
	"Server: nginx/1.26.3\r\n" +
	"Date: Sun, 26 Oct 2025 08:49:37 GMT\r\n" +
	"Content-Type: text/html; charset=utf-8\r\n" +
	"Content-Length: 128\r\n" +
	"Last-Modified: Wed, 22 Oct 2025 19:43:31 GMT\r\n" +
	"Connection: keep-alive\r\n" +
	"Vary: Accept-Encoding\r\n" +
	"ETag: \"68f93383-80\"\r\n" +
	"Cache-Control: max-age=86400\r\n" +
	"\r\n" + content)

// content is a page of 128 bytes.
var content = "<!doctype html><title>It works</title>" + string(bytes.Repeat([]byte("<p>Yes</p>"), 9))

// serve is the world outside: it tells on out where its origin listens, and then
// has browsers ask whom in names, as long as it says. It ends with in.
func serve(in io.Reader, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	go originAt(l)
	if _, err := fmt.Fprintln(out, l.Addr()); err != nil {
		return err
	}
	for from := bufio.NewReader(in); ; {
		var b browsing
		_, err := fmt.Fscanln(from, &b.address, &b.conns, &b.turn)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := b.run(); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, "done"); err != nil {
			return err
		}
	}
}

// originAt answers what comes on l. A request is what ends with an empty line:
// none has content.
func originAt(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			buf, have := make([]byte, 4<<10), 0
			for have < len(buf) {
				n, err := c.Read(buf[have:])
				if err != nil {
					return
				}
				if have += n; !bytes.HasSuffix(buf[:have], []byte("\r\n\r\n")) {
					continue
				}
				have = 0
				if _, err := c.Write(answer); err != nil {
					return
				}
			}
		}()
	}
}

// A browsing is browsers that ask the proxy at address for some time, each on a
// connection of its own.
type browsing struct {
	address string
	conns   int
	turn    time.Duration
}

// run fails where a response is not like the first, which has the content.
func (b *browsing) run() error {
	var (
		all    sync.WaitGroup
		over   atomic.Bool
		failed = make([]error, b.conns)
	)
	for i := range b.conns {
		all.Go(func() { failed[i] = b.browse(&over) })
	}
	time.Sleep(b.turn)
	over.Store(true)
	all.Wait()
	return errors.Join(failed...)
}

const question = "GET /page HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: browser\r\nAccept: */*\r\n\r\n"

func (b *browsing) browse(over *atomic.Bool) error {
	c, err := net.Dial("tcp", b.address)
	if err != nil {
		return err
	}
	defer c.Close()
	var first, buf []byte
	for !over.Load() {
		if _, err := io.WriteString(c, question); err != nil {
			return err
		}
		if first == nil {
			if first, err = firstResponse(c); err != nil {
				return err
			}
			buf = make([]byte, len(first))
		} else if _, err := io.ReadFull(c, buf); err != nil {
			return err
		} else if !bytes.Equal(buf, first) {
			return fmt.Errorf("a response unlike the first: %q", buf)
		}
	}
	return nil
}

// firstResponse reads up to the end of the content.
func firstResponse(c net.Conn) ([]byte, error) {
	buf, have := make([]byte, 4<<10), 0
	for !bytes.HasSuffix(buf[:have], []byte("\r\n\r\n"+content)) {
		n, err := c.Read(buf[have:])
		if err != nil {
			return nil, fmt.Errorf("after %q: %w", buf[:have], err)
		}
		have += n
	}
	return buf[:have], nil
}

// A world is the process outside as this one sees it.
type world struct {
	origin string // its address
	to     io.WriteCloser
	from   *bufio.Reader
	wait   func() error // for its end; nil: it is no process
}

func newWorld(to io.WriteCloser, from io.Reader) (*world, error) {
	w := &world{to: to, from: bufio.NewReader(from)}
	_, err := fmt.Fscanln(w.from, &w.origin)
	return w, err
}

// browse has browsers ask.
func (w *world) browse(b browsing) error {
	if _, err := fmt.Fprintln(w.to, b.address, b.conns, int64(b.turn)); err != nil {
		return err
	}
	var done string
	_, err := fmt.Fscanln(w.from, &done)
	return err
}

func (w *world) close() error {
	err := w.to.Close()
	if w.wait != nil {
		err = errors.Join(err, w.wait())
	}
	return err
}
