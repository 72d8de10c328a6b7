package page

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheREADMEHasAPlaceForEveryTable(t *testing.T) {
	text, err := os.ReadFile("../../" + README)
	require.NoError(t, err)
	for _, command := range []string{"ratios", "exchanges", "captures"} {
		updated, err := Replace(text, command, "the table\n")
		require.NoError(t, err)
		assert.Contains(t, string(updated), "./cmd/"+command+" -update -->\nthe table\n<!-- /"+command+" -->\n")
		again, err := Replace(updated, command, "the table\n")
		require.NoError(t, err)
		assert.Equal(t, string(updated), string(again))
	}
}

func TestATextWithoutAPlaceIsRefused(t *testing.T) {
	_, err := Replace([]byte("# readme\n"), "ratios", "the table\n")
	assert.ErrorContains(t, err, "no place for the table")
}

func TestTheChartShowsEveryRowAndSeriesOnWhite(t *testing.T) {
	c := Chart{Title: "Ratios", Rows: []string{"tiny", "late"}, Series: []Series{
		{"fast", map[string]float64{"tiny": 0.5}},
		{"slow", map[string]float64{"tiny": 99, "late": 2}},
	}}
	svg, err := c.SVG()
	require.NoError(t, err)
	for _, text := range []string{"tiny", "late", "fast", "slow", "Ratios", "100"} {
		assert.Contains(t, string(svg), ">"+text+"</text>")
	}
	before, _, _ := strings.Cut(string(svg), "<text")
	assert.Contains(t, before, "fill:#FFFFFF")
}

func TestDigitsCount(t *testing.T) {
	for v, want := range map[float64]string{0.4931: "0.49", 15.52: "15.5", 9.996: "10.0", 99.96: "100", 1234: "1234"} {
		assert.Equal(t, want, Digits(v))
	}
}
