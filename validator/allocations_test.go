package validator_test

import (
	"runtime/debug"
	"slices"
	"testing"
)

// allocations gives how often do allocates on the average. No collection empties
// pools meanwhile. The race detector drops at random what pools are given: under
// it nothing can be said, and the test is skipped.
func allocations(t *testing.T, do func()) float64 {
	t.Helper()
	build, known := debug.ReadBuildInfo()
	if known && slices.Contains(build.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector empties pools: skipped")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	return testing.AllocsPerRun(200, do)
}
