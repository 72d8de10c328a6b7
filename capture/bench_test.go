package capture_test

import (
	"bytes"
	"net/netip"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/capture/captest"
)

// The body of the benchmark is that of the test of allocations.
func replay(t *capture.Tracker, r *capture.Reader) {
	var p capture.Packet
	for r.Next(&p) == nil {
		t.Packet(&p)
	}
}

func plainFile(tb testing.TB, flows int) []byte {
	tb.Helper()
	var b bytes.Buffer
	frames := captest.Merge(captest.Flows(captest.Options{Seed: 1, Flows: flows, Only: "closed-by-client", Clean: 1 << 30, Content: 2000}))
	require.NoError(tb, captest.WritePcap(&b, frames, captest.Format{}))
	return b.Bytes()
}

func TestPacketsOfSoundFlowsAllocateNothing(t *testing.T) {
	file := plainFile(t, 3000)
	tracker := capture.NewTracker(capture.Options{Linger: 1e6}, func(*capture.Flow) {})
	r, err := capture.NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	replay(tracker, r) // tables and buffers grow to what the file needs
	tracker.Close()
	r, err = capture.NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	replay(tracker, r)
	runtime.ReadMemStats(&after)
	packets := tracker.Stats().Packets / 2
	require.Greater(t, packets, int64(20000))
	allocated := after.Mallocs - before.Mallocs
	assert.Less(t, allocated, uint64(packets/1000), "allocations for %d packets", packets)
}

// A flood of SYNs from forged addresses holds no more than the table may.
func TestMemoryIsBoundedUnderAFlood(t *testing.T) {
	const flows = 1 << 12
	tracker := capture.NewTracker(capture.Options{Flows: flows}, func(*capture.Flow) {})
	frame := syn(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 200_000 {
		frame.Time += 1000
		for b := range 4 {
			frame.Data[26+b] = byte(i >> (8 * b))
		}
		tracker.Packet(&frame)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(flows*512))
	s := tracker.Stats()
	assert.EqualValues(t, 200_000, s.Flows)
	assert.EqualValues(t, 200_000-flows, s.Evicted)
	tracker.Close()
	runtime.KeepAlive(tracker)
}

// syn gives a SYN over IPv4, without VLAN.
func syn(t *testing.T) capture.Packet {
	t.Helper()
	for f := range captest.Flows(captest.Options{Seed: 1, Flows: 50}) {
		if p := f.Frames[0].Packet(capture.Ethernet); f.Client.Addr().Is4() && p.Data[12] == 8 {
			p.Data = slices.Clone(p.Data)
			return p
		}
	}
	t.Fatal("no flow over IPv4")
	return capture.Packet{}
}

func TestOriginsAreTheOnesAskedAbout(t *testing.T) {
	for f := range captest.Flows(captest.Options{Seed: 4, Flows: 20, Only: "reset-after-request"}) {
		for _, c := range []struct {
			origin capture.Origin
			flows  int
		}{
			{capture.Origin{Address: f.Origin.Addr()}, 1},
			{capture.Origin{Address: f.Origin.Addr(), Port: 80}, 1},
			{capture.Origin{Address: f.Origin.Addr(), Port: 81}, 0},
			{capture.Origin{Address: netip.MustParseAddr("203.0.113.9")}, 0},
		} {
			found := flowsOf(f.Frames, capture.Options{Origins: []capture.Origin{c.origin}})
			assert.Len(t, found, c.flows, "%v", c.origin)
		}
	}
}

func BenchmarkTracker(b *testing.B) {
	file := plainFile(b, 20000)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	var packets int64
	for b.Loop() {
		tracker := capture.NewTracker(capture.Options{}, func(*capture.Flow) {})
		r, err := capture.NewReader(bytes.NewReader(file))
		require.NoError(b, err)
		replay(tracker, r)
		tracker.Close()
		packets += tracker.Stats().Packets
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
}
