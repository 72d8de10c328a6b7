package validator

import "why520/wire"

// The reasons of names, connections, TLS and time, which bytes alone cannot
// show, and those that only a capture shows. See wire for the rest.
const (
	DNSFailure wire.Reason = 128 + iota
	DNSTimeout
	Unroutable
	ConnectionRefused
	ConnectionTimeout
	RequestUnacknowledged
	TLSPeerSpeaksPlaintext
	TLSAlertReceived
	TLSClosedInHandshake
	TLSResetInHandshake
	TLSHandshakeTimeout
	TLSVersionOrCipherMismatch
	TLSALPNMismatch
	TLSCertificateUntrusted
	TLSCertificateExpired
	TLSCertificateNameMismatch
	TLSClientCertificateRequired
	ResetBeforeRequest
	ResetDuringUpload
	TLSResetAfterHandshake
	InjectedReset
	ResponseLostInReset
	ClosedBeforeRequest
	TLSClosedWithoutAByte
	ReusedConnectionWasDead
	RequestWriteTimeout
	ContentCodingCorrupt
	AnsweredBeforeUploadDone
	RequestNotDrained
	ClientReset
	ClientClosed
	FlowStillOpen
	FlowEncrypted
	FlowJoinedInTheMiddle
	CaptureIncomplete
)

func init() {
	for r, info := range reasons {
		wire.Declare(r, info)
	}
}

