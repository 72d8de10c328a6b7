package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// interim makes responses behind interim heads, a 100 and one to three 103.
func interim(r *rand.Rand) draft {
	var before strings.Builder
	hints := func() {
		before.WriteString("HTTP/1.1 103 Early Hints\r\n")
		for range 1 + r.IntN(4) {
			fmt.Fprintf(&before, "Link: </%s.js>; rel=preload; as=script\r\n", token(r, 8+r.IntN(24)))
		}
		before.WriteString("\r\n")
	}
	before.WriteString("HTTP/1.1 100 Continue\r\n\r\n")
	for range r.IntN(3) {
		hints()
	}
	hints()
	content := random(r, 1+r.IntN(255))
	d := nginxOf(r, fixed("Content-Length", fmt.Sprint(len(content))))
	d.interim = before.String()
	d.body = &body{content, content}
	return d
}

// chunked makes responses in chunks of size bytes, count of them on average,
// the last one shorter.
func chunked(size, count int) func(r *rand.Rand) draft {
	return func(r *rand.Rand) draft {
		d := nginxOf(r, chunkedCoding)
		n := size*(count/2+r.IntN(count)) + 1 + r.IntN(size)
		d.body = &body{content: random(r, n)}
		for data := range slices.Chunk(d.body.content, size) {
			d.body.framed = fmt.Appendf(d.body.framed, "%x\r\n%s\r\n", len(data), data)
		}
		d.body.framed = append(d.body.framed, "0\r\n\r\n"...)
		return d
	}
}

func random(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}
