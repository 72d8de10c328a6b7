package captest

import (
	"strings"
	"time"

	"why520/capture"
	"why520/validator"
	"why520/wire"
)

// by gives the truth of a flow that was reset.
func by(who, stage string, reason wire.Reason) Truth {
	return Truth{Reason: reason, ResetBy: who, Stage: stage, Handshake: capture.HandshakeComplete}
}

// connections are flows that end in their handshake.
var connections = []Class{
	{"refused", Truth{validator.ConnectionRefused, capture.ByOrigin, capture.InHandshake, capture.HandshakeNone, nil}, func(t *talk) {
		t.syn(t.client, 0)
		t.refuse()
	}},
	{"reset-in-handshake", Truth{validator.ResetBeforeRequest, capture.ByOrigin, capture.InHandshake, capture.HandshakePartial, nil}, func(t *talk) {
		t.syn(t.client, 0)
		t.syn(t.origin, capture.ACK)
		t.abort(t.origin)
	}},
	{"unanswered", Truth{validator.ConnectionTimeout, "", capture.InHandshake, capture.HandshakeNone, nil}, func(t *talk) {
		for wait := time.Second; wait <= 4*time.Second; wait *= 2 {
			t.syn(t.client, 0)
			t.client.seq--
			t.wait(wait)
		}
		t.syn(t.client, 0)
	}},
	{"client-gives-up-in-handshake", Truth{Reason: wire.OK, ResetBy: capture.ByClient, Stage: capture.InHandshake, Handshake: capture.HandshakePartial, Notes: []wire.Reason{validator.ClientReset}}, func(t *talk) {
		t.syn(t.client, 0)
		t.syn(t.origin, capture.ACK)
		t.put(t.stateless(t.client))
	}},
}

// refuse answers a SYN with a reset, as a port does that nothing listens on.
func (t *talk) refuse() {
	s := t.segment(t.origin, capture.RST|capture.ACK, "")
	s.seq, s.id, s.window, s.stamped = 0, 0, 0, false
	t.put(s)
}

