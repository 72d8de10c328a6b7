package wire

// start reads what comes before the status line.
func (p *Parser) start(b []byte) bool {
	i := p.pos
	p.line, p.name = i, i
	switch c := b[i]; {
	case c == '\r':
		switch p.afterCR(b, i) {
		case unknown:
			return p.open(i, BareCR)
		case other:
			return p.stop(i, BareCR)
		}
		if !p.pass(i, BlankLineBeforeStatusLine) {
			return false
		}
		return p.blankLine(i + 1)
	case c == '\n':
		if !p.pass(i, BareLF) || !p.pass(i, BlankLineBeforeStatusLine) {
			return false
		}
		return p.blankLine(i)
	case isSpace(c):
		p.mark, p.state = i, inIndent
		return true
	}
	p.state = inName
	return true
}

// blankLine goes on behind a blank line that ends with the LF at b[i].
func (p *Parser) blankLine(i int) bool {
	if i >= p.limits.Head {
		return p.stop(p.limits.Head, HeadTooLarge)
	}
	p.pos = i + 1
	return true
}

const protocol = "HTTP/1."

// indent reads white space, and the "HTTP/" that makes it a fault of the status
// line's. It is b[p.mark] that is at fault all the while.
func (p *Parser) indent(b []byte) bool {
	bound := min(p.name+foreignWindow, p.bound())
	i := p.pos
	for i < len(b) && i < bound && isSpace(b[i]) {
		i++
	}
	p.pos = i
	for k := range len("HTTP/") {
		switch {
		case i+k == len(b):
			return p.foreign(b)
		case i+k >= bound || b[i+k] != protocol[k]:
			p.state = inForeign
			return true
		}
	}
	if !p.pass(p.mark, StatusLineWhitespace) {
		return false
	}
	p.name, p.state = i, inName
	return true
}

// protocol reads "HTTP/1.".
func (p *Parser) protocol(b []byte) bool {
	for ; p.pos < len(b); p.pos++ {
		k := p.pos - p.name
		switch {
		case k == len(protocol):
			p.state = atMinor
			return true
		case b[p.pos] != protocol[k]:
			p.mark, p.state = p.pos, inForeign
			return true
		case p.pos >= p.bound():
			return p.over(p.pos)
		}
	}
	return p.wait(len(b))
}

// foreignWindow is how many bytes are looked at to say what is not HTTP/1.
const foreignWindow = 512

// foreign says what b[p.name:] is, where b[p.mark] is no HTTP/1.
func (p *Parser) foreign(b []byte) bool {
	if window := max(min(p.name+foreignWindow, p.limits.Head), p.mark+1); len(b) >= window {
		return p.stop(p.mark, classify(b[p.name:window]))
	}
	if r := classifyStart(b[p.name:]); r != OK {
		return p.stop(p.mark, r)
	}
	return p.open(p.mark, classify(b[p.name:]))
}

// statusLine reads one part of the status line from the version's last digit
// to the space before the reason phrase.
//
//	status-line  = HTTP-version SP status-code SP [ reason-phrase ]
//	HTTP-version = "HTTP/" DIGIT "." DIGIT
//	status-code  = 3DIGIT
//
// (RFC 9112 section 4.) Stricter: the version is 1.x and the code at least 100.
// More lenient: the second SP may be missing where the line ends.
func (p *Parser) statusLine(b []byte) bool {
	i := p.pos
	c := b[i]
	switch c {
	case '\r':
		return p.statusLineCR(b, i)
	case '\n':
		if !p.pass(i, BareLF) {
			return false
		}
		if p.state == afterCode {
			if i >= p.limits.Head {
				return p.over(i)
			}
			p.Head.bare = true
			return p.endStatusLine(i, i)
		}
		return p.stop(i, p.misplacedLineEnd())
	}
	next := p.state
	switch p.state {
	case atMinor:
		if !isDigit(c) {
			return p.stop(i, HTTPVersion)
		}
		p.Head.Minor, next = int(c-'0'), afterVersion
	case afterVersion:
		if !isSpace(c) {
			return p.stop(i, HTTPVersion)
		}
		if c == '\t' && !p.pass(i, StatusLineWhitespace) {
			return false
		}
		p.blank = c == '\t' // the run of white space is a finding already
		next = beforeCode
	case beforeCode:
		switch {
		case isSpace(c):
			if !p.blank && !p.pass(i, StatusLineWhitespace) {
				return false
			}
			p.blank = true
		case c == '0':
			return p.stop(i, StatusCodeRange)
		case !isDigit(c):
			return p.stop(i, StatusCodeDigits)
		default:
			p.Head.code, next = uint32(i), inCode
		}
	case inCode:
		if !isDigit(c) {
			return p.stop(i, StatusCodeDigits)
		}
		if i-int(p.Head.code) == 2 {
			next = afterCode
		}
	case afterCode:
		if !isSpace(c) {
			return p.stop(i, StatusCodeDigits)
		}
		if c == '\t' && !p.pass(i, StatusLineWhitespace) {
			return false
		}
		p.Head.phrase.Off, next = uint32(i+1), inPhrase
	}
	if i >= p.bound() {
		return p.over(i)
	}
	if next == afterCode && p.state == inCode {
		code := b[p.Head.code : p.Head.code+3]
		p.Head.Status = int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')
	}
	p.pos, p.state = i+1, next
	return true
}

// misplacedLineEnd is the reason of a line end before the code is complete.
func (p *Parser) misplacedLineEnd() Reason {
	switch p.state {
	case atMinor:
		return HTTPVersion
	case afterVersion, beforeCode:
		return StatusCodeMissing
	}
	return StatusCodeDigits
}

// statusLineCR takes a CR before the reason phrase.
func (p *Parser) statusLineCR(b []byte, i int) bool {
	whole := p.state == afterCode // the grammar has room for a line end here
	if whole && i >= p.limits.Head {
		return p.over(i)
	}
	switch p.afterCR(b, i) {
	case unknown:
		if whole {
			return p.wait(len(b))
		}
		return p.open(i, BareCR)
	case other:
		if whole {
			return p.bareCR(i)
		}
		return p.stop(i, BareCR)
	}
	if !whole {
		return p.stop(i, p.misplacedLineEnd())
	}
	if i+1 >= p.limits.Head {
		return p.stop(i+1, HeadTooLarge)
	}
	p.Head.bare = true
	return p.endStatusLine(i, i+1)
}

// endStatusLine ends the status line, whose content ends before b[to], with the
// LF at b[lf].
func (p *Parser) endStatusLine(to, lf int) bool {
	if !p.Head.bare {
		p.Head.phrase.Len = uint32(to) - p.Head.phrase.Off
	}
	p.Head.marks = append(p.Head.marks, uint32(lf))
	p.section = lf + 1
	return p.nextLine(lf)
}
