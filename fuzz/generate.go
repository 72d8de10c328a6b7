package fuzz

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"why520/wire"
)

// A Case is a response that was generated, well-formed or with one damage that
// has a name; or a vector; or any bytes, of which nothing is known.
type Case struct {
	Bytes   []byte
	Cuts    []int           // offsets at which a read ends, ascending
	Pauses  []time.Duration // before the bytes behind each cut; at most 3 ms
	End     wire.End        // FIN, RST or Timeout
	Request wire.Request
	Limits  wire.Limits

	Damage  string   // its name; empty where none was done
	Vector  string   // its name; empty where it is none
	Want    wire.Set // what a strict recipient says: one of these, OK where it accepts; empty: not known
	Content []byte   // what is read of it; nil: not known
}

// String says what the case is, for people.
func (k Case) String() string {
	var s strings.Builder
	switch {
	case k.Vector != "":
		fmt.Fprintf(&s, "vector %s, ", k.Vector)
	case k.Damage != "":
		s.WriteString(k.Damage + ", ")
	case k.Want.Has(wire.OK):
		s.WriteString("well-formed, ")
	}
	fmt.Fprintf(&s, "method %s", cmp.Or(k.Request.Method, "GET"))
	if k.Request.Upgrade {
		s.WriteString(", upgrade asked for")
	}
	fmt.Fprintf(&s, ", end %s, cuts %v: ", k.End, k.Cuts)
	const shown = 300
	if len(k.Bytes) > shown {
		fmt.Fprintf(&s, "the first %d of %d bytes ", shown, len(k.Bytes))
	}
	fmt.Fprintf(&s, "%q", k.Bytes[:min(len(k.Bytes), shown)])
	return s.String()
}

// Generate turns any bytes into a Case: the same bytes always into the same
// one. They are taken as choices, one after the other; when they run out, the
// first choice is taken everywhere, which is the plainest.
func Generate(data []byte) Case {
	c := &choices{data}
	d := newDraft(c)
	var done damage
	if c.of(4) > 0 {
		done = damages[c.of(len(damages))]
		done.do(d, c)
	}
	return d.render(c, done)
}

// Damages names every damage that Generate does.
func Damages() []string {
	var all []string
	for _, d := range damages {
		all = append(all, d.name)
	}
	return all
}

// choices are bytes that are taken as decisions.
type choices struct{ left []byte }

func (c *choices) next() byte {
	if len(c.left) == 0 {
		return 0
	}
	b := c.left[0]
	c.left = c.left[1:]
	return b
}

// of chooses one of n, counted from 0.
func (c *choices) of(n int) int {
	if n <= 1 {
		return 0
	}
	v := int(c.next())
	if n > 256 {
		v = v<<8 | int(c.next())
	}
	return v % n
}

func pick[T any](c *choices, of ...T) T { return of[c.of(len(of))] }

// A draft is a response in its parts, so that damage can be done to each.
type draft struct {
	q       wire.Request
	end     wire.End
	limits  wire.Limits
	interim []string // whole heads
	minor   int
	code    string
	phrase  string // with the SP before it
	status  string // the status line without its end, where it is not made of the three above
	lines   []line // fields
	ends    string // of the status line
	empty   string // the line that ends the head
	framing wire.Delimiter
	content []byte
	chunks  []chunk
	last    chunk
	trailer []line
	closing string // the line that ends the trailer section
	surplus string
	cut     int // bytes taken from the end, of the content alone; -1: of the head too
}

type line struct{ text, end string }

type chunk struct {
	size, end string // the size line and its end
	data      string
	behind    string // what follows the data
}

const crlf = "\r\n"

