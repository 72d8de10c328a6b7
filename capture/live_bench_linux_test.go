package capture_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"why520/capture"
	"why520/validator"
)

// The flow of the blast, over and over between other ports: a whole exchange.
var exchange = []struct {
	fromOrigin bool
	flags      byte
	seq, ack   uint32
	payload    string
}{
	{false, capture.SYN, 0, 0, ""},
	{true, capture.SYN | capture.ACK, 0, 1, ""},
	{false, capture.ACK, 1, 1, ""},
	{false, capture.PSH | capture.ACK, 1, 1, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
	{true, capture.PSH | capture.ACK, 1, 28, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
	{true, capture.FIN | capture.ACK, 41, 28, ""},
	{false, capture.FIN | capture.ACK, 28, 42, ""},
	{true, capture.ACK, 42, 29, ""},
}

// frameOf makes packet i of the blast. Its link address is nobody's, so that no
// stack looks at it.
func frameOf(i int) []byte {
	p := exchange[i%len(exchange)]
	flow := i / len(exchange)
	b := make([]byte, 54, 128)
	copy(b, []byte{2, 0, 0, 0, 0, 0x66, 2, 0, 0, 0, 0, 0x67, 8, 0, 0x45})
	ip, tcp := b[14:], b[34:]
	binary.BigEndian.PutUint16(ip[2:], uint16(40+len(p.payload)))
	ip[8], ip[9] = 64, 6
	client, origin := []byte{10, byte(flow >> 22), byte(flow >> 14), 7}, []byte{198, 51, 100, 9}
	clientPort, originPort := uint16(10000+flow&0x3FFF), uint16(80)
	if p.fromOrigin {
		client, origin, clientPort, originPort = origin, client, originPort, clientPort
	}
	copy(ip[12:], client)
	copy(ip[16:], origin)
	binary.BigEndian.PutUint16(tcp, clientPort)
	binary.BigEndian.PutUint16(tcp[2:], originPort)
	binary.BigEndian.PutUint32(tcp[4:], p.seq)
	binary.BigEndian.PutUint32(tcp[8:], p.ack)
	tcp[12], tcp[13], tcp[14] = 5<<4, p.flags, 0xFF
	return append(b, p.payload...)
}

// TestHelperBlasts sends so many packets on r0, at such a rate.
func TestHelperBlasts(t *testing.T) {
	asked, is := os.LookupEnv(helper)
	if !is {
		return
	}
	var packets, rate int
	_, err := fmt.Sscanf(asked, "%d packets at %d", &packets, &rate)
	require.NoError(t, err)
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	i, err := net.InterfaceByName("r0")
	require.NoError(t, err)
	require.NoError(t, unix.Bind(socket, &unix.SockaddrLinklayer{Ifindex: i.Index}))
	require.NoError(t, unix.SetsockoptInt(socket, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1))
	const batch = 64
	type message struct {
		header unix.Msghdr
		sent   uint32
	}
	messages := make([]message, batch)
	vectors := make([]unix.Iovec, batch)
	began := time.Now()
	for sent := 0; sent < packets; {
		for time.Since(began) < time.Duration(sent)*time.Second/time.Duration(rate) {
		}
		n := min(batch, packets-sent)
		for i := range n {
			b := frameOf(sent + i)
			vectors[i].Base = &b[0]
			vectors[i].SetLen(len(b))
			messages[i].header.Iov = &vectors[i]
			messages[i].header.Iovlen = 1
		}
		done, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(socket), uintptr(unsafe.Pointer(&messages[0])), uintptr(n), 0, 0, 0)
		if errno != 0 && errno != unix.ENOBUFS {
			require.NoError(t, errno)
		}
		sent += int(done)
	}
	fmt.Printf("%d packets a second\n", int(float64(packets)/time.Since(began).Seconds()))
	os.Exit(0) // before package testing prints, too
}

// blast sends packets to the client's link, whoever reads them there.
func (n *network) blast(t testing.TB, packets, rate int) (sender *exec.Cmd) {
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command("ip", "netns", "exec", n.router, self, "-test.run=^TestHelperBlasts$")
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%d packets at %d", helper, packets, rate))
	return c
}

const perSecond = 400_000

var blasted = []capture.Origin{{Address: netip.AddrFrom4([4]byte{198, 51, 100, 9})}}

// BenchmarkLive reads and tracks b.N packets that come at 0.4 million a second:
//
//	go test -run '^$' -bench Live -benchtime 800000x ./capture
func BenchmarkLive(b *testing.B) {
	n := newNetwork(b)
	var l *capture.Live
	n.within(n.client, func() { l = open(b, capture.LiveOptions{Interface: "c0", Ring: 32 << 20, Origins: blasted}) })
	flows := 0
	tracker := capture.NewTracker(capture.Options{Linger: time.Second}, func(*capture.Flow) { flows++ })
	sender := n.blast(b, b.N, perSecond)
	var before, after unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &before))
	b.ResetTimer()
	var got atomic.Int64
	read := make(chan struct{})
	go func() {
		defer close(read)
		var p capture.Packet
		for l.Next(&p) == nil {
			tracker.Packet(&p)
			got.Add(1)
		}
	}()
	out, err := sender.CombinedOutput()
	require.NoError(b, err, "%s", out)
	lost := l.Drops()
	for start := time.Now(); got.Load()+lost < int64(b.N) && time.Since(start) < time.Second; lost = l.Drops() {
		time.Sleep(time.Millisecond)
	}
	l.Close()
	<-read
	b.StopTimer()
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &after))
	cpu := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(b.N), "cpu-ns/packet")
	b.ReportMetric(float64(b.N-int(got.Load())), "lost")
	b.ReportMetric(float64(flows), "flows")
	b.Logf("%s", out)
}

func TestNothingIsLostOfABlast(t *testing.T) {
	n := newNetwork(t)
	var l *capture.Live
	n.within(n.client, func() { l = open(t, capture.LiveOptions{Interface: "c0", Ring: 128 << 20, Origins: blasted}) })
	const packets = 100_000
	out, err := n.blast(t, packets, perSecond).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Zero(t, l.Drops())
	var p capture.Packet
	for i := range packets {
		require.NoError(t, l.Next(&p))
		require.Equal(t, frameOf(i), p.Data)
	}
}

// BenchmarkVerdict is how long the verdict takes after the reset, the wait for
// what follows it included.
func BenchmarkVerdict(b *testing.B) {
	l := open(b, capture.LiveOptions{Interface: "lo"})
	tap, err := capture.NewTap(l, capture.TapOptions{})
	require.NoError(b, err)
	defer tap.Close()
	var reset time.Time
	done := make(chan struct{}, 1)
	address := loopback(b, func(c *net.TCPConn) {
		readHead(c)
		reset = time.Now()
		linger0(c)
		done <- struct{}{}
	})
	var longest, sum time.Duration
	for b.Loop() {
		e, err := tap.Probe(b.Context(), &validator.Prober{}, validator.Target{URL: "http://" + address + "/"})
		require.NoError(b, err)
		require.Equal(b, capture.ByOrigin, e.TCP.ResetBy)
		<-done
		took := time.Since(reset)
		sum += took
		longest = max(longest, took)
	}
	b.ReportMetric(float64(sum.Microseconds())/1000/float64(b.N), "ms-after-reset")
	b.ReportMetric(float64(longest.Microseconds())/1000, "ms-longest")
}
