package main

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/bench"
)

var figures = []bench.Figure{
	{Case: "tiny", Parser: "wire", Time: 31.456, Ratio: 1},
	{Case: "tiny", Parser: "fast", Time: 15.5, Ratio: 0.4931},
	{Case: "tiny", Parser: "slow", Time: 3145, Ratio: 99.96},
	{Case: "malformed-late", Parser: "wire", Time: 1234, Ratio: 1},
	{Case: "malformed-late", Parser: "fast", Time: math.NaN(), Ratio: math.NaN(), Wrong: &bench.Wrong{Inputs: 3, Of: 500}},
}

func TestTheTableHasTimesRatiosAndWhatIsWrong(t *testing.T) {
	assert.Equal(t, `| case | | wire | fast | slow |
|---|---|--:|--:|--:|
| tiny | 3 field lines, 105 bytes | 31.5 ns | 0.49 | 100 |
| malformed-late | a fault in the last field line of 287 bytes | 1234 ns | wrong | |

Of wire the time for one input; of the others, how many times as long they take.
Wrong, and so not timed: fast on 3 of 500 inputs of malformed-late.
`, markdown(figures))
}

func TestTheChartShowsEveryCaseAndParserOnWhite(t *testing.T) {
	svg, err := picture(figures)
	require.NoError(t, err)
	for _, text := range []string{"tiny", "malformed-late", "fast", "slow", "Time for one input as a multiple of that of wire, the line; logarithmic", "100"} {
		assert.Contains(t, string(svg), ">"+text+"</text>")
	}
	before, _, _ := strings.Cut(string(svg), "<text")
	assert.Contains(t, before, "fill:#FFFFFF")
}

func TestTheREADMEHasAPlaceForTheTable(t *testing.T) {
	text, err := os.ReadFile("../../" + readme)
	require.NoError(t, err)
	updated, err := replace(text, "the table\n")
	require.NoError(t, err)
	assert.Contains(t, string(updated), " -update -->\nthe table\n<!-- /ratios -->\n")
	again, err := replace(updated, "the table\n")
	require.NoError(t, err)
	assert.Equal(t, string(updated), string(again))
}

func TestATextWithoutAPlaceIsRefused(t *testing.T) {
	_, err := replace([]byte("# readme\n"), "the table\n")
	assert.ErrorContains(t, err, "no place for the table")
}

func TestTheOriginNamesTheCommandAndTheMachine(t *testing.T) {
	assert.Regexp(t, "^Medians of 51 rounds, by `go run.* ./cmd/ratios` in bench/peers on .+ \\([0-9]+ CPUs\\), go1.+/.+\\.\n$", origin(51))
}
