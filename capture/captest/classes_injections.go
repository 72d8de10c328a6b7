package captest

import (
	"strings"

	"why520/capture"
	"why520/validator"
	"why520/wire"
)

// injections are flows that a device between the two resets, or tries to.
var injections = []Class{
	{"injected-after-request", by(capture.Injected, capture.AfterRequest, validator.InjectedReset), func(t *talk) {
		t.handshake()
		t.get()
		t.put(t.forged(t.origin))
	}},
	{"injected-before-request", by(capture.Injected, capture.BeforeRequest, validator.InjectedReset), func(t *talk) {
		t.handshake()
		t.put(t.forged(t.origin))
	}},
	{"injected-in-content", by(capture.Injected, capture.InContent, validator.InjectedReset), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(20000)[:9000], mss)
		t.put(t.forged(t.origin))
		t.send(t.origin, strings.Repeat("x", 1000))
		t.put(t.stateless(t.client))
	}},
	{"injected-burst", by(capture.Injected, capture.AfterRequest, validator.InjectedReset), func(t *talk) {
		t.handshake()
		t.get()
		for _, ahead := range []uint32{0, 1460, 4380} {
			s := t.forged(t.origin)
			s.seq += ahead
			t.put(s)
		}
	}},
	{"rejected-on-the-way", by(capture.Injected, capture.AfterRequest, validator.InjectedReset), func(t *talk) {
		t.handshake()
		t.get()
		t.ack(t.origin)
		s := t.stateless(t.origin)
		s.ttl++
		t.put(s)
	}},
	{"injected-in-the-client's-name", by(capture.Injected, capture.AfterRequest, validator.InjectedReset), func(t *talk) {
		t.handshake()
		t.get()
		s := t.forged(t.client)
		s.ttl = 40
		t.put(s)
	}},
	{"injection-outside-the-window", whole, func(t *talk) {
		t.handshake()
		t.get()
		s := t.forged(t.origin)
		s.seq += 1 << 28
		t.put(s)
		t.stream(t.origin, page(3000), mss)
		t.close(t.client)
	}},
	{"injection-challenged", whole, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(9000)[:4000], mss)
		s := t.forged(t.origin)
		s.seq += 300
		t.put(s)
		t.ack(t.client) // a challenge ACK (RFC 5961 section 3.2)
		t.stream(t.origin, strings.Repeat("x", len(page(9000))-4000), mss)
		t.close(t.client)
	}},
	{"challenged-then-reset", by(capture.ByOrigin, capture.InContent, wire.BodyReset), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(9000)[:4000], mss)
		s := t.segment(t.origin, capture.RST, "")
		s.seq += 300
		t.put(s)
		t.ack(t.client)
		t.abort(t.origin)
	}},
	{"refusal-overtaken", whole, func(t *talk) {
		t.syn(t.client, 0)
		t.refuse()
		t.syn(t.origin, capture.ACK)
		t.ack(t.client)
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.close(t.client)
	}},
	{"refusal-and-fin-overtaken", whole, func(t *talk) {
		t.syn(t.client, 0)
		t.refuse()
		s := t.segment(t.origin, capture.FIN|capture.ACK, "")
		s.seq = 0
		t.put(s)
		t.put(t.stateless(t.client))
		t.syn(t.origin, capture.ACK)
		t.ack(t.client)
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.close(t.client)
	}},
	{"old-reset", whole, func(t *talk) { // at the end of a segment that was acknowledged long ago
		t.handshake()
		t.get()
		s := t.stateless(t.origin)
		t.stream(t.origin, page(9000)[:6000], mss)
		t.put(s)
		t.stream(t.origin, strings.Repeat("x", len(page(9000))-6000), mss)
		t.close(t.client)
	}},
}
