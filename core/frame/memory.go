package frame

import (
	"crypto/cipher"
	"reflect"
	"unsafe"
)

// Memory is where something lies in the process: Size bytes from Addr on.
// It does not keep what lies there alive.
type Memory struct{ Addr, Size uintptr }

// KeyMemory tells where the private key of a sealed codec lies; the zero
// value for codecs without one. It does not move while the codec lives.
func (c *Codec) KeyMemory() Memory {
	if c.form != formSealed || len(c.sealed.static.Private) == 0 {
		return Memory{}
	}
	key := c.sealed.static.Private
	return Memory{uintptr(unsafe.Pointer(&key[0])), uintptr(len(key))}
}

// KeyMemory tells where the keys in use of both directions lie, that of
// sending first; zero values before the handshake is done and for frames
// that are not sealed. They do not move until OnRekey tells.
func (st *State) KeyMemory() [2]Memory {
	if st == nil {
		return [2]Memory{}
	}
	return [2]Memory{memoryOf(st.send.aead), memoryOf(st.recv.aead)}
}

// OnRekey has f run, on the session's goroutine, whenever a direction has
// a new key: every 2^20 frames. KeyMemory tells then where it lies.
func (st *State) OnRekey(f func()) {
	st.send.rekeyed, st.recv.rekeyed = f, f
}

// memoryOf finds what a cipher consists of.
func memoryOf(aead cipher.AEAD) Memory {
	v := reflect.ValueOf(aead)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return Memory{}
	}
	return Memory{v.Pointer(), v.Type().Elem().Size()}
}
