package capture_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/capture/captest"
)

// A packet or two with a bad time change what is said of no flow, of their own
// neither; save where time passed beside them, for nobody knows how much.
func TestABadTimeChangesNothing(t *testing.T) {
	for _, off := range []time.Duration{30 * time.Second, 20 * time.Minute, 10000 * time.Hour, -2 * time.Minute, -10000 * time.Hour} {
		for _, many := range []int{1, 2} {
			each(t, func(t *testing.T, r *rand.Rand, f *captest.Flow) {
				if len(f.Frames) < 6 {
					return
				}
				frames := slices.Clone(f.Frames)
				at := 1 + r.IntN(len(frames)-4)
				if frames[at+many+1].Time-frames[at-1].Time > 1e9 {
					return
				}
				for i := range many {
					frames[at+i].Time += int64(off)
				}
				told(t, f, frames)
			})
		}
	}
}

// One packet from another time ends no flow but those that ended.
func TestABadTimeEndsNoOtherFlow(t *testing.T) {
	o := captest.Options{Seed: 3, Flows: 300, Only: "slow-but-answered"}
	var frames []captest.Frame
	for f := range captest.Merge(captest.Flows(o)) {
		frames = append(frames, *f)
	}
	for _, at := range []int{1, 700, len(frames) - 1} {
		for _, off := range []time.Duration{20 * time.Minute, -20 * time.Minute} {
			bad := slices.Clone(frames)
			bad[at].Time += int64(off)
			found := flowsOf(bad, capture.Options{})
			for f := range captest.Flows(o) {
				require.Len(t, found[f.Client.String()], 1)
				assert.Empty(t, agrees(f, found[f.Client.String()]), "%s, packet %d by %s", f.Client, at, off)
			}
		}
	}
}

// Several packets that agree are believed: a second capture behind the first one
// is another, and after a quiet hour the flows of before are over.
func TestSeveralPacketsAreBelieved(t *testing.T) {
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		var frames []captest.Frame
		for f := range captest.Flows(captest.Options{Seed: 3, Flows: 1, Only: "still-open"}) {
			frames = slices.Clone(f.Frames)
			for _, again := range f.Frames {
				again.Time += int64(off)
				frames = append(frames, again)
			}
		}
		for _, flows := range flowsOf(frames, capture.Options{}) {
			require.Len(t, flows, 2, off)
			for _, f := range flows {
				assert.Equal(t, capture.HandshakeComplete, f.Handshake, off)
				assert.Equal(t, 5, f.Packets, off)
			}
			assert.Equal(t, off, flows[1].First.Sub(flows[0].First))
		}
	}
}

// What time it is may be said from without: then a packet waits for no other.
func TestAdvanceVouchesForAPacket(t *testing.T) {
	for f := range captest.Flows(captest.Options{Seed: 3, Flows: 1, Only: "reset-when-idle"}) {
		given := 0
		tr := capture.NewTracker(capture.Options{All: true, Linger: time.Millisecond}, func(g *capture.Flow) {
			given++
			assert.Empty(t, agrees(f, []*capture.Flow{g}))
		})
		for i := range f.Frames {
			p := f.Frames[i].Packet(capture.Ethernet)
			tr.Packet(&p)
		}
		last := time.Unix(0, f.Frames[len(f.Frames)-1].Time)
		tr.Advance(last.Add(-time.Millisecond))
		assert.Zero(t, given)
		tr.Advance(last.Add(2 * time.Millisecond))
		assert.Equal(t, 1, given)
	}
}
