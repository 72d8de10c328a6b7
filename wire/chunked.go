package wire

// chunks reads the framing of chunked content, up to the trailer section.
//
//	chunked-body  = *chunk last-chunk trailer-section CRLF
//	chunk         = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//	chunk-size    = 1*HEXDIG
//	last-chunk    = 1*("0") [ chunk-ext ] CRLF
//	chunk-ext     = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
//	chunk-ext-val = token / quoted-string
//
// (RFC 9112 section 7.1.) It keeps no byte: what it was given is done with.
type chunks struct {
	state chunkState
	left  int64 // of the current chunk's data; valid once its size is read
	line  int   // bytes of the current size line so far, without CRLF
}

type chunkState uint8

const (
	sizeBegin     chunkState = iota // the first digit
	sizeDigits                      //
	sizeSpace                       // BWS behind the size: only an extension may follow
	sizeCR                          // the LF that ends a line without extension
	extBegin                        // BWS, or the first byte of a name
	extName                         //
	extNameSpace                    // BWS behind a name
	extEquals                       // BWS, or the first byte of a value
	extValue                        // a token
	extQuoted                       // within a quoted-string
	extEscaped                      // behind its backslash
	extQuotedEnd                    // behind its closing quote
	extValueSpace                   // BWS behind a value: only another extension may follow
	extCR                           // the LF that ends a line with extensions
	chunkData                       //
	dataCR                          // the CR behind the data
	dataLF                          // its LF
	lastChunk                       // its line is read: the trailer section is next
)

// next reads framing from b until data or the trailer section begins, or b
// ends: n bytes are done with. If r is not OK, b[n] is at fault.
func (c *chunks) next(b []byte, budget int) (n int, r Reason) {
	for n < len(b) && c.state != chunkData && c.state != lastChunk {
		next, r := c.take(b[n])
		if r != OK {
			return n, r
		}
		switch next {
		case sizeCR, extCR, chunkData, lastChunk, dataLF:
		case sizeBegin:
			c.left, c.line = 0, 0
		default:
			if c.line++; c.line > budget {
				return n, ChunkLineTooLong
			}
		}
		c.state = next
		n++
	}
	return n, OK
}

// take gives the state behind the byte x.
func (c *chunks) take(x byte) (next chunkState, r Reason) {
	s := c.state
	switch {
	case s == dataCR && x == '\r':
		return dataLF, OK
	case s == dataCR && x == '\n':
		return s, ChunkBareLF
	case s == dataLF && x == '\n':
		return sizeBegin, OK
	case s == dataCR, s == dataLF:
		return s, ChunkDataOverrun
	case s == sizeCR && x == '\n', s == extCR && x == '\n':
		if c.left == 0 {
			return lastChunk, OK
		}
		return chunkData, OK
	case s <= sizeDigits && hexDigits[x] >= 0:
		if c.left > (1<<63-1)>>4 {
			return s, ChunkSizeOverflow
		}
		c.left = c.left<<4 | int64(hexDigits[x])
		return sizeDigits, OK
	case s == sizeDigits && x == '\r':
		return sizeCR, OK
	case s == sizeDigits && x == '\n', (s == extName || s == extValue || s == extQuotedEnd) && x == '\n':
		return s, ChunkBareLF
	case s == sizeDigits && isSpace(x), s == sizeSpace && isSpace(x):
		return sizeSpace, OK
	case (s == sizeDigits || s == sizeSpace) && x == ';':
		return extBegin, OK
	case s <= sizeCR:
		return s, ChunkSizeInvalid
	}
	return c.extension(x)
}

// extension gives the state behind the byte x of a chunk extension.
func (c *chunks) extension(x byte) (next chunkState, r Reason) {
	switch s := c.state; s {
	case extBegin:
		switch {
		case isSpace(x):
			return extBegin, OK
		case isToken(x):
			return extName, OK
		}
	case extName, extNameSpace:
		switch {
		case s == extName && isToken(x):
			return extName, OK
		case s == extName && x == '\r':
			return extCR, OK
		case isSpace(x):
			return extNameSpace, OK
		case x == '=':
			return extEquals, OK
		case x == ';':
			return extBegin, OK
		}
	case extEquals:
		switch {
		case isSpace(x):
			return extEquals, OK
		case isToken(x):
			return extValue, OK
		case x == '"':
			return extQuoted, OK
		}
	case extValue, extQuotedEnd, extValueSpace:
		switch {
		case s == extValue && isToken(x):
			return extValue, OK
		case s != extValueSpace && x == '\r':
			return extCR, OK
		case isSpace(x):
			return extValueSpace, OK
		case x == ';':
			return extBegin, OK
		}
	case extQuoted:
		switch {
		case x == '"':
			return extQuotedEnd, OK
		case x == '\\':
			return extEscaped, OK
		case isText(x):
			return extQuoted, OK
		}
	case extEscaped:
		if isText(x) {
			return extQuoted, OK
		}
	}
	return c.state, ChunkExtensionInvalid
}

// hexDigits has the values of HEXDIG of either case, and -1 for all else.
var hexDigits = func() (t [256]int8) {
	for c := range t {
		switch x := byte(c); {
		case '0' <= x && x <= '9':
			t[c] = int8(x - '0')
		case 'a' <= x|0x20 && x|0x20 <= 'f':
			t[c] = int8(x|0x20-'a') + 10
		default:
			t[c] = -1
		}
	}
	return t
}()

const crlf = '\r' | '\n'<<8 // as a word of two bytes

// plainSize reads a chunk-size and its CRLF from the bytes of a word, the first in
// the lowest; it gives 0 where they are anything else. Within its caller's loop it
// would leave that without registers.
//
//go:noinline
func plainSize(line uint64) (size, digits int) {
	for d := hexDigits[byte(line)]; d >= 0; d = hexDigits[byte(line)] {
		size, line, digits = size<<4|int(d), line>>8, digits+1
	}
	if uint16(line) != crlf {
		return 0, 0
	}
	return size, digits
}
