package wire

import "encoding/binary"

// head reads a head.
func (s *Stream) head(b []byte) (Event, int, error) {
	p := &s.parser
	if p.state == begun {
		p.Limits, p.Survey = s.limits, s.Survey
	}
	seen := len(p.Found)
	n, err := p.Parse(b)
	for _, f := range p.Found[seen:] {
		s.note(f.Reason, s.done+f.Offset)
	}
	status := p.Head.Status
	interim := 100 <= status && status < 200 && !(status == 101 && s.q.Upgrade)
	switch {
	case interim && s.Interim >= s.limits.Interim:
		return s.fail(TooManyInterim, s.done)
	case err == ErrIncomplete:
		return NoEvent, 0, err
	case err != nil:
		return s.refuseHead(p.result, n)
	}
	if r, off := s.frame(b); r != OK {
		return s.fail(r, s.done+int64(off))
	}
	if interim {
		s.Interim++
		s.part = behindInterim
		return InterimHead, n, nil
	}
	switch f := s.Framing; {
	case f.Delimiter == ByLength && f.Length > 0:
		s.part, s.left = inLength, f.Length
	case f.Delimiter == ByChunks:
		s.part = inChunks
	case f.Delimiter == ByClose:
		s.part = inClose
	case f.Delimiter == Tunnel:
		s.part = inTunnel
	default:
		s.part = whole
	}
	return FinalHead, n, nil
}

// frame judges a complete head, going on past what may be passed.
func (s *Stream) frame(b []byte) (Reason, int) {
	var passed Set
	for {
		f, off, err := s.parser.Head.Framing(b, s.q, passed)
		s.Framing = f
		r, _ := err.(Reason)
		switch {
		case err == nil && f.Delimiter == ByLength && f.Length > s.limits.Body:
			return BodyTooLarge, f.lengthAt
		case err == nil:
			return OK, 0
		case !s.limits.Tolerate.Has(r) && !(s.Survey && r.Tolerable()):
			return r, off
		}
		s.note(r, s.done+int64(off))
		passed = passed.With(r)
	}
}

// refuseHead refuses the head for r at its byte n, which a survey measures
// first where r is a budget's.
func (s *Stream) refuseHead(r Reason, n int) (Event, int, error) {
	ev, done, err := s.fail(r, s.done+int64(n))
	switch r {
	case HeadTooLarge, FieldLineTooLong, StatusLineTooLong, TooManyFields:
		if s.Survey {
			s.part = inMeasure
			s.measure = measure{skip: s.parser.line}
			return NoEvent, 0, nil
		}
	}
	return ev, done, err
}

// measure finds the end of a head without keeping it.
type measure struct {
	size  int  // bytes so far
	whole bool // the empty line was among them
	skip  int  // bytes that are known to hold no line end
	line  int  // bytes of the current line, a CR at its begin left out
	cr    bool // the current line began with a CR
}

// measureOn goes on measuring, up to the empty line or the ceiling.
func (s *Stream) measureOn(b []byte) (Event, int, error) {
	if len(b) == 0 {
		return NoEvent, 0, ErrIncomplete
	}
	m := &s.measure
	n := len(b)
	for i := m.skip; i < len(b); i++ {
		if m.size+i >= s.limits.Measure {
			s.fault, s.part, n = HeadEndless, failed, i
			break
		}
		switch c := b[i]; {
		case c == '\n' && m.line == 0:
			m.whole, s.part, n = true, failed, i+1
		case c == '\n':
			m.line, m.cr = 0, false
		case c == '\r' && m.line == 0 && !m.cr:
			m.cr = true
		default:
			m.line++
		}
		if m.whole {
			break
		}
	}
	m.size, m.skip = m.size+n, 0
	return Measuring, n, nil
}

// content takes content that ends by its length or with the connection.
func (s *Stream) content(b []byte) (Event, int, error) {
	if len(b) == 0 {
		return NoEvent, 0, ErrIncomplete
	}
	n := len(b)
	if s.part == inLength {
		n = int(min(int64(n), s.left))
		if s.left -= int64(n); s.left == 0 {
			s.part = whole
		}
	} else if room := s.limits.Body - s.Bytes; int64(n) > room {
		if n = int(room); n == 0 {
			return s.fail(BodyTooLarge, s.done)
		}
	}
	return s.segment(n, n)
}

// segment gives size bytes of content at the end of n.
func (s *Stream) segment(n, size int) (Event, int, error) {
	s.Segment = size
	s.Bytes += int64(size)
	return Content, n, nil
}

// Segments takes many segments of chunked content at once: what Next would take
// of b as Content events, as long as each chunk has a size of at most six digits
// and no extension. It gives them as spans of b, at most len(to), and n, how many
// bytes are done with; then it is Next's turn, with b[n:], to say what comes.
func (s *Stream) Segments(b []byte, to []Span) (segments []Span, n int) {
	c := &s.chunks
	if s.part != inChunks || c.state != dataCR && c.state != sizeBegin || s.limits.ChunkLine < 6 {
		return nil, 0
	}
	lead := 0 // bytes before a size line: the CRLF of the chunk before
	if c.state == dataCR {
		lead = len("\r\n")
	}
	var (
		room         = s.limits.Body - s.Bytes
		left         = 0       // of the last chunk's data
		line, other  uint64    // the last size line, and what shifts away what is behind it
		size, digits int       // what it says
		k            = len(to) // spans that are still to fill
	)
	for k > 0 && left == 0 {
		p := b[n:]
		if len(p) < lead+8 || lead > 0 && binary.LittleEndian.Uint16(p) != crlf {
			break
		}
		// Chunks are often of one size. That the line is as the one before is
		// foretold, and then nothing waits for its digits.
		if w := binary.LittleEndian.Uint64(p[lead:]); (w^line)<<(other&63) != 0 {
			size, digits = plainSize(w)
			line, other = w, uint64(64-8*(digits+len("\r\n")))
		}
		at := lead + digits + len("\r\n")
		segment := len(p) - at
		if size == 0 || int64(size) > room || segment <= 0 {
			break
		}
		segment = min(segment, size)
		to[len(to)-k] = Span{uint32(n + at), uint32(segment)}
		n, room, left, lead, k = n+at+segment, room-int64(segment), size-segment, len("\r\n"), k-1
	}
	segments = to[:len(to)-k]
	if len(segments) == 0 {
		return nil, 0
	}
	c.state = dataCR
	if left > 0 {
		c.left, c.state = int64(left), chunkData
	}
	s.Segment = int(segments[len(segments)-1].Len)
	s.Bytes = s.limits.Body - room
	s.done += int64(n)
	s.waiting = len(b) - n
	return segments, n
}

