package origintest

import (
	"strings"
	"time"

	"why520/validator"
	"why520/wire"
)

var firstBytes = []Fault{
	{Name: "http2-on-http1-port", Reason: wire.HTTP2OnHTTP1Port, About: "an HTTP/2 SETTINGS frame", script: answer("\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64")},
	{Name: "tls-record-on-plaintext-port", Reason: wire.TLSRecordOnPlaintextPort, About: "a TLS alert to a request in plaintext", script: answer(alert(70))},
	{Name: "other-protocol-banner", Reason: wire.OtherProtocolBanner, About: "SSH, which speaks first", script: script{send("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), silence}},
	{Name: "other-protocol-banner/smtp", Reason: wire.OtherProtocolBanner, About: "SMTP, which speaks first", script: script{send("220 mail.test ESMTP Postfix\r\n"), silence}},
	{Name: "other-protocol-banner/ftp", Reason: wire.OtherProtocolBanner, About: "FTP, which speaks first", script: script{send("220 (vsFTPd 3.0.3)\r\n"), silence}},
	{Name: "other-protocol-banner/pop3", Reason: wire.OtherProtocolBanner, About: "POP3, which speaks first", script: script{send("+OK Dovecot ready.\r\n"), silence}},
	{Name: "other-protocol-banner/imap", Reason: wire.OtherProtocolBanner, About: "IMAP, which speaks first", script: script{send("* OK [CAPABILITY IMAP4rev1] ready.\r\n"), silence}},
	{Name: "other-protocol-banner/mysql", Reason: wire.OtherProtocolBanner, About: "MySQL, which speaks first", script: script{send("\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00abcdefgh\x00"), silence}},
	{Name: "other-protocol-banner/vnc", Reason: wire.OtherProtocolBanner, About: "VNC, which speaks first", script: script{send("RFB 003.008\n"), silence}},
	{Name: "other-protocol-banner/redis", Reason: wire.OtherProtocolBanner, About: "Redis, which answers to GET", script: answer("-ERR wrong number of arguments for 'get' command\r\n")},
	{Name: "not-http-binary", Reason: wire.NotHTTPBinary, About: "bytes of no known protocol", script: answer("\x01\x02\x03\x04\x05")},
	{Name: "not-http-text", Reason: wire.NotHTTPText, About: "content without a head, as HTTP/0.9 had", script: answer("<html>hello</html>\n")},
	{Name: "headers-without-status-line", Reason: wire.HeadersWithoutStatusLine, About: "a CGI script's output", script: answer("Content-Type: text/html\r\n\r\n<html>hello</html>\n")},
	{Name: "output-before-status-line", Reason: wire.OutputBeforeStatusLine, About: "a warning, and then a response", script: answer("Warning: foo() in /a.php on line 3\n" + okText)},
	{Name: "output-before-status-line/bom", Reason: wire.OutputBeforeStatusLine, About: "a byte-order mark, and then a response", script: answer("\xEF\xBB\xBF" + okText)},
	{Name: "blank-line-before-status-line", Reason: wire.BlankLineBeforeStatusLine, About: "an empty line, and then a response", script: answer("\r\n" + okText)},
	{Name: "protocol-name", Reason: wire.ProtocolName, About: "a status line of RTSP", script: answer("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n")},
	{Name: "http-version", Reason: wire.HTTPVersion, About: "HTTP/2.0 in text", script: answer("HTTP/2.0 200 OK\r\nServer: x\r\n\r\n")},
}

var statusLine = []Fault{
	{Name: "status-line-whitespace", Reason: wire.StatusLineWhitespace, About: "two spaces before the code", script: answer("HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n")},
	{Name: "status-code-missing", Reason: wire.StatusCodeMissing, About: "no status code", script: answer("HTTP/1.1\r\nContent-Length: 0\r\n\r\n")},
	{Name: "status-code-digits", Reason: wire.StatusCodeDigits, About: "a code of two digits", script: answer("HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n")},
	{Name: "status-code-range", Reason: wire.StatusCodeRange, About: "the code 099", script: answer("HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n")},
	{Name: "reason-phrase-byte", Reason: wire.ReasonPhraseByte, About: "an escape byte in the reason phrase", script: answer("HTTP/1.1 200 \x1b[1mOK\r\nContent-Length: 0\r\n\r\n")},
	{Name: "bare-lf", Reason: wire.BareLF, About: "lines that end with LF alone", script: answer("HTTP/1.1 200 OK\nContent-Length: 0\n\n")},
	{Name: "bare-cr", Reason: wire.BareCR, About: "a CR within a value", script: answer("HTTP/1.1 200 OK\r\nServer: a\rb\r\n\r\n")},
	{Name: "head-cut-in-status-line", Reason: wire.HeadCutInStatusLine, About: "closes within the status line", script: answer("HTTP/1.1 20")},
	{Name: "head-cut-after-status-line", Reason: wire.HeadCutAfterStatusLine, About: "closes behind the status line", script: answer("HTTP/1.1 200 OK\r\n")},
	{Name: "head-cut", Reason: wire.HeadCut, About: "closes within the fields", script: answer(head200 + "Content-Le")},
	{Name: "head-reset", Reason: wire.HeadReset, About: "resets within the fields", script: script{read, send(head200 + "Content-Le"), rst}},
	{Name: "head-reset/interim", Reason: wire.HeadReset, About: "100, and then a reset", script: script{read, send("HTTP/1.1 100 Continue\r\n\r\n"), rst}},
	{Name: "interim-then-close", Reason: wire.InterimThenClose, About: "100, and then closes", script: answer("HTTP/1.1 100 Continue\r\n\r\n")},
	{Name: "no-header-fields", Reason: wire.NoHeaderFields, About: "not one field", script: answer("HTTP/1.1 200 OK\r\n\r\nhello")},
}

var fieldLines = []Fault{
	{Name: "field-name-empty", Reason: wire.FieldNameEmpty, About: "a line that begins with the colon", script: answer(head200 + ": x\r\n\r\n")},
	{Name: "field-name-byte", Reason: wire.FieldNameByte, About: "a space within a name", script: answer(head200 + "My Name: x\r\n\r\n")},
	{Name: "field-no-colon", Reason: wire.FieldNoColon, About: "a line without a colon", script: answer(head200 + "hello world\r\n\r\n")},
	{Name: "field-space-before-colon", Reason: wire.FieldSpaceBeforeColon, About: "a space before the colon", script: answer(head200 + "Content-Length : 0\r\n\r\n")},
	{Name: "field-leading-space", Reason: wire.FieldLeadingSpace, About: "white space before the first field", script: answer("HTTP/1.1 200 OK\r\n Server: x\r\nContent-Length: 0\r\n\r\n")},
	{Name: "field-obs-fold", Reason: wire.FieldObsFold, About: "a value in two lines", script: answer(head200 + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n")},
	{Name: "field-nul", Reason: wire.FieldNUL, About: "a NUL in a value", script: answer(head200 + "X: a\x00b\r\n\r\n")},
	{Name: "field-control-byte", Reason: wire.FieldControlByte, About: "a backspace in a value", script: answer(head200 + "X: a\bb\r\nContent-Length: 0\r\n\r\n")},
}

// cookies gives bytes of Set-Cookie lines, each of 100.
func cookies(bytes int) string {
	return strings.Repeat("Set-Cookie: "+strings.Repeat("c", 86)+"\r\n", bytes/100)
}

var budgets = []Fault{
	{Name: "head-too-large", Reason: wire.HeadTooLarge, About: "9 KB of cookies", script: answer(head200 + cookies(9000) + "Content-Length: 0\r\n\r\n")},
	{Name: "field-line-too-long", Reason: wire.FieldLineTooLong, About: "a field line of 5 KB, where 4 KB fit", script: answer(head200 + "X: " + strings.Repeat("x", 5000) + "\r\n\r\n"),
		tune: limits(wire.Limits{Line: 4096})},
	{Name: "status-line-too-long", Reason: wire.StatusLineTooLong, About: "an error message as reason phrase", script: answer("HTTP/1.1 500 " + strings.Repeat("x", 9000) + "\r\nServer: x\r\n\r\n")},
	{Name: "too-many-fields", Reason: wire.TooManyFields, About: "300 fields", script: answer(head200 + strings.Repeat("X: y\r\n", 300) + "\r\n")},
	{Name: "head-endless", Reason: wire.HeadEndless, About: "2 MB of fields", script: script{read, send(head200), flood("X: y\r\n", 2<<20)}},
	{Name: "too-many-interim", Reason: wire.TooManyInterim, About: "17 interim responses", script: answer(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 17) + okText)},
	{Name: "unasked-101", Reason: wire.Unasked101, About: "switches protocols unasked", script: answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")},
}

var framing = []Fault{
	{Name: "content-length-invalid", Reason: wire.ContentLengthInvalid, About: "Content-Length: 5 bytes", script: answer(head200 + "Content-Length: 5 bytes\r\n\r\nhello")},
	{Name: "content-length-overflow", Reason: wire.ContentLengthOverflow, About: "Content-Length: 2^63", script: answer(head200 + "Content-Length: 9223372036854775808\r\n\r\nhello")},
	{Name: "content-length-conflict", Reason: wire.ContentLengthConflict, About: "two lengths", script: answer(head200 + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello")},
	{Name: "content-length-repeated", Reason: wire.ContentLengthRepeated, About: "the same length twice", script: answer(head200 + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello")},
	{Name: "length-and-transfer-encoding", Reason: wire.LengthAndTransferEncoding, About: "a length, and chunked", script: answer(head200 + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")},
	{Name: "transfer-coding-unsupported", Reason: wire.TransferCodingUnsupported, About: "gzip as transfer coding", script: answer(head200 + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")},
	{Name: "transfer-coding-malformed", Reason: wire.TransferCodingMalformed, About: "chunked twice", script: answer(head200 + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n")},
	{Name: "transfer-coding-in-http10", Reason: wire.TransferCodingInHTTP10, About: "chunked in HTTP/1.0", script: answer("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
	{Name: "body-short", Reason: wire.BodyShort, About: "5 of 10 bytes, then closes", script: answer(head200 + "Content-Length: 10\r\n\r\nhello")},
	{Name: "body-short/tls", Reason: wire.BodyShort, About: "the same within TLS, without close_notify", tls: goodTLS, script: script{read, send(head200 + "Content-Length: 10\r\n\r\nhello"), cut}},
	{Name: "body-reset", Reason: wire.BodyReset, About: "5 of 10 bytes, then a reset", script: script{read, send(head200 + "Content-Length: 10\r\n\r\nhello"), rst}},
	{Name: "close-delimited-reset", Reason: wire.CloseDelimitedReset, About: "content without an end, then a reset", script: script{read, send(head200 + "\r\nhello"), rst}},
	{Name: "body-too-large", Reason: wire.BodyTooLarge, About: "2 KB of content, where 1 KB fits", script: answer(head200 + "Content-Length: 2048\r\n\r\n" + strings.Repeat("x", 2048)),
		tune: limits(wire.Limits{Body: 1024})},
	{Name: "content-coding-corrupt", Reason: validator.ContentCodingCorrupt, About: "gzip that is none", script: answer(head200 + "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"),
		tune: func(p *validator.Prober) { p.Decode = true }},
}

const chunkedHead = head200 + "Transfer-Encoding: chunked\r\n\r\n"

var chunking = []Fault{
	{Name: "chunked-cut", Reason: wire.ChunkedCut, About: "closes before the last chunk", script: answer(chunkedHead + "5\r\nhello\r\n")},
	{Name: "chunked-reset", Reason: wire.ChunkedReset, About: "resets before the last chunk", script: script{read, send(chunkedHead + "5\r\nhello\r\n"), rst}},
	{Name: "chunk-size-invalid", Reason: wire.ChunkSizeInvalid, About: "content that is not chunked", script: answer(chunkedHead + "hello")},
	{Name: "chunk-size-overflow", Reason: wire.ChunkSizeOverflow, About: "a chunk of 2^64 bytes", script: answer(chunkedHead + "10000000000000000\r\n")},
	{Name: "chunk-data-overrun", Reason: wire.ChunkDataOverrun, About: "a chunk longer than its size", script: answer(chunkedHead + "3\r\nhello\r\n0\r\n\r\n")},
	{Name: "chunk-bare-lf", Reason: wire.ChunkBareLF, About: "chunk lines that end with LF alone", script: answer(chunkedHead + "5\nhello\n0\n\n")},
	{Name: "chunk-extension-invalid", Reason: wire.ChunkExtensionInvalid, About: "an extension without a name", script: answer(chunkedHead + "5;=x\r\nhello\r\n0\r\n\r\n")},
	{Name: "chunk-line-too-long", Reason: wire.ChunkLineTooLong, About: "an extension of 5 KB", script: answer(chunkedHead + "5;x=" + strings.Repeat("y", 5000) + "\r\nhello\r\n0\r\n\r\n")},
	{Name: "trailer-invalid", Reason: wire.TrailerInvalid, About: "a trailer line without a colon", script: answer(chunkedHead + "5\r\nhello\r\n0\r\nhello\r\n\r\n")},
	{Name: "trailer-too-large", Reason: wire.TrailerTooLarge, About: "9 KB of trailers", script: answer(chunkedHead + "5\r\nhello\r\n0\r\n" + strings.Repeat("X: y\r\n", 1500) + "\r\n")},
}

func notes(rs ...wire.Reason) []wire.Reason { return rs }

var noted = []Fault{
	{Name: "bytes-on-idle-connection", Notes: notes(wire.BytesOnIdleConnection), About: "sends more, unasked, after a while",
		ask: func(t *validator.Target) { t.Requests, t.Idle = 2, 5*time.Second }, script: script{read, send(okText), pause(short), send(okText), silence}},
	{Name: "body-not-allowed", Notes: notes(wire.BodyNotAllowed), About: "a 204 with content", script: answer("HTTP/1.1 204 No Content\r\nServer: x\r\n\r\nhello")},
	{Name: "bytes-after-response", Notes: notes(wire.BytesAfterResponse), About: "more than Content-Length", script: answer(okText + "!")},
	{Name: "answered-before-upload-done", Notes: notes(validator.AnsweredBeforeUploadDone), About: "answers, and does not read the upload", ask: upload(64 << 20),
		script: script{readHead, send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"), freeze}},
	{Name: "status-code-unassigned-class", Notes: notes(wire.StatusCodeUnassignedClass), About: "the code 999", script: answer("HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n")},
	{Name: "reason-phrase-missing", Notes: notes(wire.ReasonPhraseMissing), About: "no space behind the code", script: answer("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n")},
	{Name: "http-minor-version", Notes: notes(wire.HTTPMinorVersion), About: "HTTP/1.2", script: answer("HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n")},
	{Name: "unknown-interim", Notes: notes(wire.UnknownInterim), About: "the interim code 142", script: answer("HTTP/1.1 142 Hm\r\n\r\n" + okText)},
	{Name: "field-obs-text", Notes: notes(wire.FieldObsText), About: "UTF-8 in a value", script: answer("HTTP/1.1 200 OK\r\nServer: caf\xc3\xa9\r\nContent-Length: 0\r\n\r\n")},
	{Name: "field-name-underscore", Notes: notes(wire.FieldNameUnderscore), About: "an underscore in a name", script: answer("HTTP/1.1 200 OK\r\nX_Y: z\r\nContent-Length: 0\r\n\r\n")},
	{Name: "content-length-on-no-content", Notes: notes(wire.ContentLengthOnNoContent), About: "a 204 with a length", script: answer("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n")},
	{Name: "content-on-reset-content", Notes: notes(wire.ContentOnResetContent), About: "a 205 with content", script: answer("HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\nhello")},
	{Name: "near-budget", Notes: notes(wire.NearBudget), About: "7 KB of cookies", script: answer(head200 + cookies(7000) + "Content-Length: 0\r\n\r\n")},
}

// hostile goes on without end, where a client lets it.
var hostile = []Fault{
	{Name: "endless-head", Reason: wire.HeadEndless, About: "field lines without end", script: script{read, send(head200), flood("X: y\r\n", 1<<40)}},
	{Name: "endless-line", Reason: wire.HeadEndless, About: "a field line without end", script: script{read, send(head200 + "X: "), flood("y", 1<<40)}},
	{Name: "endless-interim", Reason: wire.TooManyInterim, About: "interim responses without end", script: script{read, flood("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 1<<40)}},
	{Name: "a-byte-a-second", Reason: wire.HeadDeadline, About: "one byte a second", script: script{read, send("HTTP/1.1 200 OK\r\nX: "), drip("y", time.Second, 1<<20)},
		tune: deadlines(validator.Deadlines{Head: 3 * time.Second})},
	{Name: "chunk-of-2^63", Reason: wire.ChunkSizeOverflow, About: "a chunk of 2^63 bytes", script: script{read, send(chunkedHead + "8000000000000000\r\n"), flood("y", 1<<40)}},
	{Name: "chunk-of-2^63-1", Reason: wire.BodyTooLarge, About: "a chunk of 2^63-1 bytes", script: script{read, send(chunkedHead + "7fffffffffffffff\r\n"), flood("y", 1<<40)},
		tune: limits(wire.Limits{Body: 1 << 20})},
	{Name: "gigabyte-of-trailers", Reason: wire.TrailerTooLarge, About: "trailer fields without end", script: script{read, send(chunkedHead + "0\r\n"), flood("X: y\r\n", 1<<30)}},
	{Name: "endless-surplus", Reason: wire.OK, Notes: notes(wire.BytesAfterResponse), About: "bytes without end behind a whole response", script: script{read, send(head200 + "Connection: close\r\nContent-Length: 0\r\n\r\n"), flood("y", 1<<40)},
		tune: deadlines(validator.Deadlines{Idle: time.Second})},
	{Name: "endless-extension", Reason: wire.ChunkLineTooLong, About: "a chunk extension without end", script: script{read, send(chunkedHead + "5;x="), flood("y", 1<<40)}},
}
