package captest_test

import (
	"bytes"
	"fmt"

	"why520/capture"
	"why520/capture/captest"
)

// A reader of captures is held against what is true of each flow.
func Example() {
	wrong := 0
	for flow := range captest.Flows(captest.Options{Seed: 1, Flows: 100, Only: "reset-in-head"}) {
		tracker := capture.NewTracker(capture.Options{All: true}, func(f *capture.Flow) {
			if f.Verdict.Reason != flow.Class.Truth.Reason {
				wrong++
			}
		})
		for _, frame := range flow.Frames {
			p := frame.Packet(capture.Ethernet)
			tracker.Packet(&p)
		}
		tracker.Close()
	}
	fmt.Println(wrong)
	// Output: 0
}

func ExampleWritePcap() {
	var file bytes.Buffer
	flows := captest.Flows(captest.Options{Seed: 1, Flows: 1, Only: "injected-after-request"})
	if err := captest.WritePcap(&file, captest.Merge(flows), captest.Format{Nano: true}); err != nil {
		fmt.Println(err)
	}
	for f := range capture.Flows(&file, capture.Options{}) {
		fmt.Println(f.ResetBy, f.Evidence.TCP.Confidence)
	}
	// Output: injected certain
}

func ExampleClasses() {
	for _, c := range captest.Classes() {
		if c.Truth.ResetBy == capture.Injected && c.Truth.Stage == capture.BeforeRequest {
			fmt.Println(c.Name, "->", c.Truth.Reason.String())
		}
	}
	// Output: injected-before-request -> injected-reset
}
