package fuzz_test

import (
	"bytes"
	"math/rand/v2"
	"regexp"
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

// What is damaged in its framing fits a lenient reading: who forgives the damage
// reads the content to its end, and is not kept from it by another fault.
func TestDamagedFramingLeavesContentThatFits(t *testing.T) {
	chunked := map[string]int{"a length and chunks": 0, "another coding": 0, "a malformed coding": 0, "chunks in HTTP/1.0": 0}
	five := map[string]int{"a length that is no number": 0, "repeat a length": 0, "two lengths": 0}
	spaced := map[string]int{}
	for _, data := range random(20_000) {
		k := fuzz.Generate(data)
		var p wire.Parser
		p.Limits.Tolerate = wire.Tolerable
		body := k.Bytes
		for status := 100; status < 200; status = p.Head.Status { // interim responses stand before it
			n, err := p.Parse(body)
			if err != nil {
				break
			}
			body = body[n:]
			p.Reset()
		}
		if _, of := chunked[k.Damage]; of {
			chunked[k.Damage]++
			b := append([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), body...)
			_, err := fuzz.Strict(wire.Request{}, bytes.NewReader(b))
			assert.NoError(t, err, "%s", k)
		}
		if _, of := five[k.Damage]; of {
			five[k.Damage]++
			assert.Equal(t, "hello", string(body), "%s", k)
		}
		if k.Damage == "space before the colon" {
			for _, name := range []string{"content-length", "transfer-encoding", "server"} {
				if regexp.MustCompile(`(?i)` + name + `[ \t]+:`).Match(k.Bytes) {
					spaced[name]++
				}
			}
		}
	}
	for damage, n := range chunked {
		assert.Greater(t, n, 100, damage)
	}
	for damage, n := range five {
		assert.Greater(t, n, 100, damage)
	}
	assert.Len(t, spaced, 3, "it is put into what frames, too")
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
