package capture

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// The fraction counts towards zero on both sides of 1970.
func TestSecondsSince1970(t *testing.T) {
	for nanoseconds, want := range map[int64]string{
		0: "0.000000000", 1: "0.000000001", 1_500_000_000: "1.500000000",
		-1: "-0.000000001", -500_000_000: "-0.500000000", -1_000_000_000: "-1.000000000", -1_500_000_000: "-1.500000000",
	} {
		assert.Equal(t, want, seconds(time.Unix(0, nanoseconds)).String(), nanoseconds)
	}
}
