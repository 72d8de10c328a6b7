package wire

// Skip is done with n bytes of content that are not at hand, as in a capture
// that has only the beginning of each packet. It reports whether it could: not
// where bytes of framing might be among them, or the last Next was not done with
// all of its bytes; s is then as it was.
func (s *Stream) Skip(n int64) bool {
	if n < 0 || s.waiting > 0 {
		return false
	}
	switch s.part {
	case inLength:
		if n > s.left {
			return false
		}
		if s.left -= n; s.left == 0 {
			s.part = whole
		}
	case inClose:
		if n > s.limits.Body-s.Bytes {
			return false
		}
	case inChunks:
		c := &s.chunks
		if c.state != chunkData || n > c.left {
			return false
		}
		if c.left -= n; c.left == 0 {
			c.state = dataCR
		}
	case inTunnel, behind:
	default:
		return false
	}
	if s.part == inLength || s.part == inClose || s.part == inChunks || s.part == whole {
		s.Bytes += n
	}
	s.done += n
	return true
}
