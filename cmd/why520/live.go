package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"why520/capture"
	"why520/validator"
)

// openLive begins a live capture and gives up what privileges that took.
func (a *app) openLive(o capture.LiveOptions) (*capture.Live, error) {
	o.Drop = a.drop
	l, err := capture.OpenLive(o)
	if errors.Is(err, capture.ErrCgo) {
		o.Drop = false
		if l, err = capture.OpenLive(o); err == nil {
			fmt.Fprintln(a.log, "why520: note: this binary keeps its privileges; one that is built with CGO_ENABLED=0 gives them up")
		}
	}
	if err != nil {
		return nil, cannot(err)
	}
	return l, nil
}

// An asker asks a target, and gives the evidence of each request.
type asker func(context.Context, validator.Target) iter.Seq2[*validator.Evidence, error]

// asker gives who asks: p or, with --capture, p with a capture around each of its
// connections. done is to be called when all is asked.
func (a *app) asker(f *checkFlags, p *validator.Prober) (ask asker, done func() error, err error) {
	switch {
	case f.capture == "" && f.pcap != "":
		return nil, nil, usage("--pcap goes with --capture: name the interface, or any")
	case f.capture == "":
		return p.ProbeAll, func() error { return nil }, nil
	}
	o := capture.TapOptions{Policy: p.Policy, Deadlines: p.Deadlines}
	var file *os.File
	if f.pcap != "" { // before privileges are given up
		if file, err = os.OpenFile(f.pcap, os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
			return nil, nil, cannot(err)
		}
		o.Pcap = file
	}
	l, err := a.openLive(capture.LiveOptions{Interface: f.capture})
	if err != nil {
		return nil, nil, err
	}
	if file != nil {
		if info, failed := file.Stat(); failed == nil && info.Mode().IsRegular() {
			err = file.Truncate(0)
		}
	}
	var tap *capture.Tap
	if err == nil {
		tap, err = capture.NewTap(l, o)
	}
	if err != nil {
		return nil, nil, cannot(errors.Join(err, l.Close()))
	}
	done = func() error {
		err := tap.Close()
		if file != nil {
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			return cannot(fmt.Errorf("capturing: %w", err))
		}
		return nil
	}
	ask = func(ctx context.Context, t validator.Target) iter.Seq2[*validator.Evidence, error] {
		return tap.ProbeAll(ctx, p, t)
	}
	return ask, done, nil
}

// captureLive prints the flows that pass until it is interrupted.
func (a *app) captureLive(ctx context.Context, f *captureFlags, o capture.Options) error {
	list, err := newFlowList(a, f.html)
	if err != nil {
		return err
	}
	l, err := a.openLive(capture.LiveOptions{Interface: f.device, Origins: o.Origins})
	if err != nil {
		return err
	}
	stopped := context.AfterFunc(ctx, func() { l.Close() })
	defer func() {
		if stopped() {
			l.Close()
		}
	}()
	var status *statusLine
	if !a.json {
		fmt.Fprintf(a.log, "why520: capturing on %s; interrupt to end\n", f.device)
		status = a.status(func() string {
			s := l.Stats()
			return fmt.Sprintf("%s, %s, %d of them refused, %s lost", several(s.Packets, "packet"), several(s.Flows, "flow"), s.Faulty, several(l.Drops(), "packet"))
		})
	}
	defer status.end()
	for flow, err := range l.Flows(o) {
		if err != nil {
			status.end()
			a.complain("capturing", err)
			break
		}
		if err := status.apart(func() error { return list.add(flow) }); err != nil {
			return err
		}
	}
	status.end()
	list.count(l.Stats(), l.Drops())
	return list.finish(f.device)
}
