package main

import (
	"fmt"
	"strings"

	"why520/bench/peers/internal/page"
)

// markdown gives the table, and what was measured live.
func markdown(f figures) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d packets, %.2f GB, %d flows of which one in twenty is not sound:\n\n", f.packets, float64(f.size)/1e9, f.flows)
	s.WriteString("| | CPU seconds | ns a packet | of ours | peak memory |\n|---|--:|--:|--:|--:|\n")
	for _, r := range readers {
		one, measured := f.results[r.name]
		if !measured {
			continue
		}
		fmt.Fprintf(&s, "| %s | %.2f | %.0f | %s | %.0f MB |\n", r.name, one.seconds, one.seconds*1e9/float64(f.packets), page.Digits(one.seconds/f.results[ours].seconds), float64(one.peak)/1e6)
	}
	if l := f.live; l != nil {
		fmt.Fprintf(&s, "\nLive, of %d packets at 0.4 million a second, %.0f were lost, for %.2f us of CPU each; a verdict came\n%.1f ms after the reset, the wait for what follows it included, %.1f ms at the latest.\n",
			l.packets, l.metrics["lost"], l.metrics["cpu-ns/packet"]/1000, l.metrics["ms-after-reset"], l.metrics["ms-longest"])
	}
	return s.String()
}

// chartOf shows each reader but ours at its ratio to that.
func chartOf(f figures) page.Chart {
	c := page.Chart{Title: "CPU time and memory as a multiple of those of " + ours + ", the line; logarithmic"}
	cpu, memory := map[string]float64{}, map[string]float64{}
	base := f.results[ours]
	for _, r := range readers {
		one, measured := f.results[r.name]
		if r.name == ours || !measured {
			continue
		}
		c.Rows = append(c.Rows, r.name)
		cpu[r.name] = one.seconds / base.seconds
		if one.peak > 0 && base.peak > 0 {
			memory[r.name] = float64(one.peak) / float64(base.peak)
		}
	}
	c.Series = []page.Series{{Name: "CPU time", At: cpu}, {Name: "peak memory", At: memory}}
	return c
}
