package capture

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A flood is packets so long that two fill a block, sent on the loopback
// interface. The kernel has put one into the ring when send returns.
type flood struct {
	t      *testing.T
	socket int
	frame  []byte
}

func newFlood(t *testing.T) *flood {
	t.Helper()
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, fs.ErrPermission) {
		if os.Getenv("WHY520_CI") != "" {
			t.Fatal("packets may not be captured here, and WHY520_CI is set")
		}
		t.Skip("packets may not be captured here: skipped")
	}
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(socket) })
	lo, err := net.InterfaceByName("lo")
	require.NoError(t, err)
	require.NoError(t, unix.Bind(socket, &unix.SockaddrLinklayer{Ifindex: lo.Index}))
	d := draft{from: someone, to: one} // addresses that nobody has
	frame := append(d.ethernet(), make([]byte, 60_000)...)
	frame[16], frame[17] = 0, 0 // the length is the frame's
	return &flood{t, socket, frame}
}

func (f *flood) send() {
	_, err := unix.Write(f.socket, f.frame)
	require.NoError(f.t, err)
}

// flooded opens a Live of few blocks.
func flooded(t *testing.T) *Live {
	t.Helper()
	l, err := OpenLive(LiveOptions{Interface: "lo", Ring: 1 << 20, Origins: []Origin{{Address: one.Addr()}}})
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// mostTaken is after how many packets a flood ends that would go on for ever.
const mostTaken = 5000

func TestARingThatIsNeverEmptyIsGoneThroughOnce(t *testing.T) {
	flood, l := newFlood(t), flooded(t)
	for range 3 {
		flood.send()
		taken := 0
		empty, err := l.each(time.Time{}, func(*Packet) {
			if taken++; taken < mostTaken {
				for range 3 {
					flood.send()
				}
			}
		})
		require.NoError(t, err)
		assert.False(t, empty)
		assert.LessOrEqual(t, taken, 2*l.ring.blocks()+2)
	}
	for empty := false; !empty; {
		var err error
		empty, err = l.each(time.Time{}, func(*Packet) {})
		require.NoError(t, err)
	}
}

func TestClosingEndsARingThatIsNeverEmpty(t *testing.T) {
	flood, l := newFlood(t), flooded(t)
	flood.send()
	taken, closed := 0, make(chan error)
	_, err := l.each(time.Time{}, func(*Packet) {
		if taken++; taken == 1 {
			go func() { closed <- l.Close() }()
			for !l.ring.stopped.Load() {
				unix.Nanosleep(&unix.Timespec{Nsec: 1000}, nil)
			}
		}
		if taken < mostTaken {
			for range 3 {
				flood.send()
			}
		}
	})
	require.NoError(t, err)
	assert.LessOrEqual(t, taken, 2, "packets of the block that was begun")
	require.NoError(t, <-closed)
	assert.Equal(t, io.EOF, l.Next(new(Packet)))
}

func TestTagsAreToldFromIP(t *testing.T) {
	four, six := draft{from: someone, to: one}.ip(), draft{from: some6, to: one6}.ip()
	for _, first := range []byte{0x00, 0x45, 0x60, 0xE7} {
		for what, c := range map[string]struct {
			b      []byte
			length int
			want   bool
		}{
			"a tag, IPv4":               {append([]byte{first, 7, 0x08, 0x00}, four...), 4 + len(four), true},
			"a tag, IPv6":               {append([]byte{first, 7, 0x86, 0xDD}, six...), 4 + len(six), true},
			"a tag, another":            {append([]byte{first, 7, 0x08, 0x06}, four...), 4 + len(four), false},
			"IPv4 of 2048 bytes":        {[]byte{0x45, first, 0x08, 0x00, 0x45, 0x67}, 2048, false},
			"IPv6 of such a flow label": {[]byte{0x60, first, 0x86, 0xDD, 0x60, 0x00}, 40 + 0x6000, false},
			"cut":                       {[]byte{first, 7, 0x08, 0x00}, 44, false},
		} {
			assert.Equal(t, c.want, begunByTag(c.b, c.length), "%s, % X", what, first)
		}
	}
}

func TestSweepsOfATapEnd(t *testing.T) {
	flood, l := newFlood(t), flooded(t)
	tap, err := NewTap(l, TapOptions{})
	require.NoError(t, err)
	for i := range 5000 {
		if i%7 == 0 {
			flood.send()
		}
		tap.sweep()
	}
	require.NoError(t, tap.Close())
	tap.sweep()
}
