package origintest

import (
	"crypto/tls"
	"slices"
	"time"

	"why520/validator"
	"why520/wire"
)

// faults is the table of all origins. To add one: a row in the group that it
// belongs to.
var faults = slices.Concat(good, connection, encryption, firstBytes, statusLine, fieldLines, budgets, framing, chunking, timing, noted)

// answer reads a request, sends text and closes.
func answer(text string) script { return script{read, send(text)} }

// short makes a deadline short, for origins whose fault is to let it pass. Where
// something has to come before it passes, it is a long one, for busy machines.
const (
	short = 400 * time.Millisecond
	long  = 3 * time.Second
)

// okText is a small good response that leaves the connection open.
const okText = "HTTP/1.1 200 OK\r\nServer: origintest\r\nContent-Length: 5\r\n\r\nhello"

// head200 begins a good head.
const head200 = "HTTP/1.1 200 OK\r\nServer: origintest\r\n"

func method(m string) func(*validator.Target) {
	return func(t *validator.Target) { t.Method = m }
}

func upload(bytes int64) func(*validator.Target) {
	return func(t *validator.Target) { t.Upload = bytes }
}

func limits(l wire.Limits) func(*validator.Prober) {
	return func(p *validator.Prober) { p.Policy.Limits = l }
}

func deadlines(d validator.Deadlines) func(*validator.Prober) {
	return func(p *validator.Prober) { p.Deadlines = d }
}

// untilItEnds has a Prober watch a new connection until the origin ended it, however
// late that comes to it.
func untilItEnds(p *validator.Prober) { p.Settle = time.Minute }

var good = []Fault{
	{Name: "ok", About: "answers with content of known length, on and on", script: script{serveOn(okText)},
		ask: func(t *validator.Target) { t.Requests = 2 }},
	{Name: "ok/tls", About: "the same within TLS", script: script{serveOn(okText)}, tls: goodTLS},
	{Name: "ok/chunked", About: "chunked content, an extension, a trailer field",
		script: answer(head200 + "Transfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n0\r\nDigest: none\r\n\r\n")},
	{Name: "ok/close-delimited", About: "content that ends with the connection", script: answer(head200 + "\r\nhello")},
	{Name: "ok/close-delimited-tls", About: "the same within TLS, with close_notify", tls: goodTLS, script: answer(head200 + "\r\nhello")},
	{Name: "ok/head", About: "answers HEAD with a length and no content", ask: method("HEAD"), script: answer(head200 + "Content-Length: 5\r\n\r\n")},
	{Name: "ok/204", About: "answers without content", script: answer("HTTP/1.1 204 No Content\r\nServer: origintest\r\n\r\n")},
	{Name: "ok/304", About: "answers that nothing changed, with a length", script: answer("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")},
	{Name: "ok/interim", About: "100, 103 and then 200", script: answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + okText)},
	{Name: "ok/upgrade", About: "switches protocols, as it was asked to", ask: func(t *validator.Target) { t.Upgrade = "websocket" },
		script: answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")},
	{Name: "ok/upload", About: "reads an upload, then answers", ask: upload(1 << 20), script: answer(okText)},
	{Name: "ok/reset-behind", About: "a whole response, and then a reset", script: script{read, send(okText), rst}},
	{Name: "ok/slow", About: "a byte each tick", script: append(script{read}, slowly(okText)...)},
}

// slowly sends text byte by byte.
func slowly(text string) script {
	var s script
	for i := range len(text) {
		s = append(s, send(text[i:i+1]), pause(tick/10))
	}
	return s
}

