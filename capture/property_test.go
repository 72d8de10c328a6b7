package capture_test

import (
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"why520/capture"
	"why520/capture/captest"
	"why520/wire"
)

var seeds = flag.Int("seeds", 4, "how many flows of each class the property tests make")

// each calls do with flows of all classes.
func each(t *testing.T, do func(t *testing.T, r *rand.Rand, f *captest.Flow)) {
	for _, c := range captest.Classes() {
		t.Run(c.Name, func(t *testing.T) {
			for f := range captest.Flows(captest.Options{Seed: 11, Flows: *seeds, Only: c.Name}) {
				do(t, rand.New(rand.NewPCG(5, uint64(f.Client.Port()))), f)
			}
		})
	}
}

// told holds what is said of frames against the truth of f.
func told(t *testing.T, f *captest.Flow, frames []captest.Frame) {
	t.Helper()
	assert.Empty(t, agrees(f, flowsOf(frames, capture.Options{})[f.Client.String()]), f.Client)
}

// segmentOf decodes a frame; where its IP and TCP headers begin is found by it.
func segmentOf(f captest.Frame) (s capture.Segment) {
	p := f.Packet(capture.Ethernet)
	s.Decode(&p)
	return s
}

func TestDuplicatesChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand, f *captest.Flow) {
		var frames []captest.Frame
		for _, frame := range f.Frames {
			frames = append(frames, frame)
			if r.IntN(2) == 0 {
				frames = append(frames, frame)
			}
		}
		told(t, f, frames)
	})
}

func TestSplitsChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand, f *captest.Flow) {
		var frames []captest.Frame
		for _, frame := range f.Frames {
			frames = append(frames, split(r, frame)...)
		}
		told(t, f, frames)
	})
}

// split cuts a segment of at most some bytes at random places.
func split(r *rand.Rand, frame captest.Frame) []captest.Frame {
	s := segmentOf(frame)
	n := len(s.Payload)
	if n < 2 || s.Flags&capture.SYN != 0 || s.Fragment || n > 3000 {
		return []captest.Frame{frame}
	}
	var parts []captest.Frame
	headers := len(frame.Data) - n
	for from := 0; from < n; {
		to := min(from+1+r.IntN(1+r.IntN(n)), n)
		data := append(append([]byte(nil), frame.Data[:headers]...), s.Payload[from:to]...)
		ip := 14
		if binary.BigEndian.Uint16(data[12:]) == 0x8100 {
			ip += 4
		}
		if s.Version == 4 {
			binary.BigEndian.PutUint16(data[ip+2:], uint16(len(data)-ip))
		} else {
			binary.BigEndian.PutUint16(data[ip+4:], uint16(len(data)-ip-40))
		}
		tcp := headers - int(s.Header)
		binary.BigEndian.PutUint32(data[tcp+4:], s.Seq+uint32(from))
		parts = append(parts, captest.Frame{Time: frame.Time, Length: len(data), Data: data})
		from = to
	}
	return parts
}

// What one side sent may come in another order within a window of a few packets.
func TestOrderChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand, f *captest.Flow) {
		frames := append([]captest.Frame(nil), f.Frames...)
		for i := 1; i < len(frames); i++ {
			a, b := segmentOf(frames[i-1]), segmentOf(frames[i])
			if a.Source != b.Source || (a.Flags|b.Flags)&capture.SYN != 0 || frames[i].Time-frames[i-1].Time > 1e8 || r.IntN(2) == 0 {
				continue
			}
			frames[i-1].Data, frames[i].Data = frames[i].Data, frames[i-1].Data
			frames[i-1].Length, frames[i].Length = frames[i].Length, frames[i-1].Length
			i++
		}
		told(t, f, frames)
	})
}

// Whatever the capture loses, nothing is refused with certainty that was sound;
// save that a lost acknowledgement without more cannot be noticed.
func TestLossMakesNothingCertain(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand, f *captest.Flow) {
		for range 4 {
			var frames []captest.Frame
			for _, frame := range f.Frames {
				if s := segmentOf(frame); r.IntN(4) > 0 || s.Flags&^capture.PSH == capture.ACK && s.Length == 0 {
					frames = append(frames, frame)
				}
			}
			for _, g := range flowsOf(frames, capture.Options{})[f.Client.String()] {
				if f.Class.Truth.Reason == wire.OK && !g.Verdict.OK() {
					assert.NotEqual(t, "certain", g.Evidence.TCP.Confidence, "%s: %s %q", f.Client, g.Verdict.Reason, g.Evidence.TCP.Evidence)
				}
			}
		}
	})
}

func TestSnapshotsOfHeadersAreEnoughForResets(t *testing.T) {
	for _, name := range []string{"refused", "reset-before-request", "injected-before-request", "unanswered"} {
		for f := range captest.Flows(captest.Options{Seed: 2, Flows: 20, Only: name}) {
			frames := append([]captest.Frame(nil), f.Frames...)
			for i := range frames {
				frames[i].Data = frames[i].Data[:min(len(frames[i].Data), 128)]
			}
			told(t, f, frames)
		}
	}
}
