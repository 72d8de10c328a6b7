package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"why520/capture"
	"why520/wire"
)

// Counts of any size fit the terminal.
func TestSummaryFitsATerminal(t *testing.T) {
	l := &flowList{
		a: &app{width: 80}, reasons: map[wire.Reason]int{wire.ResetAfterRequest: 12345}, drops: 1234567890,
		stats: capture.Stats{Faulty: 23456, Flows: 1234567, Packets: 123456789, Broken: 123456789, Missed: 123456789, Evicted: 1234567890},
	}
	for line := range strings.Lines(l.summary()) {
		line = strings.TrimSuffix(line, "\n")
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
	}
}
