//go:build !race

package segment

const poolsForget = false
