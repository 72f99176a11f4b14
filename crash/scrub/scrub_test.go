package scrub

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTextKeepsWhatIsNoSecret(t *testing.T) {
	for _, text := range []string{
		"", "hello", "panic: runtime error: index out of range [7] with length 1", "player 42 has hp -1", "listen tcp 127.0.0.1:7001: bind: address already in use",
		"listen [::1]:8080", "dial 0.0.0.0:80, [::]:80", "main.go:12: x", "12:34:56.789", "2026-11-22T22:44:10.123456Z", "std::vector<int>::at", "v1.2.3.4", "go1.26.8 linux/amd64",
		"github.com/klauspost/compress@v1.20.3/zstd/decoder.go:12", "git@host", "a@b", "@everyone", "vitrine/core/engine.(*worker).turn", "https://example.com/a?b=c#d", "http://localhost:8080/x@y",
		"monkey=banana", "author: bob", "keyboard=us", "tokenizer=fast", "key", "token", "password", "key=", "token: nil", "password=<nil>", `{"token":null,"key":""}`, "token=[scrubbed]",
		"trace_id=4bf92f3577b34da6a3ce929d0e0e4736", `{"trace":"4bf92f3577b34da6a3ce929d0e0e4736","span":"00f067aa0ba902b7"}`, `{\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}`,
		"sha256: a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447", "vcs.revision=3ffda13c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a", "traceparent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"TestTheStandardLibraryIsKnownToItsOwnParser", "TestIPv4AddressParserHandles16BitValues", "VITRINE_CRASH_MONITOR_TIMEOUT_SECONDS_30", "a/long/path/that/is/no/base64/although/it/has/slashes", "20261122T174443.108Z-7148-goroutine-a1b2c3d4",
		"/srv/vitrine/var/crash/20261122T174443.123Z-19964-goroutine-6cd38601/core.zst", "var/crash/20261122T174443.108Z-7148-goroutine-a1b2c3d4/meta.json",
		"12345678901234567890123456789012345678901234567890", "basic information", "bearer of bad news", "[1 2 3]", "a list: [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 300]", `{"ids":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}`,
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "<b>x</b>", "a - token", "1.2.3", "1.3.6.1.4.1.311", "999.1.1.1", "unexpected fault address 0xdead0000",
		"[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47b2a1]", "ünï 😀", "Content-Type: application/json", "----------------------------------------", "================================",
	} {
		if got := (*Scrubber)(nil).Text(text, 0); got != text {
			t.Errorf("%s\nbecame %s", text, got)
		}
	}
}

