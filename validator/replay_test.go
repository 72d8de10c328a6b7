package validator_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/fuzz"
	"why520/validator"
	"why520/wire"
)

// Evidence that was read under one policy and is judged by another says what
// reading under the other would have said, or that it cannot.
func TestReplayIsReading(t *testing.T) {
	policies := map[string]validator.Policy{"strict": validator.Strict(), "report": validator.Report()}
	for name, l := range map[string]wire.Limits{
		"head 20": {Head: 20}, "head 60": {Head: 60}, "head 4096": {Head: 4096}, "head 1 MiB": {Head: 1 << 20},
		"line 30": {Line: 30}, "fields 1": {Fields: 1}, "body 3": {Body: 3}, "interim 1": {Interim: 1}, "trailer 5": {Trailer: 5}, "measure": {Head: 100, Measure: 300},
	} {
		policies[name] = validator.Policy{Limits: l}
	}
	judged, refused := 0, 0
	for _, v := range fuzz.Vectors() {
		q := validator.RequestFacts{Method: v.Request.Method, Upgrade: v.Request.Upgrade}
		first := validator.Read(v.Bytes, q, validator.ReadOptions{End: v.End})
		for name, p := range policies {
			again, err := first.Replay(p)
			if err != nil {
				refused++
				continue
			}
			judged++
			want, got := validator.Judge(validator.Read(v.Bytes, q, validator.ReadOptions{End: v.End, Policy: p}), nil), validator.Judge(again, nil)
			assert.Equal(t, want.Reason.String(), got.Reason.String(), "%s, %s", v.Name, name)
			if want.Reason == wire.BodyTooLarge && got.Offset < 0 {
				continue // where the content became too much is not kept
			}
			assert.Equal(t, want.Offset, got.Offset, "%s, %s", v.Name, name)
			assert.Equal(t, found(want.Findings), found(got.Findings), "%s, %s", v.Name, name)
		}
	}
	t.Logf("%d judged again, %d not kept well enough", judged, refused)
	assert.Greater(t, judged, 20*refused)
}

// What is known of saved bytes depends on no split; and stored, it is the same.
func TestEvidenceOfVectors(t *testing.T) {
	for _, v := range fuzz.Vectors() {
		q := validator.RequestFacts{Method: v.Request.Method, Upgrade: v.Request.Upgrade}
		o := validator.ReadOptions{End: v.End, Policy: validator.Policy{Limits: v.Limits}, Digest: true}
		want := validator.Read(v.Bytes, q, o)
		for _, split := range []int{1, 2, 3, 7, 64, 511, 512, 513} {
			o.Split = split
			got := validator.Read(v.Bytes, q, o)
			got.ID = want.ID
			assert.Equal(t, want, got, "%s, split %d", v.Name, split)
		}
		stored, err := json.Marshal(want)
		require.NoError(t, err)
		var back validator.Evidence
		require.NoError(t, json.Unmarshal(stored, &back))
		assert.Equal(t, validator.Judge(want, nil), validator.Judge(&back, nil), v.Name)
		if verdict := validator.Judge(want, nil); v.Limits.Measure == 0 {
			assert.Equal(t, v.Reason.String(), verdict.Reason.String(), v.Name)
			assert.Equal(t, v.Offset, verdict.Offset, v.Name)
		}
	}
}
