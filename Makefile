# The commands of the repository. `make help` lists them; `make run` and `make test` need nothing but Go and make.

GO         ?= go
GOFMT      ?= gofmt
BOTS       ?= 200
FUZZTIME   ?= 10s
FUZZ       ?= .
BENCH      ?= .
COUNT      ?= 1
ATTACKERS  ?= 2000
CONNECTS   ?= 10000
USERS      ?= 5000
FLOOD_BOTS ?= 500
WINDOWS    ?= 6
PLAY       ?= 60s
STORM      ?= 30s
CRASHES    ?= 50
DEATHS     ?= 10
ARGS       ?=

# Staticcheck runs from the module cache at this version and is no dependency of ours.
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Delve, which opens cores, is installed once, into var.
DELVE ?= github.com/go-delve/delve/cmd/dlv@v1.27.2

# Every set of build tags, "none" being the plain build, and every platform that must build.
TAGSETS   := none profile norecord invariants
PLATFORMS := linux/amd64 linux/arm64 darwin/arm64 windows/amd64

# tags turns a tag set of the shell variable $$t into the value of -tags.
tags = -tags "$${t\#none}"

.NOTPARALLEL:
.DEFAULT_GOAL := help

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## start the whole stack with BOTS=200 clients; Ctrl-C stops it (go run . up --bots 200)
	@mkdir -p var && $(GO) build -o var/vitrine . && exec var/vitrine up --bots $(BOTS) $(ARGS)

.PHONY: test
test: ## run every test (go test ./...)
	$(GO) test ./...

.PHONY: test-bench
test-bench: ## run the tests of the benchmark module
	cd servers/bench && $(GO) test ./...

.PHONY: test-tags
test-tags: ## run the core tests with the invariants checked, and with recording compiled out
	$(GO) test -short -tags invariants ./core/...
	$(GO) test -short -tags norecord ./core/...

.PHONY: race
race: gcc ## run the core, crash, logx and servers tests under the race detector (installs gcc by apt where it is missing)
	CGO_ENABLED=1 $(GO) test -race ./core/... ./crash/... ./logx/... ./servers/...

.PHONY: check
check: lint test test-bench test-tags race build-matrix ## everything that must hold before a commit
	@echo "check: all good"

