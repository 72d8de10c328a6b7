package wire_test

import (
	"fmt"
	"io"
	"os"
	"strings"

	"why520/wire"
)

// A response is read from anything that is an io.Reader, such as a net.Conn.
func Example() {
	conn := strings.NewReader("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello")
	r := wire.NewReader(conn)
	for {
		ev, b, err := r.Next()
		switch {
		case err != nil:
			_, at := r.Stream.Fault()
			fmt.Println("refused:", err, "at byte", at)
			return
		case ev == wire.FinalHead:
			head := r.Stream.Head()
			server, _ := head.Get(b, "server")
			fmt.Printf("status %d, server %s, content by %v\n", head.Status, server, r.Stream.Framing.Delimiter)
		case ev == wire.Content:
			fmt.Printf("content %q\n", b)
		case ev == wire.Done:
			return
		}
	}
	// Output:
	// status 200, server x, content by length
	// content "hello"
}

// A head alone, as its bytes come in: the answer does not depend on the splits.
func ExampleParser() {
	response := []byte("HTTP/1.1 200 OK\r\nServer: x\r\nX-Trace : 1\r\n\r\n")
	var p wire.Parser
	for given := 10; ; given += 10 {
		n, err := p.Parse(response[:min(given, len(response))])
		if err == wire.ErrIncomplete {
			continue
		}
		fmt.Println(n, err)
		return
	}
	// Output: 35 field-space-before-colon: white space stands between field name and colon
}

// An event loop of one's own gives a Stream the bytes that it has, and keeps
// what the Stream is not done with.
func ExampleStream() {
	var (
		s      wire.Stream
		buffer []byte
	)
	arrive := func(bytes string) {
		buffer = append(buffer, bytes...)
		for {
			ev, n, err := s.Next(buffer)
			if err == wire.ErrIncomplete {
				return // until more arrives
			}
			if err != nil {
				fmt.Println("refused:", err)
				return
			}
			switch ev {
			case wire.Content:
				fmt.Printf("content %q\n", buffer[n-s.Segment:n])
			case wire.Done:
				fmt.Println("done")
				return
			}
			buffer = buffer[n:]
		}
	}
	s.Expect(wire.Request{Method: "GET"})
	arrive("HTTP/1.1 200 OK\r\nTransfer-Enc")
	arrive("oding: chunked\r\n\r\n6\r\nhel")
	arrive("lo!\r\n0\r\n")
	if err := s.Close(wire.RST); err != nil {
		fmt.Fprintln(os.Stdout, err == wire.ChunkedReset, err != io.EOF)
	}
	// Output:
	// content "hel"
	// content "lo!"
	// true true
}
