package report_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/fuzz"
	"why520/validator"
	"why520/validator/report"
)

// FuzzText shows what hostile origins sent: every byte of it is escaped, so
// that a terminal does what we say alone, and the JSON is JSON.
func FuzzText(f *testing.F) {
	fuzz.AddSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		k := fuzz.Generate(data)
		for _, raw := range [][]byte{data, k.Bytes} {
			e := validator.Read(raw, validator.RequestFacts{}, validator.ReadOptions{End: k.End})
			e.Target = "http://origin.example/"
			v := validator.Judge(e, nil)
			var text strings.Builder
			require.NoError(t, report.Text(&text, e, &v, report.Options{Width: 80}))
			for line := range strings.Lines(text.String()) {
				for _, c := range strings.TrimSuffix(line, "\n") {
					assert.True(t, ' ' <= c && c < 0x7F, "%q", line)
				}
			}
			line, err := json.Marshal(report.JSON(e, &v))
			require.NoError(t, err)
			assert.True(t, utf8.Valid(line))
			var back report.Record
			require.NoError(t, json.Unmarshal(line, &back))
			assert.Equal(t, v.Reason.String(), back.Reason)
		}
	})
}
