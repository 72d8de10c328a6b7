package wire

import (
	"encoding/binary"

	"why520/wire/internal/scan"
)

// Blocks take what is well formed, many bytes at a time, and nothing else: where
// they stop, or a budget ends, the line goes to the state machine of the other
// files, which says what is wrong with it, if anything is.

// plainStart is how long the part of a status line is that begin reads.
const plainStart = len("HTTP/1.1 200 ")

// take gives blocks all that they take of b, as far as the budgets go, and
// reports whether the head is whole.
func (p *Parser) take(b []byte) bool {
	if p.state == begun && !p.begin(b) {
		return false
	}
	h := &p.Head
	in, fields := b, p.Limits.Fields
	if budget := or(p.Limits.Head, DefaultHead); len(in) > budget {
		in = in[:budget]
	}
	if fields == 0 {
		fields = DefaultFields
	}
	known := p.blocks.N
	n, stop := scan.Lines(in, &p.blocks, h.marks[:cap(h.marks)], p.within)
	for stop == scan.Full && n/2 <= fields {
		h.marks = append(h.marks[:n], make([]uint32, max(n, 2*scan.Room))...)
		p.within = scan.Open(in, p.blocks, h.marks)
		n, stop = scan.Lines(in, &p.blocks, h.marks[:cap(h.marks)], p.within)
	}
	h.marks = h.marks[:n]
	if p.section == 0 && n > 0 {
		p.section = int(h.marks[0]) + 1
		h.phrase.Len = h.marks[0] - uint32(len("\r")+plainStart)
	}
	switch {
	case p.Limits.Line != 0 && p.tooLong(known, uint(stop), len(in)):
	case h.Len() > fields:
		p.byStep(2*fields + 1)
	case uint(stop) < uint(len(in)-1) && in[stop] == '\r' && in[stop+1] == '\n' && n&1 == 1 && h.marks[n-1]+1 == uint32(stop):
		p.end(stop + 2)
		return true
	case stop >= 0, len(b) > len(in), h.Len() == fields && n&1 == 1 && int(h.marks[n-1]+1) < len(in):
		p.byStep(n)
	default:
		p.within = scan.Open(in, p.blocks, h.marks)
		p.wait(len(b))
	}
	return false
}

// begin reads the beginning of a status line if it is as most are, and reports
// whether blocks may go on from there.
func (p *Parser) begin(b []byte) bool {
	const (
		version = 'H' | 'T'<<8 | 'T'<<16 | 'P'<<24 | '/'<<32 | '1'<<40 | '.'<<48 | '0'<<56
		minor   = 1 << 56 // '1' and '0' differ in this bit
		ones    = 0x010101
		zeros   = '0' * ones
	)
	if min(len(b), or(p.Limits.Head, plainStart)) < plainStart || p.stepwise {
		return p.beginByStep(b)
	}
	first := binary.LittleEndian.Uint64(b)
	last := binary.LittleEndian.Uint64(b[plainStart-8:]) // of it the last five bytes: SP 3DIGIT SP
	code := uint32(last>>32)&0xFFFFFF ^ zeros            // three digits from 0 to 9, the first in the lowest byte
	if first&^minor != version || last>>24&0xFF != ' ' || last>>56 != ' ' ||
		(code|(code+(0x80-10)*ones))&(0x80*ones) != 0 || code&0xFF == 0 {
		return p.beginByStep(b)
	}
	h := &p.Head
	h.Minor = int(first >> 56 & 1)
	h.Status = int(code&0xFF*100 + code>>8&0xFF*10 + code>>16)
	h.code = uint32(len("HTTP/1.1 "))
	h.phrase.Off = uint32(plainStart)
	p.blocks, p.within = scan.State{Pos: plainStart}, scan.InValue
	p.state = inBlocks
	return true
}

// beginByStep leaves the status line to the state machine.
func (p *Parser) beginByStep(b []byte) bool {
	if len(b) > 0 {
		p.limits, p.state = p.Limits.WithDefaults(), atStart
	}
	return false
}

// toBlocks gives blocks the line that comes.
func (p *Parser) toBlocks(b []byte) bool {
	if p.stepwise {
		p.state = atLine
		return true
	}
	p.blocks, p.within = scan.State{Pos: p.pos, N: len(p.Head.marks)}, scan.AtLine
	p.state = inBlocks
	return !p.take(b)
}

// tooLong leaves to the state machine the first line, of those behind mark number
// known, that is longer than its budget, if there is one. An unfinished line
// counts, up to the stop or all of size bytes.
func (p *Parser) tooLong(known int, stop uint, size int) bool {
	marks := p.Head.marks
	start, i := uint32(0), (known+1)&^1 // the LF of a line is an even mark
	if i > 0 {
		start = marks[i-2] + 1
	}
	for ; i < len(marks); i += 2 {
		if int(marks[i]-start) > p.Limits.Line+len("\r") {
			break
		}
		start = marks[i] + 1
	}
	if i >= len(marks) && int(min(stop, uint(size)))-int(start) <= p.Limits.Line {
		return false
	}
	p.byStep(max(i-1, 0))
	return true
}

// byStep leaves the line behind the last LF among the first n marks to the state
// machine.
func (p *Parser) byStep(n int) {
	h := &p.Head
	p.limits = p.Limits.WithDefaults()
	if n == 0 {
		h.reset()
		p.pos, p.state = 0, atStart
		return
	}
	n = (n-1)&^1 + 1
	h.marks = h.marks[:n]
	p.pos = int(h.marks[n-1] + 1)
	p.line, p.state = p.pos, atLine
}
