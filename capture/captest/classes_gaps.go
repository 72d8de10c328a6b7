package captest

import (
	"fmt"
	"strings"

	"why520/capture"
	"why520/validator"
	"why520/wire"
)

// large gives the first bytes of a response with so much content.
func large(n int) string {
	return response("200 OK", fmt.Sprintf("Content-Length: %d", n)) + strings.Repeat("x", 2000)
}

// gapped is the truth of a flow that the origin resets in its content behind a gap.
var gapped = Truth{wire.BodyReset, capture.ByOrigin, capture.InContent, capture.HandshakeComplete, []wire.Reason{validator.CaptureIncomplete}}

// gaps are flows of which the capture has a great part not.
var gaps = []Class{
	{"gap-beyond-the-window", gapped, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, large(1<<30), mss)
		t.origin.seq += 150 << 20
		t.stream(t.origin, strings.Repeat("x", 50000), mss)
		t.abort(t.origin)
	}},
	{"acknowledgements-lost-and-one-that-lags", by(capture.ByOrigin, capture.InContent, wire.BodyReset), func(t *talk) {
		t.client.window = 100
		t.handshake()
		t.get()
		for content := page(400_000)[:200*mss]; content != ""; content = content[mss:] {
			t.send(t.origin, content[:mss])
		}
		late := t.segment(t.client, capture.ACK, "")
		late.ack -= 20_000
		t.put(late)
		t.send(t.origin, "x")
		t.ack(t.client)
		t.abort(t.origin)
	}},
	{"gap-of-gigabytes", unheard(capture.ByOrigin), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.client.seq += 6500
		t.origin.seq += 3 << 30
		for range 20 {
			t.get()
			t.stream(t.origin, page(3000), mss)
		}
		t.abort(t.origin)
	}},
	{"gap-within-which-both-sides-went-on", unheard(capture.ByOrigin), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.client.seq += 100 << 20
		t.origin.seq += 200 << 20
		for range 3 {
			t.get()
			t.stream(t.origin, page(3000), mss)
		}
		t.abort(t.origin)
	}},
}

// astray are flows in whose midst comes what is of another connection, or was forged.
var astray = []Class{
	{"reset-where-stray-data-ended", strayed(capture.AfterRequest), func(t *talk) {
		t.handshake()
		t.get()
		s := t.forged(t.origin)
		s.flags, s.seq, s.payload = capture.ACK, s.seq+4<<20, []byte(strings.Repeat("s", 100))
		t.put(s)
		s = t.forged(t.origin)
		s.seq += 4<<20 + 100
		t.put(s)
	}},
	{"reset-where-stray-data-ended-and-no-window-is-scaled", strayed(capture.AfterRequest), func(t *talk) {
		t.client.window = 65535
		t.syn(t.client, 0)
		s := t.segment(t.origin, capture.SYN|capture.ACK, "")
		s.syn, s.unscaled = true, true
		t.put(s)
		t.origin.seq++
		t.ack(t.client)
		t.get()
		s = t.forged(t.origin)
		s.flags, s.seq, s.payload = capture.ACK, s.seq+1<<20, []byte("stray")
		t.put(s)
		s = t.forged(t.origin)
		s.seq += 1<<20 + 5
		t.put(s)
	}},
	{"fin-outside-the-window", ended(capture.InContent, wire.BodyShort), func(t *talk) {
		t.handshake()
		t.get()
		t.straysFIN(1 << 20)
		t.stream(t.origin, page(20000)[:9000], mss)
		t.close(t.origin)
	}},
	{"fin-below-what-is-due", ended(capture.InContent, wire.BodyShort), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(20000)[:4000], mss)
		t.straysFIN(-2000)
		t.stream(t.origin, strings.Repeat("x", 5000), mss)
		t.close(t.origin)
	}},
	{"fin-within-the-window-and-not-obeyed", ended(capture.InContent, wire.BodyShort), func(t *talk) {
		t.handshake()
		t.get()
		t.straysFIN(2*mss + 77)
		t.stream(t.origin, page(20000)[:9000], mss)
		t.close(t.origin)
	}},
	{"fin-beyond-the-one-that-comes", ended(capture.InContent, wire.BodyShort), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(20000)[:9000], mss)
		t.straysFIN(3000)
		t.close(t.origin)
	}},
	{"fin-within-the-window-and-an-acknowledgement-captured-early", ended(capture.InContent, wire.BodyShort), func(t *talk) {
		t.handshake()
		t.get()
		t.straysFIN(40000)
		t.stream(t.origin, page(20000)[:8000], 200)
		s := t.segment(t.origin, capture.PSH|capture.ACK, strings.Repeat("x", 1000))
		t.origin.seq += 1000
		t.ack(t.client)
		t.put(s)
		t.close(t.origin)
	}},
	{"acknowledgement-outside-the-window", by(capture.ByOrigin, capture.InContent, wire.BodyReset), func(t *talk) {
		t.handshake()
		t.get()
		s := t.forged(t.client)
		s.flags, s.seq, s.ack = capture.ACK, s.seq+1<<24, s.ack+50000
		t.put(s)
		t.stream(t.origin, page(20000)[:9000], mss)
		t.abort(t.origin)
	}},
	{"old-data-of-the-origin-in-the-handshake", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.syn(t.client, 0)
		t.old(t.origin, capture.ACK, "HTTP/1.1 200 OK\r\n")
		t.syn(t.origin, capture.ACK)
		t.ack(t.client)
		t.get()
		t.abort(t.origin)
	}},
	{"old-segments-in-the-handshake", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.syn(t.client, 0)
		t.old(t.client, capture.ACK, "")
		t.old(t.client, capture.ACK, "GET /old HTTP/1.1\r\n\r\n")
		t.old(t.client, capture.FIN|capture.ACK, "")
		t.old(t.origin, capture.FIN|capture.ACK, "")
		t.syn(t.origin, capture.ACK)
		t.old(t.origin, capture.ACK, "x")
		t.ack(t.client)
		t.get()
		t.abort(t.origin)
	}},
	{"old-answer-to-a-syn", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.syn(t.client, 0)
		t.old(t.origin, capture.SYN|capture.ACK, "")
		t.syn(t.origin, capture.ACK)
		t.ack(t.client)
		t.get()
		t.abort(t.origin)
	}},
}

// straysFIN captures a FIN in the origin's name so far from what is due.
func (t *talk) straysFIN(off int) {
	s := t.forged(t.origin)
	s.flags, s.seq = capture.FIN|capture.ACK, s.seq+uint32(off)
	t.put(s)
}

// old captures a segment in the name of e of an earlier connection.
func (t *talk) old(e *endpoint, flags uint8, payload string) {
	s := t.segment(e, flags, payload)
	s.seq += 700 << 20
	s.ack += 900 << 20
	t.put(s)
}
