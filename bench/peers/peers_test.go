package peers_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"why520/bench"
	"why520/bench/peers"
)

// Hertz takes field lines as they come.
var wrong = map[string][]string{"hertz": {"malformed-early", "malformed-late"}}

func TestPeersAreRightWhereTheyAreNotKnownToBeWrong(t *testing.T) {
	for _, p := range peers.All() {
		var found []string
		for _, c := range bench.Cases() {
			if err := bench.Check(&c, p); err != nil {
				t.Logf("%s, %s: %v", p.Name, c.Name, err)
				found = append(found, c.Name)
			}
		}
		assert.Equal(t, wrong[p.Name], found, p.Name)
	}
}

func TestPeersTakePartInEverything(t *testing.T) {
	names := map[string]bool{bench.Wire().Name: true}
	for _, p := range peers.All() {
		assert.False(t, names[p.Name], "two parsers are called %s", p.Name)
		names[p.Name] = true
		assert.NotContains(t, p.Name, "/")
		assert.NotNil(t, p.Heads, p.Name)
		assert.NotNil(t, p.Responses, p.Name)
		assert.NotNil(t, p.Value, p.Name)
		assert.NotNil(t, p.Content, p.Name)
	}
	assert.Greater(t, len(names), 3)
}

func BenchmarkPeers(b *testing.B) {
	bench.Compare(b, append([]bench.Parser{bench.Wire()}, peers.All()...)...)
}
