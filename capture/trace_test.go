package capture_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/capture/captest"
)

// A trace holds the first and the last packets of a flow, and says how many lie
// between them.
func TestTrace(t *testing.T) {
	for _, most := range []int{0, 1, 2, 3, 4, 5, 8, 11, 64} {
		for f := range captest.Flows(captest.Options{Seed: 5, Flows: len(captest.Classes())}) {
			if strings.HasPrefix(f.Class.Name, "ports-reused") {
				continue // two flows
			}
			flows := flowsOf(f.Frames, capture.Options{Trace: most})[f.Client.String()]
			require.NotEmpty(t, flows, f.Class.Name)
			flow := flows[len(flows)-1]
			require.Len(t, flow.Trace, min(most, flow.Packets), f.Class.Name)
			if most == 0 {
				continue
			}
			skipped := 0
			for i, p := range flow.Trace {
				skipped += p.Skipped
				at := f.Frames[i+skipped]
				packet := at.Packet(capture.Ethernet)
				var s capture.Segment
				require.Equal(t, capture.IsTCP, s.Decode(&packet))
				assert.Equal(t, at.Time, p.Time.UnixNano(), "%s: packet %d of %d", f.Class.Name, i, most)
				assert.Equal(t, s.SourceAddress() == f.Origin, p.FromOrigin)
				assert.Equal(t, []uint32{s.Seq, s.Ack, uint32(s.Flags), uint32(s.Length)}, []uint32{p.Seq, p.Ack, uint32(p.Flags), uint32(p.Length)})
			}
			assert.Equal(t, flow.Packets-len(flow.Trace), skipped, f.Class.Name)
		}
	}
}

// Traces are bounded as all else is: flows that none of which ends share half of
// the buffer.
func TestTracesAreBounded(t *testing.T) {
	const buffer, size = 64 << 10, 24
	traced, flows := 0, 0
	tr := capture.NewTracker(capture.Options{All: true, Trace: 1000, Buffer: buffer}, func(f *capture.Flow) {
		flows++
		traced += len(f.Trace)
	})
	for f := range captest.Merge(captest.Flows(captest.Options{Seed: 5, Flows: 3000, Only: "still-open"})) {
		p := f.Packet(capture.Ethernet)
		tr.Packet(&p)
	}
	tr.Close()
	assert.Equal(t, 3000, flows)
	assert.LessOrEqual(t, traced*size, buffer/2)
	assert.Greater(t, (traced+1)*size, buffer/2)
}

// Where a trace found no room, it holds the first packets, even if others leave
// room behind them.
func TestTracesWithoutRoomHoldTheFirstPackets(t *testing.T) {
	frames := map[[2]netip.AddrPort][]captest.Frame{}
	o := captest.Options{Seed: 4, Flows: 1000, Only: "reset-in-content", Spacing: 100 * time.Microsecond}
	for f := range captest.Flows(o) {
		frames[[2]netip.AddrPort{f.Client, f.Origin}] = f.Frames
	}
	short := 0
	tr := capture.NewTracker(capture.Options{All: true, Trace: 10, Buffer: 8 << 10, Linger: time.Millisecond}, func(f *capture.Flow) {
		if len(f.Trace) == min(10, f.Packets) {
			return
		}
		short++
		for i, p := range f.Trace {
			at := segmentOf(frames[[2]netip.AddrPort{f.Client, f.Origin}][i])
			require.Equal(t, []uint32{at.Seq, at.Ack, uint32(at.Flags)}, []uint32{p.Seq, p.Ack, uint32(p.Flags)})
			assert.Zero(t, p.Skipped)
		}
	})
	for f := range captest.Merge(captest.Flows(o)) {
		p := f.Packet(capture.Ethernet)
		tr.Packet(&p)
	}
	tr.Close()
	assert.Positive(t, short)
}
