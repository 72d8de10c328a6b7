package captest

import (
	"strings"

	"why520/capture"
	"why520/validator"
	"why520/wire"
)

// record gives a TLS record of so many bytes that nobody can read.
func record(kind byte, n int) string {
	return string([]byte{kind, 3, 3, byte(n >> 8), byte(n)}) + strings.Repeat("\xAA", n)
}

func cipher(reason wire.Reason, stage, who string) Truth {
	return Truth{reason, who, stage, capture.HandshakeComplete, []wire.Reason{validator.FlowEncrypted}}
}

// hello makes the handshake of TLS 1.3, up to the client's Finished.
func (t *talk) hello13() {
	t.handshake()
	t.send(t.client, record(22, 300))
	t.stream(t.origin, record(22, 122)+record(20, 1)+record(23, 2400)+record(23, 69), mss)
}

// hello12 makes that of TLS 1.2.
func (t *talk) hello12() {
	t.handshake()
	t.send(t.client, record(22, 300))
	t.stream(t.origin, record(22, 3000), mss)
	t.send(t.client, record(22, 70)+record(20, 1)+record(22, 40))
	t.send(t.origin, record(20, 1)+record(22, 40))
}

// encrypted are flows within TLS.
var encrypted = []Class{
	{"tls13", cipher(wire.OK, capture.AfterResponse, ""), func(t *talk) {
		t.hello13()
		t.send(t.client, record(20, 1)+record(23, 53)+record(23, 200))
		t.stream(t.origin, record(23, 250)+record(23, 250)+record(23, 3000)+record(23, 19), mss)
		t.close(t.origin)
	}},
	{"tls12", cipher(wire.OK, capture.AfterResponse, ""), func(t *talk) {
		t.hello12()
		t.stream(t.client, record(23, 200), 50)
		t.stream(t.origin, record(23, 3000)+record(21, 26), mss)
		t.close(t.origin)
	}},
	{"tls13-reset-after-request", cipher(validator.TLSResetAfterHandshake, capture.AfterRequest, capture.ByOrigin), func(t *talk) {
		t.hello13()
		t.send(t.client, record(20, 1)+record(23, 53))
		t.send(t.origin, record(23, 250)+record(23, 250))
		t.send(t.client, record(23, 200))
		t.ack(t.origin)
		t.abort(t.origin)
	}},
	{"tls12-closed-after-request", cipher(validator.TLSClosedWithoutAByte, capture.AfterRequest, ""), func(t *talk) {
		t.hello12()
		t.send(t.client, record(23, 200))
		t.ack(t.origin)
		t.close(t.origin)
	}},
	{"tls-reset-in-handshake", cipher(validator.TLSResetInHandshake, capture.InHandshake, capture.ByOrigin), func(t *talk) {
		t.handshake()
		t.send(t.client, record(22, 300))
		t.ack(t.origin)
		t.abort(t.origin)
	}},
	{"tls-closed-in-handshake", cipher(validator.TLSClosedInHandshake, capture.InHandshake, ""), func(t *talk) {
		t.handshake()
		t.send(t.client, record(22, 300))
		t.ack(t.origin)
		t.close(t.origin)
	}},
	{"tls-alert", cipher(validator.TLSVersionOrCipherMismatch, capture.InHandshake, ""), func(t *talk) {
		t.handshake()
		t.send(t.client, record(22, 300))
		t.send(t.origin, "\x15\x03\x03\x00\x02\x02\x28") // fatal, handshake failure
		t.close(t.origin)
	}},
	{"tls-answered-in-plaintext", cipher(validator.TLSPeerSpeaksPlaintext, capture.InHandshake, ""), func(t *talk) {
		t.handshake()
		t.send(t.client, record(22, 300))
		t.send(t.origin, "HTTP/1.1 400 Bad Request\r\n\r\n")
		t.close(t.origin)
	}},
	{"tls-truncated", cipher(wire.TLSTruncated, capture.InContent, ""), func(t *talk) {
		t.hello12()
		t.send(t.client, record(23, 200))
		t.stream(t.origin, record(23, 9000)[:4000], mss)
		t.close(t.origin)
	}},
	{"tls-reset-in-record", cipher(wire.CloseDelimitedReset, capture.InContent, capture.ByOrigin), func(t *talk) {
		t.hello12()
		t.send(t.client, record(23, 200))
		t.stream(t.origin, record(23, 9000)[:4000], mss)
		t.abort(t.origin)
	}},
	{"tls13-short-answer-without-tickets", cipher(wire.OK, capture.AfterResponse, ""), func(t *talk) {
		t.hello13()
		t.send(t.client, record(20, 1)+record(23, 53)+record(23, 200))
		t.stream(t.origin, record(23, 220)+record(23, 19), mss)
		t.close(t.origin)
	}},
	{"tls13-reset-behind-a-ticket-or-an-answer", cipher(wire.OK, capture.AfterResponse, capture.ByOrigin), func(t *talk) {
		t.hello13()
		t.send(t.client, record(20, 1)+record(23, 53)+record(23, 200))
		t.stream(t.origin, record(23, 250)+record(23, 250), mss)
		t.abort(t.origin)
	}},
	{"tls13-short-answer-and-a-second-request-reset", cipher(validator.TLSResetAfterHandshake, capture.AfterRequest, capture.ByOrigin), func(t *talk) {
		t.hello13()
		t.send(t.client, record(20, 1)+record(23, 53)+record(23, 200))
		t.stream(t.origin, record(23, 220), mss)
		t.send(t.client, record(23, 200))
		t.ack(t.origin)
		t.abort(t.origin)
	}},
	{"tls13-ticket-and-short-answer", cipher(wire.OK, capture.AfterResponse, capture.ByOrigin), func(t *talk) {
		t.hello13()
		t.send(t.client, record(20, 1)+record(23, 53))
		t.stream(t.origin, record(23, 250), mss)
		t.send(t.client, record(23, 200))
		t.stream(t.origin, record(23, 180), mss)
		t.abort(t.origin)
	}},
	{"tls13-reset-in-an-upload-behind-tickets", cipher(validator.TLSResetAfterHandshake, capture.InRequest, capture.ByOrigin), func(t *talk) {
		t.hello13()
		t.send(t.client, record(20, 1)+record(23, 53))
		t.send(t.client, record(23, 1000))
		t.client.seq -= 1005
		t.send(t.origin, record(23, 250)+record(23, 250))
		t.client.seq += 1005
		t.send(t.client, record(23, 1000))
		t.client.seq -= 1005
		t.ack(t.origin)
		t.abort(t.origin)
	}},
	{"tls13-reset-in-an-upload-amid-tickets-or-an-answer", cipher(wire.OK, capture.AfterResponse, capture.ByOrigin), func(t *talk) {
		t.hello13()
		t.send(t.client, record(20, 1)+record(23, 53))
		t.send(t.client, record(23, 1000)+record(23, 1000))
		t.client.seq -= 1005
		t.send(t.origin, record(23, 250)+record(23, 250))
		t.client.seq += 1005
		t.send(t.client, record(23, 1000))
		t.ack(t.origin)
		t.abort(t.origin)
	}},
}
