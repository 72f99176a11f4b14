package logx

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

func TestMaskedKeys(t *testing.T) {
	tests := []struct {
		patterns []string
		yes, no  string
	}{
		{nil, "password Password db.password user_password user-password DB_PASSWORD passwd secret clientSecret token access_token " +
			"accessToken api_key API-KEY apiKey x-api-key authorization Proxy-Authorization cookie Set-Cookie session_key session-key " +
			"private_key dsn mysql_dsn password_ a.b.c.token",
			"session type reason version tokens token_count password.length secretary keys key error peer addr n k d_s_n_x"},
		{[]string{}, "", "password token"},
		{[]string{"PIN"}, "pin Pin p-i-n a.pin", "password spin pins"},
		{[]string{"card*"}, "card card_number Card-Holder", "discard"},
		{[]string{"*ss_n*"}, "ssn user_ssn ssn_hash", "sn s"},
		{[]string{"*", "", "-"}, "", "a password"},
		{[]string{"straße"}, "straße STRAßE", "strasse"},
	}
	for _, test := range tests {
		m := newMask(test.patterns)
		for _, key := range strings.Fields(test.yes) {
			if !m.match(key) {
				t.Errorf("%q: %s is no secret", test.patterns, key)
			}
		}
		for _, key := range append(strings.Fields(test.no), "", ".", "a.", "-", "_._") {
			if m.match(key) {
				t.Errorf("%q: %s is a secret", test.patterns, key)
			}
		}
	}
}

func TestSecretsAreMasked(t *testing.T) {
	const s = "hunter2"
	type login struct {
		User, Password string
		Inner          map[string]any
	}
	inner := map[string]any{"token": []any{s, map[string]string{"x": s}}, "n": 1}
	tests := []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"text", func(l *slog.Logger) { l.Info("m", "password", s, "user", "bob") }, `password=*** user=bob`},
		{"number", func(l *slog.Logger) { l.Info("m", "api-key", 42) }, `api-key=***`},
		{"bytes", func(l *slog.Logger) { l.Info("m", "private_key", []byte(s)) }, `private_key=***`},
		{"With", func(l *slog.Logger) { l.With("token", s).Info("m") }, `token=***`},
		{"group", func(l *slog.Logger) { l.Info("m", slog.Group("db", "dsn", s, "n", 1)) }, `db.dsn=*** db.n=1`},
		{"logger's group", func(l *slog.Logger) { l.WithGroup("db").Info("m", "dsn", s) }, `db.dsn=***`},
		{"group that is a secret", func(l *slog.Logger) { l.Info("m", slog.Group("cookie", "v", s, slog.Group("g", "w", s)), "n", 1) }, `cookie.v=*** cookie.g.w=*** n=1`},
		{"logger's group that is a secret", func(l *slog.Logger) { l.WithGroup("cookie").With("v", s).WithGroup("g").Info("m", "w", s) }, `cookie.v=*** cookie.g.w=***`},
		{"LogValuer", func(l *slog.Logger) { l.Info("m", "secret", later(s)) }, `secret=***`},
		{"LogValuer that panics", func(l *slog.Logger) { l.Info("m", "secret", &panicker{}) }, `secret=***`},
		{"JSON", func(l *slog.Logger) { l.Info("m", "v", login{"bob", s, nil}) }, `v="{\"User\":\"bob\",\"Password\":\"***\",\"Inner\":null}"`},
		{"deep in JSON", func(l *slog.Logger) { l.Info("m", "v", login{Inner: inner}) }, `v="{\"User\":\"\",\"Password\":\"***\",\"Inner\":{\"n\":1,\"token\":\"***\"}}"`},
		{"escaped in JSON", func(l *slog.Logger) { l.Info("m", "v", json.RawMessage(`{"pass\u0077ord": "hunter2", "n":[1,2]}`)) }, `v="{\"pass\\u0077ord\":\"***\",\"n\":[1,2]}"`},
		{"JSON that is a secret", func(l *slog.Logger) { l.Info("m", "cookie", inner) }, `cookie=***`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMemory(t)
			test.log(slog.New(newHandler(m, HandlerConfig{})))
			if got := text(m.one(t).Fields); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestMaskOfNothingShowsAll(t *testing.T) {
	got := logged(t, HandlerConfig{Mask: []string{}}, slog.String("password", "x"), slog.Any("v", map[string]int{"token": 1}))
	if want := `password=x v="{\"token\":1}"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDefaultMaskIsTheCallers(t *testing.T) {
	DefaultMask()[0] = "x"
	if c := (HandlerConfig{Mask: append(DefaultMask(), "pin")}); logged(t, c, slog.Int("password", 1), slog.Int("pin", 1)) != "password=*** pin=***" {
		t.Error("a list that adds to the default masks less")
	}
}

// FuzzMaskJSON checks that masked JSON stays JSON, differs in nothing but secrets, and holds none.
func FuzzMaskJSON(f *testing.F) {
	f.Add(`{"password":"hunter2","a":[{"token":{"b":[1,2,{"c":"}"}]}},3],"d":"\"token\":1"}`)
	f.Add(`{"secret":[],"dsn":-1e3,"x":"\\"}`)
	f.Add(`["password","token"]`)
	f.Add(`{"pass\u0077ord":null,"":{}}`)
	m := newMask(nil)
	f.Fuzz(func(t *testing.T, text string) {
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			return
		}
		raw, err := json.Marshal(value)
		if err != nil {
			t.Skip("no JSON to mask")
		}
		var got any
		if masked := m.json(raw); json.Unmarshal(masked, &got) != nil {
			t.Fatalf("%s became %s", raw, masked)
		}
		want, _ := json.Marshal(hide(m, value))
		if shown, _ := json.Marshal(got); string(shown) != string(want) {
			t.Errorf("%s became %s, want %s", raw, shown, want)
		}
	})
}

// hide is what json does, the slow way.
func hide(m *mask, value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			if v[key] = hide(m, v[key]); m.match(key) {
				v[key] = maskText
			}
		}
	case []any:
		for i := range v {
			v[i] = hide(m, v[i])
		}
	}
	return value
}

// The scanner reads what encoding/json wrote, and survives what it did not.
func TestMaskOfBrokenJSON(t *testing.T) {
	m := newMask(nil)
	for _, raw := range []string{``, `"`, `"token"`, `"token":`, `{"token":"`, `{"token":"\`, `{"token":[`, `{"token":}`, `{"token":1`, `"\`, `{"to\xken":1}`} {
		m.json([]byte(raw))
	}
}
