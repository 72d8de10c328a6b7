package captest_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/capture/captest"
	"why520/validator"
	"why520/wire"
)

func TestTheSameOptionsGiveTheSameBytes(t *testing.T) {
	file := func(seed uint64) []byte {
		var b bytes.Buffer
		frames := captest.Merge(captest.Flows(captest.Options{Seed: seed, Flows: 200, Clean: 1}))
		require.NoError(t, captest.WritePcapng(&b, frames, captest.Format{}))
		return b.Bytes()
	}
	assert.True(t, bytes.Equal(file(1), file(1)))
	assert.False(t, bytes.Equal(file(1), file(2)))
}

func TestFramesComeInTheOrderOfTime(t *testing.T) {
	last, frames := int64(0), 0
	for f := range captest.Merge(captest.Flows(captest.Options{Seed: 1, Flows: 500})) {
		require.GreaterOrEqual(t, f.Time, last)
		last = f.Time
		frames++
	}
	want := 0
	for f := range captest.Flows(captest.Options{Seed: 1, Flows: 500}) {
		want += len(f.Frames)
	}
	assert.Equal(t, want, frames)
}

func TestClassesHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range captest.Classes() {
		assert.False(t, seen[c.Name], c.Name)
		seen[c.Name] = true
		assert.NotEmpty(t, c.Truth.Stage, c.Name)
		assert.NotEmpty(t, c.Truth.Handshake, c.Name)
	}
}

func TestEveryFrameIsASegment(t *testing.T) {
	for f := range captest.Flows(captest.Options{Seed: 1, Flows: 300}) {
		for _, frame := range f.Frames {
			p := frame.Packet(capture.Ethernet)
			var s capture.Segment
			require.Equal(t, capture.IsTCP, s.Decode(&p), f.Class.Name)
			require.Contains(t, []any{f.Client, f.Origin}, s.SourceAddress())
		}
	}
}

// What only a capture shows has a class that shows it.
func TestReasonsOfCapturesHaveAClass(t *testing.T) {
	for _, r := range []wire.Reason{
		validator.InjectedReset, validator.ResponseLostInReset, validator.ClientReset, validator.ClientClosed,
		validator.FlowStillOpen, validator.FlowEncrypted, validator.FlowJoinedInTheMiddle, validator.CaptureIncomplete,
		validator.AnsweredBeforeUploadDone, validator.RequestNotDrained, validator.RequestUnacknowledged, validator.ReusedConnectionWasDead,
	} {
		assert.True(t, slices.ContainsFunc(captest.Classes(), func(c captest.Class) bool {
			return c.Truth.Reason == r || slices.Contains(c.Truth.Notes, r)
		}), r.String())
	}
}
