package captest

import (
	"strings"
	"time"

	"why520/capture"
	"why520/validator"
	"why520/wire"
)

// reused are flows whose ports another flow has used just before; the truth is
// that of the last.
var reused = []Class{
	{"ports-reused", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.close(t.client)
		t.client.seq += 100000
		t.origin.seq += 3000000
		t.handshake()
		t.get()
		t.abort(t.origin)
	}},
	{"ports-reused-while-a-reset-is-doubted", whole, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(300), mss)
		t.abort(t.origin)
		begin := t.now
		t.wait(100 * time.Millisecond)
		t.client.seq += 100000
		t.origin.seq += 3000000
		t.handshake()
		t.get()
		t.now = begin + 2900e6
		t.put(t.forged(t.origin))
		t.now = begin + 3050e6
		t.stream(t.origin, page(300), mss) // nobody obeyed the reset
		t.wait(100 * time.Millisecond)
		t.close(t.client)
	}},
	{"ports-reused-as-the-end-was-not-seen", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.before()
		t.handshake()
		t.get()
		t.abort(t.origin)
	}},
	{"ports-reused-behind-what-was-joined", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.send(t.origin, strings.Repeat("old ", 50))
		t.client.seq -= 1000
		t.origin.seq += 3000000
		t.handshake()
		t.get()
		t.abort(t.origin)
	}},
	{"ports-reused-twice", whole, func(t *talk) {
		t.before()
		t.forgedSYN()
		t.wait(time.Second)
		t.client.seq -= 100000
		t.put(t.stateless(t.client))
		t.client.seq += 200000
		t.wait(time.Second)
		t.handshake()
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.close(t.client)
	}},
	{"ports-reused-and-refused", Truth{validator.ConnectionRefused, capture.ByOrigin, capture.InHandshake, capture.HandshakeNone, nil}, func(t *talk) {
		t.before()
		t.syn(t.client, 0)
		t.refuse()
	}},
	{"ports-reused-and-unanswered", Truth{validator.ConnectionTimeout, "", capture.InHandshake, capture.HandshakeNone, nil}, func(t *talk) {
		t.before()
		for wait := time.Second; wait <= 4*time.Second; wait *= 2 {
			t.syn(t.client, 0)
			t.client.seq--
			t.wait(wait)
		}
		t.syn(t.client, 0)
	}},
	{"ports-reused-and-challenged", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.wait(time.Second)
		began := t.client.seq + 100000
		s := t.segment(t.client, capture.SYN, "")
		s.seq, s.syn = began, true
		t.put(s)
		t.ack(t.origin)              // a challenge ACK (RFC 5961 section 4.2)
		t.put(t.stateless(t.client)) // by which it learns that its flow is no more
		t.wait(time.Second)
		t.client.seq, t.origin.seq = began, t.origin.seq+3000000
		t.handshake()
		t.get()
		t.abort(t.origin)
	}},
}

// doubted are flows in whose midst comes a SYN that begins no other.
var doubted = []Class{
	{"syn-forged", whole, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(9000)[:4000], mss)
		t.forgedSYN()
		t.ack(t.origin) // a challenge ACK (RFC 5961 section 4.2)
		t.rest()
	}},
	{"syn-forged-again", whole, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(9000)[:4000], mss)
		for range 2 {
			t.forgedSYN()
			t.ack(t.origin)
			t.wait(time.Second)
		}
		t.rest()
	}},
	{"syn-forged-and-no-sign-of-it", whole, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(9000)[:4000], mss)
		t.forgedSYN()
		t.ack(t.client)
		t.wait(time.Second)
		t.forgedSYN()
		t.rest()
	}},
}

// before is a flow whose end is not captured; its ports are used again later.
func (t *talk) before() {
	t.handshake()
	t.get()
	t.stream(t.origin, page(3000), mss)
	t.wait(time.Second)
	t.client.seq += 100000
	t.origin.seq += 3000000
}

// forgedSYN captures a SYN in the client's name that it did not send.
func (t *talk) forgedSYN() {
	s := t.forged(t.client)
	s.flags, s.syn, s.seq, s.window = capture.SYN, true, t.client.seq-1<<30, 1024
	t.put(s)
}

// rest ends a page of 9000 bytes of which 4000 came, head and all.
func (t *talk) rest() {
	t.stream(t.origin, strings.Repeat("x", len(page(9000))-4000), mss)
	t.close(t.client)
}
