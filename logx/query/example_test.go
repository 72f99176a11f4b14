package query_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"vitrine/logx/query"
	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// What did session 7 do?
func Example() {
	dir, err := os.MkdirTemp("", "log")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := write(dir); err != nil {
		fmt.Println(err)
		return
	}

	stats, err := query.Search(context.Background(), dir, query.Query{Session: 7}, func(r *record.Record, t *record.Types) bool {
		fmt.Printf("%s", record.AppendText(nil, r, t))
		return true
	})
	fmt.Println(stats.Hits, err)

	report, err := query.Verify(context.Background(), dir, nil)
	fmt.Println(report.Records, report.Clean(), err)
	// Output:
	// [session] [2026-11-22T22:44:11.000000Z / INFO / 1] joined session=7
	// [chat] [2026-11-22T22:44:14.000000Z / WARN / 4] too many packets rate=812 session=7
	// 2 <nil>
	// 5 true <nil>
}

// write makes a log of five records.
func write(dir string) error {
	lock, err := segment.Lock(segment.OS(), dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	w, _, err := segment.OpenWriter(segment.Config{Dir: dir}, lock)
	if err != nil {
		return err
	}
	add := func(session uint64, level record.Level, typ record.Type, message string, fields ...record.Field) {
		when := time.Date(2026, 11, 22, 22, 44, 10+int(w.Next()), 0, time.UTC)
		h := record.Head{Index: w.Next(), Time: when.UnixNano(), Session: session, Level: level, Type: typ}
		w.Add(&h, record.AppendPayload(nil, nil, nil, message, fields))
	}
	add(7, record.Info, record.TypeSession, "joined")
	add(8, record.Info, record.TypeSession, "joined")
	add(8, record.Info, record.TypeSession, "left")
	add(7, record.Warn, record.TypeChat, "too many packets", record.Int("rate", 812))
	add(0, record.System, record.TypeSystem, "stopped")
	return w.Close()
}
