package wire

// A Request is what a response's framing depends on (RFC 9112 section 6.3).
// The zero Request is a plain GET.
type Request struct {
	Method  string // empty: GET
	Upgrade bool   // an Upgrade field and the connection option of that name were sent, so that 101 is an answer (RFC 9110 section 7.8)
	Expect  bool   // Expect: 100-continue was sent
}

// A Delimiter says what ends the content of a response.
type Delimiter uint8

const (
	NoContent Delimiter = iota // there is none: HEAD, 1xx, 204, 304
	ByLength                   // Content-Length
	ByChunks                   // chunked transfer coding
	ByClose                    // the end of the connection
	Tunnel                     // nothing: the connection carries another protocol from here on
)

// String gives the word of the command's contract: none, length, chunked, close, tunnel.
func (d Delimiter) String() string {
	if d > Tunnel {
		return "delimiter " + itoa(int64(d))
	}
	return [...]string{"none", "length", "chunked", "close", "tunnel"}[d]
}

// Framing is how the content of a response is delimited.
type Framing struct {
	Delimiter Delimiter
	Length    int64 // bytes of content; valid iff Delimiter is ByLength

	lengthAt int // offset of the value that states Length
}

// The field names that framing looks at.
const (
	contentLength    = "content-length"
	transferEncoding = "transfer-encoding"
)

// Framing says how the content behind the complete head h of b is delimited, in
// answer to q (RFC 9112 section 6.3); or, with err a Reason, what only a
// complete head shows: a fault of its framing at b[off], then Unasked101,
// then NoHeaderFields. Members of t pass.
//
// Stricter than the RFC: Content-Length may neither be repeated nor stand
// beside Transfer-Encoding, and chunked is the only transfer coding.
func (h *Head) Framing(b []byte, q Request, t Set) (f Framing, off int, err error) {
	if f, ok := h.plainFraming(b, q.Method); ok {
		return f, 0, nil
	}
	switch {
	case h.Status == 101 && q.Upgrade:
		return Framing{Delimiter: Tunnel}, 0, nil
	case h.Status == 101:
		return f, int(h.code), Unasked101
	case h.Status < 200:
		return f, 0, nil
	}
	if h.Status != 204 {
		if f, off, err = h.delimit(b, t); err != nil {
			return f, off, err
		}
	}
	if h.Len() == 0 && !t.Has(NoHeaderFields) {
		return f, h.emptyLine(b), NoHeaderFields
	}
	switch {
	case q.Method == "HEAD" || h.Status == 304:
		return Framing{Delimiter: NoContent}, 0, nil
	case q.Method == "CONNECT" && h.Status < 300:
		return Framing{Delimiter: Tunnel}, 0, nil
	}
	return f, 0, nil
}

// emptyLine gives the offset of the line that ends the head.
func (h *Head) emptyLine(b []byte) int {
	if n := int(h.size); b[n-2] == '\r' {
		return n - 2
	}
	return int(h.size) - 1
}

// delimit looks at Content-Length and Transfer-Encoding alone.
func (h *Head) delimit(b []byte, t Set) (f Framing, off int, err error) {
	length, coding := -1, -1 // the first field line of each
	for i := range h.Len() {
		switch name := h.Name(b, i); {
		case length < 0 && equalFold(name, contentLength):
			length = i
		case coding < 0 && equalFold(name, transferEncoding):
			coding = i
		}
	}
	switch {
	case length >= 0 && coding >= 0:
		return f, int(h.value(max(length, coding), b).Off), LengthAndTransferEncoding
	case length >= 0:
		return h.length(b, length, t)
	case coding >= 0:
		return h.coding(b, coding, t)
	}
	return Framing{Delimiter: ByClose}, 0, nil
}

// length reads the Content-Length field lines from number i on.
//
//	Content-Length = 1*DIGIT
//
// (RFC 9110 section 8.6.) Of several faults the gravest is given: invalid,
// overflow, conflict, repeated.
func (h *Head) length(b []byte, i int, t Set) (f Framing, off int, err error) {
	var (
		first    []byte
		worst    Reason
		worstOff int
	)
	find := func(r Reason, off int) {
		if worst == OK || rank(r) < rank(worst) {
			worst, worstOff = r, off
		}
	}
	f = Framing{Delimiter: ByLength, lengthAt: int(h.value(i, b).Off)}
	for ; i < h.Len(); i++ {
		if !equalFold(h.Name(b, i), contentLength) {
			continue
		}
		for m := range members(b, h.value(i, b)) {
			value := m.Of(b)
			n, bad, reason := number(value)
			switch {
			case reason != OK:
				find(reason, int(m.Off)+bad)
			case first == nil:
				f.Length = n
			case string(first) != string(value):
				find(ContentLengthConflict, int(m.Off))
			default:
				find(ContentLengthRepeated, int(m.Off))
			}
			if first == nil {
				first = value
			}
		}
	}
	if worst == OK || worst == ContentLengthRepeated && t.Has(worst) {
		return f, 0, nil
	}
	return f, worstOff, worst
}

