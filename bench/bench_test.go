package bench_test

import (
	"testing"

	"why520/bench"
)

func BenchmarkWire(b *testing.B) { bench.Run(b, bench.Wire()) }

func BenchmarkCompare(b *testing.B) { bench.Compare(b, bench.Wire(), simple) }
