package capture

import (
	"bytes"

	"why520/wire"
)

// recognition is how sure it is what bytes are.
type recognition uint8

const (
	no recognition = iota
	perhaps
	yes
)

// beginsRequest says whether b can begin a request line:
//
//	method SP request-target SP HTTP-version CRLF
func beginsRequest(b []byte) recognition {
	for i, c := range b {
		switch {
		case c == ' ' && 0 < i:
			return yes
		case i > 32, (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-':
			return no
		}
	}
	return perhaps
}

// beginsResponse says whether b begins a status line.
func beginsResponse(b []byte) bool { return bytes.HasPrefix(b, []byte("HTTP/1.")) }

// recognize says by the client's first bytes what it speaks.
func (t *Tracker) recognize(f *record, b []byte) {
	switch {
	case len(b) == 0, beginsRequest(b) == no && b[0] != handshakeRecord, bytes.HasPrefix(b, []byte("PRI * HTTP/2")):
		f.protocol = foreign
	case b[0] == handshakeRecord:
		f.protocol = encrypted
	default:
		f.protocol = http
		return
	}
	f.marks &^= faulted // what the origin said before was no response
	t.hangUp(f)
}

// statusLine stands in place of a request line: the field lines of a request
// frame its content by the rules for a response (RFC 9112 section 6.3), save
// that a request without Content-Length and Transfer-Encoding has none.
const statusLine = "HTTP/1.1 200 OK\r\n"

// ask takes the next bytes of the client.
func (t *Tracker) ask(f *record, c *talk, b []byte, cut int) {
	at := f.side[client].total.count() // before b
	for len(b) > 0 {
		if c.asking == between {
			for len(b) > 0 && (b[0] == '\r' || b[0] == '\n') { // RFC 9112 section 2.2
				b, at = b[1:], at+1
			}
			if len(b) == 0 {
				break
			}
			if len(c.asked) == pipeline {
				c.crowded = true
			}
			if c.crowded {
				return
			}
			if beginsRequest(b) == no {
				t.noRequest(f, c)
				return
			}
			if c.asked = append(c.asked, question{begin: at}); len(c.asked) == 1 {
				t.opened(f, c)
			}
			c.asking, c.head = askingHead, c.head[:0]
			if c.request == nil {
				c.request = t.framer()
			}
		}
		n, ok := 0, true
		if c.asking == askingHead {
			n, ok = c.askHead(b)
		} else {
			n = c.askBody(b)
		}
		if !ok {
			t.noRequest(f, c)
			return
		}
		b, at = b[n:], at+uint64(n)
		if c.asking == between {
			t.sent(f, c, at)
			if c.owner != f {
				if c = t.talk(f); c == nil {
					return
				}
			}
		}
	}
	if cut > 0 && !c.crowded {
		if c.asking != askingBody || !c.request.Skip(int64(cut)) {
			if !f.has(faulted) {
				t.unfollow(f)
			}
			return
		}
		if ev, _, _ := c.request.Next(nil); ev == wire.Done {
			c.asking = between
			t.sent(f, c, at+uint64(cut))
		}
	}
	if c.owner == f && len(c.asked) == 0 && c.asking == between && !c.expected {
		t.hangUp(f)
	}
}

// noRequest takes it that the client said what is no request.
func (t *Tracker) noRequest(f *record, c *talk) {
	switch {
	case f.exchanges == 0 && (len(c.asked) == 0 || len(c.asked) == 1 && !c.asked[0].sent):
		f.protocol = foreign
		f.marks &^= faulted
		t.hangUp(f)
	case !f.has(faulted):
		t.unfollow(f)
	}
}

// askHead takes bytes of a request's head; ok says whether it can be one.
func (c *talk) askHead(b []byte) (n int, ok bool) {
	q := &c.asked[len(c.asked)-1]
	if !q.lined {
		lf := bytes.IndexByte(b, '\n')
		if lf < 0 || len(c.head) > 0 { // in pieces: they are put behind room for the status line
			if len(c.head) == 0 {
				c.head = append(c.head, statusLine...)
			}
			c.head = append(c.head, b[:lf+1]...)
			if lf < 0 {
				c.head = append(c.head, b...)
				return len(b), len(c.head) < keepLine
			}
			if !q.take(c.head[len(statusLine) : len(c.head)-1]) {
				return 0, false
			}
		} else if !q.take(b[:lf]) {
			return 0, false
		}
		c.head = append(c.head[:0], statusLine...)
		n, b = lf+1, b[lf+1:]
		c.request.Expect(wire.Request{})
	}
	before := len(c.head)
	c.head = append(c.head, b...)
	ev, done, err := c.request.Next(c.head)
	if err == wire.ErrIncomplete {
		return n + len(b), true
	}
	if ev != wire.FinalHead {
		return 0, false
	}
	head := c.head[:done]
	q.q.Method = q.method()
	h := c.request.Head()
	_, q.q.Upgrade = h.Get(head, "upgrade")
	if v, ok := h.Get(head, "expect"); ok {
		q.q.Expect = bytes.EqualFold(v, []byte("100-continue"))
	}
	c.asking = between
	switch c.request.Framing.Delimiter {
	case wire.ByLength, wire.ByChunks:
		if ev, _, _ := c.request.Next(nil); ev != wire.Done {
			c.asking = askingBody
		}
	}
	c.head = c.head[:0]
	return n + done - before, true
}

// askBody takes bytes of a request's content. What is wrong with it is no matter
// of the origin's: it then goes on to the end of the connection.
func (c *talk) askBody(b []byte) int {
	before, in := len(c.head), b
	if before > 0 {
		c.head = append(c.head, b...)
		in = c.head
	}
	for n := 0; ; {
		ev, done, err := c.request.Next(in[n:])
		n += done
		switch {
		case ev == wire.Done:
			c.asking, c.head = between, c.head[:0]
			return n - before
		case err == wire.ErrIncomplete: // what it is not done with is given again
			c.head = append(c.head[:0], in[n:]...)
			return len(b)
		case err != nil:
			return len(b)
		}
	}
}

// chat reports whether what the client said, without an end of a line, is no
// request after all: a word alone, or words that no path is among and that no
// response answers.
func (c *talk) chat() bool {
	if len(c.asked) != 1 || c.asked[0].lined || len(c.head) < len(statusLine) {
		return false
	}
	asked, said := c.head[len(statusLine):], c.raw
	if len(said) == 0 {
		said = c.rest
	}
	switch {
	case beginsRequest(asked) != yes:
		return true
	case len(said) == 0 || beginsResponse(said) || bytes.HasPrefix([]byte("HTTP/1."), said):
		return false
	}
	return !bytes.Contains(asked, []byte(" /"))
}

// take takes the request line; it reports whether that ends with HTTP/1.x.
func (q *question) take(line []byte) bool {
	q.n = copy(q.line[:], line)
	q.lined = true
	line = bytes.TrimRight(line, "\r")
	at := bytes.LastIndexByte(line, ' ')
	return at > 0 && bytes.HasPrefix(line[at+1:], []byte("HTTP/1."))
}

// method gives the method of the request line; those that matter are not copied.
func (q *question) method() string {
	name, _, _ := bytes.Cut(q.line[:q.n], []byte(" "))
	switch string(name) {
	case "GET":
		return "GET"
	case "HEAD":
		return "HEAD"
	case "POST":
		return "POST"
	case "CONNECT":
		return "CONNECT"
	}
	return string(name)
}

// opened says that the request that waits first is now the one that is open.
func (t *Tracker) opened(f *record, c *talk) {
	f.side[client].from = longOf(c.asked[0].begin)
	if !c.expected {
		f.side[origin].from = f.side[origin].total
	}
}

// sent says that the newest request is whole.
func (t *Tracker) sent(f *record, c *talk, end uint64) {
	q := &c.asked[len(c.asked)-1]
	q.end, q.sent = end, true
	if c.whole && len(c.asked) == 1 {
		t.turnTo(f, c) // it was answered early
	}
}
