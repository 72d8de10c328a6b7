package scan

import "testing"

func TestTry(t *testing.T) {
	b := []byte("HTTP/1.1 200 OK\r\nAb:_1\r\nC: xy\r\nServer: nginx and more of it all in one long line to cross a block\r\n\r\n")
	for _, v := range Variants() {
		Use(v)
		s := State{}
		m := make([]uint32, 128)
		n, stop := Lines(b, &s, m, InValue)
		t.Log(v, n, stop, m[:n], len(b), s)
	}
}
