package capture

import "why520/wire"

// signature gives the pattern of "Global, Passive Detection of Connection
// Tampering" (SIGCOMM 2023, table 1) that f shows: how far the client came, and
// what came then. The paper looks at what a server receives; here what comes in
// the origin's name counts as well. A pattern alone proves nothing.
func (t *Tracker) signature(d *finding) string {
	f := d.f
	if f.has(joined) {
		return ""
	}
	stage := "SYN"
	data := f.side[client].data()
	switch {
	case !f.connected():
	case data == 0:
		stage = "SYN; ACK"
	case data == 1 && f.side[origin].data() == 0:
		stage = "PSH+ACK"
	default:
		stage = "PSH+ACK; Data"
	}
	if d.r == nil {
		if d.end == wire.Timeout && stage != "PSH+ACK; Data" && f.side[origin].data() == 0 {
			return stage + " -> nothing"
		}
		return ""
	}
	bare, acking, zero, changing := 0, 0, false, false
	for n := t.aside(f).resets; n != 0; {
		r := t.resets.at(n)
		n = r.next
		switch {
		case r.side != d.r.side:
			continue
		case r.flags&ACK != 0:
			acking++
			continue
		}
		bare++
		zero = zero || r.ack == 0 && bare > 1
		changing = changing || bare > 1 && r.ack != d.r.ack
	}
	return stage + " -> " + pattern(stage, bare, acking, zero, changing)
}

func pattern(stage string, bare, acking int, zero, changing bool) string {
	switch {
	case stage == "PSH+ACK; Data" && bare > 0, stage == "SYN" && bare > 0 && acking == 0:
		return "RST"
	case stage == "PSH+ACK; Data", stage == "SYN" && bare == 0:
		return "RST+ACK"
	case bare > 0 && acking > 0:
		return "RST; RST+ACK"
	case acking > 1:
		return "RST+ACK; RST+ACK"
	case acking == 1:
		return "RST+ACK"
	case bare == 1:
		return "RST"
	case stage == "SYN; ACK":
		return "RST; RST"
	case zero && changing:
		return "RST; RST0"
	case changing:
		return "RST != RST"
	}
	return "RST = RST"
}
