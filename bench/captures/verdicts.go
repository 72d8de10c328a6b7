package main

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime/debug"

	"why520/capture"
)

// verdicts reads a capture as the command why520 does.
func verdicts(f *os.File, o capture.Options) error {
	debug.SetGCPercent(50) // collecting costs little: nearly all memory is the table's, which holds no pointers
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
	if err != io.EOF {
		return err
	}
	t.Close()
	s := t.Stats()
	fmt.Printf("%d packets, %d flows: %d sound, %d faulty, %d evicted, %d not followed\n", s.Packets, s.Flows, s.Sound, s.Faulty, s.Evicted, s.Missed)
	return nil
}

// peak gives the most memory that a process that ended had, in bytes; 0 where the
// system does not say.
func peak(s *os.ProcessState) int64 {
	u := reflect.ValueOf(s.SysUsage())
	if u.Kind() != reflect.Pointer || u.Elem().Kind() != reflect.Struct {
		return 0
	}
	if rss := u.Elem().FieldByName("Maxrss"); rss.IsValid() && rss.CanInt() {
		return rss.Int() * 1024 // of Linux
	}
	return 0
}
