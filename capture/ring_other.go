//go:build !linux

package capture

import (
	"errors"
	"io"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// A ring holds nothing here: packets are captured on Linux alone.
type ring struct {
	done  int
	woken atomic.Bool
}

var down = errors.ErrUnsupported

func (l *Live) open() error {
	return &LiveError{l.o.Interface, "opening a packet socket", errors.ErrUnsupported}
}

func (l *Live) only([]Origin) error           { return errors.ErrUnsupported }
func (r *ring) next(*Packet, time.Time) error { return io.EOF }
func (r *ring) more(*Packet) bool             { return false }
func (r *ring) drops() int64                  { return 0 }
func (r *ring) stop() error                   { return nil }
func (r *ring) wake()                         {}
func (r *ring) blocks() int                   { return 0 }
func (r *ring) unmap()                        {}

func bind(syscall.RawConn, netip.Addr) (netip.AddrPort, error) {
	return netip.AddrPort{}, errors.ErrUnsupported
}
