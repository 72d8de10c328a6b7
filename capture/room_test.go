package capture_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"why520/capture"
	"why520/capture/captest"
)

const (
	roomFor = 1 << 20
	crowd   = 2000
)

// crowded gives a Tracker flows of a class that are all open at the same time,
// and then the last frame of each. It gives which of them are told right, in the
// order of their beginnings, and the heap that they held together.
func crowded(t *testing.T, class string) (right []bool, heap int64, s capture.Stats) {
	t.Helper()
	made := captest.Options{Seed: 9, Flows: crowd, Only: class, Spacing: 1000}
	number, flows := map[string]int{}, []*captest.Flow{}
	for f := range captest.Flows(made) {
		number[f.Client.String()] = len(flows)
		flows = append(flows, f)
	}
	right = make([]bool, crowd)
	tr := capture.NewTracker(capture.Options{All: true, Buffer: roomFor, Flows: 2 * crowd}, func(f *capture.Flow) {
		n := number[f.Client.String()]
		right[n] = agrees(flows[n], []*capture.Flow{f}) == ""
	})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	at := int64(0)
	give := func(f captest.Frame) {
		p := f.Packet(capture.Ethernet)
		at = max(at, p.Time)
		p.Time = at
		tr.Packet(&p)
	}
	for _, f := range flows {
		for _, frame := range f.Frames[:len(f.Frames)-1] {
			give(frame)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	for _, f := range flows {
		give(f.Frames[len(f.Frames)-1])
	}
	tr.Close()
	return right, int64(after.HeapAlloc) - int64(before.HeapAlloc), tr.Stats()
}

// Requests that wait for their answers take so little that none goes unfollowed.
func TestManyRequestsThatWaitAreFollowed(t *testing.T) {
	right, heap, s := crowded(t, "reset-after-request")
	assert.NotContains(t, right, false)
	assert.Zero(t, s.Missed)
	assert.Less(t, heap, int64(2*roomFor+2*crowd*400))
}

// Of responses under way those that were silent longest are followed no further,
// so that there is room for what comes later.
func TestOfManyResponsesTheLatestAreFollowed(t *testing.T) {
	right, heap, s := crowded(t, "reset-in-content")
	assert.NotContains(t, right[crowd-50:], false)
	assert.Contains(t, right, false)
	assert.NotZero(t, s.Missed)
	assert.Less(t, heap, int64(2*roomFor+2*crowd*400))
}

// Nor do flows take all room in which something is missing.
func TestHeldPayloadLeavesRoom(t *testing.T) {
	found := map[string][]*capture.Flow{}
	tr := capture.NewTracker(capture.Options{All: true, Buffer: roomFor}, func(f *capture.Flow) {
		found[f.Client.String()] = append(found[f.Client.String()], f)
	})
	give := func(f captest.Frame) {
		p := f.Packet(capture.Ethernet)
		tr.Packet(&p)
	}
	for f := range captest.Flows(captest.Options{Seed: 9, Flows: 400, Only: "packets-lost", Spacing: 1000}) {
		for _, frame := range f.Frames[:16] {
			give(frame)
		}
	}
	later := captest.Options{Seed: 10, Flows: 50, Only: "reset-in-content", Begin: 1767225601e9}
	for f := range captest.Merge(captest.Flows(later)) {
		give(*f)
	}
	tr.Close()
	for f := range captest.Flows(later) {
		assert.Empty(t, agrees(f, found[f.Client.String()]))
	}
}

// Once all flows were given, nothing of them is left, be there room or not.
func TestNothingIsLeftOfFlowsThatWereGiven(t *testing.T) {
	for name, o := range map[string]capture.Options{
		"room":     {},
		"traces":   {All: true, Trace: 8},
		"no room":  {All: true, Buffer: 64 << 10, Trace: 8},
		"eviction": {All: true, Flows: 100},
	} {
		t.Run(name, func(t *testing.T) {
			tr := capture.NewTracker(o, func(*capture.Flow) {})
			for f := range captest.Merge(captest.Flows(captest.Options{Seed: 6, Flows: 4 * len(captest.Classes())})) {
				p := f.Packet(capture.Ethernet)
				tr.Packet(&p)
			}
			assert.Positive(t, tr.Left())
			tr.Close()
			assert.Zero(t, tr.Left())
		})
	}
}
