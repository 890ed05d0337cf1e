# HealthChecker: `make` says what there is to make.
.DEFAULT_GOAL := help
.PHONY: help build run demo setup quick lint test openapi check mutants bench bench-recorded plots instructions recording flood fuzz soak day compare simulate nightly mails screenshots clean arm arm-size reproduce pi armv7 arm64 x86_64-musl install deb

CARGO ?= cargo
PYTHON ?= python3
# What `make run` hands on: make run ARGS="--port 9090"
ARGS ?=
# How long `make fuzz` takes for each subject.
SECONDS ?= 600
# How long `make soak` takes, and its seed; drawn and printed when there is none.
MINUTES ?= 10
SEED ?=
# Which 26th of the mutants this night tries: two thousand and some are a hundred a night.
NIGHT = $(shell echo $$(($$(date +%s) / 86400 % 26)))
# Which part of the mutants `make mutants` tries; all when there is none.
SHARD ?=
# How many apps and checks `make day` has, if other than a day's work of a hundred apps at 5 s.
APPS ?=
CHECKS ?=

# What was given to make, so that `make simulate` can refuse what it does not know; but for what others are told.
SIMULATED = $(filter-out CARGO=% PYTHON=% ARGS=% SECONDS=% MINUTES=% NIGHT=% SHARD=% CHECKS=% RECORDING=%,$(MAKEOVERRIDES))

# Here, where all that follows looks for the programs, whatever is set for other projects.
export CARGO_TARGET_DIR := $(CURDIR)/target

VENV := .venv
VENV_PYTHON := $(VENV)/bin/python
BINARY := target/release/healthchecker
DEBUG_BINARY := target/debug/healthchecker
END_TO_END = HEALTHCHECKER_BIN=$(abspath $(DEBUG_BINARY)) $(VENV_PYTHON) -m pytest tests/e2e

help: ## this text
	@echo 'HealthChecker: what there is to make'
	@awk -F ':.*## ' '/^[a-z0-9_-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the program, small and fast: target/release/healthchecker
	$(CARGO) build --release --locked

run: build ## build and run it: make run ARGS="--port 9090"
	exec $(BINARY) $(ARGS)

demo: build ## six pretend apps fail, hang, vanish and come back in a minute: look at the page and the mails
	$(CARGO) run --release --quiet --locked --example demo -- $(BINARY)

setup: build ## asks where mail goes and through whom, tries it, and writes ./config; ARGS="--config FILE" for another
	$(BINARY) setup $(ARGS)

# Not in `make quick`: they wait for half a minute of real time each, or live through many days of many apps.
SLOW := large_answer nobody_else_waits_for_it \
	a_hundred_quiet_apps what_waits_for_days quiet_apps_write mails_of_days_ago

quick: ## after each change, under a minute: format, clippy, unit tests, stories in virtual time
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	CASES_PERCENT=5 RUST_TEST_THREADS=8 $(CARGO) test --locked --quiet --lib --test engine --test documents -- $(SLOW:%=--skip %)

lint: ## format, clippy and documentation, with warnings denied
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --all-targets --no-default-features --features client -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items

test: $(VENV)/ready ## all tests; needs cargo and Python 3.11 with venv, no root
	$(CARGO) build --locked
	RUST_TEST_THREADS=4 $(CARGO) test --locked
	$(END_TO_END) -m 'not alone' --numprocesses=4
	$(END_TO_END) -m alone

openapi: ## writes the description of the API anew, as far as it follows from the table of monitor's fields
	WRITE_OPENAPI=1 $(CARGO) test --quiet --locked --lib the_description_of_an_app

check: lint test ## everything that must be right before a commit

bench: ## what it costs and how well it keeps time, beside Monit, about half an hour; PARTS="scale kinds" for some of it, QUICK=1 for a short look; target/bench.json
	$(CARGO) bench --locked --bench household -- $(PARTS)

