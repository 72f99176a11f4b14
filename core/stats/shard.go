package stats

import (
	"fmt"
	"reflect"
	"sync/atomic"
	"unsafe"
)

// Shard is one worker's counters and the copy of them that anyone may read.
//
// T is a struct of uint64, or of arrays and structs of them, and nothing else.
// One goroutine owns the shard: it alone touches Local and calls Publish.
type Shard[T any] struct {
	Local T // owned by the owner's goroutine

	_         [128]byte       // keeps what readers touch off the owner's cache lines
	last      []uint64        // owned by the owner: what published holds
	published []atomic.Uint64 // atomic; the slice is fixed after NewShard
}

// NewShard returns a shard with every counter at zero. It panics when T holds
// anything but uint64 counters: that is a mistake in the program.
func NewShard[T any]() *Shard[T] {
	n := words[T]()
	// The padding behind the words keeps other allocations off their lines.
	return &Shard[T]{
		last:      make([]uint64, n, n+16),
		published: make([]atomic.Uint64, n, n+16),
	}
}

// Publish makes the counters readable. The owner calls it once per turn; only
// the words that changed since the last call are stored.
func (s *Shard[T]) Publish() {
	for i, v := range view(&s.Local) {
		if v != s.last[i] {
			s.last[i] = v
			s.published[i].Store(v)
		}
	}
}

// Snapshot returns the counters as last published. Any goroutine may call it,
// at any time; it does not block. Each counter is exact as of some Publish.
func (s *Shard[T]) Snapshot() T {
	var out T
	w := view(&out)
	for i := range w {
		w[i] = s.published[i].Load()
	}
	return out
}

// Sum returns the counters of all vs added up, word by word. It panics when T
// holds anything but uint64 counters.
func Sum[T any](vs ...T) T {
	words[T]()
	var out T
	w := view(&out)
	for i := range vs {
		for j, v := range view(&vs[i]) {
			w[j] += v
		}
	}
	return out
}

// Field is one counter of a struct: its Go name ("Packets", "Closed[3]",
// "Recv.Bytes") and its value.
type Field struct {
	Name  string
	Value uint64
}

// Fields returns the counters of v in the order of their declaration. It is
// for exporters, off the packet path; it panics when T holds anything but
// uint64 counters.
func Fields[T any](v T) []Field {
	return appendFields(nil, "", reflect.ValueOf(v))
}

func appendFields(dst []Field, name string, v reflect.Value) []Field {
	switch v.Kind() {
	case reflect.Uint64:
		return append(dst, Field{name, v.Uint()})
	case reflect.Array:
		for i := range v.Len() {
			dst = appendFields(dst, fmt.Sprintf("%s[%d]", name, i), v.Index(i))
		}
		return dst
	case reflect.Struct:
		if name != "" {
			name += "."
		}
		for i := range v.NumField() {
			dst = appendFields(dst, name+v.Type().Field(i).Name, v.Field(i))
		}
		return dst
	}
	panic(fmt.Sprintf("stats: %s is %s, not uint64", name, v.Type()))
}

// words counts the counters in T, and panics when T is not a struct of them.
func words[T any]() int {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("stats: %s is not a struct", t))
	}
	checkCounters(t, t.Name())
	return int(t.Size() / 8)
}

func checkCounters(t reflect.Type, name string) {
	switch t.Kind() {
	case reflect.Uint64:
	case reflect.Array:
		checkCounters(t.Elem(), name+"[]")
	case reflect.Struct:
		for f := range t.Fields() {
			checkCounters(f.Type, name+"."+f.Name)
		}
	default:
		panic(fmt.Sprintf("stats: %s is %s, not uint64", name, t))
	}
}

// view is v seen as words. NewShard and Sum have checked that T is nothing but
// uint64, so every word of it is one counter and there is no padding.
func view[T any](v *T) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(v)), unsafe.Sizeof(*v)/8)
}
