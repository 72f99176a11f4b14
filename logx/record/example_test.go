package record_test

import (
	"fmt"
	"time"

	"vitrine/logx/record"
)

// A record goes to bytes and back, and shows as a line.
func Example() {
	fields := []record.Field{record.Int("rate", 812), record.String("peer", "10.0.0.7")}
	payload := record.AppendPayload(nil, nil, nil, "too many packets", fields)
	disk := record.Append(nil, &record.Head{
		Index: 4711, Time: time.Date(2026, 11, 22, 22, 44, 10, 0, time.UTC).UnixNano(),
		Session: 7, Level: record.Warn, Type: record.TypeSession,
	}, payload)

	view, err := record.Parse(disk)
	if err != nil {
		fmt.Println(err)
		return
	}
	var r record.Record
	if err := view.Decode(&r); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s%s", record.AppendText(nil, &r, nil), record.AppendJSON(nil, &r, nil))
	// Output:
	// [session] [2026-11-22T22:44:10.000000Z / WARN / 4711] too many packets rate=812 peer=10.0.0.7 session=7
	// {"index":"4711","time":"2026-11-22T22:44:10Z","level":"WARN","type":"session","session":"7","msg":"too many packets","fields":{"rate":812,"peer":"10.0.0.7"}}
}
