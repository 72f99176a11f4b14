package config

import "strings"

// maxSuggestLen bounds the words that are compared, because the comparison costs the product of their lengths.
const maxSuggestLen = 64

// nearest gives the known word that was probably meant, or "": the same word but for case, "-" and "_"; else the key
// of the same name in another table; else the word fewest edits away, at most one edit in three characters.
func nearest(word string, known []string) string {
	if len(word) > maxSuggestLen {
		return ""
	}
	best, bestEdits := "", len(word)/3+1
	for _, k := range known {
		if squash(k) == squash(word) {
			return k
		}
		if edits := distance(word, k); edits < bestEdits {
			best, bestEdits = k, edits
		}
	}
	if best == "" {
		return sameLeaf(word, known)
	}
	return best
}

// sameLeaf finds the key whose last part is the last part of word, when there is only one.
func sameLeaf(word string, known []string) string {
	found := ""
	for _, k := range known {
		if squash(leaf(k)) != squash(leaf(word)) {
			continue
		}
		if found != "" {
			return ""
		}
		found = k
	}
	return found
}

func leaf(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

func squash(s string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s))
}

// distance counts the edits from a to b: a byte added, left out, changed, or swapped with its neighbour.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
