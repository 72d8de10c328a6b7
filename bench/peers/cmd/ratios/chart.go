package main

import (
	"fmt"

	"why520/bench"
	"why520/bench/peers/internal/page"
)

// chartOf shows each parser but the first, where it is right, at its ratio to
// that one.
func chartOf(figures []bench.Figure) page.Chart {
	g := gridOf(figures)
	c := page.Chart{Title: fmt.Sprintf("Time for one input as a multiple of that of %s, the line; logarithmic", g.parsers[0]), Rows: g.cases}
	for _, name := range g.parsers[1:] {
		s := page.Series{Name: name, At: map[string]float64{}}
		for _, row := range g.cases {
			if f, measured := g.at[[2]string{row, name}]; measured && f.Wrong == nil {
				s.At[row] = f.Ratio
			}
		}
		c.Series = append(c.Series, s)
	}
	return c
}