func TestTextTakesOut(t *testing.T) {
	s := New(Config{Secrets: []string{"open sesame"}, Keys: []string{"pin"}})
	for _, test := range []struct{ text, want string }{
		{"login ann password=hunter2 failed", "login ann password=[scrubbed] failed"},
		{"token: abc, user: bob", "token: [scrubbed], user: bob"},
		{"passphrase: correct horse battery", "passphrase: [scrubbed]"},
		{"Authorization: Digest username=\"a\", nonce=\"b\"\nHost: x", "Authorization: [scrubbed]\nHost: x"},
		{"got Bearer abc123def", "got Bearer [scrubbed]"},
		{"token Bearer: x", "token Bearer: [scrubbed]"},
		{"https://ann:hunter2@db:5432/x?a=1&token=abc&b=2", "https://[scrubbed]@db:5432/x?a=1&token=[scrubbed]&b=2"},
		{"root:hunter2@tcp(10.0.0.1:3306)/game", "root:[scrubbed]@tcp([scrubbed]:3306)/game"},
		{"open root:my pass@tcp(db)/game", "open root:[scrubbed]@tcp(db)/game"},
		{"mail ann@example.com now", "mail [scrubbed] now"},
		{"jörg@exämple.de", "[scrubbed]"},
		{"?mail=ann%40example.com&x=1", "?mail=[scrubbed]&x=1"},
		{"from 203.0.113.7:4711 to 127.0.0.1:80", "from [scrubbed]:4711 to 127.0.0.1:80"},
		{"from [2001:db8::1]:80 to [::1]:80", "from [[scrubbed]]:80 to [::1]:80"},
		{"fe80::1%eth0, ::ffff:203.0.113.7 and ::ffff:127.0.0.1", "[scrubbed]%eth0, [scrubbed] and ::ffff:127.0.0.1"},
		{"Addr:2001:db8::1 refused", "Addr:[scrubbed] refused"},
		{"key -----BEGIN RSA PRIVATE KEY-----\nAAAA\nBBBB==\n-----END RSA PRIVATE KEY----- end", "key [scrubbed] end"},
		{"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\nBBBB", "[scrubbed]"},
		{"-----BEGIN PRIVATE KEY-----\nAAAA\nthis is prose", "[scrubbed]\nthis is prose"},
		{"id 550e8400-e29b-41d4-a716-446655440000", "id [scrubbed]"},
		{"[12 250 33 1 2 3 4 5 6 7 8 9 10 11 12 13]", "[scrubbed]"},
		{"say open sesame twice: b3BlbiBzZXNhbWU=", "say [scrubbed] twice: [scrubbed]="},
		{"pin=1234 spin=2 userPin: 77", "pin=[scrubbed] spin=[scrubbed] userPin: [scrubbed]"},
		{`{"token":12,"n":1,"auth":{"a":"b"},"keys":["x","y"],"ok":true}`, `{"token":"[scrubbed]","n":1,"auth":"[scrubbed]","keys":"[scrubbed]","ok":true}`},
		{`"{\"token\":12,\"n\":1}"`, `"{\"token\":\"[scrubbed]\",\"n\":1}"`},
		{"<Password>hunter2</Password>", "<Password>[scrubbed]</Password>"},
		{"CREATE USER x IDENTIFIED BY 'hunter2'", "CREATE USER x IDENTIFIED BY '[scrubbed]'"},
		{"sha256=" + strings.Repeat("G4f", 20), "sha256=[scrubbed]"},
		{"a\xffb", "a\uFFFDb"},
	} {
		if got := s.Text(test.text, 0); got != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.text, got, test.want)
		}
		if again := s.Text(test.want, 0); again != test.want {
			t.Errorf("%s\nscrubbed twice is %s", test.want, again)
		}
	}
}

func TestTextIsCutWithAMark(t *testing.T) {
	s := New(Config{Secrets: []string{"open sesame"}})
	long := strings.Repeat("ü", 100)
	for max := 1; max < 300; max++ {
		got := s.Text(long, max)
		if len(got) > max || !utf8.ValidString(got) {
			t.Fatalf("%d bytes of %d: %q", len(got), max, got)
		}
		if cut := max < len(long); max > 2*len(cutMark) && cut != strings.HasSuffix(got, cutMark) {
			t.Fatalf("cut at %d: %q", max, got)
		}
	}
	// What is not read to its end is cut between words, and not in a secret.
	for shift := range 40 {
		text := strings.Repeat("x", shift) + " password=" + strings.Repeat("z", 4*100+spanMax-shift-30) + " " + strings.Repeat("open sesame ", 100)
		if got := s.Text(text, 100); strings.Contains(got, "open") || strings.Contains(got, "zz") || len(got) > 100 {
			t.Fatalf("shift %d: %s", shift, got)
		}
	}
	if got := s.Text("token=abc", -1); got != "token=[scrubbed]" {
		t.Errorf("no limit: %s", got)
	}
}

// What is JSON stays JSON: the files of a bundle are.
func TestJSONStaysJSON(t *testing.T) {
	for _, text := range []string{
		`{"msg":"password=hunter2","n":1}`, `{"msg":"password: hunter2","n":1}`, `{"msg":"token=a[b","x":[1]}`, `{"msg":"k","token":-1.5e3,"x":{}}`, `{"key":[{"a":["]"]}],"b":1}`,
		`{"a":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n","b":1}`, `{"a":"\u003c10.1.2.3\u003e","b":"\n10.1.2.3"}`, `{"a":"Bearer abc123def","b":"https://a:b@c/"}`, `{"password":"a\"b","c":"\\"}`,
		"{\n  \"tokens\": [\n    \"a\",\n    \"b\"\n  ],\n  \"n\": 1\n}", `{"a":"{\"token\":\"x\",\"n\":[1]}"}`, `{"args":["--token","x","--n","1"]}`, `{"a":"token='x","b":1}`, `{"auth":"","b":"key=","c":"key=1"}`, `["password=x","y"]`,
	} {
		for _, doc := range []string{text, `{"outer":` + inJSON(text) + `,"key":1}`} {
			got := (*Scrubber)(nil).Bytes([]byte(doc))
			if !json.Valid(got) || !bytes.Contains(got, []byte(mark)) {
				t.Errorf("%s\nbecame %s", doc, got)
			}
		}
	}
}

