package wire

import (
	"encoding/binary"

	"why520/wire/internal/scan"
)

// Blocks take what is well formed, many bytes at a time, and nothing else: where
// they stop, or a budget ends, the line goes to the state machine of the other
// files, which says what is wrong with it, if anything is.

// plainStart is how long the part of a status line is that Parse reads.
const plainStart = len("HTTP/1.1 200 ")

// Parse parses b, which begins with the bytes given to the call before. If err
// is nil, the head is b[:n]. Otherwise b[:n] is the longest part of b that the
// grammar can begin with, and err is a Reason:
//
//   - ErrIncomplete: more bytes may cure it or, where n < len(b), b[n] is at
//     fault and only the reason is still open.
//   - any other: b[n] is the byte at fault, or the first that a budget has no
//     room for.
//
// The result never depends on how the bytes were split into calls.
func (p *Parser) Parse(b []byte) (n int, err error) {
	if p.state > inBlocks {
		return p.bySteps(b)
	}
	in := b
	if budget := or(p.Limits.Head, DefaultHead); len(in) > budget {
		in = in[:budget]
	}
	h := &p.Head
	if p.state == begun {
		// The beginning of a status line, if it is as most are.
		const (
			version = 'H' | 'T'<<8 | 'T'<<16 | 'P'<<24 | '/'<<32 | '1'<<40 | '.'<<48 | '0'<<56
			minor   = 1 << 56 // '1' and '0' differ in this bit
			spaces  = ' ' | ' '<<32
			ones    = 0x010101
			zeros   = '0' * ones
		)
		if len(in) < plainStart {
			return p.begin(b)
		}
		first := binary.LittleEndian.Uint64(in)
		rest := binary.LittleEndian.Uint64(in[plainStart-8:]) >> 24 // SP 3DIGIT SP
		code := uint32(rest>>8)&0xFFFFFF ^ zeros                    // three digits from 0 to 9, the first in the lowest byte
		if (first&^minor^version)|(rest&(0xFF|0xFF<<32)^spaces) != 0 ||
			(code|(code+(0x80-10)*ones))&(0x80*ones) != 0 || code&0xFF == 0 {
			return p.begin(b)
		}
		h.Minor = int(first >> 56 & 1)
		h.Status = int(code&0xFF*100 + code>>8&0xFF*10 + code>>16)
		h.code, h.phrase.Off = uint32(len("HTTP/1.1 ")), uint32(plainStart)
		p.blocks, p.state = scan.State{}, inBlocks
	}
	known := p.blocks.N
	stop := scan.Lines(in, &p.blocks, &h.marks)
	marks := h.marks
	last := uint(len(marks) - 1)
	if at := uint(stop); at+1 >= uint(len(in)) || last >= uint(len(marks)) || marks[last]+1 != uint32(at) ||
		in[at] != '\r' || in[at+1] != '\n' || last&1 == 1 || p.Limits.Line != 0 && p.Limits.Line < len(in) ||
		last > 2*uint(or(p.Limits.Fields, DefaultFields)) {
		p.pause(b, in, known, stop)
		return p.bySteps(b)
	}
	// The commonest end, in short: pause says the same.
	if p.section == 0 {
		h.phrase.Len = marks[0] - uint32(len("\r")+plainStart)
	}
	p.end(stop + 2)
	return stop + 2, nil
}

// pause says what becomes of a head of which blocks took some lines, those of the
// first known marks before. in is what the budget has room for of b.
func (p *Parser) pause(b, in []byte, known, stop int) {
	h := &p.Head
	fields := or(p.Limits.Fields, DefaultFields)
	for stop == scan.Full && len(h.marks)/2 <= fields {
		h.marks = append(h.marks, make([]uint32, max(len(h.marks), scan.Room))...)
		p.blocks.Again(in, h.marks)
		stop = scan.Lines(in, &p.blocks, &h.marks)
	}
	m := len(h.marks)
	if m/2 > fields { // the line too many is where all ends
		m = max(2*fields+1, known)
		h.marks = h.marks[:m]
		stop = int(h.marks[m-1] + 1)
	}
	if p.section == 0 && m > 0 {
		p.section = int(h.marks[0]) + 1
		h.phrase.Len = h.marks[0] - uint32(len("\r")+plainStart)
	}
	betweenLines := m&1 == 1 && stop >= 0 && h.marks[m-1]+1 == uint32(stop)
	switch {
	case p.Limits.Line != 0 && p.Limits.Line < len(in) && p.tooLong(known, uint(stop), len(in)):
	case betweenLines && stop+1 < len(in) && in[stop] == '\r' && in[stop+1] == '\n':
		p.end(stop + 2)
	case stop >= 0, len(b) > len(in), m/2 == fields && m&1 == 1 && int(h.marks[m-1]+1) < len(in):
		p.byStep(m)
	default:
		p.blocks.Again(in, h.marks)
		p.wait(len(b))
	}
}

// begin leaves a head to the state machine from its first byte on, if there is
// one.
func (p *Parser) begin(b []byte) (n int, err error) {
	if len(b) > 0 {
		p.takeLimits()
		p.state = atStart
	}
	return p.bySteps(b)
}

// takeLimits gives the state machine the limits that hold.
func (p *Parser) takeLimits() {
	p.limits = p.Limits
	p.limits.setDefaults()
}

// toBlocks gives blocks the line that comes, and those behind it.
func (p *Parser) toBlocks(b []byte) bool {
	in := b[:min(len(b), p.limits.Head)]
	known := len(p.Head.marks)
	p.blocks = scan.State{Pos: p.pos, N: known, Open: scan.AtLine}
	p.state = inBlocks
	p.pause(b, in, known, scan.Lines(in, &p.blocks, &p.Head.marks))
	return p.state != inBlocks
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
	p.takeLimits()
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
