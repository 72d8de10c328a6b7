package origintest

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// A script is what an origin does on a connection, step by step; behind the last
// it closes in order.
type script []step

// A step does one thing; false ends the script and leaves the connection.
type step struct {
	name string
	do   func(*session) bool
}

// raw reports whether the script does without the TLS handshake, or makes its
// own.
func (s script) raw() bool { return len(s) > 0 && s[0].name == "raw" }

// A session is a connection on which a script is played.
type session struct {
	done context.Context // ends with the origin
	raw  net.Conn
	c    net.Conn // raw, or TLS on it
	r    *bufio.Reader
}

func newSession(done context.Context, c net.Conn) *session {
	return &session{done: done, raw: c, c: c, r: bufio.NewReaderSize(c, 4096)}
}

// encrypt makes the TLS handshake with the first read.
func (s *session) encrypt(config *tls.Config) {
	s.c = tls.Server(s.raw, config)
	s.r.Reset(s.c)
}

func (s *session) play(steps script) {
	for _, step := range steps {
		if !step.do(s) {
			s.raw.Close()
			return
		}
	}
	s.finish()
}

// finish closes in order, within TLS with close_notify.
func (s *session) finish() {
	s.c.Close()
	s.raw.Close()
}

// sleep waits; it reports whether the origin still runs.
func (s *session) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.done.Done():
		return false
	}
}

// raw stands first in scripts that begin below TLS.
var raw = step{"raw", func(*session) bool { return true }}

// read reads a request, its content too.
var read = step{"read", func(s *session) bool {
	q, err := http.ReadRequest(s.r)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, q.Body)
	return err == nil
}}

// readHead reads a request's head.
var readHead = step{"read head", func(s *session) bool {
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = s.r.ReadString('\n'); err != nil {
			return false
		}
	}
	return true
}}

// readSome reads n bytes, or more that came with them.
func readSome(n int) step {
	return step{"read some", func(s *session) bool {
		_, err := io.ReadFull(s.r, make([]byte, n))
		return err == nil
	}}
}

// send writes text at once.
func send(text string) step {
	return step{"send", func(s *session) bool {
		_, err := io.WriteString(s.c, text)
		return err == nil
	}}
}

// sendBelow writes text below TLS.
func sendBelow(text string) step {
	return step{"send below", func(s *session) bool {
		_, err := io.WriteString(s.raw, text)
		return err == nil
	}}
}

// drip writes text again and again, a piece each tick, until the client leaves
// or so many bytes are written.
func drip(text string, every time.Duration, most int) step {
	return step{"drip", func(s *session) bool {
		for sent := 0; sent < most; sent += len(text) {
			if _, err := io.WriteString(s.c, text); err != nil || !s.sleep(every) {
				return false
			}
		}
		return true
	}}
}

// flood writes text as fast as it is taken, most bytes of it.
func flood(text string, most int64) step {
	return step{"flood", func(s *session) bool {
		piece := strings.Repeat(text, max(1, 16<<10/len(text)))
		for sent := int64(0); sent < most; sent += int64(len(piece)) {
			if _, err := io.WriteString(s.c, piece); err != nil {
				return false
			}
		}
		return true
	}}
}

// pause does nothing for d.
func pause(d time.Duration) step {
	return step{"pause", func(s *session) bool { return s.sleep(d) }}
}

// silence does nothing until the client leaves: it reads, so that this is seen.
var silence = step{"silence", func(s *session) bool {
	_, _ = io.Copy(io.Discard, s.r)
	return true
}}

// freeze does nothing until the origin ends: it does not read.
var freeze = step{"freeze", func(s *session) bool {
	<-s.done.Done()
	return false
}}

// rst ends the connection with a reset.
var rst = step{"reset", func(s *session) bool {
	reset(s.raw)
	return false
}}

// cut closes the TCP connection: within TLS without close_notify.
var cut = step{"cut", func(s *session) bool {
	s.raw.Close()
	return false
}}

// serveOn answers request after request with text.
func serveOn(text string) step {
	return step{"serve on", func(s *session) bool {
		for read.do(s) {
			if !send(text).do(s) {
				return false
			}
		}
		return true
	}}
}
