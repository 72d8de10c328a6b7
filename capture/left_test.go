package capture

// Left is how many things of flows a Tracker holds, for tests: 0 once all flows
// were given.
func (t *Tracker) Left() int {
	left := t.table.used + t.table.pairs.used() + t.asides.used() + t.talks.used() + t.waits.used() +
		t.resets.used() + t.pieces.used() + t.rivals.used() + t.strays.used() + t.traces.used() + t.bytes + t.held + t.traced
	if plain != (aside{}) {
		left++ // somebody wrote to what all share
	}
	return left
}
