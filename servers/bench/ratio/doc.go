// Package ratio compares figures that were taken in turns on a machine that is
// never quiet: only figures of the same round are divided.
//
//	round 1   b c a'a   ->  a/b  a'/a ...
//	round 2   a b a'c   ->  a/b  a'/a ...       the median of the rounds counts;
//	round 3   c a b a'  ->  a/b  a'/a ...       a'/a, one thing measured twice,
//	                                            says how much it means
//
// Figures have the unit of what was measured, ratios have none. Nothing here
// fails: no figures give a median of 0.
package ratio
