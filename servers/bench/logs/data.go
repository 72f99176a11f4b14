//go:build linux

package logs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// DataCommand is the logdata subcommand: it makes up a log to search.
type DataCommand struct {
	Dir        string `required:"" type:"path" help:"Where data, text and compressed are made, or found complete."`
	Bytes      size   `default:"2GB" help:"Bytes of records, e.g. 200MB."`
	Sessions   int    `default:"100000" help:"Sessions in all."`
	Alive      int    `default:"5000" help:"Sessions alive at once."`
	Compressed bool   `help:"Make the compressed copy too."`
	Again      bool   `help:"Make it again although it is complete, e.g. after the format of the files has changed."`
	Seed       uint64 `default:"1" help:"Seed of the story."`
}

// What stands in the directory.
const (
	dataDir       = "data"
	compressedDir = "compressed"
	textFile      = "records.txt"
	manifestEnds  = ".json" // beside what it describes, written last
)

// manifest says what was made, completely. It is compared as a whole but for
// what follows from the rest.
type manifest struct {
	Version  int    `json:"version"`
	Seed     uint64 `json:"seed"`
	Bytes    int64  `json:"bytes"`
	Sessions int    `json:"sessions"`
	Alive    int    `json:"alive"`
	Records  uint64 `json:"records"` // follows
}

// dataVersion changes with the story.
const dataVersion = 1

// Run makes what is missing.
func (c *DataCommand) Run(ctx context.Context) error {
	if c.Alive < 1 || c.Sessions < c.Alive || c.Bytes < 1 {
		return errors.New("logdata: sessions in all are no fewer than those alive, and bytes no fewer than one")
	}
	if err := c.ensure(ctx, dataDir, filepath.Join(c.Dir, textFile)); err != nil {
		return fmt.Errorf("logdata: %w", err)
	}
	if !c.Compressed {
		return nil
	}
	if err := c.ensure(ctx, compressedDir, ""); err != nil {
		return fmt.Errorf("logdata: %w", err)
	}
	return nil
}

// ensure makes one form of the log unless it is there.
func (c *DataCommand) ensure(ctx context.Context, form, text string) error {
	want := manifest{Version: dataVersion, Seed: c.Seed, Bytes: int64(c.Bytes), Sessions: c.Sessions, Alive: c.Alive}
	dir := filepath.Join(c.Dir, form)
	if found, err := readManifest(dir); err == nil && !c.Again {
		want.Records = found.Records
		if found == want {
			fmt.Printf("%s: %d records, complete\n", dir, found.Records)
			return nil
		}
	}
	if err := makeRoom(dir, text); err != nil {
		return err
	}
	start := time.Now()
	t := teller{story: newStory(c.Seed, c.Sessions, c.Alive), bytes: int64(c.Bytes), compress: form == compressedDir}
	if err := t.write(ctx, dir, text); err != nil {
		return fmt.Errorf("make %s: %w", form, err)
	}
	want.Records = t.story.record.Index
	if err := onDisk(dir, text); err != nil {
		return err
	}
	fmt.Printf("%s: %d records in %.1f s\n", dir, want.Records, time.Since(start).Seconds())
	return want.write(dir)
}

// onDisk waits until the log and its text are on the disk: who measures next would have to share it with them.
func onDisk(dir, text string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return err
	}
	if text != "" {
		paths = append(paths, text)
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("sync %q: %w", path, err)
		}
	}
	return nil
}

// makeRoom takes away what is there, the manifest first.
func makeRoom(dir, text string) error {
	if err := os.Remove(dir + manifestEnds); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if text != "" {
		if err := os.RemoveAll(text); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.MkdirAll(filepath.Dir(dir), 0o750)
}

func readManifest(dir string) (m manifest, err error) {
	b, err := os.ReadFile(dir + manifestEnds)
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(b, &m)
}

func (m manifest) write(dir string) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return os.WriteFile(dir+manifestEnds, b, 0o640)
}
