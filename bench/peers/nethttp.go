package peers

import (
	"bufio"
	"bytes"
	"io"
	"net/http"

	"why520/bench"
)

// largest is more than the largest head of all cases.
const largest = 128 << 10

// NetHTTP is net/http's ReadResponse. It does not tell the number of field
// lines, which it does not keep.
func NetHTTP() bench.Parser {
	var (
		source = bytes.NewReader(nil)
		buffer = bufio.NewReaderSize(source, largest)
		get    = &http.Request{Method: http.MethodGet}
	)
	read := func(b []byte) (*http.Response, error) {
		source.Reset(b)
		buffer.Reset(source)
		res, err := http.ReadResponse(buffer, get)
		for err == nil && res.StatusCode < 200 {
			res, err = http.ReadResponse(buffer, get)
		}
		return res, err
	}
	result := func(b []byte, res *http.Response) bench.Result {
		return bench.Result{OK: true, Head: len(b) - source.Len() - buffer.Buffered(), Status: res.StatusCode, Fields: -1}
	}
	return bench.Parser{
		Name: "net-http",
		Heads: bench.Each(func(b []byte) bench.Result {
			res, err := read(b)
			if err != nil {
				return bench.Result{}
			}
			return result(b, res)
		}),
		Responses: bench.Each(func(b []byte) bench.Result {
			res, err := read(b)
			if err != nil {
				return bench.Result{}
			}
			r := result(b, res)
			n, err := io.Copy(io.Discard, res.Body)
			r.OK, r.Content = err == nil, int(n)
			return r
		}),
		Value: func(b []byte, name string) string {
			res, err := read(b)
			if err != nil {
				return ""
			}
			return res.Header.Get(name)
		},
		Content: func(b []byte) []byte {
			res, err := read(b)
			if err != nil {
				return nil
			}
			content, _ := io.ReadAll(res.Body)
			return content
		},
	}
}
