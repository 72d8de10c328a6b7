package capture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"why520/capture"
	"why520/validator"
)

// open opens a Live, which is closed when the test ends.
func open(t testing.TB, o capture.LiveOptions) *capture.Live {
	t.Helper()
	if o.Ring == 0 {
		o.Ring = 4 << 20
	}
	l, err := capture.OpenLive(o)
	if errors.Is(err, fs.ErrPermission) {
		missing(t, "packets may not be captured here")
	}
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// loopback runs handle on every connection to an address of the loopback
// interface.
func loopback(t testing.TB, handle func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { handle(c.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

// count reads packets until the reset of an origin's port, and gives how many SYNs
// of clients were among them.
func count(t *testing.T, l *capture.Live, port uint16) (syns int) {
	t.Helper()
	var p capture.Packet
	var s capture.Segment
	for {
		require.NoError(t, l.Next(&p))
		if s.Decode(&p) != capture.IsTCP {
			continue
		}
		switch {
		case s.DestinationPort == port && s.Flags&capture.SYN != 0:
			syns++
		case s.SourcePort == port && s.Flags&capture.RST != 0:
			return syns
		}
	}
}

func dialAndClose(t *testing.T, address string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err == nil {
		_, _ = io.Copy(io.Discard, c)
		c.Close()
	}
}

func TestEachPacketOfTheLoopbackInterfaceIsSeenOnce(t *testing.T) {
	for _, name := range []string{"lo", "any"} {
		t.Run(name, func(t *testing.T) {
			l := open(t, capture.LiveOptions{Interface: name})
			address := loopback(t, linger0)
			dialAndClose(t, address)
			assert.Equal(t, 1, count(t, l, netip.MustParseAddrPort(address).Port()))
		})
	}
}

func TestLivesOfAGroupShareTheFlowsOut(t *testing.T) {
	origins := []capture.Origin{{Address: netip.MustParseAddr("127.0.0.1")}}
	group := uint16(os.Getpid())
	one := open(t, capture.LiveOptions{Interface: "lo", Fanout: group, Origins: origins})
	two := open(t, capture.LiveOptions{Interface: "lo", Fanout: group, Origins: origins})
	address := loopback(t, linger0)
	const flows = 64
	var mu sync.Mutex
	syns, both := 0, sync.WaitGroup{}
	seen := make(chan struct{}, flows)
	port := netip.MustParseAddrPort(address).Port()
	for _, l := range []*capture.Live{one, two} {
		both.Go(func() {
			var p capture.Packet
			var s capture.Segment
			for l.Next(&p) == nil {
				switch {
				case s.Decode(&p) != capture.IsTCP:
				case s.DestinationPort == port && s.Flags&capture.SYN != 0:
					mu.Lock()
					syns++
					mu.Unlock()
				case s.SourcePort == port && s.Flags&capture.RST != 0:
					seen <- struct{}{}
				}
			}
		})
	}
	for range flows {
		dialAndClose(t, address)
		<-seen
	}
	one.Close()
	two.Close()
	both.Wait()
	assert.Equal(t, flows, syns)
}

func TestClosingEndsAWait(t *testing.T) {
	l := open(t, capture.LiveOptions{Interface: "lo", Origins: []capture.Origin{{Address: netip.MustParseAddr("192.0.2.1")}}})
	waited := make(chan error)
	go func() {
		var p capture.Packet
		err := l.Next(&p)
		for err == nil { // what a filter cannot tell comes, too
			err = l.Next(&p)
		}
		waited <- err
	}()
	runtime.Gosched()
	require.NoError(t, l.Close())
	assert.Equal(t, io.EOF, <-waited)
	assert.Equal(t, io.EOF, l.Next(new(capture.Packet)), "once more")
}

func TestWhatIsLostMakesVerdictsLessCertain(t *testing.T) {
	l := open(t, capture.LiveOptions{Interface: "lo", Ring: 1}) // two blocks, and nobody reads them
	address := loopback(t, linger0)
	for l.Drops() == 0 {
		dialAndClose(t, address)
	}
	for f, err := range l.Flows(capture.Options{All: true, Linger: 1}) {
		require.NoError(t, err)
		assert.NotEqual(t, "certain", f.Evidence.TCP.Confidence)
		assert.Contains(t, strings.Join(f.Evidence.TCP.Evidence, "\n"), "packets of the capture were lost")
		break
	}
}

func TestWhatIsLostStandsInTheVerdictOfAConnection(t *testing.T) {
	l := open(t, capture.LiveOptions{Interface: "lo", Ring: 1})
	tap, err := capture.NewTap(l, capture.TapOptions{})
	require.NoError(t, err)
	defer tap.Close()
	address := loopback(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	for range 100 {
		w := tap.Watch()
		c, err := (&net.Dialer{ControlContext: w.Control}).DialContext(t.Context(), "tcp", address)
		require.NoError(t, err)
		before := l.Drops()
		for range 1000 {
			_, _ = c.Write(bytes.Repeat([]byte{'a'}, 64<<10)) // a few of these fill the ring
		}
		c.Close()
		f := w.Flow()
		w.Close()
		if l.Drops() == before {
			continue // it was read in time: once more
		}
		require.NotNil(t, f)
		assert.NotEqual(t, "certain", f.Evidence.TCP.Confidence)
		assert.Contains(t, strings.Join(f.Evidence.TCP.Evidence, "\n"), "packets of the capture were lost")
		return
	}
	t.Fatal("nothing was lost")
}

func TestAnInterfaceThatIsNotThereIsNamed(t *testing.T) {
	_, err := capture.OpenLive(capture.LiveOptions{Interface: "why520-none"})
	var failed *capture.LiveError
	require.ErrorAs(t, err, &failed)
	assert.Contains(t, err.Error(), `"lo"`)
}

// A connection that is watched is seen from its SYN on.
func TestNoSYNIsMissed(t *testing.T) {
	l := open(t, capture.LiveOptions{Interface: "lo", Ring: 128 << 20})
	tap, err := capture.NewTap(l, capture.TapOptions{})
	require.NoError(t, err)
	defer tap.Close()
	address := loopback(t, func(c *net.TCPConn) { c.Close() })
	connections := 1000
	if testing.Short() {
		connections = 100
	}
	var mu sync.Mutex
	handshakes := map[string]int{}
	var all sync.WaitGroup
	work := make(chan struct{})
	for range 16 {
		all.Go(func() {
			for range work {
				w := tap.Watch()
				c, err := (&net.Dialer{ControlContext: w.Control}).DialContext(t.Context(), "tcp", address)
				if assert.NoError(t, err) {
					c.Close()
				}
				how := "no packet was seen"
				if f := w.Flow(); f != nil {
					how = f.Handshake
				}
				w.Close()
				mu.Lock()
				handshakes[how]++
				mu.Unlock()
			}
		})
	}
	for range connections {
		work <- struct{}{}
	}
	close(work)
	all.Wait()
	assert.Equal(t, map[string]int{capture.HandshakeComplete: connections}, handshakes)
	assert.Zero(t, tap.Drops())
}

func TestTapOfAnotherInterfaceSaysThatItSawNothing(t *testing.T) {
	n := newNetwork(t)
	var tap *capture.Tap
	var err error
	n.within(n.client, func() { tap, err = openTap("c0", capture.TapOptions{}) })
	require.NoError(t, err)
	defer tap.Close()
	e, err := tap.Probe(t.Context(), &validator.Prober{Settle: time.Minute}, validator.Target{URL: "http://" + loopback(t, linger0) + "/"})
	require.NoError(t, err)
	assert.Equal(t, validator.ResetBeforeRequest, validator.Judge(e, nil).Reason)
	require.NotNil(t, e.TCP)
	assert.Equal(t, []string{"no packet of the connection was seen on c0"}, e.TCP.Evidence)
	assert.Equal(t, "open", e.TCP.Confidence)
}

func TestVLANTagThatTheKernelTookIsPutBack(t *testing.T) {
	n := newNetwork(t)
	frame := binary.BigEndian.AppendUint16(bytes.Repeat([]byte{2}, 12), 0x8100)
	frame = append(frame, 0x20, 7, 0x08, 0x00, 0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 198, 51, 100, 2, 192, 0, 2, 2)
	frame = append(frame, 0, 80, 0xC0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, capture.SYN|capture.ACK, 0, 1, 0, 0, 0, 0)
	seen := map[string]*capture.Live{}
	n.within(n.client, func() { seen["as it arrives"] = open(t, capture.LiveOptions{Interface: "c0"}) })
	n.within(n.router, func() {
		seen["as it leaves"] = open(t, capture.LiveOptions{Interface: "r0"})
		emit(t, "r0", frame)
	})
	for where, l := range seen {
		var p capture.Packet
		var s capture.Segment
		require.NoError(t, l.Next(&p))
		for s.Decode(&p) != capture.IsTCP { // what else IPv6 has with extension headers
			require.NoError(t, l.Next(&p))
		}
		assert.Equal(t, frame, p.Data, where)
		assert.Equal(t, len(frame), p.Length, where)
		assert.EqualValues(t, 7, s.VLAN)
	}
}

// emit sends an Ethernet frame, as it is, from the interface of that name.
func emit(t *testing.T, name string, frame []byte) {
	t.Helper()
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(socket)
	i, err := net.InterfaceByName(name)
	require.NoError(t, err)
	to := &unix.SockaddrLinklayer{Ifindex: i.Index, Protocol: binary.NativeEndian.Uint16(frame[12:14])}
	require.NoError(t, unix.Sendto(socket, frame, 0, to))
}

// Of a frame that arrives within two VLANs, the kernel takes one tag, and what
// "any" sees begins with the other; of one that leaves, it begins with IP.
func TestAnyTakesFramesWithinTwoVLANs(t *testing.T) {
	n := newNetwork(t)
	frame := slices.Concat(bytes.Repeat([]byte{2}, 12), []byte{0x88, 0xA8, 0, 9, 0x81, 0, 0x40, 7, 0x08, 0x00})
	ip := []byte{0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 198, 51, 100, 9, 192, 0, 2, 2,
		0, 80, 0xC0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, capture.SYN | capture.ACK, 0, 1, 0, 0, 0, 0}
	frame = append(frame, ip...)
	seen := map[string]*capture.Live{}
	n.within(n.client, func() { seen["as it arrives"] = open(t, capture.LiveOptions{Interface: "any", Origins: blasted}) })
	n.within(n.router, func() {
		seen["as it leaves"] = open(t, capture.LiveOptions{Interface: "any", Origins: blasted})
		emit(t, "r0", frame)
	})
	for where, l := range seen {
		t.Run(where, func(t *testing.T) {
			var p capture.Packet
			waited := time.AfterFunc(time.Minute, func() { l.Close() })
			defer waited.Stop()
			require.NoError(t, l.Next(&p))
			assert.Equal(t, ip, p.Data)
			assert.Equal(t, len(ip), p.Length)
			assert.Equal(t, capture.Raw, p.Link)
		})
	}
}

// held counts what a process holds: goroutines, descriptors, mapped rings.
func held(t *testing.T) [3]int {
	t.Helper()
	descriptors, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	return [3]int{runtime.NumGoroutine(), len(descriptors), strings.Count(string(maps), "socket:")}
}

func more(after, before [3]int) bool {
	return after[0] > before[0] || after[1] > before[1] || after[2] > before[2]
}

func TestNothingIsHeldOnceClosed(t *testing.T) {
	open(t, capture.LiveOptions{Interface: "lo"}).Close()
	address := loopback(t, linger0)
	before := held(t)
	for range 5 {
		l := open(t, capture.LiveOptions{Interface: "lo"})
		dialAndClose(t, address)
		require.NoError(t, l.Next(new(capture.Packet)))
		require.NoError(t, l.Close())

		tap, err := openTap("lo", capture.TapOptions{Pcap: io.Discard})
		require.NoError(t, err)
		_, err = tap.Probe(t.Context(), &validator.Prober{}, validator.Target{URL: "http://" + address + "/"})
		require.NoError(t, err)
		require.NoError(t, tap.Close())

		l = open(t, capture.LiveOptions{Interface: "lo"})
		dialAndClose(t, address)
		for f, err := range l.Flows(capture.Options{All: true, Linger: 1}) {
			require.NoError(t, err)
			require.NotNil(t, f)
			break
		}
		require.NoError(t, l.Close())
		_, err = capture.OpenLive(capture.LiveOptions{Interface: "lo", Ring: 1 << 50})
		require.Error(t, err)
	}
	after := held(t)
	for end := time.Now().Add(time.Minute); more(after, before) && time.Now().Before(end); after = held(t) {
		time.Sleep(10 * time.Millisecond) // what served the connections is ending
	}
	assert.False(t, more(after, before), "goroutines, descriptors, rings: %v, and before %v", after, before)
}