var connection = []Fault{
	{Name: "dns-failure", Reason: validator.DNSFailure, About: "the name does not exist", names: "missing.test"},
	{Name: "dns-timeout", Reason: validator.DNSTimeout, About: "the name server does not answer", names: "silent.test",
		tune: deadlines(validator.Deadlines{Connect: short})},
	{Name: "unroutable", Reason: validator.Unroutable, About: "a router says that there is no way", skip: func() string { return "needs a router" }},
	{Name: "connection-refused", Reason: validator.ConnectionRefused, About: "nobody listens on the port", refuses: true},
	{Name: "connection-timeout", Reason: validator.ConnectionTimeout, About: "the accept queue is full", full: true,
		tune: deadlines(validator.Deadlines{Connect: short})},
	{Name: "request-unacknowledged", Reason: validator.RequestUnacknowledged, About: "accepts, and its TCP hears nothing more", deaf: true, script: script{freeze},
		tune: deadlines(validator.Deadlines{FirstByte: short})},
	{Name: "reset-before-request", Reason: validator.ResetBeforeRequest, About: "resets as soon as it accepted", script: script{rst}, tune: untilItEnds},
	{Name: "reset-after-request", Reason: wire.ResetAfterRequest, About: "reads the request, then resets", script: script{read, rst}},
	{Name: "reset-after-request/unread", Reason: wire.ResetAfterRequest, About: "closes with the request unread",
		script: script{{"wait for bytes", func(s *session) bool { _, err := s.raw.Read(make([]byte, 1)); return err == nil }}, cut}},
	{Name: "reset-during-upload", Reason: validator.ResetDuringUpload, About: "reads a part of an upload, then resets", ask: upload(64 << 20),
		script: script{readHead, readSome(100_000), rst}},
	{Name: "closed-before-request", Reason: validator.ClosedBeforeRequest, About: "closes as soon as it accepted", script: script{}, tune: untilItEnds},
	{Name: "closed-without-a-byte", Reason: wire.ClosedWithoutAByte, About: "reads the request, then closes", script: script{read}},
	{Name: "reused-connection-was-dead", Reason: validator.ReusedConnectionWasDead, About: "closes behind its first answer, without saying so",
		ask:    func(t *validator.Target) { t.Requests, t.Idle = 2, 2*time.Second },
		script: script{read, send(okText)}},
	{Name: "reused-connection-was-dead/tls", Reason: validator.ReusedConnectionWasDead, About: "the same within TLS", tls: goodTLS,
		ask:    func(t *validator.Target) { t.Requests, t.Idle = 2, 2*time.Second },
		script: script{read, send(okText)}},
}

// A TLS alert of level fatal, unencrypted (RFC 8446 section 6).
func alert(number byte) string { return "\x15\x03\x03\x00\x02\x02" + string([]byte{number}) }

// hello reads the beginning of a ClientHello.
var hello = readSome(64)

var encryption = []Fault{
	{Name: "tls-peer-speaks-plaintext", Reason: validator.TLSPeerSpeaksPlaintext, About: "answers a ClientHello in plaintext", tls: goodTLS,
		script: script{raw, hello, sendBelow("HTTP/1.1 400 Bad Request\r\nServer: origintest\r\n\r\n")}},
	{Name: "tls-alert-received", Reason: validator.TLSAlertReceived, About: "alert 80, internal error", tls: goodTLS, script: script{raw, hello, sendBelow(alert(80))}},
	{Name: "tls-alert-received/unrecognized-name", Reason: validator.TLSAlertReceived, About: "alert 112, unrecognized name", tls: goodTLS, script: script{raw, hello, sendBelow(alert(112))}},
	{Name: "tls-closed-in-handshake", Reason: validator.TLSClosedInHandshake, About: "closes on a ClientHello", tls: goodTLS, script: script{raw, drain, cut}},
	{Name: "tls-reset-in-handshake", Reason: validator.TLSResetInHandshake, About: "resets on a ClientHello", tls: goodTLS, script: script{raw, hello, rst}},
	{Name: "tls-handshake-timeout", Reason: validator.TLSHandshakeTimeout, About: "does not answer a ClientHello", tls: goodTLS, script: script{raw, silence},
		tune: func(p *validator.Prober) { p.Deadlines.TLS = short }},
	{Name: "tls-version-or-cipher-mismatch", Reason: validator.TLSVersionOrCipherMismatch, About: "speaks TLS 1.0 only", tls: oldTLS, script: script{read}},
	{Name: "tls-version-or-cipher-mismatch/alert-40", Reason: validator.TLSVersionOrCipherMismatch, About: "alert 40, handshake failure", tls: goodTLS, script: script{raw, hello, sendBelow(alert(40))}},
	{Name: "tls-alpn-mismatch", Reason: validator.TLSALPNMismatch, About: "alert 120, no application protocol", tls: goodTLS, script: script{raw, hello, sendBelow(alert(120))}},
	{Name: "tls-certificate-untrusted", Reason: validator.TLSCertificateUntrusted, About: "a certificate of an unknown authority", tls: untrusted, script: script{read}},
	{Name: "tls-certificate-expired", Reason: validator.TLSCertificateExpired, About: "a certificate that expired an hour ago", tls: expired, script: script{read}},
	{Name: "tls-certificate-name-mismatch", Reason: validator.TLSCertificateNameMismatch, About: "a certificate for another name", tls: wrongName, script: script{read}},
	{Name: "tls-client-certificate-required", Reason: validator.TLSClientCertificateRequired, About: "demands a client certificate (TLS 1.3)", tls: wantsCertificate(tls.VersionTLS13), script: script{read}},
	{Name: "tls-client-certificate-required/tls12", Reason: validator.TLSClientCertificateRequired, About: "demands a client certificate (TLS 1.2)", tls: wantsCertificate(tls.VersionTLS12), script: script{read}},
	{Name: "tls-reset-after-handshake", Reason: validator.TLSResetAfterHandshake, About: "reads the request within TLS, then resets", tls: goodTLS, script: script{read, rst}},
	{Name: "tls-closed-without-a-byte", Reason: validator.TLSClosedWithoutAByte, About: "reads the request within TLS, then closes", tls: goodTLS, script: script{read}},
	{Name: "tls-truncated", Reason: wire.TLSTruncated, About: "content that ends with the connection, without close_notify", tls: goodTLS, script: script{read, send(head200 + "\r\nhello"), cut}},
}

