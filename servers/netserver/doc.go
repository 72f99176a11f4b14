// Package netserver serves clients on the open network: sealed frames by default, rate limits, idle timeouts.
//
// The classic codecs A and B stand beside the sealed one for clients that exist and speak nothing else. Neither is
// encryption: B has a one-byte key that all share, A sends its effective key in the header. A public listener uses sealed.
package netserver
