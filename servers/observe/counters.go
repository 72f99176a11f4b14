package observe

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"vitrine/core/engine"
	"vitrine/core/stats"
)

// Counters are [engine.Counters] that stand in JSON under their names in snake_case, in the order of their declaration.
type Counters engine.Counters

// gaugeName matches the name of a gauge.
var gaugeName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// MarshalJSON writes an object of snake_case names and numbers.
func (c Counters) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, f := range stats.Fields(c) {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(b, snake(f.Name))
		b = append(b, ':')
		b = strconv.AppendUint(b, f.Value, 10)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote. Names that the counters do not have are left out, as json does.
func (c *Counters) UnmarshalJSON(text []byte) error {
	var values map[string]uint64
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	fields := map[string]uint64{}
	for _, f := range stats.Fields(*c) {
		if v, ok := values[snake(f.Name)]; ok {
			fields[f.Name] = v
		}
	}
	again, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return json.Unmarshal(again, (*engine.Counters)(c))
}

// snake turns the Go name of a field into snake_case: RecvBytes into recv_bytes.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToLower(string(r)))
	}
	return b.String()
}
