package captest

import (
	"strings"
	"time"

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

// cipherNoted is the truth of a flow within TLS that says nothing of the origin.
func cipherNoted(stage string, note wire.Reason) Truth {
	return Truth{wire.OK, "", stage, capture.HandshakeComplete, []wire.Reason{validator.FlowEncrypted, note}}
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

// serverHello gives the record of a ServerHello of TLS 1.3.
func serverHello() string {
	extensions := "\x00\x33\x00\x24\x00\x1D\x00\x20" + strings.Repeat("k", 32) + "\x00\x2B\x00\x02\x03\x04"
	body := "\x03\x03" + strings.Repeat("r", 32) + "\x00" + "\x13\x01" + "\x00" + "\x00" + string(rune(len(extensions))) + extensions
	return "\x16\x03\x03\x00" + string(rune(len(body)+4)) + "\x02\x00\x00" + string(rune(len(body))) + body
}

// clientHello gives the record of a ClientHello that offers protocols.
func clientHello(protocols ...string) string {
	list := ""
	for _, p := range protocols {
		list += string(rune(len(p))) + p
	}
	body := "\x01\x00\x00\x58\x03\x03" + strings.Repeat("c", 60) + "\x00\x10\x00" + string(rune(len(list)+2)) + "\x00" + string(rune(len(list))) + list
	return "\x16\x03\x01\x00" + string(rune(len(body))) + body
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
	{"tls12-never-asked", cipher(wire.OK, capture.Idle, ""), func(t *talk) {
		t.hello12()
		t.wait(10 * time.Second)
		t.close(t.origin)
	}},
	{"tls12-never-asked-and-an-alert", cipher(wire.OK, capture.Idle, ""), func(t *talk) {
		t.hello12()
		t.wait(10 * time.Second)
		t.send(t.origin, record(21, 26))
		t.close(t.origin)
	}},
	{"tls12-closed-before-request", cipher(validator.TLSClosedWithoutAByte, capture.BeforeRequest, ""), func(t *talk) {
		t.hello12()
		t.close(t.origin)
	}},
	{"tls13-never-asked", cipher(wire.OK, capture.Idle, ""), func(t *talk) {
		t.hello13()
		t.send(t.client, record(20, 1)+record(23, 53))
		t.wait(10 * time.Second)
		t.send(t.origin, record(23, 19))
		t.wait(10 * time.Second)
		t.close(t.origin)
	}},
	{"tls13-closed-before-finished", cipher(validator.TLSClosedInHandshake, capture.InHandshake, ""), func(t *talk) {
		t.hello13()
		t.fin(t.origin)
		t.send(t.client, record(20, 1)+record(23, 53)+record(23, 19))
		t.fin(t.client)
		t.put(t.stateless(t.origin))
	}},
	{"tls12-closed-before-finished", cipher(validator.TLSClosedInHandshake, capture.InHandshake, ""), func(t *talk) {
		t.handshake()
		t.send(t.client, record(22, 300))
		t.stream(t.origin, record(22, 3000), mss)
		t.fin(t.origin)
		t.send(t.client, record(22, 70)+record(20, 1)+record(22, 40))
		t.fin(t.client)
	}},
	{"tls13-farewell", cipher(wire.OK, capture.AfterResponse, ""), func(t *talk) {
		t.hello13()
		t.send(t.client, record(20, 1)+record(23, 53)+record(23, 200))
		t.stream(t.origin, record(23, 250)+record(23, 250)+record(23, 3000)+record(23, 19), mss)
		t.fin(t.origin)
		t.send(t.client, record(23, 34)+record(23, 19))
		t.fin(t.client)
		t.put(t.stateless(t.origin))
	}},
	{"tls12-closed-after-request-and-a-farewell", cipher(validator.TLSClosedWithoutAByte, capture.AfterRequest, ""), func(t *talk) {
		t.hello12()
		t.send(t.client, record(23, 200))
		t.ack(t.origin)
		t.fin(t.origin)
		t.send(t.client, record(21, 26))
		t.fin(t.client)
		t.put(t.stateless(t.origin))
	}},
	{"tls13-asked-behind-the-origin's-end", cipher(validator.ReusedConnectionWasDead, capture.BeforeRequest, capture.ByOrigin), func(t *talk) {
		t.hello13()
		t.send(t.client, record(20, 1)+record(23, 53)+record(23, 200))
		t.stream(t.origin, record(23, 250)+record(23, 250)+record(23, 3000)+record(23, 19), mss)
		t.fin(t.origin)
		t.wait(time.Second)
		t.send(t.client, record(23, 200))
		t.wait(time.Second)
		t.put(t.stateless(t.origin))
	}},
	{"tls12-client-refuses-the-certificate", cipherNoted(capture.InHandshake, validator.ClientClosed), func(t *talk) {
		t.handshake()
		t.send(t.client, record(22, 300))
		t.stream(t.origin, record(22, 3000), mss)
		t.send(t.client, "\x15\x03\x03\x00\x02\x02\x30") // fatal, unknown_ca
		t.close(t.origin)
	}},
	{"tls12-client-takes-leave", cipherNoted(capture.BeforeRequest, validator.ClientClosed), func(t *talk) {
		t.hello12()
		t.wait(3 * time.Second)
		t.send(t.client, record(21, 26))
		t.fin(t.origin)
		t.send(t.client, record(21, 26))
		t.fin(t.client)
		t.put(t.stateless(t.origin))
	}},
	{"tls13-early-data", cipher(wire.OK, capture.AfterResponse, capture.ByOrigin), func(t *talk) {
		t.handshake()
		t.send(t.client, record(22, 500)+record(20, 1)+record(23, 200))
		t.send(t.origin, serverHello()+record(20, 1)+record(23, 40)+record(23, 53))
		t.send(t.client, record(23, 21)+record(23, 53))
		t.send(t.origin, record(23, 180))
		t.abort(t.origin)
	}},
	{"tls13-asked-at-once", cipher(validator.TLSResetAfterHandshake, capture.AfterRequest, capture.ByOrigin), func(t *talk) {
		t.handshake()
		t.send(t.client, clientHello("http/1.1"))
		t.send(t.origin, serverHello()+record(20, 1)+record(23, 2400))
		t.send(t.client, record(20, 1)+record(23, 53)+record(23, 200))
		t.ack(t.origin)
		t.abort(t.origin)
	}},
	{"tls-unanswered", cipher(wire.FirstByteTimeout, capture.AfterRequest, ""), func(t *talk) { t.unanswered("http/1.1") }},
	{"tls-unanswered-http2-offered", cipher(wire.FirstByteTimeout, capture.AfterRequest, ""), func(t *talk) { t.unanswered("http/1.1", "h2") }},
	{"tls-unanswered-http2-offered-first", cipher(wire.FirstByteTimeout, capture.AfterRequest, ""), func(t *talk) { t.unanswered("h2", "http/1.1") }},
}

// unanswered makes a client that offers protocols ask within TLS, and wait.
func (t *talk) unanswered(protocols ...string) {
	t.handshake()
	t.send(t.client, clientHello(protocols...))
	t.stream(t.origin, serverHello()+record(20, 1)+record(23, 2400), mss)
	t.send(t.client, record(20, 1)+record(23, 53)+record(23, 200))
	t.ack(t.origin)
	t.wait(20 * time.Second)
	t.fin(t.client)
	t.ack(t.origin)
}
