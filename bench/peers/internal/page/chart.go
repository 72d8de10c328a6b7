package page

import (
	"bytes"
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A Chart shows ratios on a logarithmic axis: a row for each thing measured, in
// it a mark for each series, and a line at 1.
type Chart struct {
	Title  string
	Rows   []string // from top to bottom
	Series []Series
}

// A Series is the ratios of one contender.
type Series struct {
	Name string
	At   map[string]float64 // by row; where there is none, there is no mark
}

// marks are of colours that people with any kind of colour vision tell apart,
// each of another shape.
var marks = []draw.GlyphStyle{
	{Color: color.RGBA{0x00, 0x72, 0xB2, 0xFF}, Shape: draw.CircleGlyph{}},
	{Color: color.RGBA{0xD5, 0x5E, 0x00, 0xFF}, Shape: draw.BoxGlyph{}},
	{Color: color.RGBA{0x00, 0x9E, 0x73, 0xFF}, Shape: draw.PyramidGlyph{}},
	{Color: color.RGBA{0xB0, 0x3A, 0x8C, 0xFF}, Shape: draw.TriangleGlyph{}},
	{Color: color.RGBA{0x33, 0x33, 0x33, 0xFF}, Shape: draw.CrossGlyph{}},
}

func mark(i int) draw.GlyphStyle {
	m := marks[i%len(marks)]
	m.Radius = vg.Points(4)
	return m
}

// SVG gives the chart, on white for readers whose background is dark.
func (c *Chart) SVG() ([]byte, error) {
	plot.DefaultFont.Variant = "Sans"
	p := plot.New()
	p.BackgroundColor = nil
	lines := plotter.NewGrid()
	lines.Vertical.Color, lines.Horizontal.Color = color.Gray{0xDD}, color.Gray{0xDD}
	one, err := plotter.NewLine(plotter.XYs{{X: 1, Y: -1}, {X: 1, Y: float64(len(c.Rows))}})
	if err != nil {
		return nil, err
	}
	one.Width = vg.Points(1.5)
	p.Add(lines, one)
	for i := range c.Series {
		points, err := plotter.NewScatter(c.points(&c.Series[i]))
		if err != nil {
			return nil, err
		}
		points.GlyphStyle = mark(i)
		p.Add(points)
	}
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(oneTwoFive)
	p.X.Min, p.X.Max = min(p.X.Min, 0.5)/1.1, max(p.X.Max, 2)*1.1
	p.Y.Tick.Marker = c.ticks()
	p.Y.Min, p.Y.Max = -0.6, float64(len(c.Rows))-0.4
	p.Y.LineStyle.Width, p.Y.Tick.Length = 0, 0

	canvas := vgsvg.New(8*vg.Inch, vg.Length(1+0.3*float64(len(c.Rows)))*vg.Inch)
	all := draw.New(canvas)
	all.FillPolygon(color.White, []vg.Point{all.Min, {X: all.Max.X, Y: all.Min.Y}, all.Max, {X: all.Min.X, Y: all.Max.Y}})
	p.Draw(draw.Crop(all, margin, -margin, margin, -heading))
	c.head(all, p)
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return nil, err
	}
	return named(svg.Bytes()), nil
}

const (
	margin  = 10 * vg.Length(1) // points
	heading = 52 * vg.Length(1)
)

// head writes at the top of the canvas what the chart shows, and the names of
// the marks.
func (c *Chart) head(on draw.Canvas, p *plot.Plot) {
	style := p.X.Tick.Label
	style.XAlign, style.YAlign = draw.XLeft, draw.YCenter
	at := vg.Point{X: margin, Y: on.Max.Y - 18}
	on.FillText(style, at, c.Title)
	at.Y -= 20
	for i, s := range c.Series {
		at.X += mark(i).Radius
		on.DrawGlyph(mark(i), at)
		at.X += 9
		on.FillText(style, at, s.Name)
		at.X += style.Width(s.Name) + 18
	}
}

// points gives the ratios of s, each in its row.
func (c *Chart) points(s *Series) (all plotter.XYs) {
	for _, row := range c.ticks() {
		if ratio, ok := s.At[row.Label]; ok {
			all = append(all, plotter.XY{X: ratio, Y: row.Value})
		}
	}
	return all
}

// ticks gives the rows from top to bottom.
func (c *Chart) ticks() (all plot.ConstantTicks) {
	for i, row := range c.Rows {
		all = append(all, plot.Tick{Value: float64(len(c.Rows) - 1 - i), Label: row})
	}
	return all
}

// oneTwoFive gives the ticks of a logarithmic axis: 1, 2, 5, 10 and so on.
func oneTwoFive(least, most float64) (all []plot.Tick) {
	for ten := 0.001; ten <= most; ten *= 10 {
		for _, v := range []float64{ten, 2 * ten, 5 * ten} {
			if least <= v && v <= most {
				all = append(all, plot.Tick{Value: v, Label: fmt.Sprintf("%.3g", v)})
			}
		}
	}
	return all
}

// named adds fonts that stand in where a reader has not got the chart's own:
// all are as wide.
func named(svg []byte) []byte {
	return bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans"), []byte("font-family:Liberation Sans,Arimo,Arial,Helvetica,sans-serif"))
}
