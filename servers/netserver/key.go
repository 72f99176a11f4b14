package netserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"vitrine/core/frame"
)

// DefaultKeyFile is where a server keeps its private key unless told otherwise, relative to the working directory.
const DefaultKeyFile = "var/server.key"

// keyFileMode lets the server's user alone read the key.
const keyFileMode = 0o600

// SealedFromFile returns the sealed codec of a server whose private key is in the file at path, and the public half that
// clients need, as base64url text. A file that does not exist is made with a new key, readable by its owner alone; one that
// others can read is refused. maxPayload is the codec's largest packet in bytes, 0 for the most a frame holds.
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
	info, err := os.Stat(path)
	if err != nil {
		return key, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return key, fmt.Errorf("%q can be read by others (mode %o); make it yours alone: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return key, err
	}
	key, err = frame.ParseKey(strings.TrimSpace(string(text)))
	if err != nil {
		return key, fmt.Errorf("%q: %w", path, err)
	}
	return key, nil
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