// rank orders the faults of Content-Length, the gravest first.
func rank(r Reason) int {
	for i, f := range [...]Reason{ContentLengthInvalid, ContentLengthOverflow, ContentLengthConflict} {
		if r == f {
			return i
		}
	}
	return 3
}

// number reads 1*DIGIT of at most 2^63-1; bad is the place of what is wrong.
func number(value []byte) (n int64, bad int, reason Reason) {
	over := -1 // the first digit that is too much
	for j, c := range value {
		d := int64(c - '0')
		switch {
		case !isDigit(c):
			return 0, j, ContentLengthInvalid
		case over >= 0:
		case n > (1<<63-1-d)/10:
			over = j
		default:
			n = n*10 + d
		}
	}
	switch {
	case len(value) == 0:
		return 0, 0, ContentLengthInvalid
	case over >= 0:
		return 0, over, ContentLengthOverflow
	}
	return n, 0, OK
}

// coding reads the Transfer-Encoding field lines from number i on.
//
//	Transfer-Encoding = #transfer-coding
//	transfer-coding   = token *( OWS ";" OWS transfer-parameter )
//
// (RFC 9112 section 6.1.) Only "chunked", once, is taken.
func (h *Head) coding(b []byte, i int, t Set) (f Framing, off int, err error) {
	var (
		chunked     = false
		malformed   = -1
		unsupported = -1
		valueAt     = int(h.value(i, b).Off)
	)
	mark := func(place *int, off uint32) {
		if *place < 0 {
			*place = int(off)
		}
	}
	for ; i < h.Len(); i++ {
		if !equalFold(h.Name(b, i), transferEncoding) {
			continue
		}
		for m := range members(b, h.value(i, b)) {
			coding := m.Of(b)
			if chunked {
				mark(&malformed, m.Off) // chunked twice, or not last
			}
			if j := nonToken(coding); j < len(coding) || j == 0 {
				mark(&malformed, m.Off+uint32(j))
			} else if equalFold(coding, "chunked") {
				chunked = true
			} else {
				mark(&unsupported, m.Off)
			}
		}
	}
	switch {
	case malformed >= 0:
		return f, malformed, TransferCodingMalformed
	case unsupported >= 0:
		return f, unsupported, TransferCodingUnsupported
	case h.Minor > 0:
		return Framing{Delimiter: ByChunks}, 0, nil
	case t.Has(TransferCodingInHTTP10):
		return Framing{Delimiter: ByClose}, 0, nil
	}
	return f, valueAt, TransferCodingInHTTP10
}

// nonToken gives the place of the first byte that is no token character; at
// white space before a parameter, the parameter's semicolon.
func nonToken(s []byte) int {
	j := 0
	for j < len(s) && isToken(s[j]) {
		j++
	}
	k := j
	for k < len(s) && isSpace(s[k]) {
		k++
	}
	if j > 0 && k < len(s) && s[k] == ';' {
		return k
	}
	return j
}

// members calls yield with each member of the comma-separated list v of b,
// empty ones too (RFC 9110 section 5.6.1); white space around them, and line
// ends of folding that was tolerated, are left out.
func members(b []byte, v Span) func(yield func(Span) bool) {
	return func(yield func(Span) bool) {
		end := v.Off + v.Len
		for from := v.Off; ; from++ {
			to := from
			for to < end && b[to] != ',' {
				to++
			}
			m := Span{from, to - from}
			for m.Len > 0 && isBlank(b[m.Off]) {
				m.Off, m.Len = m.Off+1, m.Len-1
			}
			for m.Len > 0 && isBlank(b[m.Off+m.Len-1]) {
				m.Len--
			}
			if !yield(m) || to == end {
				return
			}
			from = to
		}
	}
}
