package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A size is a number of bytes, as a flag: 8192, 8k, 8KiB, 1MiB, 1GiB.
type size int64

var units = []struct {
	suffix string
	bytes  int64
}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30}, {"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"b", 1}}

// Set takes the flag's text.
func (s *size) Set(text string) error {
	number, unit := strings.ToLower(strings.TrimSpace(text)), int64(1)
	for _, u := range units {
		if strings.HasSuffix(number, u.suffix) {
			number, unit = strings.TrimSpace(strings.TrimSuffix(number, u.suffix)), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/unit {
		return fmt.Errorf("want a number of bytes above 0, such as 8192 or 8KiB")
	}
	*s = size(n * unit)
	return nil
}

// String gives the number.
func (s *size) String() string {
	if *s == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*s), 10)
}

// Type names the flag's value in the help.
func (s *size) Type() string { return "SIZE" }

// suggest gives the name that is most like what was asked for, and where all
// are listed.
func suggest(asked string, names []string) string {
	best, least := "", math.MaxInt
	for _, n := range names {
		if d := distance(asked, n); d < least {
			best, least = n, d
		}
	}
	if least <= max(2, len(asked)/3) {
		return fmt.Sprintf("did you mean %s?", best)
	}
	if len(names) < 30 {
		return "known are " + strings.Join(names, ", ")
	}
	return "\"why520 explain\" lists them"
}

// distance is the number of edits between two words (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], slices.Min([]int{row[j] + 1, row[j+1] + 1, diagonal + cost})
		}
	}
	return row[len(b)]
}
