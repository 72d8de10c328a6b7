package wire

import "bytes"

// Requests follows the requests that are written to one connection, as far as
// their responses' framing depends on them: what each asks for, and where it
// ends (RFC 9112 sections 3 and 6.3). It judges nothing else, save what might be
// read in two ways: lines end with CRLF, names are tokens, and neither CR nor NUL
// stands within a line. The zero Requests awaits the first one.
type Requests struct {
	// Request is what is asked for, valid from the end of a head until the next
	// request begins; Method is from the end of its line on, and empty before. It
	// shares no memory with the bytes.
	Request Request

	part   requestPart
	line   []byte // of a line that is not whole
	size   int    // bytes of the head so far
	length int64  // of the content: what is left, or what the head states; -1: nothing
	coded  bool   // Transfer-Encoding is stated
	old    bool   // HTTP/1.0
	named  bool   // Upgrade names a protocol
	option bool   // Connection names Upgrade
	chunks chunks
}

type requestPart uint8

const (
	inRequestLine requestPart = iota
	inRequestFields
	inRequestLength
	inRequestChunks
	inRequestTrailer
	requestWhole // Done is due
)

const (
	maxRequestLine = 64 << 10 // bytes of a line that are kept; one that comes in one piece is not
	maxRequestHead = 1 << 20
)

// Next looks at b, the next bytes that are written; they are not kept. The first
// n of b are done with: all of them where there is neither event nor error. An
// event is FinalHead, at the end of a head; Content, bytes of content and of its
// framing; or Done, at the end of a request. The error is a Reason, as of a
// response, for which it is uncertain where the request ends: its b[n] is at
// fault, or begins the line that is. After an error s is of no use.
func (s *Requests) Next(b []byte) (ev Event, n int, err error) {
	switch s.part {
	case requestWhole:
		s.part = inRequestLine
		return Done, 0, nil
	case inRequestLength:
		n = int(min(int64(len(b)), s.length))
		s.length -= int64(n)
	case inRequestChunks:
		var r Reason
		if n, r = s.chunk(b); r != OK {
			return NoEvent, n, r
		}
	default:
		return s.lines(b)
	}
	if s.part == inRequestLength && s.length == 0 {
		s.part = requestWhole
	}
	if n == 0 {
		return NoEvent, 0, nil
	}
	return Content, n, nil
}

// CopyTo makes d what s is. They share no memory; that of d is used again.
func (s *Requests) CopyTo(d *Requests) {
	line := append(d.line[:0], s.line...)
	*d = *s
	d.line = line
}

// Between reports whether no request has begun whose Done was not given. An empty
// line, or its CR, begins none.
func (s *Requests) Between() bool {
	return s.part == inRequestLine && (s.size == 0 || s.size == 1 && s.line[0] == '\r')
}

// chunk takes framing and data up to the trailer section.
func (s *Requests) chunk(b []byte) (n int, r Reason) {
	for n < len(b) {
		c := &s.chunks
		k, r := c.next(b[n:], DefaultChunkLine)
		n += k
		switch {
		case r != OK:
			return n, r
		case c.state == lastChunk:
			s.part = inRequestTrailer
			return n, OK
		case c.state == chunkData:
			k := min(int64(len(b)-n), c.left)
			n += int(k)
			if c.left -= k; c.left == 0 {
				c.state = dataCR
			}
		}
	}
	return n, OK
}

// lines takes lines, up to the end of a head or a trailer section.
func (s *Requests) lines(b []byte) (ev Event, n int, err error) {
	for n < len(b) {
		if s.part == inRequestLine && s.size == 0 {
			s.Request = Request{}
		}
		line, end, whole := s.take(b[n:])
		if s.size += end; s.size > maxRequestHead || len(s.line) > maxRequestLine {
			return NoEvent, n, HeadTooLarge
		}
		if !whole {
			return NoEvent, len(b), nil
		}
		trailer := s.part == inRequestTrailer
		text := bytes.TrimSuffix(line, []byte("\r"))
		ev, r := s.took(text)
		switch {
		case r != OK:
		case len(text) == len(line):
			r = BareLF
		case bytes.IndexByte(text, '\r') >= 0:
			r = BareCR
		case bytes.IndexByte(text, 0) >= 0:
			r = FieldNUL
		}
		if r != OK && trailer {
			r = TrailerInvalid
		}
		if r != OK {
			return NoEvent, n, r
		}
		n += end
		if s.line = s.line[:0]; ev != NoEvent {
			s.size = 0
			return ev, n, nil
		}
	}
	return NoEvent, n, nil
}