// reasons is the table of what validator adds to wire's.
var reasons = map[wire.Reason]wire.ReasonInfo{
	DNSFailure:                   {Token: "dns-failure", Meaning: "the origin's name does not resolve", RFC: "", Note: false},
	DNSTimeout:                   {Token: "dns-timeout", Meaning: "the name server did not answer in time", RFC: "", Note: false},
	Unroutable:                   {Token: "unroutable", Meaning: "there is no route to the origin's address", RFC: "", Note: false},
	ConnectionRefused:            {Token: "connection-refused", Meaning: "the origin answered the SYN with a reset: nothing listens on the port, or a firewall rejects", RFC: "RFC 9293 section 3.5", Note: false},
	ConnectionTimeout:            {Token: "connection-timeout", Meaning: "the TCP handshake did not complete in time: a firewall drops the SYN, or the accept queue is full", RFC: "RFC 9293 section 3.5", Note: false},
	RequestUnacknowledged:        {Token: "request-unacknowledged", Meaning: "the handshake completed, the request was sent, and the origin's TCP never acknowledged it: the path went silent", RFC: "", Note: false},
	TLSPeerSpeaksPlaintext:       {Token: "tls-peer-speaks-plaintext", Meaning: "the port answered the ClientHello with plaintext", RFC: "RFC 8446 section 6", Note: false},
	TLSAlertReceived:             {Token: "tls-alert-received", Meaning: "the origin ended the TLS handshake with another alert", RFC: "RFC 8446 section 6", Note: false},
	TLSClosedInHandshake:         {Token: "tls-closed-in-handshake", Meaning: "the origin closed the connection during the TLS handshake", RFC: "RFC 8446 section 6", Note: false},
	TLSResetInHandshake:          {Token: "tls-reset-in-handshake", Meaning: "the origin reset the connection during the TLS handshake", RFC: "RFC 8446 section 6", Note: false},
	TLSHandshakeTimeout:          {Token: "tls-handshake-timeout", Meaning: "the TLS handshake did not complete in time", RFC: "RFC 8446 section 6", Note: false},
	TLSVersionOrCipherMismatch:   {Token: "tls-version-or-cipher-mismatch", Meaning: "origin and client share no TLS version or cipher (alerts 40, 70, 71 with no client certificate asked for)", RFC: "RFC 8446 section 6", Note: false},
	TLSALPNMismatch:              {Token: "tls-alpn-mismatch", Meaning: "the origin refuses the http/1.1 application protocol (alert 120)", RFC: "RFC 8446 section 6", Note: false},
	TLSCertificateUntrusted:      {Token: "tls-certificate-untrusted", Meaning: "the origin's certificate chains to no trusted root", RFC: "RFC 9110 section 4.3.4", Note: false},
	TLSCertificateExpired:        {Token: "tls-certificate-expired", Meaning: "the origin's certificate is outside its validity period", RFC: "RFC 9110 section 4.3.4", Note: false},
	TLSCertificateNameMismatch:   {Token: "tls-certificate-name-mismatch", Meaning: "the origin's certificate is for another name", RFC: "RFC 9110 section 4.3.4", Note: false},
	TLSClientCertificateRequired: {Token: "tls-client-certificate-required", Meaning: "the origin asked for a client certificate (authenticated origin pull) and broke off without one that it accepts", RFC: "RFC 8446 section 6", Note: false},
	ResetBeforeRequest:           {Token: "reset-before-request", Meaning: "the origin reset the connection after the TCP handshake, before its TCP had acknowledged a byte of the request (a reset that surfaces from connect or from the first write counts)", RFC: "RFC 9293 section 3.5", Note: false},
	ResetDuringUpload:            {Token: "reset-during-upload", Meaning: "the origin reset the connection when only a part of the request had been acknowledged", RFC: "RFC 9293 section 3.5", Note: false},
	TLSResetAfterHandshake:       {Token: "tls-reset-after-handshake", Meaning: "the origin reset the connection after the TLS handshake, before any byte of the response", RFC: "RFC 8446 section 6", Note: false},
	InjectedReset:                {Token: "injected-reset", Meaning: "a device between client and origin forged a reset (known from a capture)", RFC: "", Note: false},
	ResponseLostInReset:          {Token: "response-lost-in-reset", Meaning: "the response was complete on the wire, but a reset came before the client's TCP had acknowledged its last byte, so that it was destroyed (known from a capture)", RFC: "", Note: false},
	ClosedBeforeRequest:          {Token: "closed-before-request", Meaning: "the origin closed the connection before its TCP had acknowledged a byte of the request", RFC: "RFC 9293 section 3.5", Note: false},
	TLSClosedWithoutAByte:        {Token: "tls-closed-without-a-byte", Meaning: "the origin completed the TLS handshake and closed without a byte of response", RFC: "RFC 8446 section 6", Note: false},
	ReusedConnectionWasDead:      {Token: "reused-connection-was-dead", Meaning: "a kept-alive connection ended without a byte acknowledged or answered of the request put on it: the origin had closed it meanwhile (a reset right after the request looks the same, which the note says)", RFC: "RFC 9112 section 9.3.1", Note: false},
	RequestWriteTimeout:          {Token: "request-write-timeout", Meaning: "the origin stopped reading the request", RFC: "", Note: false},
	ContentCodingCorrupt:         {Token: "content-coding-corrupt", Meaning: "the content does not decode as its Content-Encoding says (checked on request)", RFC: "RFC 9110 section 8.4", Note: false},
	AnsweredBeforeUploadDone:     {Token: "answered-before-upload-done", Meaning: "the origin answered before it had read the whole request", RFC: "", Note: true},
	RequestNotDrained:            {Token: "request-not-drained", Meaning: "the origin closed with the request unread, which turns its close into a reset", RFC: "", Note: true},
	ClientReset:                  {Token: "client-reset", Meaning: "the client reset the connection first: nothing is said of the origin", RFC: "", Note: true},
	ClientClosed:                 {Token: "client-closed", Meaning: "the client closed the connection before the response was complete: nothing is said of the origin", RFC: "", Note: true},
	FlowStillOpen:                {Token: "flow-still-open", Meaning: "the capture ends before the flow does", RFC: "", Note: true},
	FlowEncrypted:                {Token: "flow-encrypted", Meaning: "the flow is TLS: stages are those of TCP alone", RFC: "", Note: true},
	FlowJoinedInTheMiddle:        {Token: "flow-joined-in-the-middle", Meaning: "the capture does not hold the flow's handshake: nothing certain is said of it", RFC: "", Note: true},
	CaptureIncomplete:            {Token: "capture-incomplete", Meaning: "the capture lost or cut packets of this flow", RFC: "", Note: true},
}
