package bench

import "why520/wire"

// Wire gives package wire as a Parser: a head with its framing, as a proxy
// asks for it, and responses as a Stream. All cases are within its limits.
func Wire() Parser {
	limits := wire.Limits{Head: 1 << 20, Fields: 1024}
	p := &wire.Parser{Limits: limits}
	s := &wire.Stream{Limits: limits}
	spans := make([]wire.Span, 64)
	return Parser{
		Name: "wire",
		Heads: func(inputs [][]byte, results []Result) {
			for i, b := range inputs {
				results[i] = wireHead(p, b)
			}
		},
		Responses: Each(func(b []byte) Result { return wireResponse(s, spans, b, nil) }),
		Value: func(b []byte, name string) string {
			wireHead(p, b)
			v, _ := p.Head.Get(b, name)
			return string(v)
		},
		Content: func(b []byte) (content []byte) {
			wireResponse(s, spans, b, func(segment []byte) { content = append(content, segment...) })
			return content
		},
	}
}

func wireHead(p *wire.Parser, b []byte) Result {
	p.Reset()
	n, err := p.Parse(b)
	if err != nil {
		return Result{}
	}
	if _, _, err := p.Head.Framing(b, wire.Request{}, wire.Set{}); err != nil {
		return Result{}
	}
	return Result{OK: true, Head: n, Status: p.Head.Status, Fields: p.Head.Len()}
}

// wireResponse gives each segment of content to take, if that is not nil.
func wireResponse(s *wire.Stream, spans []wire.Span, b []byte, take func([]byte)) (r Result) {
	s.Expect(wire.Request{})
	for {
		if segments, n := s.Segments(b, spans); n > 0 {
			if take != nil {
				for _, segment := range segments {
					take(segment.Of(b))
				}
			}
			b = b[n:]
			continue
		}
		ev, n, err := s.Next(b)
		if err != nil {
			return Result{}
		}
		switch ev {
		case wire.FinalHead:
			h := s.Head()
			r = Result{Head: int(s.Offset()), Status: h.Status, Fields: h.Len()}
		case wire.Content:
			if take != nil {
				take(b[n-s.Segment : n])
			}
		case wire.Done:
			r.OK, r.Content = true, int(s.Bytes)
			return r
		}
		b = b[n:]
	}
}
