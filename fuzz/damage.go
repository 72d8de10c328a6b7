package fuzz

import (
	"strings"

	"why520/wire"
)

// A damage is one way to spoil a well-formed response, and what a strict
// recipient then says.
type damage struct {
	name string
	want []wire.Reason
	do   func(d *draft, c *choices)
}

func want(r ...wire.Reason) []wire.Reason { return r }

// damages is the table of all. To add one: a row.
var damages = []damage{
	// Lines.
	{"drop a CR", want(wire.BareLF), func(d *draft, c *choices) { *lineEnd(d, c) = "\n" }},
	{"a CR within a value", want(wire.BareCR), func(d *draft, c *choices) { inValue(d, c, "\r") }},
	{"NUL in a value", want(wire.FieldNUL), func(d *draft, c *choices) { inValue(d, c, "\x00") }},
	{"NUL in a name", want(wire.FieldNUL), func(d *draft, c *choices) { inName(d, c, "\x00") }},
	{"a control byte in a value", want(wire.FieldControlByte), func(d *draft, c *choices) {
		inValue(d, c, pick(c, "\x01", "\x08", "\x0b", "\x0c", "\x1f", "\x7f"))
	}},
	{"a byte in a name", want(wire.FieldNameByte), func(d *draft, c *choices) {
		inName(d, c, pick(c, "(", ")", ",", "/", ";", "<", "=", ">", "?", "@", "[", "\\", "]", "{", "}", "\"", " ", "\t", "\x80", "\xff", "\x01", "\x7f"))
	}},
	{"no name", want(wire.FieldNameEmpty), func(d *draft, c *choices) { addLine(d, c, ":"+space(c)+value(c)) }},
	{"no colon", want(wire.FieldNoColon), func(d *draft, c *choices) { addLine(d, c, name(c)) }},
	{"space before the colon", want(wire.FieldSpaceBeforeColon), func(d *draft, c *choices) {
		l := &d.lines[c.of(len(d.lines))] // of those that frame, too
		name, value, _ := strings.Cut(l.text, ":")
		l.text = name + pick(c, " ", "\t", "  ") + ":" + value
	}},
	{"space before the first field", want(wire.FieldLeadingSpace), func(d *draft, c *choices) { d.insert(0, pick(c, " ", "\t")+"a: b") }},
	{"fold", want(wire.FieldObsFold), func(d *draft, c *choices) {
		d.insert(1+c.of(len(d.lines)), pick(c, " ", "\t", "  ")+value(c))
	}},
	// The status line.
	{"an empty line first", want(wire.BlankLineBeforeStatusLine), func(d *draft, c *choices) { d.interim = append([]string{crlf}, d.interim...) }},
	{"two spaces before the code", want(wire.StatusLineWhitespace), func(d *draft, c *choices) {
		d.status = "HTTP/1.1" + pick(c, "  ", "\t", " \t") + d.code + " OK"
	}},
	{"no code", want(wire.StatusCodeMissing), func(d *draft, c *choices) { d.status = "HTTP/1.1" + pick(c, "", " ") }},
	{"a code of other digits", want(wire.StatusCodeDigits), func(d *draft, c *choices) {
		d.status = "HTTP/1.1 " + pick(c, "20", "2", "2000", "2x0", "x", "-200", "20\xff") + pick(c, " OK", "")
	}},
	{"a code below 100", want(wire.StatusCodeRange), func(d *draft, c *choices) { d.status = "HTTP/1.1 0" + pick(c, "00", "99", "20") + " OK" }},
	{"another version", want(wire.HTTPVersion, wire.OutputBeforeStatusLine), func(d *draft, c *choices) {
		d.status = pick(c, "HTTP/2.0", "HTTP/1.10", "HTTP/1", "HTTP/1.x", "HTTP/01.1", "HTTP/0.9", "HTTP/") + " 200 OK"
		d.interim = nil
	}},
	{"another protocol", want(wire.ProtocolName, wire.OutputBeforeStatusLine), func(d *draft, c *choices) {
		d.status = pick(c, "RTSP/1.0", "http/1.1", "ICY", "SIP/2.0") + " 200 OK"
		d.interim = nil
	}},
	{"a control byte in the reason phrase", want(wire.ReasonPhraseByte), func(d *draft, c *choices) {
		d.status = "HTTP/1.1 " + d.code + " a" + pick(c, "\x01", "\x00", "\x1b", "\x7f") + "b"
	}},
	{"an answer that was not asked for", want(wire.Unasked101), func(d *draft, c *choices) { d.code, d.status = "101", "" }},
	{"too many interim responses", want(wire.TooManyInterim), func(d *draft, c *choices) {
		for len(d.interim) < 17 {
			d.interim = append(d.interim, "HTTP/1.1 102 Processing\r\n\r\n")
		}
	}},
	// Framing.
	{"a length that is no number", want(wire.ContentLengthInvalid), func(d *draft, c *choices) {
		five(d)
		addLine(d, c, "Content-Length: "+pick(c, "", "+5", "-5", "5 5", "0x5", "5.0", "five", ",5", "5,", "\"5\"", "5;"))
	}},
	{"a length beyond 2^63", want(wire.ContentLengthOverflow), func(d *draft, c *choices) {
		plain(d)
		addLine(d, c, "Content-Length: "+pick(c, "9223372036854775808", "18446744073709551616", strings.Repeat("9", 100)))
	}},
	{"repeat a length", want(wire.ContentLengthRepeated), func(d *draft, c *choices) {
		five(d)
		repeatLength(d, c, "5", "5")
	}},
	{"two lengths", want(wire.ContentLengthConflict), func(d *draft, c *choices) {
		five(d)
		repeatLength(d, c, "5", pick(c, "6", "05", "50"))
	}},
	{"a length and chunks", want(wire.LengthAndTransferEncoding), func(d *draft, c *choices) {
		coded(d, c, pick(c, "chunked", "identity", ""))
		addLine(d, c, "Content-Length: "+pick(c, "5", "x", "0"))
	}},
	{"another coding", want(wire.TransferCodingUnsupported), func(d *draft, c *choices) {
		coded(d, c, pick(c, "gzip", "identity", "gzip, chunked", "xchunked", "chunkedd", "chunke"))
	}},
	{"a malformed coding", want(wire.TransferCodingMalformed), func(d *draft, c *choices) {
		coded(d, c, pick(c, "chunked, chunked", "chunked, gzip", "chunked;a=b", "", ", chunked", "chunked,", "chun ked", "\"chunked\"", "chunked("))
	}},
	{"chunks in HTTP/1.0", want(wire.TransferCodingInHTTP10), func(d *draft, c *choices) {
		chunked(d, c)
		d.status = "HTTP/1.0 200 OK"
	}},
	{"no fields", want(wire.NoHeaderFields), func(d *draft, c *choices) {
		plain(d)
		d.lines = nil
	}},
	// Budgets, each crossed by one.
	{"the head's budget", want(wire.HeadTooLarge), func(d *draft, c *choices) {
		d.interim = nil
		d.limits.Head = len(d.head()) - 1
	}},
	{"the budget of a line", want(wire.FieldLineTooLong, wire.StatusLineTooLong), func(d *draft, c *choices) {
		for l := range strings.SplitSeq(d.head(), crlf) {
			d.limits.Line = max(d.limits.Line, len(l)-1)
		}
	}},
	{"the budget of fields", want(wire.TooManyFields), func(d *draft, c *choices) {
		d.insert(0, "a: b")
		d.insert(0, "a: b")
		d.limits.Fields = len(d.lines) - 1
	}},
	{"the budget of content", want(wire.BodyTooLarge), func(d *draft, c *choices) {
		filled(d, c)
		d.limits.Body = int64(len(d.content) - 1)
	}},
	{"the budget of a size line", want(wire.ChunkLineTooLong), func(d *draft, c *choices) {
		k := chunked(d, c)
		k.size = k.size + ";" + strings.Repeat("x", c.of(20)+1)
		d.limits.ChunkLine = len(k.size) - 1
		for i := range d.chunks {
			if len(d.chunks[i].size) > len(k.size) {
				d.limits.ChunkLine = len(d.chunks[i].size) - 1
			}
		}
	}},
	{"the budget of trailers", want(wire.TrailerTooLarge), func(d *draft, c *choices) {
		chunked(d, c)
		d.trailer = append(d.trailer, line{"a: b", crlf})
		d.limits.Trailer = len(crlf) - 1
		for _, l := range d.trailer {
			d.limits.Trailer += len(l.text + l.end)
		}
	}},
	// Ends.
	{"cut the head", want(wire.HeadCutInStatusLine, wire.HeadCutAfterStatusLine, wire.HeadCut), func(d *draft, c *choices) { d.cut, d.end = -1, wire.FIN }},
	{"reset in the head", want(wire.HeadReset), func(d *draft, c *choices) { d.cut, d.end = -1, wire.RST }},
	{"silence in the head", want(wire.HeadStalled), func(d *draft, c *choices) { d.cut, d.end = -1, wire.Timeout }},
	{"cut the content", want(wire.BodyShort, wire.ChunkedCut), func(d *draft, c *choices) { shorten(d, c, wire.FIN) }},
	{"reset in the content", want(wire.BodyReset, wire.ChunkedReset), func(d *draft, c *choices) { shorten(d, c, wire.RST) }},
	{"silence in the content", want(wire.BodyStalled, wire.ChunkedStalled), func(d *draft, c *choices) { shorten(d, c, wire.Timeout) }},
	{"reset behind content without an end", want(wire.CloseDelimitedReset), func(d *draft, c *choices) {
		plain(d)
		d.end = wire.RST
	}},
	// Chunks.
	{"a size that is no number", want(wire.ChunkSizeInvalid), func(d *draft, c *choices) {
		chunked(d, c).size = pick(c, "", "x", "0x5", "+5", "-5", " 5", "5 ", "5_0", "5,", "\x00")
	}},
	{"a size beyond 2^63", want(wire.ChunkSizeOverflow), func(d *draft, c *choices) {
		chunked(d, c).size = pick(c, "8000000000000000", "ffffffffffffffff", "10000000000000000", "10000000000000005")
	}},
	{"a byte behind the data", want(wire.ChunkDataOverrun), func(d *draft, c *choices) {
		chunked(d, c).behind = pick(c, "x\r\n", "\r\r\n", "\rx", "xx", "0\r\n\r\n")
	}},
	{"drop a CR in chunks", want(wire.ChunkBareLF), func(d *draft, c *choices) {
		k := chunked(d, c)
		*pick(c, &k.end, &k.behind) = "\n"
	}},
	{"a malformed extension", want(wire.ChunkExtensionInvalid), func(d *draft, c *choices) {
		chunked(d, c).size += pick(c, ";", ";=b", ";a=", ";a b", ";a=\"b", ";a=b c", ";a=(", ";;a", ";\x00", " ;a=\"\x01\"")
	}},
	{"a malformed trailer", want(wire.TrailerInvalid), func(d *draft, c *choices) {
		chunked(d, c)
		d.trailer = append(d.trailer, pick(c, line{"no colon", crlf}, line{": x", crlf}, line{"a: b", "\n"}, line{" a: b", crlf}, line{"a : b", crlf}, line{"a: \x00", crlf}, line{"a: b\rc", crlf}))
	}},
	{"another end of the trailers", want(wire.TrailerInvalid), func(d *draft, c *choices) {
		chunked(d, c)
		d.closing = pick(c, "\n", "\r\r\n", "\rx", "x\r\n\r\n")
	}},
}

