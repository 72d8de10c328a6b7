package wire

import "why520/wire/internal/scan"

// A Parser reads one head. The zero Parser is ready; after Reset it is ready
// for the next head, with the same Limits and storage.
type Parser struct {
	Limits Limits // they stay as they are within a head

	// Survey makes Parse go on past every violation that is Tolerable, refused
	// or not. Found then tells which there were.
	Survey bool

	Head Head // filled as bytes are read

	// Found holds the violations that Parse went on past, in the order of the
	// bytes, the first MaxFound of them.
	Found []Found

	limits  Limits // with defaults; valid unless the state is begun or inBlocks
	state   state
	blocks  scan.State // where blocks go on; valid while the state is inBlocks
	added   bool       // the line adds to the one before: it is folded, or skipped before any field
	blank   bool       // only white space came since the open fault in a name
	inside  bool       // a trailer section: every fault in it is TrailerInvalid
	result  Reason     // of the last call
	unless  Reason     // with ErrIncomplete: the fault at n if nothing more comes, or OK
	n       int        // of the last call
	pos     int        // next byte to look at
	line    int        // first byte of the current line
	name    int        // first byte of "HTTP/1.", or of what stands in its place
	mark    int        // offset of an open fault
	colon   int        // of the current field line
	section int        // first byte after the status line
}

// Found is a violation or a note, and the offset where it is.
type Found struct {
	Reason Reason
	Offset int64
}

// MaxFound is how many violations of one head are listed.
const MaxFound = 256

type state uint8

const (
	begun        state = iota // nothing read yet
	inBlocks                  // lines that blocks take; see parser_blocks.go
	atStart                   // the first byte of a line before the status line
	inIndent                  // white space before the status line
	inName                    // "HTTP/1."
	inForeign                 // no HTTP/1: open until it is known what else
	atMinor                   // the digit after "HTTP/1."
	afterVersion              //
	beforeCode                // the first digit of the code
	inCode                    // its second or third
	afterCode                 //
	inPhrase                  //
	betweenLines              // a line after the status line comes: blocks take it if they can
	atLine                    // they cannot: its first byte
	inField                   // a field name
	inBadField                // an open fault in a field name
	inValue                   //
	atRest                    // the head is complete, or at fault
)

// Reset makes p ready for another head.
func (p *Parser) Reset() {
	p.Head.reset()
	p.Found = p.Found[:0]
	p.state, p.result, p.unless = begun, OK, OK
	p.pos, p.section = 0, 0
}

// beginTrailer makes p, which is ready, read a trailer section instead of a head.
func (p *Parser) beginTrailer(budget int) {
	p.Limits = Limits{Head: budget, Line: MaxLimit, Fields: MaxLimit}
	p.limits = p.Limits
	p.Head.marks = append(p.Head.marks, before)
	p.inside = true
	p.nextLine(-1)
}

// bySteps is Parse for what blocks do not take.
func (p *Parser) bySteps(b []byte) (n int, err error) {
	for p.step(b) {
	}
	return p.outcome()
}

// Settle says what a head is that gets no further bytes: as Parse, but a reason
// that was still open is settled with what is there. ErrIncomplete: the head
// is cut, and nothing in it is at fault.
func (p *Parser) Settle() (n int, err error) {
	if p.state != begun && p.result == ErrIncomplete && p.unless != OK {
		p.stop(p.n, p.unless)
	}
	return p.outcome()
}

func (p *Parser) outcome() (int, error) {
	switch {
	case p.state == begun:
		return 0, ErrIncomplete
	case p.result == OK:
		return p.n, nil
	}
	return p.n, p.result
}

// step takes the bytes of one state; it reports whether there is more to do.
func (p *Parser) step(b []byte) bool {
	switch {
	case p.state <= inBlocks || p.state == atRest:
		return false
	case p.pos == len(b) && p.state != inForeign && p.state != inBadField && p.state != inIndent:
		return p.wait(len(b))
	}
	switch p.state {
	case atStart:
		return p.start(b)
	case inIndent:
		return p.indent(b)
	case inName:
		return p.protocol(b)
	case inForeign:
		return p.foreign(b)
	case inPhrase:
		return p.text(b, ReasonPhraseByte)
	case betweenLines:
		return p.toBlocks(b)
	case atLine:
		return p.startLine(b)
	case inField:
		return p.field(b)
	case inBadField:
		return p.badField(b)
	case inValue:
		return p.text(b, FieldControlByte)
	}
	return p.statusLine(b)
}

// wait asks for more bytes: all that came can begin a head.
func (p *Parser) wait(n int) bool {
	p.n, p.result, p.unless = n, ErrIncomplete, OK
	return false
}

// open asks for more bytes: b[n] is at fault, and it is r if no more come.
func (p *Parser) open(n int, r Reason) bool {
	if p.inside {
		return p.stop(n, r)
	}
	p.n, p.result, p.unless = n, ErrIncomplete, r
	return false
}

// stop refuses b[n].
func (p *Parser) stop(n int, r Reason) bool {
	if p.inside {
		if r == HeadTooLarge {
			r = TrailerTooLarge
		} else {
			r = TrailerInvalid
		}
	}
	p.n, p.result, p.state = n, r, atRest
	return false
}

// over refuses b[n], for which a budget has no room: of two, the line's.
func (p *Parser) over(n int) bool {
	switch {
	case n-p.line < p.limits.Line:
		return p.stop(n, HeadTooLarge)
	case p.state < betweenLines:
		return p.stop(n, StatusLineTooLong)
	}
	return p.stop(n, FieldLineTooLong)
}

// bound is the first offset that the current line has no room for.
func (p *Parser) bound() int { return min(p.line+p.limits.Line, p.limits.Head) }

// pass goes on past a violation at b[n] if it may, and refuses it otherwise.
func (p *Parser) pass(n int, r Reason) bool {
	if !p.Survey && !p.limits.Tolerate.Has(r) {
		return p.stop(n, r)
	}
	p.note(Found{r, int64(n)})
	return true
}

func (p *Parser) note(f Found) {
	if len(p.Found) < MaxFound {
		p.Found = append(p.Found, f)
	}
}

// afterCR is what follows the CR at b[i].
type afterCR uint8

const (
	unknown afterCR = iota
	lf
	other
)

func (p *Parser) afterCR(b []byte, i int) afterCR {
	switch {
	case i >= p.limits.Head:
		return other // a budget is never looked past
	case i+1 == len(b):
		return unknown
	case b[i+1] == '\n':
		return lf
	}
	return other
}

// cut says where a head is cut that gets no further bytes.
func (p *Parser) cut() Reason {
	switch {
	case p.state < betweenLines && p.section == 0:
		return HeadCutInStatusLine
	case p.state == inBlocks && p.n == p.section, p.state <= atLine && p.state >= betweenLines && p.line == p.section:
		return HeadCutAfterStatusLine
	}
	return HeadCut
}

// nextLine goes on behind the LF at b[lf], which ended a line.
func (p *Parser) nextLine(lf int) bool {
	p.pos, p.line, p.state = lf+1, lf+1, betweenLines
	return true
}

// end completes the head at b[:n].
func (p *Parser) end(n int) bool {
	p.Head.size = uint32(n)
	p.n, p.result, p.state = n, OK, atRest
	return false
}