// take takes a line from b, whose first end bytes are done with, with its CR; one
// that is not whole is kept.
func (s *Requests) take(b []byte) (line []byte, end int, whole bool) {
	end = bytes.IndexByte(b, '\n') + 1
	switch {
	case end == 0:
		s.line = append(s.line, b[:min(len(b), maxRequestLine+1-len(s.line))]...)
		return nil, len(b), false
	case len(s.line) > 0:
		s.line = append(s.line, b[:end]...)
		line = s.line
	default:
		line = b[:end]
	}
	return line[:len(line)-1], end, true
}

// took takes a whole line.
func (s *Requests) took(line []byte) (Event, Reason) {
	switch {
	case s.part == inRequestLine && len(line) == 0: // RFC 9112 section 2.2
		s.size = 0
		return NoEvent, OK
	case s.part == inRequestLine:
		return NoEvent, s.begin(line)
	case len(line) > 0 && s.part == inRequestTrailer:
		_, r := fieldName(line)
		return NoEvent, r
	case len(line) > 0:
		return NoEvent, s.field(line)
	case s.part == inRequestTrailer:
		s.part = inRequestLine
		return Done, OK
	case s.coded && s.length >= 0:
		return NoEvent, LengthAndTransferEncoding
	case s.coded:
		s.part, s.chunks = inRequestChunks, chunks{}
	case s.length > 0:
		s.part = inRequestLength
	default:
		s.part = requestWhole
	}
	return FinalHead, OK
}

// begin takes a request line.
//
//	request-line = method SP request-target SP HTTP-version
//
// (RFC 9112 section 3.) Of the target nothing is asked.
func (s *Requests) begin(line []byte) Reason {
	const version = " HTTP/1.x"
	at := bytes.IndexByte(line, ' ')
	behind := len(line) - len(version)
	if at <= 0 || behind <= at || string(line[behind:len(line)-1]) != version[:len(version)-1] || !isDigit(line[len(line)-1]) {
		return ProtocolName
	}
	for _, c := range line[:at] {
		if !isToken(c) {
			return ProtocolName
		}
	}
	s.Request = Request{Method: method(line[:at])}
	s.part, s.length, s.coded, s.named, s.option = inRequestFields, -1, false, false, false
	s.old = line[len(line)-1] == '0'
	return OK
}

// method gives a method as a string: a common one is not allocated.
func method(b []byte) string {
	for _, m := range [...]string{"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT"} {
		if string(b) == m {
			return m
		}
	}
	return string(b)
}

// fieldName gives the name of a field line, which is not empty.
func fieldName(line []byte) ([]byte, Reason) {
	colon := bytes.IndexByte(line, ':')
	switch {
	case isSpace(line[0]):
		return nil, FieldObsFold
	case colon < 0:
		return nil, FieldNoColon
	case colon == 0:
		return nil, FieldNameByte
	case isSpace(line[colon-1]):
		return nil, FieldSpaceBeforeColon
	}
	for _, c := range line[:colon] {
		if !isToken(c) {
			return nil, FieldNameByte
		}
	}
	return line[:colon], OK
}

// field takes a field line.
func (s *Requests) field(line []byte) Reason {
	name, r := fieldName(line)
	if r != OK {
		return r
	}
	value := bytes.Trim(line[len(name)+1:], " \t")
	switch len(name) {
	case len("expect"):
		s.Request.Expect = s.Request.Expect || equalFold(name, "expect") && equalFold(value, "100-continue")
	case len("upgrade"):
		s.named = s.named || equalFold(name, "upgrade") && len(bytes.Trim(value, " \t,")) > 0
		s.Request.Upgrade = s.named && s.option
	case len("connection"):
		s.option = s.option || equalFold(name, "connection") && lists(value, "upgrade")
		s.Request.Upgrade = s.named && s.option
	case len(contentLength):
		if equalFold(name, contentLength) {
			return s.state(value)
		}
	case len(transferEncoding):
		switch {
		case !equalFold(name, transferEncoding):
		case s.coded || !equalFold(value, "chunked"):
			return TransferCodingUnsupported
		case s.old: // RFC 9112 section 6.1
			return TransferCodingInHTTP10
		default:
			s.coded = true
		}
	}
	return OK
}

// lists reports whether a list has that member (RFC 9110 section 5.6.1).
func lists(list []byte, lower string) bool {
	for member := range bytes.SplitSeq(list, []byte(",")) {
		if equalFold(bytes.Trim(member, " \t"), lower) {
			return true
		}
	}
	return false
}

// state takes a Content-Length.
func (s *Requests) state(value []byte) Reason {
	n, _, r := number(value)
	switch {
	case r != OK:
		return r
	case s.length >= 0 && s.length != n:
		return ContentLengthConflict
	case s.length >= 0:
		return ContentLengthRepeated
	}
	s.length = n
	return OK
}
