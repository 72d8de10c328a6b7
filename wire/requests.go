package wire

import "bytes"

// Requests follows the requests that are written to one connection, as far as
// their responses' framing depends on them: what each asks for, and where it
// ends (RFC 9112 sections 3 and 6.3). It judges nothing else. The zero Requests
// awaits the first one.
type Requests struct {
	Request Request // what the last whole head asks for; Method shares no memory with the bytes

	part   requestPart
	line   []byte // of a line that is not whole
	size   int    // bytes of the head so far
	length int64  // of the content: what is left, or what the head states; -1: nothing
	coded  bool   // Transfer-Encoding is stated
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

// Between reports whether no request has begun whose Done was not given.
func (s *Requests) Between() bool { return s.part == inRequestLine && s.size == 0 }

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
		line, end, whole := s.take(b[n:])
		if s.size += end; s.size > maxRequestHead || len(s.line) > maxRequestLine {
			return NoEvent, n, HeadTooLarge
		}
		if !whole {
			return NoEvent, len(b), nil
		}
		ev, r := s.took(line)
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

// take takes a line from b, whose first end bytes are done with; one that is
// not whole is kept.
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
	line = line[:len(line)-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, end, true
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
		return NoEvent, OK
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

// field takes a field line.
func (s *Requests) field(line []byte) Reason {
	colon := bytes.IndexByte(line, ':')
	switch {
	case isSpace(line[0]):
		return FieldObsFold
	case colon < 0:
		return FieldNoColon
	case colon > 0 && isSpace(line[colon-1]):
		return FieldSpaceBeforeColon
	}
	name, value := line[:colon], bytes.Trim(line[colon+1:], " \t")
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
