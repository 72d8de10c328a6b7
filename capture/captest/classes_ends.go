package captest

import (
	"strings"
	"time"

	"why520/capture"
	"why520/validator"
	"why520/wire"
)

func ended(stage string, reason wire.Reason, notes ...wire.Reason) Truth {
	return Truth{Reason: reason, Stage: stage, Handshake: capture.HandshakeComplete, Notes: notes}
}

// ends are flows that are closed too early, or whose bytes are refused.
var ends = []Class{
	{"closed-before-request", ended(capture.BeforeRequest, validator.ClosedBeforeRequest), func(t *talk) {
		t.handshake()
		t.close(t.origin)
	}},
	{"never-asked", ended(capture.Idle, wire.OK), func(t *talk) {
		t.handshake()
		t.wait(10 * time.Second)
		t.close(t.origin)
	}},
	{"never-asked-and-reset", Truth{wire.OK, capture.ByOrigin, capture.Idle, capture.HandshakeComplete, nil}, func(t *talk) {
		t.handshake()
		t.wait(10 * time.Second)
		t.abort(t.origin)
	}},
	{"accepted-late-and-closed", ended(capture.BeforeRequest, validator.ClosedBeforeRequest), func(t *talk) {
		t.syn(t.client, 0)
		t.client.seq--
		t.wait(3 * time.Second)
		t.handshake()
		t.close(t.origin)
	}},
	{"answered-unasked-and-closed", ended(capture.BeforeRequest, validator.ClosedBeforeRequest), func(t *talk) {
		t.handshake()
		t.send(t.origin, page(50))
		t.fin(t.origin)
		t.ack(t.client)
		t.again(t.client, request("GET"), 16*time.Second)
		t.fin(t.client)
	}},
	{"request-line-without-an-end-answered", ended(capture.InHead, wire.NotHTTPText), func(t *talk) {
		t.handshake()
		t.send(t.client, "GET /")
		t.send(t.origin, "<html>hi</html>")
		t.close(t.origin)
	}},
	{"closed-without-a-byte", ended(capture.AfterRequest, wire.ClosedWithoutAByte), func(t *talk) {
		t.handshake()
		t.get()
		t.close(t.origin)
	}},
	{"closed-in-head", ended(capture.InHead, wire.HeadCut), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(0)[:60], mss)
		t.close(t.origin)
	}},
	{"closed-in-content", ended(capture.InContent, wire.BodyShort), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(20000)[:9000], mss)
		t.close(t.origin)
	}},
	{"closed-in-chunks", ended(capture.InContent, wire.ChunkedCut), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, chunked(3000, 400), mss)
		t.close(t.origin)
	}},
	{"closed-after-interim", ended(capture.InHead, wire.InterimThenClose), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, "HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n", mss)
		t.close(t.origin)
	}},
	{"second-response-short", ended(capture.InContent, wire.BodyShort), func(t *talk) {
		t.handshake()
		t.send(t.client, request("GET")+request("GET"))
		t.stream(t.origin, page(700)+page(900)[:500], mss)
		t.close(t.origin)
	}},
	{"closed-as-it-was-reused", by(capture.ByOrigin, capture.BeforeRequest, validator.ReusedConnectionWasDead), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(2000), mss)
		t.wait(5 * time.Second)
		t.send(t.client, request("GET"))
		t.client.seq -= uint32(len(request("GET")))
		fin := t.segment(t.origin, capture.FIN|capture.ACK, "")
		t.client.seq += uint32(len(request("GET")))
		t.put(fin)
		t.origin.seq++
		t.put(t.stateless(t.origin))
	}},
	{"head-too-large", ended(capture.InHead, wire.HeadTooLarge), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, response("200 OK", "Set-Cookie: a="+strings.Repeat("c", 5000), "Set-Cookie: b="+strings.Repeat("d", 5000), "Content-Length: 2")+"ok", mss)
		t.close(t.client)
	}},
	{"no-header-fields", ended(capture.InHead, wire.NoHeaderFields), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, "HTTP/1.1 200 OK\r\n\r\nhello", mss)
		t.close(t.origin)
	}},
	{"length-and-transfer-encoding", ended(capture.InHead, wire.LengthAndTransferEncoding), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, response("200 OK", "Content-Length: 5", "Transfer-Encoding: chunked")+"0\r\n\r\n", mss)
		t.close(t.origin)
	}},
	{"chunk-size-invalid", ended(capture.InContent, wire.ChunkSizeInvalid), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, chunked(1500, 20)+"xyz\r\n", 600)
		t.close(t.origin)
	}},
	{"banner", ended(capture.InHead, wire.OtherProtocolBanner), func(t *talk) {
		t.handshake()
		t.send(t.origin, "SSH-2.0-OpenSSH_9.2\r\n")
		t.get()
		t.close(t.origin)
	}},
	{"client-closes", ended(capture.AfterRequest, wire.OK, validator.ClientClosed), func(t *talk) {
		t.handshake()
		t.get()
		t.wait(time.Second)
		t.close(t.client)
	}},
	{"bytes-after-response", ended(capture.AfterResponse, wire.OK, wire.BytesAfterResponse), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(100)+"and more", mss)
		t.close(t.client)
	}},
}