// newDraft makes a well-formed response.
func newDraft(c *choices) *draft {
	d := &draft{minor: pick(c, 1, 1, 1, 0, 2, 9), ends: crlf, empty: crlf, closing: crlf, end: wire.FIN}
	d.q.Method = pick(c, "", "", "", "HEAD", "POST")
	d.code = pick(c, "200", "200", "404", "204", "304", "205", "206", "301", "500", "599", "600", "999")
	d.phrase = pick(c, " OK", " ", "", " Not Found", "  two", " \xe9t\xe9", " a\tb")
	if c.of(8) == 7 {
		for range 1 + c.of(3) {
			d.interim = append(d.interim, pick(c, "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "HTTP/1.1 199 X\r\nContent-Length: 7\r\n\r\n"))
		}
	}
	for range 1 + c.of(6) {
		d.lines = append(d.lines, line{name(c) + ":" + space(c) + value(c) + space(c), crlf})
	}
	for range c.of(40) {
		d.content = append(d.content, pick(c, "a", "\r\n", "\x00", "0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "longer content, of some words", "\xff")...)
	}
	d.frame(c, pick(c, wire.ByLength, wire.ByChunks, wire.ByClose))
	return d
}

// frame delimits the content, by what the request and the status let.
func (d *draft) frame(c *choices, by wire.Delimiter) {
	if d.minor == 0 && by == wire.ByChunks {
		by = wire.ByLength
	}
	d.framing = by
	at := c.of(len(d.lines) + 1)
	switch by {
	case wire.ByLength:
		zeros := pick(c, "", "", "0", "000")
		d.insert(at, fieldName(c, "Content-Length")+":"+space(c)+zeros+fmt.Sprint(len(d.content))+space(c))
	case wire.ByChunks:
		d.insert(at, fieldName(c, "Transfer-Encoding")+":"+space(c)+fieldName(c, "chunked")+space(c))
		d.chunk(c)
	}
	if d.q.Method == "HEAD" || d.code == "204" || d.code == "304" {
		d.framing = wire.NoContent
		d.content = nil
	}
	if d.framing != wire.ByClose {
		d.end = pick(c, wire.FIN, wire.FIN, wire.Timeout, wire.RST)
		d.surplus = pick(c, "", "", "", "x", "HTTP/1.1 200 OK\r\n\r\n")
	}
}

// chunk cuts the content into chunks.
func (d *draft) chunk(c *choices) {
	for left := d.content; len(left) > 0; {
		n := min(1+c.of(300), len(left))
		size := pick(c, fmt.Sprintf("%x", n), fmt.Sprintf("%X", n), fmt.Sprintf("0%x", n))
		d.chunks = append(d.chunks, chunk{size + extension(c), crlf, string(left[:n]), crlf})
		left = left[n:]
	}
	d.last = chunk{size: pick(c, "0", "0", "000") + extension(c), end: crlf}
	for range c.of(3) {
		d.trailer = append(d.trailer, line{name(c) + ":" + space(c) + value(c), crlf})
	}
}

// insert puts a field line before number at.
func (d *draft) insert(at int, text string) { d.lines = slices.Insert(d.lines, at, line{text, crlf}) }

func fieldName(c *choices, name string) string {
	return pick(c, name, strings.ToLower(name), strings.ToUpper(name))
}

func space(c *choices) string { return pick(c, " ", "", "\t", "  ", " \t ") }

const tokenBytes = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// name gives a field name that frames nothing.
func name(c *choices) string {
	known := []string{"Server", "Date", "Content-Type", "Set-Cookie", "X-Trace", "Connection", "Vary", "ETag", "Cache-Control", "a", ""}
	if n := known[c.of(len(known))]; n != "" {
		return n
	}
	var s strings.Builder
	s.WriteString("x")
	for range c.of(80) {
		s.WriteByte(tokenBytes[c.of(len(tokenBytes))])
	}
	return s.String()
}

// value gives a field value.
func value(c *choices) string {
	known := []string{"x", "text/html; charset=utf-8", "Tue, 24 Nov 2026 10:00:00 GMT", "a=b; Path=/; HttpOnly", "", "close", "\"quoted\"", "-"}
	if c.of(4) < 3 {
		return known[c.of(len(known))]
	}
	var s strings.Builder
	for range c.of(100) {
		b := c.next()
		if b < ' ' && b != '\t' || b == 0x7F {
			b = ' '
		}
		s.WriteByte(b)
	}
	return strings.Trim(s.String(), " \t")
}

func extension(c *choices) string {
	return pick(c, "", "", "", ";a", ";a=b", " ; a = \"q\\\"\t;\"", ";a;b=c")
}

// head gives the final head.
func (d *draft) head() string {
	var s strings.Builder
	status := d.status
	if status == "" {
		status = fmt.Sprintf("HTTP/1.%d %s%s", d.minor, d.code, d.phrase)
	}
	s.WriteString(status + d.ends)
	for _, l := range d.lines {
		s.WriteString(l.text + l.end)
	}
	return s.String() + d.empty
}

// body gives what follows the head.
func (d *draft) body() string {
	switch d.framing {
	case wire.ByLength, wire.ByClose:
		return string(d.content)
	case wire.ByChunks:
		var s strings.Builder
		for _, k := range d.chunks {
			s.WriteString(k.size + k.end + k.data + k.behind)
		}
		s.WriteString(d.last.size + d.last.end)
		for _, l := range d.trailer {
			s.WriteString(l.text + l.end)
		}
		return s.String() + d.closing
	}
	return ""
}

// render makes the case of the draft.
func (d *draft) render(c *choices, done damage) Case {
	before, head, body := strings.Join(d.interim, ""), d.head(), d.body()
	k := Case{Request: d.q, End: d.end, Limits: d.limits, Damage: done.name, Want: wire.SetOf(wire.OK), Content: append([]byte{}, d.content...)}
	k.Bytes = []byte(before + head + body + d.surplus)
	switch {
	case d.cut > 0:
		k.Bytes = k.Bytes[:len(before)+len(head)+len(body)-d.cut]
	case d.cut < 0:
		k.Bytes = k.Bytes[:len(before)+1+c.of(len(head)-1)]
	}
	if done.name != "" {
		k.Want, k.Content = wire.SetOf(done.want...), nil
	}
	for at := 0; ; {
		at += 1 + c.of(200)
		if len(c.left) == 0 || at >= len(k.Bytes) {
			return k
		}
		k.Cuts = append(k.Cuts, at)
		k.Pauses = append(k.Pauses, time.Duration(c.of(4))*time.Millisecond)
	}
}