// drain reads what a ClientHello brings, all of it, so that a close is no reset.
var drain = step{"drain", func(s *session) bool {
	record := make([]byte, 5)
	if _, err := s.raw.Read(record); err != nil {
		return false
	}
	rest := make([]byte, int(record[3])<<8|int(record[4]))
	for n := 0; n < len(rest); {
		k, err := s.raw.Read(rest[n:])
		if err != nil {
			return false
		}
		n += k
	}
	return true
}}

var timing = []Fault{
	{Name: "request-write-timeout", Reason: validator.RequestWriteTimeout, About: "stops reading an upload", ask: upload(64 << 20), script: script{readHead, freeze},
		tune: deadlines(validator.Deadlines{Write: 2 * short})},
	{Name: "first-byte-timeout", Reason: wire.FirstByteTimeout, About: "reads the request and stays silent", script: script{read, silence},
		tune: deadlines(validator.Deadlines{FirstByte: short})},
	{Name: "head-stalled", Reason: wire.HeadStalled, About: "stops within the head", script: script{read, send("HTTP/1.1 200 OK\r\nServ"), silence},
		tune: deadlines(validator.Deadlines{Idle: short})},
	{Name: "head-deadline", Reason: wire.HeadDeadline, About: "a field line each tick, for ever", script: script{read, send("HTTP/1.1 200 OK\r\n"), drip("X: y\r\n", tick, 1<<20)},
		tune: deadlines(validator.Deadlines{Head: long})},
	{Name: "body-stalled", Reason: wire.BodyStalled, About: "stops within content of known length", script: script{read, send(head200 + "Content-Length: 10\r\n\r\nhello"), silence},
		tune: deadlines(validator.Deadlines{Idle: short})},
	{Name: "chunked-stalled", Reason: wire.ChunkedStalled, About: "stops within chunked content", script: script{read, send(head200 + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"), silence},
		tune: deadlines(validator.Deadlines{Idle: short})},
	{Name: "close-delimited-stalled", Reason: wire.CloseDelimitedStalled, About: "stops within content that ends with the connection", script: script{read, send(head200 + "\r\nhello"), silence},
		tune: deadlines(validator.Deadlines{Idle: short})},
	{Name: "body-deadline", Reason: wire.BodyDeadline, About: "content each tick, for ever", script: script{read, send(head200 + "\r\n"), drip("hello", tick, 1<<20)},
		tune: deadlines(validator.Deadlines{Total: long})},
	{Name: "interim-then-stall", Reason: wire.InterimThenStall, About: "100, and then silence", script: script{read, send("HTTP/1.1 100 Continue\r\n\r\n"), silence},
		tune: deadlines(validator.Deadlines{FirstByte: long})},
}