func TestSecret(t *testing.T) {
	yes := "password Password PASSWORD db.password user_password user-password DB_PASSWORD passwd db_pass secret clientSecret token access_token accessToken tokens" +
		" key api_key API-KEY apiKey APIKey2 x-api-key authorization Proxy-Authorization auth oauth cookie Set-Cookie session_key private_key privateBytes credential db.credentials dsn mysql_dsn password_" +
		" a.b.c.token jwt token. dbpassword mydsn connectionString d-s-n ClientSECRET"
	no := "session type reason version author authenticated monkey keyboard secretary tokenizer passenger compass cookiecutter error peer addr n k . - _ .. a"
	for key := range strings.FieldsSeq(yes) {
		if !(*Scrubber)(nil).Secret(key) {
			t.Errorf("%s is no secret", key)
		}
	}
	for _, key := range append(strings.Fields(no), "") {
		if (*Scrubber)(nil).Secret(key) {
			t.Errorf("%s is a secret", key)
		}
	}
	s := New(Config{Keys: []string{"PIN", "cardNumber", "", "--"}})
	for key, want := range map[string]bool{"pin": true, "userPin": true, "pin_code": true, "card_number": true, "CARD-NUMBER": true, "a.cardNumber": true, "pinned": false, "card": false, "number": false, "": false} {
		if s.Secret(key) != want {
			t.Errorf("%s: %v", key, !want)
		}
	}
	if !(*Scrubber)(nil).Secret(strings.Repeat("x", 1000) + "_password") {
		t.Error("a long key hides its end")
	}
}

