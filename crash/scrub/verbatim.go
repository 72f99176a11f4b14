package scrub

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// minSecret is the length of the shortest secret that is looked for: shorter ones stand in ordinary words.
const minSecret = 4

// replacer takes out the secrets in every form; nil for none. longest is the length of the longest form.
func replacer(secrets []string) (r *strings.Replacer, longest int) {
	var all []string
	for _, secret := range secrets {
		if len(secret) >= minSecret {
			all = append(all, forms(secret)...)
		}
	}
	// The replacer takes the first of those that match at a place.
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	all = slices.Compact(all)
	if len(all) == 0 {
		return nil, 0
	}
	pairs := make([]string, 0, 2*len(all))
	for _, form := range all {
		pairs = append(pairs, form, mark)
	}
	return strings.NewReplacer(pairs...), len(all[0])
}

// forms are the ways in which programs print a text.
func forms(secret string) []string {
	b := []byte(secret)
	bare, list := fmt.Sprintf("%#v", b), fmt.Sprint(b)
	return []string{
		secret,
		strings.ReplaceAll(secret, "\n", "\n\t"), // as the runtime prints panic values
		inQuotes(strconv.Quote(secret)),
		inQuotes(strconv.QuoteToASCII(secret)),
		inQuotes(inJSON(secret)),
		inQuotes(strconv.Quote(inQuotes(inJSON(secret)))),
		url.QueryEscape(secret),
		url.PathEscape(secret),
		base64.RawStdEncoding.EncodeToString(b),
		base64.RawURLEncoding.EncodeToString(b),
		hex.EncodeToString(b),
		strings.ToUpper(hex.EncodeToString(b)),
		fmt.Sprintf("% x", b),
		strings.Trim(list, "[]"),
		strings.TrimSuffix(strings.TrimPrefix(bare, "[]byte{"), "}"),
	}
}

func inJSON(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic("scrub: a string has no JSON: " + err.Error())
	}
	return string(quoted)
}

func inQuotes(quoted string) string { return quoted[1 : len(quoted)-1] }
