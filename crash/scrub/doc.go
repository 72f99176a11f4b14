// Package scrub takes secrets and personal data out of what leaves the machine: panic values, tracebacks, logs, labels,
// the environment and arguments.
//
//	text --> configured secrets --> private keys --> userinfo --> values of secret keys --> tokens
//	     --> e-mail --> IP addresses --> lists of bytes --> long keys --> text with [scrubbed] in their place
//
// Each arrow is one pass that looks for one thing:
//
//	configured secrets     Config.Secrets verbatim, and as JSON, a Go string, a URL, base64, hex or bytes show them
//	private keys           PEM blocks, on one line too, cut ones too
//	userinfo               https://[scrubbed]@host, root:[scrubbed]@tcp(db)
//	values of secret keys  password=x, "token": "x", Key:[1 2], ?sig=1&key=x, <secret>x</secret>, --auth x; Secret says which
//	tokens                 Bearer x, Basic x, JWTs, and what begins like a key of a well-known service
//	addresses              ann@example.com, 203.0.113.7, 2001:db8::1; loopback and unspecified ones stay
//	bytes, long keys       [12 250 33 ...] of 16, 32 digits of hexadecimal or base64 and more
//
// Hexadecimal digits stay behind a key that names what is public: trace_id, span, sha256, revision and the like. JSON
// stays JSON.
//
// # Limits
//
// Scrubbing is a net, not a proof: what looks like prose stays ("the password is hunter2"). In doubt it takes out too
// much. A private key and the text of an XML element are followed for 16 KiB, brackets as far as lines are indented. A
// text is held three times while it is scrubbed. Cores are not scrubbed: they stay on the machine.
//
// Sources: RFC 7519 (JWT), RFC 7468 (PEM), RFC 3986 (userinfo), RFC 6750 (Bearer).
package scrub
