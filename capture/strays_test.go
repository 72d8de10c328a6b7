package capture_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"why520/capture"
	"why520/capture/captest"
)

// forged gives a frame like another, without payload and otherwise.
func forged(like captest.Frame, flags uint8, seq uint32) captest.Frame {
	s := segmentOf(like)
	b := slices.Clone(like.Data[:len(like.Data)-len(s.Payload)])
	ip := 14
	if binary.BigEndian.Uint16(b[12:]) == 0x8100 {
		ip += 4
	}
	if s.Version == 4 {
		binary.BigEndian.PutUint16(b[ip+2:], uint16(len(b)-ip))
	} else {
		binary.BigEndian.PutUint16(b[ip+4:], uint16(len(b)-ip-40))
	}
	tcp := b[len(b)-int(s.Header):]
	binary.BigEndian.PutUint32(tcp[4:], seq)
	tcp[13] = flags
	return captest.Frame{Time: like.Time, Length: len(b), Data: b}
}

// A moment is a place within a flow, and where its sides stand.
type moment struct {
	at               int           // frame before which it is
	client, origin   captest.Frame // the last ones of each, without SYN and payload
	next             uint32        // of the origin: number that is due
	closed           bool          // by both sides
	begun            uint32        // of the origin: its initial number
	clients, origins int
}

// moments gives the places of f at which its handshake is complete; none, where it
// is no flow of one handshake, or its numbers are not those of the frames.
func moments(f *captest.Flow) (all []moment) {
	var m moment
	syns, fins := [2]int{}, [2]bool{}
	for i, frame := range f.Frames {
		s := segmentOf(frame)
		side := 0
		if s.SourceAddress() == f.Origin {
			side = 1
		}
		switch {
		case s.Flags&capture.SYN != 0:
			syns[side]++
			if side == 1 {
				m.begun, m.next = s.Seq, s.Seq+1
			}
		case s.Flags&capture.RST != 0:
			return all
		case side == 0:
			m.client, m.clients = frame, m.clients+1
		default:
			m.origin, m.origins = frame, m.origins+1
			if end := s.Seq + uint32(s.Length); int32(end-m.next) > 0 {
				m.next = end
			}
		}
		if s.Flags&capture.FIN != 0 {
			fins[side] = true
		}
		if syns != [2]int{1, 1} && syns[1] > 0 {
			return nil
		}
		if m.at, m.closed = i+1, fins[0] && fins[1]; m.clients > 0 && m.origins > 0 {
			all = append(all, m)
		}
	}
	return all
}

// plainEnough reports whether no reset counts in f, whose handshake is complete.
func plainEnough(f *captest.Flow) bool {
	return f.Class.Truth.ResetBy == "" && f.Class.Truth.Handshake == capture.HandshakeComplete
}

// No reset of the origin is claimed for one that no receiver obeys: outside the
// window, answered by a challenge ACK, or when both sides had closed. Nothing else
// that is said changes, either.
func TestAResetThatNobodyObeysChangesNothing(t *testing.T) {
	inserted := map[string]int{}
	each(t, func(t *testing.T, r *rand.Rand, f *captest.Flow) {
		if !plainEnough(f) {
			return
		}
		for _, m := range moments(f) {
			if r.IntN(3) > 0 {
				continue
			}
			reset := []uint8{capture.RST, capture.RST | capture.ACK}[r.IntN(2)]
			var strays []captest.Frame
			kind := []string{"beyond the window", "below the window", "challenged"}[r.IntN(3)]
			switch {
			case m.closed:
				kind = "both had closed"
				strays = append(strays, forged(m.origin, reset, m.next+uint32(r.IntN(2))))
			case kind == "beyond the window":
				strays = append(strays, forged(m.origin, reset, m.next+1<<18+r.Uint32N(1<<30)))
			case kind == "below the window":
				strays = append(strays, forged(m.origin, reset, m.begun-r.Uint32N(1<<30)))
			default:
				strays = append(strays, forged(m.origin, reset, m.next+7777), forged(m.client, capture.ACK, segmentOf(m.client).Seq+uint32(segmentOf(m.client).Length)))
			}
			inserted[kind]++
			for i := range strays {
				strays[i].Time = f.Frames[m.at-1].Time
			}
			frames := slices.Insert(slices.Clone(f.Frames), m.at, strays...)
			if wrong := agrees(f, flowsOf(frames, capture.Options{})[f.Client.String()]); !assert.Empty(t, wrong, "%s, before frame %d", kind, m.at) {
				return
			}
		}
	})
	for _, kind := range []string{"beyond the window", "below the window", "challenged", "both had closed"} {
		assert.Greater(t, inserted[kind], 20, kind)
	}
}

// Stray segments count for nothing: not for bytes that came, nor for bytes that
// are missing.
func TestStraysCountForNothing(t *testing.T) {
	for _, name := range []string{"fin-outside-the-window", "fin-below-what-is-due", "fin-within-the-window-and-not-obeyed", "fin-beyond-the-one-that-comes",
		"fin-within-the-window-and-an-acknowledgement-captured-early", "acknowledgement-outside-the-window"} {
		for f := range captest.Flows(captest.Options{Seed: 4, Flows: 4, Only: name}) {
			for _, g := range flowsOf(f.Frames, capture.Options{})[f.Client.String()] {
				assert.EqualValues(t, 9000, g.Payload.Origin, name)
				assert.NotEqual(t, "open", g.Evidence.TCP.Confidence, name)
				assert.Empty(t, g.Verdict.Notes, name)
			}
		}
	}
}

// Nor is any, of whomever, in a flow that is joined in the middle.
func TestNoResetIsClaimedOfAFlowThatIsJoined(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand, f *captest.Flow) {
		frames := slices.DeleteFunc(slices.Clone(f.Frames), func(frame captest.Frame) bool {
			return segmentOf(frame).Flags&capture.SYN != 0
		})
		for _, g := range flowsOf(frames, capture.Options{})[f.Client.String()] {
			assert.Empty(t, g.ResetBy)
			assert.True(t, g.Verdict.OK() || g.Evidence.TCP.Confidence == "open", "%s: %s", g.Evidence.TCP.Confidence, g.Verdict.Message)
		}
	})
}
