package captest

import (
	"strings"

	"why520/capture"
	"why520/validator"
	"why520/wire"
)

// late are flows of which what the client sent is captured late, or never, as
// where both directions are captured at different places.
var late = []Class{
	{"answer-captured-before-its-request", whole, func(t *talk) {
		t.handshake()
		put := t.later(request("HEAD"))
		t.stream(t.origin, response("200 OK", "Content-Length: 400"), mss)
		put()
		t.close(t.origin)
	}},
	{"second-answer-captured-before-its-request", by(capture.ByOrigin, capture.InContent, wire.BodyReset), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(3000), mss)
		put := t.later(request("GET"))
		t.stream(t.origin, page(20000)[:5000], mss)
		put()
		t.stream(t.origin, strings.Repeat("x", 4000), mss)
		t.abort(t.origin)
	}},
	{"end-captured-before-its-request", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.handshake()
		put := t.later(request("GET"))
		t.ack(t.origin)
		t.abort(t.origin)
		put()
	}},
	{"request-never-captured", Truth{Stage: capture.AfterResponse, Handshake: capture.HandshakeComplete, Notes: []wire.Reason{validator.CaptureIncomplete}}, func(t *talk) {
		t.handshake()
		t.later(request("HEAD"))
		t.stream(t.origin, response("200 OK", "Content-Length: 400"), mss)
		t.close(t.origin)
	}},
	{"request-never-captured-of-a-long-answer", Truth{Stage: capture.AfterResponse, Handshake: capture.HandshakeComplete, Notes: []wire.Reason{validator.CaptureIncomplete}}, func(t *talk) {
		t.handshake()
		t.later(request("GET"))
		t.stream(t.origin, page(300000), mss)
		t.close(t.client)
	}},
}

// later makes the client send, and gives what captures that.
func (t *talk) later(payload string) func() {
	s := t.segment(t.client, capture.PSH|capture.ACK, payload)
	t.client.seq += uint32(len(payload))
	return func() { t.put(s) }
}
