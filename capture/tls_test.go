package capture_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/capture/captest"
	"why520/validator"
)

// What may be session tickets or an answer leaves open whether there was one; and
// says what there would be to refuse.
func TestWhetherATLSRecordIsAnAnswerMayStayOpen(t *testing.T) {
	for name, or := range map[string]string{
		"tls13-short-answer-without-tickets":       validator.TLSClosedWithoutAByte.String(),
		"tls13-reset-behind-a-ticket-or-an-answer": validator.TLSResetAfterHandshake.String(),
		"tls13":                         "",
		"tls13-ticket-and-short-answer": "",
	} {
		for f := range captest.Flows(captest.Options{Seed: 4, Flows: 5, Only: name}) {
			for _, g := range flowsOf(f.Frames, capture.Options{})[f.Client.String()] {
				require.True(t, g.Verdict.OK(), name)
				if or == "" {
					assert.NotEqual(t, "open", g.Evidence.TCP.Confidence, name)
					continue
				}
				assert.Equal(t, "open", g.Evidence.TCP.Confidence, name)
				assert.Contains(t, g.Verdict.Message, or, name)
			}
		}
	}
}
