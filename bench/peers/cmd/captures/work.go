package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"why520/capture"
)

// held are options under which no flow goes before the end of the file.
var held = capture.Options{Linger: 24 * time.Hour, Silent: 24 * time.Hour, All: true}

// readFile does what is measured.
func readFile(path, work string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	switch work {
	case "verdicts":
		return verdicts(f, capture.Options{})
	case "held":
		return verdicts(f, held)
	case "evicting":
		o := held
		o.Flows = 1 << 14
		return verdicts(f, o)
	case "packets":
		r, err := capture.NewReader(f)
		var p capture.Packet
		for err == nil {
			err = r.Next(&p)
		}
		return ended(err)
	case "bytes":
		b := make([]byte, 512<<10) // as a capture.Reader has
		for err == nil {
			_, err = f.Read(b)
		}
		return ended(err)
	case "gopacket":
		return packetSource(f)
	}
	return fmt.Errorf("there is no work called %q", work)
}

func ended(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// verdicts reads a capture as the command why520 does.
func verdicts(f *os.File, o capture.Options) error {
	debug.SetGCPercent(50) // as the command does
	t := capture.NewTracker(o, func(*capture.Flow) {})
	r, err := capture.NewReader(f)
	if err != nil {
		return err
	}
	var p capture.Packet
	for {
		if err = r.Next(&p); err != nil {
			break
		}
		t.Packet(&p)
	}
	if err := ended(err); err != nil {
		return err
	}
	t.Close()
	s := t.Stats()
	fmt.Printf("%d packets, %d flows: %d sound, %d faulty, %d evicted, %d not followed\n", s.Packets, s.Flows, s.Sound, s.Faulty, s.Evicted, s.Missed)
	return nil
}
