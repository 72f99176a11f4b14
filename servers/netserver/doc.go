// Package netserver serves clients on the open network: sealed frames by default, rate limits, idle timeouts.
//
//	New ---> Server: sealed with the key file at DefaultKeyFile, unless the Config has a codec
//	                 SealedFromFile ---> codec and the public key that clients need
//	Dial --> Client: one connection to such a server, as a user has it, with the Handler of a server
//
// The classic codecs A and B stand beside the sealed one for clients that exist and speak nothing else. Neither is
// encryption: B has a one-byte key that all share, A sends its effective key in the header. A public listener uses sealed.
//
// Limits are fields of the engine's Config. The key file is at most 4 KiB and readable by its owner alone.
package netserver