// lineEnd gives the end of a line of the final head.
func lineEnd(d *draft, c *choices) *string {
	i := c.of(len(d.lines) + 2)
	switch i {
	case 0:
		return &d.ends
	case 1:
		return &d.empty
	}
	return &d.lines[i-2].end
}

// inValue adds a field with b inside its value.
func inValue(d *draft, c *choices, b string) { addLine(d, c, name(c)+": x"+b+"y") }

// inName adds a field with b inside its name.
func inName(d *draft, c *choices, b string) { addLine(d, c, "x"+b+"y: z") }

func addLine(d *draft, c *choices, text string) { d.insert(c.of(len(d.lines)+1), text) }

// plain makes d a response to GET that is delimited by its end, so that what
// frames is added by the damage.
func plain(d *draft) {
	kept := d.lines[:0]
	for _, l := range d.lines {
		name, _, _ := strings.Cut(strings.ToLower(l.text), ":")
		if name != "content-length" && name != "transfer-encoding" {
			kept = append(kept, l)
		}
	}
	d.lines, d.framing, d.q, d.code, d.minor, d.end, d.surplus = kept, wire.ByClose, wire.Request{}, "200", 1, wire.FIN, ""
}

// five makes d a response with five bytes of content and no field that frames
// it: recipients that forgive a damaged length of 5 read on.
func five(d *draft) {
	plain(d)
	d.content = []byte("hello")
}

