package peers

import (
	"bytes"
	"io"

	"github.com/cloudwego/hertz/pkg/common/hlog"
	"github.com/cloudwego/hertz/pkg/protocol"
	"github.com/cloudwego/hertz/pkg/protocol/http1/resp"

	"why520/bench"
)

// Hertz is the parser of CloudWeGo's Hertz. It does not tell the number of field
// lines, which it would have to count. It would log what it thinks of status
// codes: its logger is silent from here on.
func Hertz() bench.Parser {
	var (
		source memory
		res    protocol.Response
	)
	hlog.SetLevel(hlog.LevelFatal)
	head := func(b []byte) (r bench.Result) {
		source.come(b)
		for r.Status < 200 {
			if resp.ReadHeader(&res.Header, &source) != nil {
				return bench.Result{}
			}
			r.Status = res.Header.StatusCode()
		}
		return bench.Result{OK: true, Head: len(b) - source.Len(), Status: r.Status, Fields: -1}
	}
	response := func(b []byte) bench.Result {
		r := head(b)
		if !r.OK || resp.ReadRespBody(&res, &source, 0) != nil {
			return bench.Result{}
		}
		r.Content = len(res.BodyBytes())
		return r
	}
	return bench.Parser{
		Name:      "hertz",
		Heads:     bench.Each(head),
		Responses: bench.Each(response),
		Value: func(b []byte, name string) string {
			head(b)
			return string(res.Header.Peek(name))
		},
		Content: func(b []byte) []byte {
			response(b)
			return res.BodyBytes()
		},
	}
}

// memory is a network.Reader of bytes that have all come. They are a copy, for
// Hertz writes names anew where it read them.
type memory struct{ buffer, b []byte }

func (m *memory) come(b []byte) {
	m.buffer = append(m.buffer[:0], b...)
	m.b = m.buffer
}

func (m *memory) Len() int { return len(m.b) }

func (m *memory) Peek(n int) ([]byte, error) {
	if n > len(m.b) {
		return m.b, io.EOF
	}
	return m.b[:n], nil
}

func (m *memory) Skip(n int) error {
	if n > len(m.b) {
		return io.EOF
	}
	m.b = m.b[n:]
	return nil
}

func (m *memory) Release() error { return nil }

func (m *memory) ReadByte() (byte, error) {
	if len(m.b) == 0 {
		return 0, io.EOF
	}
	c := m.b[0]
	m.b = m.b[1:]
	return c, nil
}

func (m *memory) ReadBinary(n int) ([]byte, error) {
	b, err := m.Peek(n)
	if err != nil {
		return nil, err
	}
	m.b = m.b[n:]
	return bytes.Clone(b), nil
}
