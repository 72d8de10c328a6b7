package capture_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/capture/captest"
	"why520/validator"
	"why520/wire"
)

// flowsOf gives all flows of frames, by client, in the order in which they end.
func flowsOf(frames []captest.Frame, o capture.Options) map[string][]*capture.Flow {
	found := map[string][]*capture.Flow{}
	o.All = true
	t := capture.NewTracker(o, func(f *capture.Flow) {
		found[f.Client.String()] = append(found[f.Client.String()], f)
	})
	for i := range frames {
		p := frames[i].Packet(capture.Ethernet)
		t.Packet(&p)
	}
	t.Close()
	return found
}

// agrees says what is not as the truth of want has it; empty: nothing.
func agrees(want *captest.Flow, got []*capture.Flow) string {
	if len(got) == 0 {
		return "not found"
	}
	f, truth := got[len(got)-1], want.Class.Truth
	is := fmt.Sprintf("reason %s, by %q, stage %s, handshake %s", f.Verdict.Reason, f.ResetBy, f.Stage, f.Handshake)
	should := fmt.Sprintf("reason %s, by %q, stage %s, handshake %s", truth.Reason, truth.ResetBy, truth.Stage, truth.Handshake)
	if is != should {
		return fmt.Sprintf("got  %s\nwant %s\n%s\n%q", is, should, f.Verdict.Message, f.Evidence.TCP.Evidence)
	}
	if f.Client != want.Client || f.Origin != want.Origin {
		return fmt.Sprintf("got %s -> %s, want %s -> %s", f.Client, f.Origin, want.Client, want.Origin)
	}
	for _, n := range truth.Notes {
		if !slices.ContainsFunc(f.Evidence.Seen, func(s validator.Finding) bool { return s.Reason == n }) {
			return fmt.Sprintf("has no note %s: %v", n, f.Verdict.Notes)
		}
	}
	return ""
}

func TestEveryClassIsToldRight(t *testing.T) {
	require.GreaterOrEqual(t, len(captest.Classes()), 25)
	for _, c := range captest.Classes() {
		t.Run(c.Name, func(t *testing.T) {
			for f := range captest.Flows(captest.Options{Seed: 7, Flows: 40, Only: c.Name}) {
				if wrong := agrees(f, flowsOf(f.Frames, capture.Options{})[f.Client.String()]); !assert.Empty(t, wrong, "%s", f.Client) {
					return
				}
			}
		})
	}
}

func TestFlowsThatInterleaveAreToldApart(t *testing.T) {
	o := captest.Options{Seed: 3, Flows: 3000, Clean: 2}
	var frames []captest.Frame
	for f := range captest.Merge(captest.Flows(o)) {
		frames = append(frames, *f)
	}
	found := flowsOf(frames, capture.Options{})
	n := 0
	for f := range captest.Flows(o) {
		n++
		if f.Class.Name == "still-open" {
			continue // so long a capture shows that it was not answered
		}
		assert.Empty(t, agrees(f, found[f.Client.String()]), "%s: %s", f.Class.Name, f.Client)
	}
	assert.Equal(t, o.Flows, n)
}

func TestWhatIsGivenWithoutAllIsWhatIsRefused(t *testing.T) {
	for f := range captest.Flows(captest.Options{Seed: 5, Flows: 500}) {
		given, all := 0, 0
		tr := capture.NewTracker(capture.Options{}, func(*capture.Flow) { given++ })
		for i := range f.Frames {
			p := f.Frames[i].Packet(capture.Ethernet)
			tr.Packet(&p)
		}
		tr.Close()
		for _, g := range flowsOf(f.Frames, capture.Options{})[f.Client.String()] {
			if g.Verdict.Reason != wire.OK {
				all++
			}
		}
		assert.Equal(t, all, given, "%s: %s", f.Class.Name, f.Client)
		assert.EqualValues(t, given, tr.Stats().Faulty)
	}
}

func TestAFlowCanBeTakenWhenItsConnectionEnded(t *testing.T) {
	for f := range captest.Flows(captest.Options{Seed: 5, Flows: 300}) {
		given := 0
		tr := capture.NewTracker(capture.Options{All: true}, func(*capture.Flow) { given++ })
		assert.Nil(t, tr.Take(f.Client, f.Origin))
		for i := range f.Frames {
			p := f.Frames[i].Packet(capture.Ethernet)
			tr.Packet(&p)
		}
		flow := tr.Take(f.Client, f.Origin)
		before := given // of ports that were reused
		require.NotNil(t, flow, f.Class.Name)
		assert.Empty(t, agrees(f, []*capture.Flow{flow}), f.Class.Name)
		assert.Nil(t, tr.Take(f.Origin, f.Client))
		tr.Close()
		assert.Equal(t, before, given)
	}
}
