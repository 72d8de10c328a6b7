package wire

import "io"

// A Reader is a Stream over an io.Reader, such as a net.Conn. It reads no more
// than one buffer ahead and holds no more than the budgets of its Stream and
// 4 KiB.
type Reader struct {
	Stream Stream // its Limits and Survey are the Reader's; Expect starts the next response

	// End, if set, says what an error of the source means for the stream: Open
	// makes Next give the error as it is. If nil, io.EOF is FIN,
	// io.ErrUnexpectedEOF is Truncated, and any other error is Open.
	End func(error) End

	source io.Reader
	buf    []byte
	from   int   // first byte of buf that is not done with
	to     int   // end of what was read
	used   int   // bytes of the last event, to be passed over by the next call
	err    error // of the source
}

// NewReader reads the responses that come from source.
func NewReader(source io.Reader) *Reader { return &Reader{source: source} }

const readAhead = 4096

// Next gives the next event and its bytes: of a head or trailer section all of
// them, of content one segment. They are valid until the next call. The error
// is a Reason where the response is refused (Stream.Fault has the offset), and
// otherwise one of the source.
func (r *Reader) Next() (Event, []byte, error) {
	r.from += r.used
	r.used = 0
	closed := false // what can be said of the end is said below
	for {
		ev, n, err := r.Stream.Next(r.buf[r.from:r.to])
		if err == nil {
			b := r.buf[r.from : r.from+n]
			r.used = n
			switch ev {
			case Content, TrailerSection:
				b = b[n-r.Stream.Segment:]
			case Done:
				b = nil
			}
			return ev, b, nil
		}
		r.from += n
		if err != ErrIncomplete {
			return NoEvent, nil, err
		}
		if r.err == nil {
			r.fill()
			continue
		}
		if closed {
			return NoEvent, nil, r.err
		}
		e := r.end(r.err)
		if e == Open {
			return NoEvent, nil, r.err
		}
		closed = true
		if err := r.Stream.Close(e); err != nil {
			return NoEvent, nil, err
		}
	}
}

// Buffered gives the bytes that were read and are not yet part of an event,
// valid until the next call: what a switch of protocols hands over.
func (r *Reader) Buffered() []byte { return r.buf[r.from+r.used : r.to] }

// fill makes room and reads once.
func (r *Reader) fill() {
	if r.from > 0 {
		r.to = copy(r.buf, r.buf[r.from:r.to])
		r.from = 0
	}
	if r.to == len(r.buf) {
		r.buf = append(r.buf, make([]byte, max(readAhead, len(r.buf)))...)
	}
	var n int
	for tries := 0; n == 0 && r.err == nil; tries++ {
		if tries == 100 {
			r.err = io.ErrNoProgress
			return
		}
		n, r.err = r.source.Read(r.buf[r.to:])
	}
	r.to += n
}

func (r *Reader) end(err error) End {
	switch {
	case r.End != nil:
		return r.End(err)
	case err == io.EOF:
		return FIN
	case err == io.ErrUnexpectedEOF:
		return Truncated
	}
	return Open
}
