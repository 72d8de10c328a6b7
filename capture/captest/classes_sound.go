package captest

import (
	"strings"
	"time"

	"why520/capture"
	"why520/validator"
	"why520/wire"
)

var whole = Truth{Stage: capture.AfterResponse, Handshake: capture.HandshakeComplete}

func idle(by string) Truth {
	return Truth{ResetBy: by, Stage: capture.Idle, Handshake: capture.HandshakeComplete}
}

// plain is a sound flow with about n bytes of content.
func plain(n int) *Class {
	return &Class{"plain", whole, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(t.IntN(2*n)), mss)
		t.close(t.client)
	}}
}

// sound are flows in which nothing is refused.
var sound = []Class{
	{"closed-by-client", whole, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.close(t.client)
	}},
	{"closed-by-origin", whole, func(t *talk) {
		t.handshake()
		t.get("Connection: close")
		t.stream(t.origin, page(5000, "Connection: close"), mss)
		t.close(t.origin)
	}},
	{"kept-alive", whole, func(t *talk) {
		t.handshake()
		for range 3 {
			t.get()
			t.stream(t.origin, page(t.IntN(4000)), mss)
			t.wait(20 * time.Millisecond)
		}
		t.close(t.client)
	}},
	{"chunked", whole, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, chunked(1000, 7, 2500, 1)+lastChunk, mss)
		t.get()
		t.stream(t.origin, chunked(12)+"0\r\nX-Sum: 1\r\n\r\n", 9)
		t.close(t.client)
	}},
	{"delimited-by-close", whole, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, response("200 OK", "Connection: close")+strings.Repeat("z", 4000), mss)
		t.close(t.origin)
	}},
	{"without-content", whole, func(t *talk) {
		t.handshake()
		t.send(t.client, request("HEAD"))
		t.stream(t.origin, response("200 OK", "Content-Length: 400"), mss)
		t.get()
		t.stream(t.origin, response("304 Not Modified"), mss)
		t.get()
		t.stream(t.origin, response("204 No Content"), mss)
		t.close(t.client)
	}},
	{"upload", whole, func(t *talk) {
		t.handshake()
		t.stream(t.client, request("POST", "Content-Length: 9000")+strings.Repeat("u", 9000), mss)
		t.stream(t.origin, page(10), mss)
		t.stream(t.client, request("POST", "Transfer-Encoding: chunked")+"5\r\nhello\r\n0\r\n\r\n", 7)
		t.stream(t.origin, page(10), mss)
		t.close(t.client)
	}},
	{"expect-continue", whole, func(t *talk) {
		t.handshake()
		t.send(t.client, request("POST", "Expect: 100-continue", "Content-Length: 20"))
		t.send(t.origin, "HTTP/1.1 100 Continue\r\n\r\n")
		t.send(t.client, strings.Repeat("u", 20))
		t.stream(t.origin, page(30), mss)
		t.close(t.client)
	}},
	{"early-hints", whole, func(t *talk) {
		t.handshake()
		t.get()
		t.send(t.origin, "HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n")
		t.stream(t.origin, page(30), mss)
		t.close(t.client)
	}},
	{"pipelined", whole, func(t *talk) {
		t.handshake()
		t.send(t.client, request("GET")+request("HEAD")+request("GET"))
		t.stream(t.origin, page(100)+response("200 OK", "Content-Length: 100")+page(50), mss)
		t.close(t.client)
	}},
	{"upgraded", Truth{ResetBy: capture.ByOrigin, Stage: capture.AfterResponse, Handshake: capture.HandshakeComplete}, func(t *talk) {
		t.handshake()
		t.get("Connection: Upgrade", "Upgrade: websocket")
		t.send(t.origin, response("101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket"))
		t.stream(t.client, "\x81\x85abcdefghi", mss)
		t.stream(t.origin, "\x81\x05hello", mss)
		t.abort(t.origin)
	}},
	{"half-closed", whole, func(t *talk) {
		t.handshake()
		t.get()
		t.fin(t.client)
		t.ack(t.origin)
		t.stream(t.origin, page(3000), mss)
		t.fin(t.origin)
		t.ack(t.client)
	}},
	{"reset-after-both-closed", whole, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.close(t.client)
		t.put(t.stateless(t.origin))
	}},
	{"early-answer-then-reset", Truth{
		ResetBy: capture.ByOrigin, Stage: capture.AfterResponse, Handshake: capture.HandshakeComplete,
		Notes: []wire.Reason{validator.AnsweredBeforeUploadDone, validator.RequestNotDrained},
	}, func(t *talk) {
		t.handshake()
		t.send(t.client, request("POST", "Content-Length: 90000")+strings.Repeat("u", 900))
		t.stream(t.origin, response("413 Content Too Large", "Content-Length: 3", "Connection: close")+"no\n", mss)
		t.send(t.client, strings.Repeat("u", 1400))
		t.abort(t.origin)
	}},
	{"reset-when-done", Truth{ResetBy: capture.ByOrigin, Stage: capture.AfterResponse, Handshake: capture.HandshakeComplete}, func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.abort(t.origin)
	}},
	{"reset-when-idle", idle(capture.ByOrigin), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.wait(5 * time.Second)
		t.abort(t.origin)
	}},
	{"closed-when-idle", idle(""), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(3000), mss)
		t.wait(5 * time.Second)
		t.close(t.origin)
	}},
	{"letters-echoed", whole, func(t *talk) {
		t.handshake()
		for _, letter := range strings.Split("abcdefgh", "") {
			t.send(t.client, letter)
			t.send(t.origin, letter)
		}
		t.ack(t.client)
		t.close(t.client)
	}},
	{"words-without-a-line-answered", whole, func(t *talk) {
		t.handshake()
		t.send(t.client, "look at this")
		t.send(t.origin, "I see")
		t.close(t.client)
	}},
	{"another-protocol", Truth{ResetBy: capture.ByOrigin, Stage: capture.AfterResponse, Handshake: capture.HandshakeComplete}, func(t *talk) {
		t.handshake()
		t.send(t.origin, "SSH-2.0-OpenSSH_9.2\r\n")
		t.send(t.client, "SSH-2.0-OpenSSH_9.6\r\n")
		t.stream(t.origin, "\x00\x00\x01\x34\x08", mss)
		t.abort(t.origin)
	}},
}