func repeatLength(d *draft, c *choices, a, b string) {
	if c.of(2) == 0 {
		addLine(d, c, "Content-Length: "+a+pick(c, ",", ", ", " ,\t")+b)
		return
	}
	addLine(d, c, "Content-Length: "+a)
	d.insert(len(d.lines), "content-length: "+b)
}

// filled gives d content that its framing delimits.
func filled(d *draft, c *choices) {
	by := pick(c, wire.ByLength, wire.ByChunks, wire.ByClose)
	plain(d)
	d.content = append(d.content, "content"...)
	d.frame(c, by)
}

// chunked makes d chunked, and gives one of its chunks.
func chunked(d *draft, c *choices) *chunk {
	plain(d)
	d.chunks, d.trailer = nil, nil
	d.content = append(d.content, "content"...)
	d.frame(c, wire.ByChunks)
	k := &d.chunks[c.of(len(d.chunks))]
	if i := strings.IndexAny(k.size, "; "); i >= 0 {
		k.size = k.size[:i]
	}
	return k
}

// coded makes d chunked, whatever its Transfer-Encoding, which is coding, says:
// recipients that forgive that read on.
func coded(d *draft, c *choices, coding string) {
	chunked(d, c)
	for i, l := range d.lines {
		if name, _, _ := strings.Cut(l.text, ":"); strings.EqualFold(name, "Transfer-Encoding") {
			d.lines[i].text = "Transfer-Encoding: " + coding
		}
	}
}

// shorten takes bytes from the end of content that is delimited.
func shorten(d *draft, c *choices, end wire.End) {
	if c.of(2) == 0 {
		chunked(d, c)
	} else {
		plain(d)
		d.content = append(d.content, "content"...)
		d.frame(c, wire.ByLength)
	}
	d.end, d.surplus = end, ""
	d.cut = 1 + c.of(len(d.body()))
}