func TestLabels(t *testing.T) {
	id := "4bf92f3577b34da6a3ce929d0e0e4736"
	got := (*Scrubber)(nil).Labels(map[string]string{
		"session": "7", "trace_id": id, "note": id, "token": "abc", "empty": "", "secret": "", "addr": "10.0.0.1", "ann@example.com": "x", "long": strings.Repeat("x ", 400), "trace": "my password=x",
	})
	want := map[string]string{
		"session": "7", "trace_id": id, "note": mark, "token": mark, "empty": "", "secret": "", "addr": mark, mark: "x", "long": strings.Repeat("x ", 400)[:maxLabelValue-len(cutMark)] + cutMark, "trace": "my password=" + mark,
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if (*Scrubber)(nil).Labels(nil) != nil {
		t.Error("no labels became some")
	}
}

func TestEnvShowsByName(t *testing.T) {
	env := []string{"HOME=/root", "PATH=/bin", "GOMAXPROCS=2", "GOOGLE_API_KEY=x", "GOAUTH=x", "LANG=C.UTF-8", "LC_ALL=C", "TZ=UTC", "HOSTNAME=game-1", "VITRINE_TOKEN=abc", "VITRINE_DB=root:x@tcp(db)/g",
		"VITRINE_PORT=7001", "EXTRA=10.0.0.1", "OTHER=1", "broken", "=x", "GODEBUG=", "AWS_SECRET_ACCESS_KEY=x"}
	got := New(Config{EnvAllow: []string{"EXTRA"}}).Env(env)
	want := map[string]string{"GOMAXPROCS": "2", "LANG": "C.UTF-8", "LC_ALL": "C", "TZ": "UTC", "HOSTNAME": "game-1", "VITRINE_TOKEN": mark, "VITRINE_DB": "root:" + mark + "@tcp(db)/g", "VITRINE_PORT": "7001", "EXTRA": mark, "GODEBUG": ""}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if _, ok := (*Scrubber)(nil).Env(env)["EXTRA"]; ok {
		t.Error("a name that was not allowed is shown")
	}
}

// dumps are the real ones that package traceback is tested with.
func dumps(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../traceback/testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dumps: %v", err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		if all[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestTracebackDropsArgumentsAndKeepsTheRest(t *testing.T) {
	for name, text := range dumps(t) {
		got := strings.Split(string((*Scrubber)(nil).Traceback(text)), "\n")
		want := strings.Split(string(text), "\n")
		if len(got) != len(want) {
			t.Errorf("%s: %d lines of %d", name, len(got), len(want))
			continue
		}
		for i := range want {
			w := want[i]
			isCall := i+1 < len(want) && strings.HasPrefix(want[i+1], "\t") && strings.HasSuffix(w, ")") && !strings.Contains(w, "::") && !strings.HasPrefix(w, "panic: ")
			if isCall {
				w = w[:strings.LastIndexByte(w, '(')] + "(...)"
				if strings.HasSuffix(want[i], "()") {
					w = want[i]
				}
			}
			if register := strings.Fields(want[i]); len(register) == 2 && !isCall && strings.HasPrefix(register[1], "0x") {
				w = want[i][:strings.Index(want[i], "0x")] + mark
			}
			if got[i] != w {
				t.Errorf("%s:%d: got  %s\nwant %s", name, i+1, got[i], w)
			}
		}
	}
}

func TestTracebackScrubsAllButStacks(t *testing.T) {
	text := "panic: login password=hunter2 of ann@example.com\n\tmain.f(0x1)\n\t/a.go:1 token=abc\n\n" +
		"goroutine 7 gp=0xc000102 m=3 mp=0xc00008 [running labels:{\"session\": \"7\", \"token\": \"abc\", \"trace_id\": \"4bf92f3577b34da6a3ce929d0e0e4736\"}]:\n" +
		"main.(*token).read(0x6162636465666768, {0x1?, ...})\n\t/home/ann/token: x.go:12 +0x1b fp=0xc0 sp=0xc0 pc=0x47\n" +
		"main.key(0x1) password=x\n\t/b.go:1\nvitrine/auth.Key[...](...)\n\t/c.go:3\ncreated by main.main in goroutine 1\n\t/a.go:9 +0x12\n\n" +
		"rax    0x6162636465666768\n000000c000100f50:  0x6162636465666768 0x0\nlog: from 203.0.113.7"
	want := "panic: login password=[scrubbed] of [scrubbed]\n\tmain.f(0x1)\n\t/a.go:1 token=[scrubbed]\n\n" +
		"goroutine 7 gp=0xc000102 m=3 mp=0xc00008 [running labels:{\"session\": \"7\", \"token\": \"[scrubbed]\", \"trace_id\": \"4bf92f3577b34da6a3ce929d0e0e4736\"}]:\n" +
		"main.(*token).read(...)\n\t/home/ann/token: x.go:12 +0x1b fp=0xc0 sp=0xc0 pc=0x47\n" +
		"main.key(0x1) password=[scrubbed]\n\t/b.go:1\nvitrine/auth.Key[...](...)\n\t/c.go:3\ncreated by main.main in goroutine 1\n\t/a.go:9 +0x12\n\n" +
		"rax    [scrubbed]\n000000c000100f50:  [scrubbed]\nlog: from [scrubbed]"
	if got := string((*Scrubber)(nil).Traceback([]byte(text))); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTheCallersBytesStayAsTheyAre(t *testing.T) {
	text := []byte("token=abc from 10.0.0.1\nmain.f(0x1)\n\t/a.go:1\nann@example.com")
	was := bytes.Clone(text)
	s := New(Config{Secrets: []string{"main"}})
	for _, function := range []func([]byte) []byte{s.Bytes, s.Traceback, (*Scrubber)(nil).Bytes, (*Scrubber)(nil).Traceback} {
		function(text)
		if !bytes.Equal(text, was) {
			t.Fatalf("became %s", text)
		}
	}
}

func BenchmarkTraceback(b *testing.B) {
	text := dumps(b)["system-panic.txt"]
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		(*Scrubber)(nil).Traceback(text)
	}
}

func BenchmarkBytes(b *testing.B) {
	text := bytes.Repeat([]byte("[session] [2026-11-22T22:44:10.123456Z / WARN / 4711] session broken reason=bad_tag session=42 peer=203.0.113.7:4711 token=abc\n"), 1000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		(*Scrubber)(nil).Bytes(text)
	}
}
