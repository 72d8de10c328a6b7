package captest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"why520/capture"
)

// An endpoint is one side of a flow and its TCP.
type endpoint struct {
	address netip.AddrPort
	ttl     uint8
	id      uint16 // of the packet before
	seq     uint32 // of the next byte
	window  uint16
}

// A talk is a flow that is being scripted.
type talk struct {
	*rand.Rand
	client, origin *endpoint
	now            int64
	step           time.Duration // between packets
	stamped        bool
	vlan           uint16
	frames         []Frame
}

// wait lets time pass.
func (t *talk) wait(d time.Duration) { t.now += int64(d) }

func (t *talk) peer(e *endpoint) *endpoint {
	if e == t.client {
		return t.origin
	}
	return t.client
}

// segment gives what e sends next, without sending it.
func (t *talk) segment(e *endpoint, flags uint8, payload string) segment {
	e.id++
	s := segment{
		from: e.address, to: t.peer(e).address, vlan: t.vlan, ttl: e.ttl, id: e.id,
		seq: e.seq, flags: flags, window: e.window, stamped: t.stamped, stamp: uint32(t.now / 1e6), payload: []byte(payload),
	}
	if flags&capture.ACK != 0 {
		s.ack = t.peer(e).seq
	}
	return s
}

// put captures s.
func (t *talk) put(s segment) {
	t.now += int64(t.step) + t.Int64N(int64(t.step))
	b := s.ethernet()
	t.frames = append(t.frames, Frame{t.now, len(b), b})
}

// send makes e send payload with an acknowledgement.
func (t *talk) send(e *endpoint, payload string) {
	t.put(t.segment(e, capture.PSH|capture.ACK, payload))
	e.seq += uint32(len(payload))
}

// stream makes e send payload in segments of at most size bytes, every second of
// them acknowledged.
func (t *talk) stream(e *endpoint, payload string, size int) {
	for n := 1; payload != ""; n++ {
		part := payload[:min(size, len(payload))]
		payload = payload[len(part):]
		t.send(e, part)
		if n%2 == 0 {
			t.ack(t.peer(e))
		}
	}
	t.ack(t.peer(e))
}

func (t *talk) ack(e *endpoint) { t.put(t.segment(e, capture.ACK, "")) }

func (t *talk) fin(e *endpoint) {
	t.put(t.segment(e, capture.FIN|capture.ACK, ""))
	e.seq++
}

// syn sends the SYN of e with further flags.
func (t *talk) syn(e *endpoint, flags uint8) {
	s := t.segment(e, capture.SYN|flags, "")
	s.syn = true
	if flags&capture.ACK != 0 {
		s.id = 0 // as Linux has it
	}
	t.put(s)
	e.seq++
}

func (t *talk) handshake() {
	t.syn(t.client, 0)
	t.syn(t.origin, capture.ACK)
	t.ack(t.client)
}

// close makes both sides close, first e.
func (t *talk) close(e *endpoint) {
	t.fin(e)
	t.fin(t.peer(e))
	t.ack(e)
}

// abort resets as a close with SO_LINGER 0 or with unread data does.
func (t *talk) abort(e *endpoint) { t.put(t.segment(e, capture.RST|capture.ACK, "")) }

// stateless resets as a machine does that has no such connection: seq is the
// acknowledgement of what it answers.
func (t *talk) stateless(e *endpoint) segment {
	s := t.segment(e, capture.RST, "")
	e.id--
	s.id, s.window, s.stamped = 0, 0, false
	return s
}

// forged resets as a device does that saw the packets of e pass.
func (t *talk) forged(e *endpoint) segment {
	s := t.segment(e, capture.RST|capture.ACK, "")
	e.id--
	s.id, s.window, s.stamped, s.ttl = uint16(t.IntN(60000))+e.id+4000, 0, false, e.ttl+7
	return s
}

// get sends a request for a page, and lets it be acknowledged.
func (t *talk) get(fields ...string) {
	t.send(t.client, request("GET", fields...))
	t.ack(t.origin)
}

func request(method string, fields ...string) string {
	return method + " /page HTTP/1.1\r\nHost: origin.example\r\nUser-Agent: captest\r\n" + lines(fields) + "\r\n"
}

func response(status string, fields ...string) string {
	return "HTTP/1.1 " + status + "\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nServer: captest\r\n" + lines(fields) + "\r\n"
}

func lines(fields []string) string {
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(f + "\r\n")
	}
	return b.String()
}

// page gives a whole response with so many bytes of content.
func page(n int, fields ...string) string {
	return response("200 OK", append(fields, fmt.Sprintf("Content-Length: %d", n))...) + strings.Repeat("x", n)
}

// chunked gives a whole response in chunks, the last one left out.
func chunked(chunks ...int) string {
	var b strings.Builder
	b.WriteString(response("200 OK", "Transfer-Encoding: chunked"))
	for _, n := range chunks {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, strings.Repeat("y", n))
	}
	return b.String()
}

const lastChunk = "0\r\n\r\n"

// mss is the most payload of a segment.
const mss = 1448
