package wire_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/wire"
)

func TestLimitsAreChecked(t *testing.T) {
	for _, good := range []wire.Limits{
		{},
		{Head: 1}, {Head: wire.MaxLimit}, {Body: math.MaxInt64},
		{Tolerate: wire.Tolerable},
	} {
		assert.NoError(t, good.Check(), "%+v", good)
	}
	for name, bad := range map[string]wire.Limits{
		"Head": {Head: -1}, "Line": {Line: wire.MaxLimit + 1}, "Fields": {Fields: -1}, "Interim": {Interim: -5},
		"ChunkLine": {ChunkLine: -1}, "Trailer": {Trailer: wire.MaxLimit + 1}, "Measure": {Measure: -1}, "Body": {Body: -1},
	} {
		var refused *wire.LimitError
		require.ErrorAs(t, bad.Check(), &refused)
		assert.Equal(t, name, refused.Name)
		assert.Contains(t, refused.Error(), name)
	}
	for _, r := range wire.Reasons() {
		l := wire.Limits{Tolerate: wire.SetOf(r)}
		if r.Tolerable() {
			assert.NoError(t, l.Check(), r.String())
			continue
		}
		var refused *wire.IntolerableError
		require.ErrorAs(t, l.Check(), &refused, r.String())
		assert.Equal(t, r, refused.Reason)
	}
}

func TestZeroLimitsAreTheDefaults(t *testing.T) {
	assert.Equal(t, wire.Limits{
		Head: 8192, Line: 8192, Fields: 256, Interim: 16, ChunkLine: 4096, Trailer: 8192, Measure: 1 << 20, Body: math.MaxInt64,
	}, wire.Limits{}.WithDefaults())
	l := wire.Limits{Head: 4 << 20, Tolerate: wire.SetOf(wire.BareLF, wire.BareCR)}.WithDefaults()
	assert.Equal(t, []int{4 << 20, 4 << 20, 4 << 20}, []int{l.Line, l.Trailer, l.Measure}, "what follows the budget of the head")
	assert.Equal(t, wire.SetOf(wire.BareLF), l.Tolerate, "what cannot be tolerated is not")
}

func TestReasonsAreTheirTokens(t *testing.T) {
	for _, r := range wire.Reasons() {
		text, err := json.Marshal(r)
		require.NoError(t, err)
		assert.Equal(t, `"`+r.String()+`"`, string(text))
		var back wire.Reason
		require.NoError(t, json.Unmarshal(text, &back))
		assert.Equal(t, r, back)
		found, ok := wire.ReasonByToken(r.String())
		assert.True(t, ok)
		assert.Equal(t, r, found)
		assert.Contains(t, r.Error(), r.Info().Meaning)
		assert.NotEmpty(t, r.Info().Meaning, r.String())
	}
	var r wire.Reason
	assert.Equal(t, wire.UnknownReasonError("half-open"), r.UnmarshalText([]byte("half-open")))
	_, ok := wire.ReasonByToken("")
	assert.False(t, ok)
	assert.NotEmpty(t, wire.Reason(255).String(), "one that is not declared has a name all the same")
}

func TestSetsAreLists(t *testing.T) {
	s := wire.SetOf(wire.FieldObsFold, wire.BareLF)
	text, err := s.MarshalText()
	require.NoError(t, err)
	assert.Equal(t, "bare-lf,field-obs-fold", string(text), "in the order of declaration")
	var back wire.Set
	require.NoError(t, back.UnmarshalText(text))
	assert.Equal(t, s, back)
	require.NoError(t, back.UnmarshalText(nil))
	assert.Equal(t, wire.Set{}, back)
	assert.Equal(t, wire.UnknownReasonError("bare-fl"), back.UnmarshalText([]byte("bare-lf,bare-fl")))
	assert.True(t, s.Has(wire.BareLF))
	assert.False(t, s.Has(wire.BareCR))
	assert.True(t, s.With(wire.BareCR).Has(wire.BareCR))
}

func TestEndsAreTheirWords(t *testing.T) {
	for _, e := range []wire.End{wire.Open, wire.FIN, wire.RST, wire.Timeout, wire.Deadline, wire.Truncated} {
		text, err := e.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, e.String(), string(text))
		var back wire.End
		require.NoError(t, back.UnmarshalText(text))
		assert.Equal(t, e, back)
	}
	var e wire.End
	assert.Equal(t, wire.UnknownEndError("maybe"), e.UnmarshalText([]byte("maybe")))
}

func TestWhatIsDeclaredIsDeclaredOnce(t *testing.T) {
	for name, declare := range map[string]func(){
		"a number of wire": func() { wire.Declare(wire.BareLF, wire.ReasonInfo{Token: "new-one"}) },
		"a token of wire":  func() { wire.Declare(254, wire.ReasonInfo{Token: "bare-lf"}) },
		"no token":         func() { wire.Declare(254, wire.ReasonInfo{}) },
		"an end of wire":   func() { wire.DeclareEnd(wire.FIN, "fine") },
	} {
		assert.Panics(t, declare, name)
	}
}
