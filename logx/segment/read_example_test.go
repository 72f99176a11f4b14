package segment_test

import (
	"fmt"
	"os"

	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// Write five records and find those of one session again.
func ExampleOpen() {
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
	log, err := segment.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()
	for _, s := range log.Segments() {
		for block, err := range s.Blocks(segment.Want{Session: 11}) {
			if err != nil {
				fmt.Println(err)
				return
			}
			records, err := s.Read(block, nil)
			if err != nil {
				fmt.Println(err)
				return
			}
			show(records, 11)
		}
	}
	// Output:
	// record 2: hello
	// record 5: hello
}

func show(records []byte, session uint64) {
	var r record.Record
	for len(records) > 0 {
		view, err := record.Parse(records)
		if err != nil {
			fmt.Println(err)
			return
		}
		if view.Session == session && view.Decode(&r) == nil {
			fmt.Printf("record %d: %s\n", r.Index, r.Message)
		}
		records = records[view.Size():]
	}
}

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
	for i := range uint64(5) {
		head := record.Head{Index: w.Next(), Session: 10 + i%3, Level: record.Info}
		w.Add(&head, record.AppendPayload(nil, nil, nil, "hello", nil))
	}
	return w.Close()
}
