package captest

import (
	"why520/capture"
	"why520/validator"
	"why520/wire"
)

// sequences are flows whose segments come otherwise than in a row.
var sequences = []Class{
	{"retransmitted", by(capture.ByOrigin, capture.InContent, wire.BodyReset), func(t *talk) {
		t.handshake()
		t.get()
		t.client.seq -= uint32(len(request("GET")))
		t.get()
		text := page(20000)[:6000]
		t.send(t.origin, text[:1400])
		t.origin.seq -= 700 // the second segment overlaps the first
		t.stream(t.origin, text[700:], mss)
		t.abort(t.origin)
	}},
	{"reordered", whole, func(t *talk) {
		t.handshake()
		t.get()
		text := page(4000)
		first := t.segment(t.origin, capture.ACK, text[:1000])
		t.origin.seq += 1000
		second := t.segment(t.origin, capture.ACK, text[1000:2000])
		t.origin.seq += 1000
		third := t.segment(t.origin, capture.ACK, text[2000:])
		t.origin.seq += uint32(len(text) - 2000)
		t.put(third)
		t.put(second)
		t.put(first)
		t.put(second)
		t.ack(t.client)
		t.close(t.client)
	}},
	{"numbers-wrap", by(capture.ByOrigin, capture.InContent, wire.BodyReset), func(t *talk) {
		t.client.seq, t.origin.seq = 0xFFFFFFF0, 0xFFFFF000
		t.handshake()
		t.get()
		t.stream(t.origin, page(20000)[:9000], mss)
		t.abort(t.origin)
	}},
	{"probed", whole, func(t *talk) {
		t.handshake()
		t.get()
		for range 3 { // keep-alive probes, with a byte of garbage
			t.client.seq--
			t.put(t.segment(t.client, capture.ACK, "\x00"))
			t.client.seq++
			t.ack(t.origin)
		}
		t.stream(t.origin, page(3000), mss)
		t.close(t.client)
	}},
	{"data-in-syn", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		s := t.segment(t.client, capture.SYN, request("GET"))
		s.syn = true
		t.put(s)
		t.client.seq += 1 + uint32(len(request("GET")))
		t.syn(t.origin, capture.ACK)
		t.ack(t.client)
		t.abort(t.origin)
	}},
	{"simultaneous-open", whole, func(t *talk) {
		t.syn(t.client, 0)
		t.syn(t.origin, 0)
		t.client.seq--
		t.syn(t.client, capture.ACK)
		t.origin.seq--
		t.syn(t.origin, capture.ACK)
		t.ack(t.client)
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.close(t.client)
	}},
	{"split-handshake", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.syn(t.client, 0)
		t.ack(t.origin)
		t.syn(t.origin, 0)
		t.ack(t.client)
		t.get()
		t.abort(t.origin)
	}},
	{"syn-repeated", whole, func(t *talk) {
		for range 2 {
			t.syn(t.client, 0)
			t.client.seq--
		}
		t.client.seq++
		t.syn(t.origin, capture.ACK)
		t.origin.seq--
		t.syn(t.origin, capture.ACK)
		t.ack(t.client)
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.close(t.client)
	}},
	{"segments-left-to-hardware", whole, func(t *talk) {
		t.handshake()
		t.get()
		text := page(40000)
		s := t.segment(t.origin, capture.PSH|capture.ACK, text)
		s.unsized = true
		t.put(s)
		t.origin.seq += uint32(len(text))
		t.ack(t.client)
		t.close(t.client)
	}},
	{"extended", by(capture.ByOrigin, capture.InContent, wire.BodyReset), func(t *talk) {
		t.handshake()
		t.get()
		text := page(9000)[:2000]
		for _, part := range []string{text[:1000], text[1000:]} {
			s := t.segment(t.origin, capture.PSH|capture.ACK, part)
			s.extended = true
			t.put(s)
			t.origin.seq += uint32(len(part))
			t.ack(t.client)
		}
		t.abort(t.origin)
	}},
	{"fragmented", Truth{Stage: capture.AfterResponse, Handshake: capture.HandshakeComplete, Notes: []wire.Reason{validator.CaptureIncomplete}}, func(t *talk) {
		t.handshake()
		t.get()
		text := page(3000)
		t.send(t.origin, text[:1000])
		s := t.segment(t.origin, capture.PSH|capture.ACK, text[1000:1800])
		s.more = s.from.Addr().Is4()
		if s.more {
			t.put(s) // the rest is in a fragment without ports
		}
		t.origin.seq += 1000
		t.stream(t.origin, text[2000:], mss)
		for range 40 {
			t.ack(t.client)
		}
		t.close(t.client)
	}},
	{"packets-lost", Truth{wire.BodyReset, capture.ByOrigin, capture.InContent, capture.HandshakeComplete, []wire.Reason{validator.CaptureIncomplete}}, func(t *talk) {
		t.handshake()
		t.get()
		text := page(90000)
		t.send(t.origin, text[:1000])
		t.origin.seq += 2000 // not captured
		t.stream(t.origin, text[3000:63000], mss)
		t.abort(t.origin)
	}},
	{"pure-retransmission-of-all", by(capture.ByOrigin, capture.InContent, wire.ChunkedReset), func(t *talk) {
		t.handshake()
		t.get()
		text := chunked(600, 600, 600)
		t.stream(t.origin, text, 333)
		t.origin.seq -= uint32(len(text))
		t.stream(t.origin, text, 512)
		t.abort(t.origin)
	}},
	{"large-window", whole, func(t *talk) {
		t.handshake()
		t.get()
		text := page(150000)
		for rest := text; rest != ""; {
			n := min(len(rest), mss)
			t.send(t.origin, rest[:n])
			rest = rest[n:]
		}
		t.ack(t.client)
		t.send(t.client, request("POST", "Content-Length: 3")+"abc")
		t.stream(t.origin, page(1), mss)
		t.close(t.client)
	}},
}
