package report_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/validator/report"
	"why520/wire"
)

// captured gives evidence and verdict of a head that was reset, with what a
// capture adds.
func captured(facts validator.TCPFacts) (*validator.Evidence, validator.Verdict) {
	e := validator.Read([]byte("HTTP/1.1 200 OK\r\nServer"), validator.RequestFacts{}, validator.ReadOptions{End: wire.RST})
	e.TCP = &facts
	return e, validator.Judge(e, nil)
}

func TestTextSaysWhoReset(t *testing.T) {
	for _, c := range []struct {
		facts validator.TCPFacts
		want  string
	}{
		{validator.TCPFacts{ResetBy: "origin", Stage: "in-head", Confidence: "certain", Evidence: []string{"its hop limit is its sender's, 64"}},
			"  who   the origin reset, stage in-head: certain\n        - its hop limit is its sender's, 64\n"},
		{validator.TCPFacts{ResetBy: "injected", Stage: "in-head", Confidence: "likely", Evidence: []string{"its window is 0, its sender's was 509, and more that does not fit"}},
			"  who   the reset is forged, stage in-head: likely\n        - its window is 0, its sender's was 509, and more\n          that does not fit\n"},
		{validator.TCPFacts{Confidence: "open"}, "  who   nobody reset: open\n"},
	} {
		e, v := captured(c.facts)
		var text strings.Builder
		require.NoError(t, report.Text(&text, e, &v, report.Options{Width: 60}))
		assert.Contains(t, text.String(), c.want)
		assert.Equal(t, c.facts.ResetBy == "injected", strings.Contains(text.String(), "reset in the origin's\n        name"))
		line, err := json.Marshal(report.JSON(e, &v).TCP)
		require.NoError(t, err)
		assert.NotContains(t, string(line), "null")
	}
}

func TestTextHasRowsAndMayBeBrief(t *testing.T) {
	e, v := captured(validator.TCPFacts{})
	var text strings.Builder
	require.NoError(t, report.Text(&text, e, &v, report.Options{Brief: true, Rows: []report.Row{{Label: "when", Text: "today"}}}))
	assert.Contains(t, text.String(), "\n  when  today\n  seen  ")
	assert.NotContains(t, text.String(), "  do  ")
}
