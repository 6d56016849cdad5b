package main

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

var lines = []struct {
	by, label string
	color     color.Color
	dashes    []vg.Length
}{
	{"gorilla", "gorilla/handlers", color.RGBA{R: 0xb4, G: 0x5f, B: 0x06, A: 0xff}, nil},
	{"rs", "rs/cors", color.RGBA{R: 0xa6, G: 0x1c, B: 0x3c, A: 0xff}, nil},
	{"corsrpc", "corsrpc", color.RGBA{R: 0x0b, G: 0x5c, B: 0xad, A: 0xff}, nil},
	{"floor", "written by hand", color.Gray{Y: 0x70}, []vg.Length{vg.Points(4), vg.Points(3)}},
}

// drawOrigins draws the cost of a call by the number of origins.
func drawOrigins(r *results, file string) error {
	p := plot.New()
	p.BackgroundColor = color.White // readable on a dark page too
	p.Title.Text = "An allowed call, by the number of allowed origins"
	p.X.Label.Text, p.Y.Label.Text = "exact origins", "ns per call, of processor time"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(powersOfTen), plot.TickerFunc(powersOfTen)
	p.Title.Padding = vg.Points(8)
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding = vg.Points(3)
	p.Legend.XOffs, p.Legend.YOffs = vg.Points(6), vg.Points(-4)
	for _, l := range lines {
		var points plotter.XYs
		for _, n := range r.settings("Origins/origins=") {
			name := "Origins/origins=" + n + "/by=" + l.by
			if !r.has(name) {
				continue
			}
			x, err := strconv.ParseFloat(n, 64)
			if err != nil {
				return err
			}
			points = append(points, plotter.XY{X: x, Y: r.time(name).middle})
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, line.Width, line.Dashes = l.color, vg.Points(1.5), l.dashes
		dots.Color, dots.Shape, dots.Radius = l.color, draw.CircleGlyph{}, vg.Points(2)
		p.Add(line, dots)
		p.Legend.Add(l.label, line, dots)
	}
	p.Y.Min, p.Y.Max = 100, 1e6
	canvas := vgsvg.New(16*vg.Centimeter, 9*vg.Centimeter)
	p.Draw(draw.Crop(draw.New(canvas), vg.Points(4), vg.Points(-14), vg.Points(4), vg.Points(-6))) // labels exceed the axes
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// powersOfTen returns the ticks of an axis: 1, 10, 100, 1k …
func powersOfTen(low, high float64) (ticks []plot.Tick) {
	for power := range 10 {
		value := math.Pow10(power)
		if value < low || value > high {
			continue
		}
		label := fmt.Sprintf("%.0f%s", value/math.Pow10(power/3*3), []string{"", "k", "M", "G"}[power/3])
		ticks = append(ticks, plot.Tick{Value: value, Label: label})
	}
	return ticks
}
