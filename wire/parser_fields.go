package wire

// startLine looks at the first byte of a line after the status line that blocks
// did not take.
//
//	HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ]
//
// (RFC 9112 section 2.1.)
func (p *Parser) startLine(b []byte) bool {
	i := p.pos
	switch c := b[i]; {
	case c == '\r':
		if i >= p.limits.Head {
			return p.over(i)
		}
		switch p.afterCR(b, i) {
		case unknown:
			return p.wait(len(b))
		case other:
			return p.stop(i+1, BareCR)
		}
		if i+1 >= p.limits.Head {
			return p.stop(i+1, HeadTooLarge)
		}
		return p.end(i + 2)
	case c == '\n':
		if !p.pass(i, BareLF) {
			return false
		}
		if i >= p.limits.Head {
			return p.over(i)
		}
		return p.end(i + 1)
	case isSpace(c):
		r := FieldObsFold
		if p.Head.Len() == 0 {
			r = FieldLeadingSpace
		}
		if !p.pass(i, r) {
			return false
		}
		p.added, p.state = true, inValue
		return true
	case c == ':':
		return p.stop(i, FieldNameEmpty)
	case isToken(c) && i >= p.limits.Head:
		return p.over(i)
	case isToken(c) && p.Head.Len() >= p.limits.Fields:
		return p.stop(i, TooManyFields)
	}
	p.added, p.state = false, inField
	return true
}

// field reads a field name and its colon.
//
//	field-line = field-name ":" OWS field-value OWS
//	field-name = token
//
// (RFC 9112 section 5, RFC 9110 section 5.1.)
func (p *Parser) field(b []byte) bool {
	bound := p.bound()
	for i := p.pos; i < len(b); i++ {
		c := b[i]
		switch {
		case isToken(c), c == ':':
			if i >= bound {
				return p.over(i)
			}
			if c == ':' {
				p.colon, p.pos, p.state = i, i+1, inValue
				return true
			}
		case c == 0:
			return p.stop(i, FieldNUL)
		case c == '\r':
			p.pos = i
			switch p.afterCR(b, i) {
			case unknown:
				return p.open(i, BareCR)
			case other:
				return p.stop(i, BareCR)
			}
			return p.stop(i, FieldNoColon)
		case c == '\n':
			if !p.pass(i, BareLF) {
				return false
			}
			return p.stop(i, FieldNoColon)
		default:
			p.mark, p.pos, p.state, p.blank = i, i+1, inBadField, isSpace(c)
			return true
		}
	}
	p.pos = len(b)
	return p.wait(len(b))
}

// badField looks for the reason of the fault in a field name at b[p.mark]: on
// to the end of the line, as far as its budget goes.
func (p *Parser) badField(b []byte) bool {
	bound := p.bound()
	for i := p.pos; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '\n':
			return p.stop(p.mark, FieldNoColon)
		case i >= bound && (c != '\r' || i >= p.limits.Head):
			return p.stop(p.mark, FieldNameByte)
		case c == ':':
			if !p.blank {
				return p.stop(p.mark, FieldNameByte)
			}
			if !p.pass(p.mark, FieldSpaceBeforeColon) {
				return false
			}
			p.Head.spaced = true
			p.colon, p.pos, p.state = i, i+1, inValue
			return true
		case !isSpace(c):
			p.blank = false
		}
	}
	p.pos = len(b)
	return p.open(p.mark, FieldNameByte)
}

// text reads a reason phrase or a field value to the end of the line; control
// is the reason of a control byte in it.
//
//	field-value   = *field-content
//	reason-phrase = 1*( HTAB / SP / VCHAR / obs-text )
//
// (RFC 9110 section 5.5, RFC 9112 section 4.)
func (p *Parser) text(b []byte, control Reason) bool {
	bound := p.bound()
	for i := p.pos; i < len(b); i++ {
		c := b[i]
		switch {
		case isText(c):
			if i >= bound {
				return p.over(i)
			}
		case c == '\r':
			if i >= p.limits.Head {
				return p.over(i)
			}
			p.pos = i
			switch p.afterCR(b, i) {
			case unknown:
				return p.wait(len(b))
			case other:
				return p.bareCR(i)
			}
			if i+1 >= p.limits.Head {
				return p.stop(i+1, HeadTooLarge)
			}
			return p.endText(i, i+1)
		case c == '\n':
			if !p.pass(i, BareLF) {
				return false
			}
			if i >= p.limits.Head {
				return p.over(i)
			}
			return p.endText(i, i)
		case c == 0 && control == FieldControlByte:
			return p.stop(i, FieldNUL)
		default:
			if !p.pass(i, control) {
				return false
			}
			if i >= bound {
				return p.over(i)
			}
		}
	}
	p.pos = len(b)
	return p.wait(len(b))
}

// bareCR refuses the byte behind the CR at b[i], where a line end had its
// place; or the CR itself, where the line has no room for it but as a line end.
func (p *Parser) bareCR(i int) bool {
	if i-p.line >= p.limits.Line {
		return p.over(i)
	}
	return p.stop(i+1, BareCR)
}

// endText ends the line whose content ends before b[to] with the LF at b[lf].
func (p *Parser) endText(to, lf int) bool {
	if p.state == inPhrase {
		return p.endStatusLine(to, lf)
	}
	h := &p.Head
	if p.added {
		h.marks[len(h.marks)-1] = uint32(lf)
	} else {
		h.marks = append(h.marks, uint32(p.colon), uint32(lf))
	}
	return p.nextLine(lf)
}
