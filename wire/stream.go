package wire

// An Event is what Stream.Next came upon.
type Event uint8

const (
	NoEvent        Event = iota // nothing yet
	InterimHead                 // an interim head, b[:n]: Stream.Head
	FinalHead                   // the final head, b[:n]: Stream.Head, Stream.Framing
	Content                     // a segment of content: the last Stream.Segment bytes of b[:n]
	TrailerSection              // a trailer section that is not empty, the last Stream.Segment bytes of b[:n]: Stream.Trailer
	Done                        // the response is whole; b[:n] is framing behind its content
	Surplus                     // b[:n] follows a whole response, and nobody asked for it
	Tunnelled                   // b[:n] is of the protocol that was switched to
	Measuring                   // b[:n] is of a head over its budget: only its size still counts
)

// A Stream is the responses of one connection, without I/O, clock or
// allocation. Give it the bytes in order with Next and, where they stop, their
// end with Close. The zero Stream expects the answer to a plain GET.
type Stream struct {
	Limits Limits

	// Survey makes the Stream go on past violations that are Tolerable, refused
	// or not, and measure heads that are over their budgets.
	Survey bool

	// Found holds the violations that were gone past since Expect, in the
	// order of the bytes, the first MaxFound of them.
	Found []Found

	Framing Framing // of the last head
	Segment int     // bytes of content or trailer section at the end of what their event is done with
	Bytes   int64   // of content so far
	Interim int     // interim heads so far

	limits  Limits // with defaults
	q       Request
	part    part
	parser  Parser
	trailer Parser
	chunks  chunks
	measure measure
	left    int64 // of content by length
	done    int64 // bytes that are done with since Expect
	fault   Reason
	at      int64 // offset of the byte at fault; -1: none is
	waiting int   // bytes that the last Next could not be done with yet
}

// part is where a Stream is.
type part uint8

const (
	inHead part = iota
	behindInterim
	inMeasure
	inLength
	inChunks
	inTrailer
	inClose
	whole    // Done is due
	behind   // Done was given
	inTunnel //
	failed   //
)

// Expect makes s ready for the response to q: the first on the connection, or
// the next after a whole one. Limits, Survey and storage stay.
func (s *Stream) Expect(q Request) {
	s.parser.Reset()
	s.trailer.Reset()
	s.Found, s.Framing, s.Segment, s.Bytes, s.Interim = s.Found[:0], Framing{}, 0, 0, 0
	s.limits.Head = 0 // they are taken anew
	s.q, s.part, s.chunks, s.measure = q, inHead, chunks{}, measure{}
	s.left, s.done, s.fault, s.at, s.waiting = 0, 0, OK, 0, 0
}

// Head is the last head, whole or not: offsets into the b of its event.
func (s *Stream) Head() *Head { return &s.parser.Head }

// Trailer is the trailer section: offsets into the last Segment bytes of its
// event; it has no status line.
func (s *Stream) Trailer() *Head { return &s.trailer.Head }

// Offset is how many bytes are done with since Expect.
func (s *Stream) Offset() int64 { return s.done }

// Fault gives the reason that Next or Close refused the response with, and the
// offset since Expect of the byte at fault, -1 where none is. OK: it was not
// refused.
func (s *Stream) Fault() (Reason, int64) { return s.fault, s.at }

// Measured gives what is known of the size of a head that is over its budget:
// bytes seen, and whether that is all of it.
func (s *Stream) Measured() (size int, whole bool) { return s.measure.size, s.measure.whole }

// Next looks at b, the bytes that are not done with yet. The first n of b are
// done with now, and must not be given again; the others must. err is nil with
// an event, ErrIncomplete where more bytes are needed, and else the Reason that
// the response is refused with: see Fault.
func (s *Stream) Next(b []byte) (ev Event, n int, err error) {
	if s.part == inChunks {
		var one [1]Span
		if _, n = s.Segments(b, one[:]); n > 0 {
			return Content, n, nil
		}
	}
	if s.limits.Head == 0 {
		s.limits = s.Limits.WithDefaults()
	}
	for {
		var done int
		ev, done, err = s.next(b[n:])
		n += done
		s.done += int64(done)
		if ev != NoEvent || err != nil {
			s.waiting = len(b) - n
			return ev, n, err
		}
	}
}

// next does one step; without event or error there is another to do.
func (s *Stream) next(b []byte) (Event, int, error) {
	switch s.part {
	case behindInterim:
		s.parser.Reset()
		s.part = inHead
		return NoEvent, 0, nil
	case inHead:
		return s.head(b)
	case inMeasure:
		return s.measureOn(b)
	case inLength, inClose:
		return s.content(b)
	case inChunks:
		return s.chunk(b)
	case inTrailer:
		return s.trailerSection(b)
	case whole:
		s.part = behind
		return Done, 0, nil
	case failed:
		return NoEvent, 0, s.fault
	}
	if len(b) == 0 {
		return NoEvent, 0, ErrIncomplete
	}
	if s.part == inTunnel {
		return Tunnelled, len(b), nil
	}
	return Surplus, len(b), nil
}

// fail refuses the response for the byte at offset at of the response.
func (s *Stream) fail(r Reason, at int64) (Event, int, error) {
	s.part, s.fault, s.at = failed, r, at
	return NoEvent, 0, r
}

func (s *Stream) note(r Reason, off int64) {
	if len(s.Found) < MaxFound {
		s.Found = append(s.Found, Found{r, off})
	}
}