# Up to Go 1.26 the end of a target's time may be taken for a failure of it (golang/go#75804): a target that ends so, without a finding, is
# run again, twice at most.
.PHONY: fuzz
fuzz: SHELL := /bin/bash
fuzz: ## run each fuzz target for FUZZTIME=10s; FUZZ=regexp picks some
	@grep -rn --include='*_test.go' -oE '^func Fuzz[A-Za-z0-9_]+' --exclude-dir=testdata core logx servers crash profilex trace 2>/dev/null \
	| sed -E 's|^(.*)/[^/]*:[0-9]+:func |./\1 |' | sort -u | grep -E '$(FUZZ)' \
	| { set -o pipefail; n=0; log=$$(mktemp); trap 'rm -f "$$log"' EXIT; while read -r dir name; do n=$$((n + 1)); tries=3; \
		while echo "== $$dir $$name for $(FUZZTIME)"; \
		! $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$dir" </dev/null 2>&1 | tee "$$log"; do \
			tries=$$((tries - 1)); \
			[ $$tries -gt 0 ] && grep -qx ' *context deadline exceeded' "$$log" && ! grep -qiE 'failing input|panic|_test\.go:' "$$log" || exit 1; \
		done; \
	done; echo "fuzz: $$n targets without a finding"; [ $$n -gt 0 ]; }

# The end-to-end tests at full size; what a flag means is in the package comment of servers/e2e.
e2e = $(GO) test -count=1 -timeout 30m -v ./servers/e2e -run

.PHONY: hostile
hostile: ## end to end: ATTACKERS=2000 hostile clients at once, and one of each kind over each codec
	$(e2e) 'Hostile' -attackers $(ATTACKERS)

.PHONY: churn
churn: ## end to end: CONNECTS=10000 connects and disconnects over TCP, and as many on each of 20 simulated networks
	$(GO) test -count=1 -timeout 30m ./core/engine -run 'TestSimChurnBalances' -sim-connects $(CONNECTS)
	$(e2e) 'TestChurnLeavesNothingBehind' -connects $(CONNECTS)

.PHONY: stop
stop: ## end to end: stops under load lose nothing that is not counted
	$(e2e) 'Stop|DrainsOnSIGTERM|InGoodOrder'

.PHONY: bots-chat
bots-chat: ## end to end: USERS=5000 sealed users of one chat server for PLAY=60s, every message checked
	$(e2e) 'TestChatServesItsUsers' -bots $(USERS) -play $(PLAY)

.PHONY: flood
flood: ## end to end: the round trips of FLOOD_BOTS=500 users with and without a flood beside them, WINDOWS=6 of each
	$(e2e) 'TestFloodIsLimited' -bots $(FLOOD_BOTS) -play 5s -windows $(WINDOWS) -ratio 1.5

.PHONY: isolation
isolation: ## end to end: peers beside USERS=5000 busy users in one process and the reverse, WINDOWS=6 of each
	$(e2e) 'TestUsersAndPeersDoNotDisturb' -bots $(USERS) -play 5s -windows $(WINDOWS) -ratio 2

.PHONY: serve-start
serve-start: ## end to end: serve listens within 500 ms of its start
	$(e2e) 'TestServeListensSoon' -listen-within 500ms

.PHONY: delve
delve:
	@[ -x $(BENCH_DIR)/dlv ] || GOBIN=$(BENCH_DIR) $(GO) install $(DELVE)

.PHONY: crash-seams
crash-seams: delve ## end to end: a panic at each seam of a stack with BOTS=200, one bundle each, every core opened by Delve
	$(e2e) 'TestPanicAtEachSeam' -seam-bots $(BOTS) -dlv $(BENCH_DIR)/dlv

.PHONY: crash-kill
crash-kill: ## end to end: DEATHS=10 servers killed by SIGKILL under load, whose bundles have the record of every reply that was heard
	$(e2e) 'TestKilledServer' -kills $(DEATHS)

.PHONY: crash-sentry
crash-sentry: ## end to end: CRASHES=50 while Sentry is down, then up: each report arrives once, and no secret does
	$(e2e) 'TestReportsOutlive' -crashes $(CRASHES)

.PHONY: crash-hardship
crash-hardship: ## end to end: monitors killed and stopped, full and read-only disks, crashes in crashes, DEATHS=10 of each
	$(e2e) 'TestServerDies|TestServerOutlives|TestMonitorsDie|TestServersShareADirectory' -hardships $(DEATHS)

.PHONY: crash-storm
crash-storm: ## end to end: a goroutine that panics without end for STORM=30s beside BOTS=200, and what it leaves
	$(e2e) 'TestStormOfPanics' -storm-bots $(BOTS) -storm $(STORM) -panics 100000

# A clone and a build cache of its own; the module cache is kept, since fetching tells of the network alone.
.PHONY: cold-start
cold-start: ## the seconds from a cold clone to the whole stack with bots on it
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; begin=$$(date +%s%N); \
	git clone -q . "$$dir/clone"; cd "$$dir/clone"; \
	GOCACHE="$$dir/cache" $(GO) run . up --bots $(BOTS) --for 15s --json --port-base 0 2>"$$dir/log" >"$$dir/line" & pid=$$!; \
	until grep -qs 'sessions  ' "$$dir/log" || ! kill -0 $$pid 2>/dev/null; do sleep 0.1; done; \
	echo "live status line after $$(( ($$(date +%s%N) - begin) / 1000000 )) ms"; \
	wait $$pid || { cat "$$dir/log"; exit 1; }; cat "$$dir/line"

.PHONY: bench
bench: ## run the benchmarks; BENCH=regexp picks some, COUNT=10 repeats them for benchstat
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./core/...

.PHONY: lint
lint: fmt vet staticcheck ## gofmt, go vet with each set of build tags, staticcheck

.PHONY: fmt
fmt: ## fail when a file is not formatted
	@unformatted=$$($(GOFMT) -l .); \
	if [ -n "$$unformatted" ]; then echo "not formatted (gofmt -w them):"; echo "$$unformatted"; exit 1; fi

.PHONY: vet
vet: ## go vet with each set of build tags
	@for t in $(TAGSETS); do \
		echo "== vet, tags: $$t"; $(GO) vet $(tags) ./... || exit 1; \
	done

.PHONY: staticcheck
staticcheck: ## staticcheck with the rules of staticcheck.conf, over all sets of build tags at once
	@for t in $(TAGSETS); do echo "$$t: -tags=$${t#none}"; done | $(GO) run $(STATICCHECK) -matrix ./...

.PHONY: build-matrix
build-matrix: ## build ./... with each set of build tags, for each platform, with the tests of crash there, and the benchmark module
	@for t in $(TAGSETS); do \
		echo "== build, tags: $$t"; $(GO) build -o /dev/null $(tags) ./... || exit 1; \
	done
	@for p in $(PLATFORMS); do \
		echo "== build, platform: $$p"; export GOOS=$${p%/*} GOARCH=$${p#*/} CGO_ENABLED=0; \
		$(GO) build -o /dev/null ./... && $(GO) vet ./crash/... || exit 1; \
	done
	@if [ -f servers/bench/go.mod ]; then \
		echo "== build and vet, module: servers/bench"; cd servers/bench && $(GO) build -o /dev/null ./... && $(GO) vet ./...; \
	fi

# The race detector needs a C compiler; root on a machine with apt gets one, others are told what to install.
.PHONY: gcc
gcc:
	@command -v gcc >/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "gcc is missing: installing it with apt-get"; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev; \
		else \
			echo "the race detector needs a C compiler; as root: apt-get install gcc libc6-dev" >&2; exit 1; \
		fi; \
	}

