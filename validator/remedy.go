package validator

import "why520/wire"

// Remedy says what to do about r at the origin, in one to three sentences; empty
// where there is nothing to do. What is not certain is said to be possible.
func Remedy(r wire.Reason) string {
	for _, m := range remedies {
		if m.of.Has(r) {
			return m.text
		}
	}
	return ""
}

type remedy struct {
	of   wire.Set
	text string
}

var remedies = []remedy{
	{wire.SetOf(DNSFailure), "Correct the origin's name in the edge's settings, or add its A or AAAA record; `dig NAME @SERVER` shows what the name server says."},
	{wire.SetOf(DNSTimeout), "The name server does not answer: see that it runs and that UDP and TCP port 53 pass the firewall. `dig NAME @SERVER` should answer at once."},
	{wire.SetOf(Unroutable), "Correct the origin's address, or the routes to it: a router on the way says that it cannot be reached."},
	{wire.SetOf(ConnectionRefused), "Start the web server, or let it listen on this port and address: `ss -ltnp` at the origin lists what listens. If it does, a firewall rule with REJECT stands before it."},
	{wire.SetOf(ConnectionTimeout), "Let the edge's addresses through the firewall (a rule with DROP is the commonest cause). If the server is overloaded, `ss -ltn` shows a full accept queue (Recv-Q above Send-Q): more workers, or a larger backlog."},
	{wire.SetOf(RequestUnacknowledged), "The path went silent after the handshake. Look for a firewall or load balancer that drops data of connections it accepted, a wrong MTU, or an accept queue that is full (`nstat -az TcpExtListenDrops`)."},
	{wire.SetOf(TLSPeerSpeaksPlaintext), "Turn TLS on for this port (nginx: `listen 443 ssl`; Apache: `SSLEngine on`), or tell the edge to ask the origin over http."},
	{wire.SetOf(TLSAlertReceived), "Look in the origin's TLS error log for this alert. An unrecognized name means that no server block or certificate is set up for this server name."},
	{wire.SetOf(TLSClosedInHandshake, TLSResetInHandshake), "Look in the origin's error log at this moment. A firewall that filters by server name, or a TCP proxy whose backend is down, ends handshakes in this way."},
	{wire.SetOf(TLSHandshakeTimeout), "The origin accepts the connection and does not finish the handshake: it may be overloaded, or wait for a PROXY protocol header (`--proxy-protocol`)."},
	{wire.SetOf(TLSVersionOrCipherMismatch), "Allow TLS 1.2 and 1.3 with common ciphers (nginx: `ssl_protocols TLSv1.2 TLSv1.3`; Apache: `SSLProtocol -all +TLSv1.2 +TLSv1.3`), and see that the certificate's key fits the ciphers."},
	{wire.SetOf(TLSALPNMismatch), "Let the origin offer http/1.1 in ALPN, beside h2 if it has that."},
	{wire.SetOf(TLSCertificateUntrusted), "Install the whole chain (nginx: the fullchain file), from a public authority or one that the edge trusts; else lower the edge's setting from strict to full. `--ca FILE` checks against an authority of your own."},
	{wire.SetOf(TLSCertificateExpired), "Renew the certificate, reload the server, and see that the renewal runs by itself (`certbot renew --dry-run`). If the dates are right, the clock of one side is not."},
	{wire.SetOf(TLSCertificateNameMismatch), "Install a certificate for this name, or see which server block answers for it: without a match the default one's certificate is sent."},
	{wire.SetOf(TLSClientCertificateRequired), "The origin wants a client certificate (authenticated origin pull). Turn that on at the edge, or the demand off at the origin (nginx: `ssl_verify_client`); `--cert` and `--key` give one here."},
	{wire.SetOf(ResetBeforeRequest), "Something resets connections as they begin: a firewall or fail2ban rule on the edge's address, a connection limit, a TCP proxy whose backend is down, or a worker that dies on accept. The origin's access log has no line of it."},
	{wire.SetOf(wire.ResetAfterRequest), "Look in the error log for a worker that crashed or was killed (segfault, out of memory: `dmesg`) at this moment. A server that closes with the request unread, a firewall that filters by content and fail2ban are possible too."},
	{wire.SetOf(ResetDuringUpload), "The origin stopped reading and reset. Raise its limit on content (nginx: `client_max_body_size`; PHP: `post_max_size`) and its read timeout, or look for a worker that died."},
	{wire.SetOf(TLSResetAfterHandshake), "The TLS side is well; what is behind it is not. Look for a worker that crashed, a backend that is down behind a TLS terminator, or a firewall that filters by content."},
	{wire.SetOf(InjectedReset), "A device between edge and origin forged the reset: look for an intrusion prevention system, a DDoS filter or a stateful firewall with a short idle timeout."},
	{wire.SetOf(ResponseLostInReset), "The origin closed with request bytes unread, so that its reset destroyed an answer that was sent. Let it read the request to its end before it closes (nginx: `lingering_close always`)."},
	{wire.SetOf(ClosedBeforeRequest), "Something closes connections as they begin: a connection limit, a TCP proxy whose backend is down, or a service on this port that is not HTTP."},
	{wire.SetOf(wire.ClosedWithoutAByte, TLSClosedWithoutAByte), "The application ended without an answer: look in the error log for a crash, a killed worker, or `return 444` in nginx. Redis, PostgreSQL and Mosquitto close in this way when they are asked for HTTP."},
	{wire.SetOf(ReusedConnectionWasDead), "The origin closes idle connections sooner than the edge gives them up. Raise its keep-alive timeout above the edge's (nginx: `keepalive_timeout`; Node: `server.keepAliveTimeout`), or let the edge retry."},
	{wire.SetOf(wire.BytesOnIdleConnection, wire.BytesAfterResponse), "The response states too small a length, or the application writes after its end. Let the server compute Content-Length."},
	{wire.SetOf(RequestWriteTimeout), "The origin stopped reading the request. Look for workers that are all busy, or for an application that waits before it reads the content."},
	{wire.SetOf(wire.FirstByteTimeout), "The application takes too long. Look at slow queries and at workers that are all busy (PHP-FPM: `pm.max_children`); answer early and do the work behind, or raise the edge's read timeout."},
	{wire.SetOf(wire.HeadStalled, wire.HeadDeadline), "The application writes its head piece by piece. Let the server buffer the head and send it in one write; look for what blocks between the fields."},
	{wire.SetOf(wire.BodyStalled, wire.ChunkedStalled, wire.CloseDelimitedStalled, wire.BodyDeadline), "The application stopped, or is slow, within the content. Look for what blocks while it writes, for a buffer that is not flushed, or a Content-Length larger than what is written."},
	{wire.SetOf(wire.InterimThenStall, wire.InterimThenClose), "The origin sent an interim (1xx) response and no final one. Look at the application that should have answered, or do without 100-continue and early hints."},
	{wire.SetOf(wire.HTTP2OnHTTP1Port), "Offer HTTP/1.1 on this port too, or let the edge speak HTTP/2 to the origin (nginx without TLS: no `http2` on this `listen`; a gRPC server needs a gRPC-aware edge)."},
	{wire.SetOf(wire.TLSRecordOnPlaintextPort), "Tell the edge to ask the origin over https, or give it the plaintext port."},
	{wire.SetOf(wire.OtherProtocolBanner), "The edge is sent to a port of another service: correct the origin's port, or what forwards it."},
	{wire.SetOf(wire.NotHTTPBinary, wire.NotHTTPText), "What answers on this port is no HTTP server, or it writes content without a head. See that the port is the right one, and that the application sends a status line first."},
	{wire.SetOf(wire.HeadersWithoutStatusLine), "A CGI script's output reaches the network raw. Put it behind a server that speaks CGI, FastCGI or WSGI, or let it write a status line first."},
	{wire.SetOf(wire.OutputBeforeStatusLine, wire.BlankLineBeforeStatusLine), "Something writes before the response: a warning or debug print of the application, a byte-order mark in a script, or the end of the response before (a wrong Content-Length)."},
	{wire.SetOf(wire.ProtocolName, wire.HTTPVersion, wire.StatusLineWhitespace, wire.StatusCodeMissing, wire.StatusCodeDigits, wire.StatusCodeRange),
		"Let the server write `HTTP/1.1 CODE REASON`, with one space each and a code of three digits from 100 on: mostly this is hand-written by a script or a device."},
	{wire.SetOf(wire.ReasonPhraseByte), "Take the control byte out of the reason phrase: set the status by its number and leave the words to the server."},
	{wire.SetOf(wire.BareLF, wire.BareCR), "End every line of the head with CR LF. Scripts that print with LF alone, or values that hold a line break, are the usual source."},
	{wire.SetOf(wire.HeadCutInStatusLine, wire.HeadCutAfterStatusLine, wire.HeadCut, wire.HeadReset), "The application ended within the head. Look in its error log for a crash or a killed worker, and whether it ends the head with an empty line."},
	{wire.SetOf(wire.NoHeaderFields), "Let the server send at least Date and Content-Type: a head without fields is mostly written by hand."},
	{wire.SetOf(wire.FieldNameEmpty, wire.FieldNameByte, wire.FieldNoColon, wire.FieldSpaceBeforeColon, wire.FieldLeadingSpace),
		"Find what writes this field (a plugin, a script, `add_header`) and give it a name of letters, digits and hyphens, with the colon right behind it."},
	{wire.SetOf(wire.FieldObsFold, wire.FieldNUL, wire.FieldControlByte), "Find what writes this field and take line breaks and control bytes out of its value; mostly it is text from users or a file that was not cleaned."},
	{wire.SetOf(wire.HeadTooLarge, wire.FieldLineTooLong, wire.TooManyFields, wire.HeadEndless),
		"Send fewer or smaller fields: cookies first (one session id in place of state), then Content-Security-Policy, Link and debugging fields. Look for a cookie that is set again and again."},
	{wire.SetOf(wire.StatusLineTooLong), "Shorten the reason phrase: an error message stands in the status line. Put it into the content."},
	{wire.SetOf(wire.TooManyInterim), "The origin repeats interim (1xx) responses. Send early hints once, and the final response after them."},
	{wire.SetOf(wire.Unasked101), "The origin switches protocols without being asked. Look for a WebSocket handler on this path, or an edge that drops the Upgrade field on the way."},
	{wire.SetOf(wire.ContentLengthInvalid, wire.ContentLengthOverflow, wire.ContentLengthConflict, wire.ContentLengthRepeated),
		"Let the server alone set Content-Length, once, in digits: an application or a second proxy sets it as well."},
	{wire.SetOf(wire.LengthAndTransferEncoding), "Send either Content-Length or Transfer-Encoding: an application sets the one and the server the other. Remove the application's."},
	{wire.SetOf(wire.TransferCodingUnsupported, wire.TransferCodingMalformed), "Use `chunked` alone as transfer coding, once; compress with Content-Encoding."},
	{wire.SetOf(wire.TransferCodingInHTTP10), "Answer with HTTP/1.1, or without Transfer-Encoding: HTTP/1.0 has none."},
	{wire.SetOf(wire.BodyShort, wire.BodyReset), "The content is shorter than its Content-Length. Look for a worker that died while sending, a length counted before compression, or in characters in place of bytes."},
	{wire.SetOf(wire.CloseDelimitedReset, wire.TLSTruncated), "Send Content-Length or chunked content: where the end of the connection ends the content, nobody can tell it from a failure. Within TLS, close with close_notify."},
	{wire.SetOf(wire.ChunkedCut, wire.ChunkedReset), "The application ended within chunked content: look in its error log for a crash, a timeout or a killed worker; and see that the last chunk is written."},
	{wire.SetOf(wire.ChunkSizeInvalid, wire.ChunkSizeOverflow, wire.ChunkDataOverrun, wire.ChunkBareLF, wire.ChunkExtensionInvalid, wire.ChunkLineTooLong),
		"Chunks are written by hand, or content is written that claims to be chunked and is not. Let the server's HTTP library do the framing."},
	{wire.SetOf(wire.TrailerInvalid, wire.TrailerTooLarge), "Send fewer trailer fields, well-formed, or none."},
	{wire.SetOf(wire.BodyTooLarge), "Send less content, or raise the budget that is set for it (`--max-body`)."},
	{wire.SetOf(ContentCodingCorrupt), "The content is not what Content-Encoding says: it is compressed twice or not at all, or something is appended behind it. Let one place compress."},
	{wire.SetOf(wire.NearBudget), "Make the head smaller before it is refused: one more cookie may do it."},
	{wire.SetOf(wire.BodyNotAllowed), "Send no content with 204, 304 and answers to HEAD."},
}
