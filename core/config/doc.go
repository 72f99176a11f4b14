// Package config reads typed server configuration: a struct is the schema, and its values come from defaults, a TOML
// file, the environment and flags, in that order, the later one winning.
//
//	default:"64KiB"  <  [net]              <  VITRINE_NET_RECV_LIMIT=64KiB  <  --net.recv_limit 64KiB
//	(struct tag)        recv_limit = "64KiB"
//	                    (the file)
//
//	            +--------- schema: one field per key ----------+
//	dst struct -+                                              +-> check and set -> Validate -> dst, Effective
//	            +--- file, environment, flags: key -> value ---+        |
//	                                                                    +-> every problem at once: file:line: key: text
//
// A schema is a struct whose exported fields carry tags:
//
//	toml:"max_sessions"  the key, [a-z0-9_]+; a nested struct is a table; "-" leaves the field out
//	default:"10000"      the value where no source sets one, written as in the environment
//	help:"Most sessions" one sentence for the example file
//	reload:"true"        Reload may change it while the server runs; on a table: all keys below it
//	secret:"true"        Print and errors never show the value; on a table: all keys below it
//
// Values: bool, integers, floats, string, time.Duration ("1m30s"), Timeout ("30s" or "unlimited"), Bytes ("64KiB"), every
// type with UnmarshalText (netip.Prefix, netip.AddrPort, slog.Level), and lists of these. In the environment and in flags the items of a list
// are separated by commas.
//
// Limits: a file holds at most MaxFileBytes; keys and values nest at most MaxDepth deep; an error lists at most
// MaxProblems problems and counts the rest. Hostile text yields an error, never a panic.
//
// Lines: the TOML library checks the syntax and gives the values but keeps the positions of keys to itself, so a
// second, small pass (lines.go) finds the line of every key and list item. A fuzz target holds both to the same keys.
//
// Source: TOML 1.0 (https://toml.io/en/v1.0.0), parsed by github.com/BurntSushi/toml.
package config
