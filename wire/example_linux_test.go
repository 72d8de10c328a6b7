package wire_test

import (
	"fmt"
	"log"
	"net"

	"golang.org/x/sys/unix"

	"why520/wire"
)

// An event loop of one's own: epoll says which descriptor has bytes, and each has
// a Stream and a buffer. No goroutine and no net.Conn is there.
func ExampleStream_epoll() {
	address, stop := answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
	defer stop()
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		log.Fatal(err)
	}
	defer unix.Close(poll)

	type origin struct {
		wire.Stream
		buf []byte // what the Stream is not done with
	}
	loop := map[int32]*origin{}
	for range 2 {
		fd := connect(address) // not blocking
		_, _ = unix.Write(fd, []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
		loop[int32(fd)] = &origin{} // whose Stream expects the answer to a GET
		_ = unix.EpollCtl(poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
	}

	var said []string
	events, p := make([]unix.EpollEvent, 16), make([]byte, 4096)
	for len(loop) > 0 {
		ready, _ := unix.EpollWait(poll, events, 5000)
		for _, e := range events[:max(ready, 0)] {
			o := loop[e.Fd]
			n, err := unix.Read(int(e.Fd), p)
			if err == unix.EAGAIN || err == unix.EINTR {
				continue
			}
			over := n <= 0
			o.buf = append(o.buf, p[:max(n, 0)]...)
			for !over {
				ev, n, err := o.Next(o.buf)
				o.buf = o.buf[n:]
				switch {
				case err == wire.ErrIncomplete:
				case err != nil, ev == wire.Done:
					over = true
				default:
					continue
				}
				break
			}
			if !over {
				continue
			}
			end := wire.FIN
			if err != nil {
				end = wire.RST
			}
			err = o.Close(end) // what it is, all in all
			said = append(said, fmt.Sprint(o.Head().Status, " ", o.Bytes, " ", err))
			unix.Close(int(e.Fd))
			delete(loop, e.Fd)
		}
	}
	if said[0] > said[1] {
		said[0], said[1] = said[1], said[0]
	}
	fmt.Println(said[0])
	fmt.Println(said[1])
	// Output:
	// 200 3 body-short: the connection was closed before all of Content-Length had come
	// 200 5 <nil>
}

// connect connects to address.
func connect(address *net.TCPAddr) int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		log.Fatal(err)
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: address.Port, Addr: [4]byte(address.IP.To4())}); err != nil {
		log.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		log.Fatal(err)
	}
	return fd
}

// answering gives the address of an origin that gives each connection another
// answer, and closes it.
func answering(texts ...string) (*net.TCPAddr, func()) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, text := range texts {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1024))
			fmt.Fprint(c, text)
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr), func() { l.Close(); <-done }
}
