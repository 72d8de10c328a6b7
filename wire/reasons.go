package wire

// The reasons that bytes and the end of a stream can show. To add one: a
// constant here, a row in the table below, a row in the vocabulary of package
// validator, and a vector or an origin that shows it. The numbers are nobody's
// business: what is stored and printed is the token.
const (
	// OK is no fault. It is never returned as an error.
	OK Reason = iota
	// ErrIncomplete is no fault either: more bytes are needed.
	ErrIncomplete

	ResetAfterRequest
	ClosedWithoutAByte
	BytesOnIdleConnection
	FirstByteTimeout
	HeadStalled
	HeadDeadline
	BodyStalled
	ChunkedStalled
	CloseDelimitedStalled
	BodyDeadline
	InterimThenStall
	HTTP2OnHTTP1Port
	TLSRecordOnPlaintextPort
	OtherProtocolBanner
	NotHTTPBinary
	NotHTTPText
	HeadersWithoutStatusLine
	OutputBeforeStatusLine
	BlankLineBeforeStatusLine
	ProtocolName
	HTTPVersion
	StatusLineWhitespace
	StatusCodeMissing
	StatusCodeDigits
	StatusCodeRange
	ReasonPhraseByte
	BareLF
	BareCR
	HeadCutInStatusLine
	HeadCutAfterStatusLine
	HeadCut
	HeadReset
	InterimThenClose
	NoHeaderFields
	FieldNameEmpty
	FieldNameByte
	FieldNoColon
	FieldSpaceBeforeColon
	FieldLeadingSpace
	FieldObsFold
	FieldNUL
	FieldControlByte
	HeadTooLarge
	FieldLineTooLong
	StatusLineTooLong
	TooManyFields
	HeadEndless
	TooManyInterim
	Unasked101
	ContentLengthInvalid
	ContentLengthOverflow
	ContentLengthConflict
	ContentLengthRepeated
	LengthAndTransferEncoding
	TransferCodingUnsupported
	TransferCodingMalformed
	TransferCodingInHTTP10
	BodyNotAllowed
	BytesAfterResponse
	BodyShort
	BodyReset
	CloseDelimitedReset
	TLSTruncated
	ChunkedCut
	ChunkedReset
	ChunkSizeInvalid
	ChunkSizeOverflow
	ChunkDataOverrun
	ChunkBareLF
	ChunkExtensionInvalid
	ChunkLineTooLong
	TrailerInvalid
	TrailerTooLarge
	BodyTooLarge
	StatusCodeUnassignedClass
	ReasonPhraseMissing
	HTTPMinorVersion
	UnknownInterim
	FieldObsText
	FieldNameUnderscore
	ContentLengthOnNoContent
	ContentOnResetContent
	NearBudget
)

