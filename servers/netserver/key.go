package netserver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"vitrine/core/frame"
)

// DefaultKeyFile is where a server keeps its private key unless told otherwise, relative to the working directory.
const DefaultKeyFile = "var/server.key"

const (
	keyFileMode  = 0o600   // the server's user alone reads the key
	keyFileBytes = 4 << 10 // more than this is no key file
)

// SealedFromFile returns the sealed codec of a server whose private key is in the file at path, and the public half that
// clients need, as base64url text. A file that does not exist is made with a new key, readable by its owner alone; of
// several servers that start at once one makes it and all take it. A file that others can read is refused, as is one that
// holds no key: it is never replaced. maxPayload is the codec's largest packet in bytes, 0 for the most a frame holds.
func SealedFromFile(path string, maxPayload int) (frame.Codec, string, error) {
	private, err := loadKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		private, err = makeKey(path)
	}
	if err != nil {
		return frame.Codec{}, "", fmt.Errorf("server key: %w", err)
	}
	public, err := frame.PublicKey(private)
	if err != nil {
		return frame.Codec{}, "", fmt.Errorf("server key %q: %w", path, err)
	}
	codec, err := frame.Sealed(frame.SealedConfig{Private: private, MaxPayload: maxPayload})
	return codec, frame.FormatKey(public), err
}

func loadKey(path string) (key [frame.KeyLen]byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return key, err
	}
	defer file.Close()
	if err := checkKeyFile(file, path); err != nil {
		return key, err
	}
	text, err := io.ReadAll(io.LimitReader(file, keyFileBytes))
	if err != nil {
		return key, err
	}
	key, err = frame.ParseKey(strings.TrimSpace(string(text)))
	if err != nil {
		return key, fmt.Errorf("%q is no key file: %w; if the key is lost, remove the file to have a new one made, "+
			"whose public half every client then needs", path, err)
	}
	return key, nil
}

// checkKeyFile looks at the file that is open, not at whatever the path names by then.
func checkKeyFile(file *os.File, path string) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	mode := info.Mode()
	switch {
	case !mode.IsRegular():
		return fmt.Errorf("%q is not a regular file", path)
	case mode.Perm()&0o077 != 0 && runtime.GOOS != "windows": // which has no such bits
		return fmt.Errorf("%q can be read by others (mode %04o); make it yours alone: chmod 600 %s", path, mode.Perm(), path)
	}
	return nil
}

// makeKey writes a new key whole or not at all: it is linked to its name only when it is on disk, and whoever comes second
// takes the key of the first.
func makeKey(path string) (key [frame.KeyLen]byte, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return key, err
	}
	if key, err = frame.GenerateKey(); err != nil {
		return key, err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return key, err
	}
	defer os.Remove(temporary.Name())
	_, err = fmt.Fprintln(temporary, frame.FormatKey(key))
	err = errors.Join(err, temporary.Chmod(keyFileMode), temporary.Sync(), temporary.Close())
	if err != nil {
		return key, err
	}
	if err := os.Link(temporary.Name(), path); errors.Is(err, fs.ErrExist) {
		return loadKey(path)
	} else if err != nil {
		return key, err
	}
	return key, nil
}
