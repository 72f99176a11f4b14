// Package sentrytest is a Sentry that lives in a test: it takes envelopes over HTTP and is strict about them.
//
//	Sink  <-- POST /api/PROJECT/envelope/ --  gzip( header \n  item header \n  payload \n ... )
//	  |
//	  +-- Events: by event id, with how often each came     Problems: what broke the protocol
//	  +-- Has: whether a secret is in any byte received     Down, Answer, Judge: a bad day
//
// What breaks the protocol is answered with 400 and listed: a wrong method, path, key or content type; a body that is
// not one gzip member; a header that is no JSON object; an item whose length is missing or wrong; an event whose id is
// not that of its envelope; more bytes than Sentry takes. Like Sentry, the sink keeps an event that comes twice under
// one id once, and counts it.
//
// A Sink holds everything in memory and is bounded by [MaxRequests]; it is for tests alone. Source:
// develop.sentry.dev, "Envelopes", "Envelope Items", "Size Limits".
package sentrytest
