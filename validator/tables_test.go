package validator_test

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

func TestEveryFaultHasNamesAndARemedy(t *testing.T) {
	require.NotEmpty(t, wire.Reasons())
	for _, r := range wire.Reasons() {
		names := validator.NamesOf(r)
		if r.Info().Note {
			assert.Zero(t, names, "%s is a note", r)
			continue
		}
		assert.NotEmpty(t, names.Cause, r)
		assert.NotZero(t, names.EdgeStatus, r)
		assert.NotEmpty(t, validator.Remedy(r), r)
		assert.Less(t, len(validator.Remedy(r)), 400, r)
		assert.NotEmpty(t, r.Info().Meaning, r)
	}
}

// The project's list of reasons is kept beside the tree: where it can be seen,
// the code is held against it.
func TestReasonsAreThoseOfTheProjectsList(t *testing.T) {
	f, err := os.Open("../../shared/data/reasons.tsv")
	if err != nil {
		t.Skip("the project's list of reasons is not here: skipped")
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	require.NoError(t, err)
	for _, row := range rows[1:] {
		reason, ok := wire.ReasonByToken(row[0])
		if !assert.True(t, ok, row[0]) {
			continue
		}
		names, info := validator.NamesOf(reason), reason.Info()
		want := []string{row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8]}
		got := []string{reason.String(), string(names.Cause), "fail", strconv.Itoa(names.EdgeStatus), names.ProxyStatus, names.NEL, strconv.Itoa(names.CurlExit), info.RFC, info.Meaning}
		if info.Note {
			got = []string{reason.String(), "note", "note", "", "", "", "", info.RFC, info.Meaning}
		}
		assert.Equal(t, want, got)
	}
	assert.Len(t, wire.Reasons(), len(rows)-1)
}

func TestEdgesAreRead(t *testing.T) {
	require.NotEmpty(t, validator.Edges())
	nginx, ok := validator.EdgeByName("nginx")
	require.True(t, ok)
	assert.Equal(t, 4095, nginx.Limits().Head)
	assert.Equal(t, 521, nginx.Limits().Fields)
	for _, e := range validator.Edges() {
		l := e.Limits()
		assert.NoError(t, l.Check(), e.Name)
		assert.NotEmpty(t, e.HowKnown, e.Name)
	}
	apache, _ := validator.EdgeByName("apache-httpd")
	assert.Equal(t, wire.MaxLimit, apache.Limits().Head)
	pass, limit := apache.Passes(&validator.Response{Head: &validator.HeadFacts{Size: 9000, Longest: 8245}})
	assert.False(t, pass)
	assert.Equal(t, "line 8244", limit)
	_, ok = validator.EdgeByName("none such")
	assert.False(t, ok)
}
