// Command gopacket reads a capture with gopacket, for the command captures, which
// measures it: nothing else is in this process.
package main

import (
	"log"
	"os"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

func main() {
	f, err := os.Open(os.Args[1])
	if err == nil {
		err = packetSource(f)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// packetSource reads a capture as the first example of gopacket does, and looks
// at the flags of TCP.
func packetSource(f *os.File) error {
	r, err := pcapgo.NewReader(f)
	if err != nil {
		return err
	}
	resets := 0
	for p := range gopacket.NewPacketSource(r, r.LinkType()).Packets() {
		if tcp, ok := p.Layer(layers.LayerTypeTCP).(*layers.TCP); ok && tcp.RST {
			resets++
		}
	}
	return nil
}