// silences are flows in which somebody says nothing for too long.
var silences = []Class{
	{"first-byte-timeout", ended(capture.AfterRequest, wire.FirstByteTimeout), func(t *talk) {
		t.handshake()
		t.get()
		t.wait(20 * time.Second)
		t.fin(t.client)
		t.ack(t.origin)
	}},
	{"first-byte-timeout-behind-a-stray-reset", ended(capture.AfterRequest, wire.FirstByteTimeout), func(t *talk) {
		t.handshake()
		t.get()
		s := t.forged(t.origin)
		s.seq += 1 << 28
		t.put(s)
		t.wait(20 * time.Second)
		t.fin(t.client)
		t.ack(t.origin)
	}},
	{"client-resets-after-silence", Truth{Reason: wire.FirstByteTimeout, ResetBy: capture.ByClient, Stage: capture.AfterRequest, Handshake: capture.HandshakeComplete, Notes: []wire.Reason{validator.ClientReset}}, func(t *talk) {
		t.handshake()
		t.get()
		t.wait(20 * time.Second)
		t.abort(t.client)
	}},
	{"head-stalled", ended(capture.InHead, wire.HeadStalled), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(0)[:60], mss)
		t.wait(12 * time.Second)
		t.close(t.client)
	}},
	{"body-stalled", ended(capture.InContent, wire.BodyStalled), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(9000)[:4000], mss)
		t.wait(12 * time.Second)
		t.close(t.client)
	}},
	{"interim-then-stall", ended(capture.InHead, wire.InterimThenStall), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, "HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n", mss)
		t.wait(16 * time.Second)
		t.close(t.client)
	}},
	{"request-unacknowledged", ended(capture.BeforeRequest, validator.RequestUnacknowledged), func(t *talk) {
		t.handshake()
		t.again(t.client, request("GET"), 16*time.Second)
		t.fin(t.client)
	}},
	{"request-write-timeout", ended(capture.InRequest, validator.RequestWriteTimeout), func(t *talk) {
		t.handshake()
		t.stream(t.client, request("POST", "Content-Length: 90000")+strings.Repeat("u", 4000), mss)
		t.again(t.client, strings.Repeat("u", 1000), 16*time.Second)
		t.fin(t.client)
	}},
	{"request-unacknowledged-and-the-client-resets", Truth{validator.RequestUnacknowledged, capture.ByClient, capture.BeforeRequest, capture.HandshakeComplete, []wire.Reason{validator.ClientReset}}, func(t *talk) {
		t.handshake()
		t.again(t.client, request("GET"), 16*time.Second)
		t.abort(t.client)
	}},
	{"request-unacknowledged-and-the-rest-not-captured", ended(capture.BeforeRequest, validator.RequestUnacknowledged, validator.CaptureIncomplete), func(t *talk) {
		t.handshake()
		t.send(t.client, request("GET"))
		t.wait(16 * time.Second)
		t.fin(t.client)
	}},
	{"body-unacknowledged-and-the-rest-not-captured", ended(capture.InContent, wire.BodyStalled, validator.CaptureIncomplete), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(9000)[:4000], mss)
		t.send(t.origin, strings.Repeat("x", 1000))
		t.wait(16 * time.Second)
		s := t.segment(t.client, capture.FIN|capture.ACK, "")
		s.ack -= 1000
		t.put(s)
	}},
	{"unanswered-once", Truth{validator.ConnectionTimeout, "", capture.InHandshake, capture.HandshakeNone, nil}, func(t *talk) {
		t.syn(t.client, 0)
		t.wait(6 * time.Second)
		t.client.seq--
		t.put(t.segment(t.client, 0, ""))
	}},
	{"origin-gives-up-a-silent-client", by(capture.ByOrigin, capture.InContent, wire.BodyReset), func(t *talk) {
		t.handshake()
		t.get()
		t.stream(t.origin, page(9000)[:4000], mss)
		t.again(t.origin, strings.Repeat("x", 1000), 60*time.Second)
		t.abort(t.origin)
	}},
	{"origin-gives-up-a-silent-handshake", Truth{validator.ResetBeforeRequest, capture.ByOrigin, capture.InHandshake, capture.HandshakePartial, nil}, func(t *talk) {
		t.syn(t.client, 0)
		for wait := time.Second; wait <= 4*time.Second; wait *= 2 {
			t.syn(t.origin, capture.ACK)
			t.origin.seq--
			t.wait(wait)
		}
		t.origin.seq++
		t.abort(t.origin)
	}},
	{"slow-but-answered", whole, func(t *talk) {
		t.handshake()
		t.get()
		t.wait(20 * time.Second)
		t.stream(t.origin, page(3000), mss)
		t.close(t.client)
	}},
	{"still-open", ended(capture.AfterRequest, wire.OK, validator.FlowStillOpen), func(t *talk) {
		t.handshake()
		t.get()
	}},
}

// again makes e send payload again and again, for so long, without an answer.
func (t *talk) again(e *endpoint, payload string, long time.Duration) {
	for wait := time.Second; wait < long; wait *= 2 {
		t.send(e, payload)
		e.seq -= uint32(len(payload))
		t.wait(wait)
	}
	e.seq += uint32(len(payload))
}
