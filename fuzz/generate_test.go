package fuzz_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/fuzz"
	"why520/wire"
)

// random gives n inputs, the same ones each time.
func random(n int) [][]byte {
	source := rand.New(rand.NewPCG(520, 9112))
	all := make([][]byte, n)
	for i := range all {
		all[i] = make([]byte, source.IntN(200))
		for j := range all[i] {
			all[i][j] = byte(source.Uint32())
		}
	}
	return all
}

// What is generated is what it claims to be: a strict recipient says so.
func TestGeneratedCasesAreWhatTheyClaim(t *testing.T) {
	seen, whole := map[string]int{}, 0
	for _, data := range random(60_000) {
		k := fuzz.Generate(data)
		seen[k.Damage]++
		if k.Damage == "" {
			whole++
			require.Equal(t, wire.SetOf(wire.OK), k.Want)
		}
		require.NoError(t, fuzz.Expected(fuzz.StrictUnder(k.Limits), k))
	}
	for _, name := range fuzz.Damages() {
		assert.Greater(t, seen[name], 100, "damage %q", name)
	}
	assert.Greater(t, whole, 10_000)
}

func TestGenerateIsDeterministic(t *testing.T) {
	for _, data := range random(1000) {
		assert.Equal(t, fuzz.Generate(data), fuzz.Generate(data))
	}
	k := fuzz.Generate(nil)
	assert.Empty(t, k.Damage, "no choice is the plainest response")
	assert.Equal(t, "HTTP/1.1 200 OK\r\nContent-Length: 0 \r\nServer: x \r\n\r\n", string(k.Bytes))
}

func TestSeedsShowEveryDamage(t *testing.T) {
	seen := map[string]bool{}
	for _, seed := range fuzz.Seeds() {
		seen[fuzz.Generate(seed).Damage] = true
	}
	for _, name := range fuzz.Damages() {
		assert.True(t, seen[name], "damage %q", name)
	}
	assert.Len(t, fuzz.Damages(), len(uniq(fuzz.Damages())), "names are unique")
}

func uniq(all []string) map[string]bool {
	set := map[string]bool{}
	for _, s := range all {
		set[s] = true
	}
	return set
}
