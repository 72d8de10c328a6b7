package capture_test

import (
	"bytes"
	"encoding/json"
	"fmt"

	"why520/capture"
	"why520/capture/captest"
)

// file is a capture of two flows that their origin resets.
func file() *bytes.Buffer {
	var b bytes.Buffer
	flows := captest.Flows(captest.Options{Seed: 1, Flows: 2, Only: "reset-in-head"})
	if err := captest.WritePcapng(&b, captest.Merge(flows), captest.Format{Nano: true}); err != nil {
		panic(err)
	}
	return &b
}

func Example() {
	for f, err := range capture.Flows(file(), capture.Options{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(f.Verdict.Reason.String(), "by", f.ResetBy, "in stage", f.Stage, "->", f.Verdict.EdgeStatus)
	}
	// Output:
	// head-reset by origin in stage in-head -> 520
	// head-reset by origin in stage in-head -> 520
}

// A Tracker takes packets from anywhere: a file, a ring, a test.
func ExampleTracker() {
	tracker := capture.NewTracker(capture.Options{}, func(f *capture.Flow) {
		fmt.Println(f.Client.Port(), f.Verdict.Cause, f.Evidence.TCP.Confidence)
	})
	for flow := range captest.Flows(captest.Options{Seed: 1, Flows: 1, Only: "refused"}) {
		for _, frame := range flow.Frames {
			p := frame.Packet(capture.Ethernet)
			tracker.Packet(&p)
		}
	}
	tracker.Close()
	fmt.Println(tracker.Stats().Faulty)
	// Output:
	// 20000 refused likely
	// 1
}

func ExampleFlow_MarshalJSON() {
	for f, err := range capture.Flows(file(), capture.Options{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		b, _ := json.Marshal(f)
		var flow struct {
			ResetBy string `json:"reset_by"`
			Stage   string
			Reason  string
			TCP     struct{ Signature string }
		}
		if err := json.Unmarshal(b, &flow); err != nil {
			fmt.Println(err)
		}
		fmt.Printf("%+v\n", flow)
	}
	// Output:
	// {ResetBy:origin Stage:in-head Reason:head-reset TCP:{Signature:PSH+ACK; Data -> RST+ACK}}
	// {ResetBy:origin Stage:in-head Reason:head-reset TCP:{Signature:PSH+ACK; Data -> RST+ACK}}
}
