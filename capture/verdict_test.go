package capture_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"why520/capture"
	"why520/capture/captest"
)

func TestOfAResponseThatIsNotWholeNobodySaysThatItIs(t *testing.T) {
	for _, name := range []string{"still-open", "client-resets-in-content", "joined-in-content", "response-acknowledged-but-not-captured"} {
		seen := false
		for f := range captest.Flows(captest.Options{Seed: 4, Flows: 4, Only: name}) {
			for _, g := range flowsOf(f.Frames, capture.Options{})[f.Client.String()] {
				assert.NotContains(t, g.Verdict.Message, "whole", name)
				seen = true
			}
		}
		assert.True(t, seen, name)
	}
}

// Who closes first may wait for the response all the same: what it acknowledges
// then shows it.
func TestAResetBehindAHalfCloseMayBeOpen(t *testing.T) {
	for name, stays := range map[string]bool{"half-closed-and-reset": true, "half-closed-and-reset-in-content": false, "reset-crosses-the-client's-fin": false} {
		for f := range captest.Flows(captest.Options{Seed: 4, Flows: 4, Only: name}) {
			for _, g := range flowsOf(f.Frames, capture.Options{})[f.Client.String()] {
				assert.Equal(t, stays, g.Evidence.TCP.Confidence == "open", name)
				assert.Equal(t, stays, strings.Contains(g.Verdict.Message, "or else client-closed"), "%s: %s", name, g.Verdict.Message)
			}
		}
	}
}
