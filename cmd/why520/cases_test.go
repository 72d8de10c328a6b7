package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The cases come from public test suites, and are no part of this repository.
const casesFile = "../../../shared/data/cases.jsonl"

// A judgedCase is a case with what a strict recipient makes of it.
type judgedCase struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Lean     string  `json:"strict_lean"` // accept, reject, either
	NoFields bool    `json:"no_fields"`   // refused by our policy, though legal
	Body     *[]byte `json:"expected_body_b64"`
}

func TestCasesOfPublicSuites(t *testing.T) {
	text, err := os.ReadFile(casesFile)
	if err != nil {
		t.Skipf("the cases are not here: %v", err)
	}
	cases := map[string]judgedCase{}
	for line := range strings.Lines(string(text)) {
		var c judgedCase
		require.NoError(t, json.Unmarshal([]byte(line), &c))
		cases[c.ID] = c
	}
	require.NotEmpty(t, cases)
	var whole string
	for _, split := range []string{"0", "1", "2", "3", "7"} {
		var out, log bytes.Buffer
		run(t.Context(), []string{"parse", "--cases", "--split", split, casesFile}, strings.NewReader(""), &out, &log)
		require.Empty(t, log.String())
		if split == "0" {
			whole = out.String()
		}
		assert.True(t, whole == out.String(), "--split %s gives another result", split)
	}
	decided, bodies := 0, 0
	for line := range strings.Lines(whole) {
		var v struct {
			ID, Reason string
			OK         bool
			Body       struct{ SHA256 string }
		}
		require.NoError(t, json.Unmarshal([]byte(line), &v))
		c, known := cases[v.ID]
		require.True(t, known, v.ID)
		delete(cases, v.ID)
		if c.Lean == "either" || c.NoFields && v.Reason == "no-header-fields" {
			continue
		}
		decided++
		assert.Equal(t, c.Lean == "accept", v.OK, "%s, %q: %s", v.ID, c.Name, v.Reason)
		if v.OK && c.Body != nil {
			bodies++
			sum := sha256.Sum256(*c.Body)
			assert.Equal(t, hex.EncodeToString(sum[:]), v.Body.SHA256, "%s, %q", v.ID, c.Name)
		}
	}
	assert.Empty(t, cases, "cases without an answer")
	t.Logf("%d cases decided as a strict recipient does, %d bodies compared", decided, bodies)
}