# The benchmarks against peers are a module of their own. BENCH_C names an echo server in C to compare with, built elsewhere.
BENCH_C   ?=
BENCH_DIR := $(CURDIR)/var/bench
KILLS     ?= 50
LOG_DATA  := $(CURDIR)/var/logdata
LOG_BYTES ?= 2GB

.PHONY: bench-guard
bench-guard: ## what crash.Guard costs over a plain call, ten times the medians of calls in turn, and judge the gate of 15 ns
	$(GO) test ./crash -run '^$$' -bench 'BenchmarkGuard$$' -count 10

.PHONY: bench-build
bench-build:
	@mkdir -p $(BENCH_DIR)
	cd servers/bench && $(GO) build -o $(BENCH_DIR)/bench . && $(GO) build -tags norecord -o $(BENCH_DIR)/bench-norecord .

.PHONY: bench-peers
bench-peers: bench-build ## compare with net and netpoll and judge the gates; BENCH_C=path adds an echo in C, ARGS=--quick a smoke run
	$(BENCH_DIR)/bench peers $(if $(BENCH_C),--extern 'c=$(BENCH_C) {port}') $(ARGS)

.PHONY: bench-memory
bench-memory: bench-build ## bytes per connection at 10,000 connections, idle and after traffic
	$(BENCH_DIR)/bench memory vitrine $(ARGS)

.PHONY: bench-record
bench-record: bench-build ## what recording costs: norecord, record, record alive at once; sealed is printed, lan is judged
	-$(BENCH_DIR)/bench ab --codec sealed --base "$(BENCH_DIR)/bench-norecord serve vitrine --codec sealed" --test "$(BENCH_DIR)/bench serve vitrine --codec sealed" $(ARGS)
	$(BENCH_DIR)/bench ab --base "$(BENCH_DIR)/bench-norecord serve vitrine" --test "$(BENCH_DIR)/bench serve vitrine" $(ARGS)

.PHONY: bench-log
bench-log: bench-build ## what a log record costs beside zerolog, zap, slog and phuslu, to a file, and judge the gates; ARGS=--quick a smoke run
	$(BENCH_DIR)/bench log $(ARGS)

.PHONY: log-kill
log-kill: bench-build ## kill -9 at saturation, KILLS=50 times each: what is missing of the calls that had returned, peers beside
	$(BENCH_DIR)/bench logkill --runs $(KILLS) $(ARGS)

.PHONY: log-stall
log-stall: bench-build ## 25,000 records/s while the disk stalls 300 ms every second: the calls that wait, peers and a no-op beside
	$(BENCH_DIR)/bench logstall $(ARGS)

.PHONY: log-data
log-data: bench-build ## make LOG_BYTES=2GB of log in var/logdata, plain and compressed, and the same as text; kept when complete
	$(BENCH_DIR)/bench logdata --dir $(LOG_DATA) --bytes $(LOG_BYTES) --compressed $(ARGS)

.PHONY: log-find
log-find: ## ask the log of log-data by index, by session and for errors, beside grep -F over the text; ARGS=--quick a smoke run
	@$(MAKE) --no-print-directory log-data ARGS=
	$(BENCH_DIR)/bench logfind --dir $(LOG_DATA) $(ARGS)

# What crash-matrix and crash-times need of others: a C compiler, zstd, Delve and, for the times beside it, gcore.
CRASH_BENCH := $(BENCH_DIR)/bench-crash
DLV_VERSION := v1.27.2
RUNS        ?= 10
CLASS       ?=

.PHONY: crash-build
crash-build: gcc
	@mkdir -p $(BENCH_DIR)
	cd servers/bench && CGO_ENABLED=1 $(GO) build -tags crashcgo -o $(CRASH_BENCH) .

.PHONY: crash-tools
crash-tools:
	@[ -x $(BENCH_DIR)/dlv ] || GOBIN=$(BENCH_DIR) $(GO) install github.com/go-delve/delve/cmd/dlv@$(DLV_VERSION)
	@for t in zstd gdb; do command -v $$t >/dev/null && continue; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "$$t is missing: installing it with apt-get"; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$t || exit 1; \
		else \
			echo "this needs $$t; as root: apt-get install $$t" >&2; exit 1; \
		fi; \
	done

.PHONY: crash-matrix
crash-matrix: crash-build crash-tools ## die in every way, RUNS=10 times each, and look at every bundle and core; CLASS=name picks one
	$(CRASH_BENCH) crashmatrix --runs $(RUNS) $(addprefix --class=,$(CLASS)) --dir var/crash-matrix --dlv $(BENCH_DIR)/dlv $(ARGS)

.PHONY: crash-times
crash-times: crash-build crash-tools ## how long a death and a living server wait for their bundle, beside dlv and gcore, and judge the gates
	$(CRASH_BENCH) crashtimes --dir var/crash-times --dlv $(BENCH_DIR)/dlv $(ARGS)

.PHONY: bench-lockfree
bench-lockfree: ## average, maximum and context switches of lock-free, spin lock, mutex and channel, and injected stalls
	$(GO) test -run '^$$' -bench . -benchtime 100ms ./core/lockfree