// plainEnd ends most chunked content: behind the data of the last chunk but one,
// the last chunk and no trailer.
const plainEnd = "\r\n0\r\n\r\n"

// chunk takes framing, and the data of at most one chunk behind it.
func (s *Stream) chunk(b []byte) (Event, int, error) {
	c := &s.chunks
	if c.state == dataCR && len(b) >= len(plainEnd) && string(b[:len(plainEnd)]) == plainEnd && s.limits.Trailer >= len("\r\n") {
		s.part = whole
		return NoEvent, len(plainEnd), nil
	}
	fresh := c.state != chunkData
	n, r := c.next(b, s.limits.ChunkLine)
	switch {
	case r != OK:
		_, _, err := s.fail(r, s.done+int64(n))
		return NoEvent, n, err
	case c.state == lastChunk:
		s.part = inTrailer
		return NoEvent, n, nil
	case c.state == chunkData && fresh && c.left > s.limits.Body-s.Bytes:
		const crlf = 2
		_, _, err := s.fail(BodyTooLarge, s.done+int64(n-crlf-c.line))
		return NoEvent, n, err
	case n == len(b):
		return NoEvent, n, ErrIncomplete
	}
	size := int(min(int64(len(b)-n), c.left))
	if c.left -= int64(size); c.left == 0 {
		c.state = dataCR
	}
	return s.segment(n+size, size)
}

// trailerSection reads the field lines behind the last chunk.
func (s *Stream) trailerSection(b []byte) (Event, int, error) {
	p := &s.trailer
	if p.state == begun {
		p.beginTrailer(s.limits.Trailer)
	}
	n, err := p.Parse(b)
	switch {
	case err == ErrIncomplete:
		return NoEvent, 0, err
	case err != nil:
		return s.fail(p.result, s.done+int64(n))
	}
	s.part = whole
	if p.Head.Len() == 0 {
		return NoEvent, n, nil
	}
	s.Segment = n
	return TrailerSection, n, nil
}

// Close says how the bytes ended, and settles what the response is: nil where
// it is whole, the Reason that it is refused with, or ErrIncomplete where e is
// Open and it is not whole. Bytes that Next was not done with count as they
// were last given; an end of another package counts as RST.
func (s *Stream) Close(e End) error {
	r := s.close(e)
	switch {
	case r == OK:
		return nil
	case r != ErrIncomplete && s.fault == OK:
		s.part, s.fault, s.at = failed, r, -1
	}
	return r
}

func (s *Stream) close(e End) Reason {
	if e > Truncated {
		e = RST
	}
	switch s.part {
	case whole, behind, inTunnel:
		return OK
	case failed, inMeasure:
		return s.fault
	case inHead, behindInterim:
		if s.waiting > 0 {
			if n, err := s.parser.Settle(); err != ErrIncomplete {
				s.fail(s.parser.result, s.done+int64(n))
				return s.fault
			}
		}
		return s.cutHead(e)
	}
	r := cutContent[s.part][e]
	if r == OK {
		s.part = whole
	}
	return r
}

// cutHead gives the reason of an end within a head, or before one.
func (s *Stream) cutHead(e End) Reason {
	p := &s.parser
	begins := s.waiting > 0
	switch {
	case e == Open:
		return ErrIncomplete
	case !begins && s.Interim > 0:
		return [...]Reason{FIN: InterimThenClose, RST: HeadReset, Timeout: InterimThenStall, Deadline: HeadDeadline, Truncated: InterimThenClose}[e]
	case !begins:
		return [...]Reason{FIN: ClosedWithoutAByte, RST: ResetAfterRequest, Timeout: FirstByteTimeout, Deadline: FirstByteTimeout, Truncated: ClosedWithoutAByte}[e]
	case e == RST:
		return HeadReset
	case e == Timeout:
		return HeadStalled
	case e == Deadline:
		return HeadDeadline
	}
	return p.cut()
}

// cutContent gives the reason of an end within content.
var cutContent = [...][6]Reason{
	inLength:  {ErrIncomplete, BodyShort, BodyReset, BodyStalled, BodyDeadline, BodyShort},
	inChunks:  {ErrIncomplete, ChunkedCut, ChunkedReset, ChunkedStalled, BodyDeadline, ChunkedCut},
	inTrailer: {ErrIncomplete, ChunkedCut, ChunkedReset, ChunkedStalled, BodyDeadline, ChunkedCut},
	inClose:   {ErrIncomplete, OK, CloseDelimitedReset, CloseDelimitedStalled, BodyDeadline, TLSTruncated},
}