// reasons is the one table of what wire declares.
var reasons = [256]ReasonInfo{
	OK:            {"ok", "the response is whole and well-formed", "", false},
	ErrIncomplete: {"incomplete", "more bytes are needed", "", false},

	ResetAfterRequest:         {"reset-after-request", "the origin reset the connection after its TCP had acknowledged the whole request, before any byte of the response; whether the application had read it cannot be known", "RFC 9293 section 3.5", false},
	ClosedWithoutAByte:        {"closed-without-a-byte", "the origin read the request and closed the connection without a byte of response", "RFC 9293 section 3.5", false},
	BytesOnIdleConnection:     {"bytes-on-idle-connection", "the origin sent bytes on an idle connection that nobody had asked for: that connection must not be used again", "RFC 9112 section 9.2", true},
	FirstByteTimeout:          {"first-byte-timeout", "no byte of the response came in time", "", false},
	HeadStalled:               {"head-stalled", "the response head began and then stopped", "", false},
	HeadDeadline:              {"head-deadline", "the head was still arriving, byte by byte, when its overall deadline passed", "", false},
	BodyStalled:               {"body-stalled", "a body of known length began and then stopped", "", false},
	ChunkedStalled:            {"chunked-stalled", "a chunked body began and then stopped", "", false},
	CloseDelimitedStalled:     {"close-delimited-stalled", "a body that ends with the connection stopped without ending", "", false},
	BodyDeadline:              {"body-deadline", "content was still arriving when the deadline for the whole exchange passed", "", false},
	InterimThenStall:          {"interim-then-stall", "an interim (1xx) response came, and then nothing", "RFC 9110 section 15.2", false},
	HTTP2OnHTTP1Port:          {"http2-on-http1-port", "the origin speaks HTTP/2 on a connection that asked for HTTP/1.1", "", false},
	TLSRecordOnPlaintextPort:  {"tls-record-on-plaintext-port", "the origin speaks TLS on a connection that is plaintext", "RFC 8446 section 6", false},
	OtherProtocolBanner:       {"other-protocol-banner", "the port belongs to another protocol (SSH, SMTP, FTP, POP3, IMAP, MySQL, Redis, ...), which is named", "", false},
	NotHTTPBinary:             {"not-http-binary", "the first bytes are binary and of no protocol known here", "", false},
	NotHTTPText:               {"not-http-text", "the first bytes are text, an HTTP/0.9-style body perhaps, and no status line", "", false},
	HeadersWithoutStatusLine:  {"headers-without-status-line", "header fields came with no status line before them (a CGI script's output, typically)", "", false},
	OutputBeforeStatusLine:    {"output-before-status-line", "other output precedes a status line (a warning printed by the application, a byte-order mark)", "", false},
	BlankLineBeforeStatusLine: {"blank-line-before-status-line", "one or more empty lines precede the status line", "RFC 9112 section 2.2", false},
	ProtocolName:              {"protocol-name", "the status line begins with another protocol name than HTTP (http, HTTPS, ICY, RTSP)", "RFC 9112 section 4", false},
	HTTPVersion:               {"http-version", "the HTTP version is not 1.x, or not one digit, a dot and one digit", "RFC 9112 section 2.3", false},
	StatusLineWhitespace:      {"status-line-whitespace", "the parts of the status line are not separated by one space", "RFC 9112 section 4", false},
	StatusCodeMissing:         {"status-code-missing", "the status line ends before a status code", "RFC 9112 section 4", false},
	StatusCodeDigits:          {"status-code-digits", "the status code is not three digits", "RFC 9112 section 4", false},
	StatusCodeRange:           {"status-code-range", "the status code is below 100", "RFC 9112 section 4", false},
	ReasonPhraseByte:          {"reason-phrase-byte", "a control byte stands in the reason phrase", "RFC 9112 section 4", false},
	BareLF:                    {"bare-lf", "a line of the head ends with LF alone", "RFC 9112 section 2.2", false},
	BareCR:                    {"bare-cr", "a CR stands without LF in the head: lines that end with CR alone, or a CR in a field or reason phrase", "RFC 9112 section 2.2", false},
	HeadCutInStatusLine:       {"head-cut-in-status-line", "the connection was closed within the status line", "RFC 9112 section 8", false},
	HeadCutAfterStatusLine:    {"head-cut-after-status-line", "the connection was closed after the status line, before the first byte of a field line", "RFC 9112 section 8", false},
	HeadCut:                   {"head-cut", "the connection was closed within the header section, after the first byte of a field line", "RFC 9112 section 8", false},
	HeadReset:                 {"head-reset", "the connection was reset within the head, or after an interim response", "RFC 9112 section 8", false},
	InterimThenClose:          {"interim-then-close", "an interim (1xx) response came, and then the connection closed", "RFC 9110 section 15.2", false},
	NoHeaderFields:            {"no-header-fields", "the final response has a status line and not one header field: legal HTTP, refused by policy", "", false},
	FieldNameEmpty:            {"field-name-empty", "a field line begins with the colon", "RFC 9110 section 5.1", false},
	FieldNameByte:             {"field-name-byte", "a field name holds a byte that is no token character", "RFC 9110 section 5.1", false},
	FieldNoColon:              {"field-no-colon", "a field line has no colon", "RFC 9110 section 5.1", false},
	FieldSpaceBeforeColon:     {"field-space-before-colon", "white space stands between field name and colon", "RFC 9112 section 5.1", false},
	FieldLeadingSpace:         {"field-leading-space", "white space stands between the status line and the first field", "RFC 9112 section 2.2", false},
	FieldObsFold:              {"field-obs-fold", "a field value goes on in the next line (obsolete line folding)", "RFC 9112 section 5.2", false},
	FieldNUL:                  {"field-nul", "a NUL stands in a field line", "RFC 9110 section 5.5", false},
	FieldControlByte:          {"field-control-byte", "a control byte stands in a field value", "RFC 9110 section 5.5", false},
	HeadTooLarge:              {"head-too-large", "the head is larger than the budget for the whole head", "RFC 9110 section 5.4", false},
	FieldLineTooLong:          {"field-line-too-long", "one field line is larger than the budget for a line", "RFC 9110 section 5.4", false},
	StatusLineTooLong:         {"status-line-too-long", "the status line is larger than the budget for a line", "RFC 9112 section 4", false},
	TooManyFields:             {"too-many-fields", "there are more field lines than the budget allows", "RFC 9110 section 5.4", false},
	HeadEndless:               {"head-endless", "the head was still going on when even the ceiling for measuring it was reached", "RFC 9110 section 5.4", false},
	TooManyInterim:            {"too-many-interim", "more interim (1xx) responses than the budget allows", "RFC 9110 section 15.2", false},
	Unasked101:                {"unasked-101", "the origin switched protocols though no upgrade was asked for", "RFC 9110 section 15.2.2", false},
	ContentLengthInvalid:      {"content-length-invalid", "a Content-Length value is not digits only", "RFC 9112 section 6.3", false},
	ContentLengthOverflow:     {"content-length-overflow", "a Content-Length value is larger than 2^63-1", "RFC 9112 section 6.3", false},
	ContentLengthConflict:     {"content-length-conflict", "Content-Length values differ", "RFC 9112 section 6.3", false},
	ContentLengthRepeated:     {"content-length-repeated", "the same Content-Length value comes more than once", "RFC 9112 section 6.3", false},
	LengthAndTransferEncoding: {"length-and-transfer-encoding", "Content-Length and Transfer-Encoding come together", "RFC 9112 section 6.3", false},
	TransferCodingUnsupported: {"transfer-coding-unsupported", "a transfer coding other than chunked is used", "RFC 9112 section 6.1", false},
	TransferCodingMalformed:   {"transfer-coding-malformed", "Transfer-Encoding is no list of codings, or chunked comes twice or not last", "RFC 9112 section 6.1", false},
	TransferCodingInHTTP10:    {"transfer-coding-in-http10", "an HTTP/1.0 response uses Transfer-Encoding", "RFC 9112 section 6.1", false},
	BodyNotAllowed:            {"body-not-allowed", "a response that can have no content (204, 304, to HEAD) carries bytes after its head: it is whole without them, and its connection must not be used again", "RFC 9112 section 6.3", true},
	BytesAfterResponse:        {"bytes-after-response", "bytes follow the end of the response: it is whole, and its connection must not be used again", "RFC 9112 section 9.2", true},
	BodyShort:                 {"body-short", "the connection was closed before all of Content-Length had come", "RFC 9112 section 8", false},
	BodyReset:                 {"body-reset", "the connection was reset before all of Content-Length had come", "RFC 9112 section 8", false},
	CloseDelimitedReset:       {"close-delimited-reset", "a body that ends with the connection was ended by a reset: it cannot be known to be whole", "RFC 9112 section 8", false},
	TLSTruncated:              {"tls-truncated", "a body that ends with the connection was ended without TLS close_notify: it cannot be known to be whole", "RFC 9112 section 9.8", false},
	ChunkedCut:                {"chunked-cut", "the connection was closed before the last chunk and its final CRLF", "RFC 9112 section 8", false},
	ChunkedReset:              {"chunked-reset", "the connection was reset before the last chunk and its final CRLF", "RFC 9112 section 8", false},
	ChunkSizeInvalid:          {"chunk-size-invalid", "a chunk size is not hexadecimal digits", "RFC 9112 section 7.1", false},
	ChunkSizeOverflow:         {"chunk-size-overflow", "a chunk size is larger than 2^63-1", "RFC 9112 section 7.1", false},
	ChunkDataOverrun:          {"chunk-data-overrun", "no CRLF follows the chunk's data: the size is wrong", "RFC 9112 section 7.1", false},
	ChunkBareLF:               {"chunk-bare-lf", "a line of the chunked framing ends with LF alone", "RFC 9112 section 7.1", false},
	ChunkExtensionInvalid:     {"chunk-extension-invalid", "a chunk extension is malformed", "RFC 9112 section 7.1.1", false},
	ChunkLineTooLong:          {"chunk-line-too-long", "a chunk-size line is larger than its budget", "RFC 9112 section 7.1.1", false},
	TrailerInvalid:            {"trailer-invalid", "a trailer field is malformed", "RFC 9112 section 7.1.2", false},
	TrailerTooLarge:           {"trailer-too-large", "the trailer section is larger than its budget", "RFC 9112 section 7.1.2", false},
	BodyTooLarge:              {"body-too-large", "the body is larger than the budget set for it", "", false},
	StatusCodeUnassignedClass: {"status-code-unassigned-class", "the status code is 600 or above", "RFC 9112 section 4", true},
	ReasonPhraseMissing:       {"reason-phrase-missing", "the status line ends right after the code, without the space that the grammar wants", "RFC 9112 section 4", true},
	HTTPMinorVersion:          {"http-minor-version", "the version is 1.2 or later, which RFC 9110 tells a recipient to treat as 1.1", "RFC 9112 section 2.3", true},
	UnknownInterim:            {"unknown-interim", "an interim (1xx) status code that is not registered", "RFC 9110 section 15.2", true},
	FieldObsText:              {"field-obs-text", "a field value holds bytes above 0x7F", "RFC 9110 section 5.5", true},
	FieldNameUnderscore:       {"field-name-underscore", "a field name holds an underscore, which some servers drop", "RFC 9110 section 5.1", true},
	ContentLengthOnNoContent:  {"content-length-on-no-content", "a 204 or an interim response states a length or a transfer coding, which is ignored", "RFC 9112 section 6.3", true},
	ContentOnResetContent:     {"content-on-reset-content", "a 205 carries content", "RFC 9110 section 15.3.6", true},
	NearBudget:                {"near-budget", "the head uses more than 80 % of its budget", "RFC 9110 section 5.4", true},
}