// resets are flows that the origin or the client resets.
var resets = []Class{
	{"reset-before-request", by(capture.ByOrigin, capture.BeforeRequest, validator.ResetBeforeRequest), func(t *talk) {
		t.handshake()
		t.abort(t.origin)
	}},
	{"reset-crosses-request", by(capture.ByOrigin, capture.BeforeRequest, validator.ResetBeforeRequest), func(t *talk) {
		t.handshake()
		early := t.segment(t.origin, capture.RST|capture.ACK, "")
		t.send(t.client, request("GET"))
		t.put(early)
		t.put(t.stateless(t.origin))
	}},
	{"reset-after-request", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.handshake()
		t.get()
		t.wait(30 * time.Millisecond)
		t.abort(t.origin)
	}},
	{"reset-acknowledges-request", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.handshake()
		t.send(t.client, request("GET"))
		t.abort(t.origin)
	}},
	{"abort-of-windows", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.handshake()
		t.get()
		t.ack(t.origin)
		s := t.segment(t.origin, capture.RST|capture.ACK, "") // no options, window 0; its IP identification goes on
		s.stamped, s.window = false, 0
		t.put(s)
	}},
	{"abort-of-windows-at-once", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.handshake()
		t.get()
		s := t.segment(t.origin, capture.RST|capture.ACK, "")
		s.stamped, s.window = false, 0
		t.put(s)
	}},
	{"abort-of-bsd", by(capture.ByOrigin, capture.InContent, wire.BodyReset), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(20000)[:9000], mss)
		s := t.segment(t.origin, capture.RST|capture.ACK, "") // no options; its IP identification is 0
		s.stamped, s.id = false, 0
		t.put(s)
	}},
	{"abort-that-leaves-a-stateless-reset-far-off", by(capture.ByOrigin, capture.InRequest, validator.ResetDuringUpload), func(t *talk) {
		t.syn(t.client, 0)
		s := t.forged(t.origin) // it acknowledges no SYN
		s.ack = 0
		t.put(s)
		t.syn(t.origin, capture.ACK)
		t.ack(t.client)
		t.send(t.client, request("GET")[:25])
		t.ack(t.origin)
		s = t.segment(t.origin, capture.RST|capture.ACK, "")
		s.stamped, s.window = false, 0
		t.put(s)
		t.send(t.client, request("GET")[25:])
		s = t.stateless(t.origin)
		s.seq += 1616457234
		t.put(s)
	}},
	{"stateless-reset", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.handshake()
		t.get()
		t.wait(200 * time.Millisecond)
		t.client.seq--
		t.put(t.segment(t.client, capture.ACK, "")) // a keep-alive probe
		t.client.seq++
		t.put(t.stateless(t.origin))
	}},
	{"reset-during-upload", by(capture.ByOrigin, capture.InRequest, validator.ResetDuringUpload), func(t *talk) {
		t.handshake()
		t.stream(t.client, request("POST", "Content-Length: 90000")+strings.Repeat("u", 4000), mss)
		t.send(t.client, strings.Repeat("u", 1000))
		t.client.seq -= 1000
		reset := t.segment(t.origin, capture.RST|capture.ACK, "")
		t.client.seq += 1000
		t.put(reset)
	}},
	{"reset-in-status-line", by(capture.ByOrigin, capture.InHead, wire.HeadReset), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, "HTTP/1.1 20", mss)
		t.abort(t.origin)
	}},
	{"reset-in-head", by(capture.ByOrigin, capture.InHead, wire.HeadReset), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(0)[:60], mss)
		t.abort(t.origin)
	}},
	{"reset-after-interim", by(capture.ByOrigin, capture.InHead, wire.HeadReset), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, "HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n", mss)
		t.abort(t.origin)
	}},
	{"reset-in-content", by(capture.ByOrigin, capture.InContent, wire.BodyReset), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(20000)[:9000], mss)
		t.abort(t.origin)
	}},
	{"reset-in-chunks", by(capture.ByOrigin, capture.InContent, wire.ChunkedReset), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, chunked(3000, 400), mss)
		t.abort(t.origin)
	}},
	{"reset-delimits", by(capture.ByOrigin, capture.InContent, wire.CloseDelimitedReset), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, response("200 OK", "Connection: close")+strings.Repeat("z", 4000), mss)
		t.abort(t.origin)
	}},
	{"response-lost", by(capture.ByOrigin, capture.AfterResponse, validator.ResponseLostInReset), func(t *talk) {
		t.handshake()
		t.send(t.client, request("POST", "Content-Length: 500")+strings.Repeat("u", 500))
		t.send(t.origin, page(200))
		t.abort(t.origin)
	}},
	{"second-request-reset", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(2000), mss)
		t.get()
		t.abort(t.origin)
	}},
	{"dead-when-reused", by(capture.ByOrigin, capture.BeforeRequest, validator.ReusedConnectionWasDead), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(2000), mss)
		t.wait(4 * time.Second)
		t.send(t.client, request("GET"))
		t.put(t.stateless(t.origin))
	}},
	{"half-closed-and-reset-in-content", by(capture.ByOrigin, capture.InContent, wire.BodyReset), func(t *talk) {
		t.handshake()
		t.get()
		t.fin(t.client)
		t.ack(t.origin)
		t.stream(t.origin, page(20000)[:9000], mss)
		t.abort(t.origin)
	}},
	{"closed-or-half-closed-and-reset", Truth{wire.OK, capture.ByOrigin, capture.AfterRequest, capture.HandshakeComplete, []wire.Reason{validator.ClientClosed}}, func(t *talk) {
		t.handshake()
		t.get()
		t.fin(t.client)
		t.ack(t.origin)
		t.abort(t.origin)
	}},
	{"reset-crosses-the-client's-fin", by(capture.ByOrigin, capture.AfterRequest, wire.ResetAfterRequest), func(t *talk) {
		t.handshake()
		t.get()
		t.abort(t.origin)
		t.fin(t.client)
	}},
	{"client-closes-in-its-upload", Truth{wire.OK, capture.ByOrigin, capture.InRequest, capture.HandshakeComplete, []wire.Reason{validator.ClientClosed}}, func(t *talk) {
		t.handshake()
		t.stream(t.client, request("POST", "Content-Length: 90000")+strings.Repeat("u", 4000), mss)
		t.fin(t.client)
		t.abort(t.origin)
	}},
	{"client-resets", Truth{wire.OK, capture.ByClient, capture.AfterRequest, capture.HandshakeComplete, []wire.Reason{validator.ClientReset}}, func(t *talk) {
		t.handshake()
		t.get()
		t.wait(2 * time.Second)
		t.abort(t.client)
	}},
	{"client-resets-in-content", Truth{wire.OK, capture.ByClient, capture.InContent, capture.HandshakeComplete, []wire.Reason{validator.ClientReset}}, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(20000)[:9000], mss)
		t.abort(t.client)
		t.put(t.stateless(t.client))
	}},
	{"client-refuses-head", Truth{wire.BareLF, capture.ByClient, capture.InHead, capture.HandshakeComplete, []wire.Reason{validator.ClientReset}}, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, "HTTP/1.1 200 OK\nDate: now\n\n", mss)
		t.abort(t.client)
	}},
	{"reset-in-the-middle", Truth{wire.OK, "", capture.AfterRequest, capture.HandshakeUnseen, []wire.Reason{validator.FlowJoinedInTheMiddle}}, func(t *talk) {
		t.client.seq += 5000
		t.send(t.client, request("GET"))
		t.ack(t.origin)
		t.abort(t.origin)
	}},
}