# Of the program that the tests run: it is built already. Says what it sees, and fails for nothing.
bench-recorded: ## a look of two minutes at what it costs, which only records: target/bench.json
	-$(CARGO) build --locked --quiet && QUICK=1 HEALTHCHECKER_BIN=$(abspath $(DEBUG_BINARY)) timeout 300 \
		$(CARGO) bench --locked --quiet --profile dev --bench household -- size start registrations idle scale

plots: ## draws docs/cost-*.svg from what `make bench` has measured
	$(CARGO) bench --locked --bench household -- plots

instructions: ## counts instructions anew (callgrind) and notes them in tests/instructions.txt, which tests compare with
	NOTE_INSTRUCTIONS=1 $(CARGO) test --locked --quiet --test instructions -- --nocapture

fuzz: target/tools/bin/cargo-fuzz ## invented input for every parser, SECONDS=600 for each; the short form is in `make test`
	@for subject in $(notdir $(wildcard tests/fuzz/corpus/*)); do \
		mkdir -p target/fuzz/corpus/$$subject || exit 1; \
		RUSTC_BOOTSTRAP=1 PATH="$(abspath target/tools/bin):$$PATH" $(CARGO) fuzz run \
			--fuzz-dir tests/fuzz/targets --target-dir target/fuzz $$subject \
			target/fuzz/corpus/$$subject tests/fuzz/corpus/$$subject \
			-- -max_total_time=$(SECONDS) -max_len=20000 -timeout=10 || exit 1; \
	done

soak: $(VENV)/ready ## apps, clients, mail, clock and power misbehave for MINUTES=10, from a SEED; nothing may be lost
	$(CARGO) build --locked
	HEALTHCHECKER_BIN=$(abspath $(DEBUG_BINARY)) $(VENV_PYTHON) tests/soak/soak.py --minutes $(MINUTES) $(SEED:%=--seed %)

day: $(if $(HEALTHCHECKER_BIN),,build) $(VENV)/ready ## a day's checks of every kind in 41 minutes, and whether memory stays flat; HEALTHCHECKER_BIN=FILE for another build
	HEALTHCHECKER_BIN=$(abspath $(or $(HEALTHCHECKER_BIN),$(BINARY))) $(VENV_PYTHON) tests/soak/day.py \
		$(APPS:%=--apps %) $(CHECKS:%=--checks %)

compare: $(VENV)/ready ## two programs in the same session, and how what they say differs: BEFORE=FILE AFTER=FILE
	$(VENV_PYTHON) tests/session/compare.py $(BEFORE) $(AFTER)

# SEED, SEEDS, DAYS, APPS, RATES, STRICT, SHRINK, JSON, TELL and FRESH reach the program by the environment.
simulate: ## a simulated household and the score of our mistakes: SEED=1 DAYS=30 APPS=20, SEEDS=200 for many; docs/simulation.md
	$(CARGO) bench --locked --quiet --profile simulate --bench simulation -- $(SIMULATED)

recording: ## all that the engine does in twenty seeded households, written to RECORDING=FILE: two versions of it can be compared
	RECORDING=$(abspath $(RECORDING)) $(CARGO) test --locked --test engine recording -- --ignored

flood: build $(VENV)/ready ## hostile clients and apps that hang, with figures, about five minutes
	FLOOD_SECONDS=30 HEALTHCHECKER_BIN=$(abspath $(BINARY)) $(VENV_PYTHON) -m pytest -s tests/e2e/test_flood.py tests/e2e/test_hanging.py

# Changes the code in one place after the other, and asks whether a test notices. Those that are caught, missed,
# or do not compile are listed below target/mutants.out.
mutants: target/tools/bin/cargo-mutants ## whether the tests notice when the code is changed; SHARD=1/50 for a part
	CASES_PERCENT=10 RUST_TEST_THREADS=8 target/tools/bin/cargo-mutants mutants --output target $(SHARD:%=--sharding round-robin --shard %)

nightly: flood reproduce ## the long forms: floods of half a minute, a thousand simulated households, an hour of soak, a day's checks, an hour of fuzz, many random lives, mutants; and two builds
	CASES_PERCENT=2000 $(CARGO) test --locked --test engine --test journal
	$(MAKE) simulate SEEDS=1000
	$(MAKE) mutants SHARD=$(NIGHT)/26
	$(MAKE) soak MINUTES=60
	$(MAKE) day
	$(MAKE) fuzz

# Static programs, each at target/TRIPLE/release/healthchecker.
arm: ## for a Raspberry Pi Zero or 1, and every later one (ARMv6)
	PYTHON=$(PYTHON) packaging/cross.sh arm-unknown-linux-musleabihf

arm-size: ## what that program is made of, crate by crate
	CARGO_TARGET_DIR=target/size CARGO_PROFILE_RELEASE_STRIP=false CARGO_PROFILE_RELEASE_DEBUG=line-tables-only \
		PYTHON=$(PYTHON) packaging/cross.sh arm-unknown-linux-musleabihf
	packaging/size.py target/size/arm-unknown-linux-musleabihf/release/healthchecker

reproduce: arm ## builds it once more from what is committed, elsewhere; the same bytes must come out
	PYTHON=$(PYTHON) packaging/reproduce.sh arm-unknown-linux-musleabihf

pi: ## an emulated Pi Zero, on which the tests run that program: target/pi (needs Debian 12, qemu-system-arm, cpio)
	tests/pi/fetch.sh

armv7: ## for 32-bit systems on a Raspberry Pi 2 or later
	PYTHON=$(PYTHON) packaging/cross.sh armv7-unknown-linux-musleabihf

arm64: ## for 64-bit systems on a Raspberry Pi 3 or later
	PYTHON=$(PYTHON) packaging/cross.sh aarch64-unknown-linux-musl

x86_64-musl: ## for a PC
	PYTHON=$(PYTHON) packaging/cross.sh x86_64-unknown-linux-musl

# Where `make install` puts it: /usr/local unless told otherwise, below DESTDIR when packaging.
PREFIX ?= /usr/local
DESTDIR ?=

install: build ## install it with its service, manual page and completions: PREFIX=, DESTDIR=
	packaging/install.sh '$(DESTDIR)' '$(PREFIX)' $(BINARY) $(BINARY)

deb: arm arm64 x86_64-musl ## Debian packages for Raspberry Pi OS (armhf), arm64 and amd64: target/debian
	$(CARGO) build --locked
	for architecture in armhf arm64 amd64; do packaging/deb.sh $$architecture $(DEBUG_BINARY) || exit 1; done

mails: $(VENV)/ready ## docs/mails.md and its pictures, from what the engine writes; needs Chromium and Node
	rm -rf target/mails && mkdir -p target/mails
	MAILS=$(abspath target/mails) $(CARGO) test --locked --quiet --test engine mails::
	$(VENV_PYTHON) tests/e2e/mail_pictures.py target/mails

screenshots: $(VENV)/ready ## pictures of the web page, in docs; needs Chromium and Node
	$(CARGO) build --locked
	HEALTHCHECKER_BIN=$(abspath $(DEBUG_BINARY)) $(VENV_PYTHON) tests/e2e/screenshots.py

clean: ## remove all that was made
	$(CARGO) clean
	rm -rf $(VENV)

# Needs a C++ compiler for libFuzzer. RUSTC_BOOTSTRAP lets a stable compiler use the address sanitizer.
target/tools/bin/cargo-fuzz:
	$(CARGO) install cargo-fuzz --version 0.13.2 --locked --root target/tools

target/tools/bin/cargo-mutants:
	$(CARGO) install cargo-mutants --version 27.1.0 --locked --root target/tools

# What the end-to-end tests need, in a folder of its own; made again when the list changes.
$(VENV)/ready: tests/e2e/requirements.txt
	@test ! -L $(VENV) || { echo '$(VENV) is a link: what it leads to is not cleared; bring it up to date there'; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@
