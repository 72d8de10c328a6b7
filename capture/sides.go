package capture

import "bytes"

// sender says which side sent s, the first segment of a flow, and whether the
// flow is one that was asked for.
func (t *Tracker) sender(s *Segment) (side int, wanted bool) {
	if len(t.o.Origins) > 0 {
		to := t.among(s.Destination, s.DestinationPort)
		if from := t.among(s.Source, s.SourcePort); from != to {
			if from {
				return origin, true
			}
			return client, true
		} else if !from {
			return client, false
		}
	}
	switch {
	case s.Flags&(SYN|ACK) == SYN:
		return client, true
	case s.Flags&SYN != 0:
		return origin, true
	case beginsResponse(s.Payload):
		return origin, true
	case beginsRequest(s.Payload) == yes && bytes.Contains(s.Payload, []byte(" HTTP/1.")), s.SourcePort > s.DestinationPort:
		return client, true
	}
	return origin, true
}

// among reports whether an address is that of an origin asked about.
func (t *Tracker) among(a Address, port uint16) bool {
	for i := range t.o.Origins {
		o := &t.o.Origins[i]
		if AddressOf(o.Address) == a && (o.Port == 0 || o.Port == port) {
			return true
		}
	}
	return false
}
