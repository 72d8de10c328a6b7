package origintest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// forgetful leaves a goroutine behind until it is told to end.
type forgetful chan bool

func (f forgetful) Run() int {
	go func() { <-f }()
	return 0
}

func TestGoroutinesThatAreLeftAreFound(t *testing.T) {
	f := make(forgetful)
	var log strings.Builder
	assert.Equal(t, 1, run(f, time.Millisecond, &log))
	assert.Contains(t, log.String(), "forgetful")
	close(f)
}
