package capture_test

import (
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
