package peers

import (
	"bufio"
	"bytes"

	"github.com/valyala/fasthttp"

	"why520/bench"
)

// FastHTTP is fasthttp's Response. It does not tell the number of field lines,
// which it would have to count.
func FastHTTP() bench.Parser {
	var (
		source = bytes.NewReader(nil)
		buffer = bufio.NewReaderSize(source, largest)
		res    fasthttp.Response
	)
	head := func(b []byte) (r bench.Result) {
		source.Reset(b)
		buffer.Reset(source)
		for r.Status < 200 {
			if res.Header.Read(buffer) != nil {
				return bench.Result{}
			}
			r.Status = res.Header.StatusCode()
		}
		return bench.Result{OK: true, Head: len(b) - source.Len() - buffer.Buffered(), Status: r.Status, Fields: -1}
	}
	response := func(b []byte) bench.Result {
		r := head(b)
		if !r.OK || res.ReadBody(buffer, 0) != nil {
			return bench.Result{}
		}
		if res.Header.ContentLength() == -1 && res.Header.ReadTrailer(buffer) != nil {
			return bench.Result{}
		}
		r.Content = len(res.Body())
		return r
	}
	return bench.Parser{
		Name:      "fasthttp",
		Heads:     bench.Each(head),
		Responses: bench.Each(response),
		Value: func(b []byte, name string) string {
			head(b)
			return string(res.Header.Peek(name))
		},
		Content: func(b []byte) []byte {
			response(b)
			return res.Body()
		},
	}
}
