package engine

import "vitrine/core/flight"

type tmpStore struct{}

func (*tmpStore) Keep(uint64, []flight.Record) bool { return true }
func closeRecord(r any) {
	if c, ok := r.(interface{ Close() error }); ok {
		c.Close()
	}
}
