# The commands of this repository. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CARGO ?= cargo

.PHONY: help run demo test check docs dist install-tools
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

# --- use ---------------------------------------------------------------------------------------------------------------
run: ## the appliance from source, on http://127.0.0.1:8787, data in ./snapvisor-data
	$(CARGO) run --locked --release -- serve

# `DEMO_PROFILE=dev` builds faster; `DEMO_EXIT=1` stops after the report; `DEMO_PORT` chooses the port.
DEMO_PROFILE ?= release
demo: ## build, serve with a fresh data directory, take a snapshot, download and unpack it, keep serving
	$(CARGO) build --locked --profile $(DEMO_PROFILE)
	tests/demo.sh target/$(subst dev,debug,$(DEMO_PROFILE))/snapvisor

# One file that needs nothing: no shared object, no /dev. It runs in an empty chroot with only /proc and /sys.
# Its relocations are packed, which only our own start-up code has to read, and functions of the same code are one.
DIST_TARGET := x86_64-unknown-linux-gnu
DIST_FLAGS := -C target-feature=+crt-static --cfg getrandom_backend="linux_getrandom" \
  -C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--icf=all
dist: ## one stripped, statically linked binary
	RUSTFLAGS='$(DIST_FLAGS)' \
	  $(CARGO) build --locked --profile dist --target $(DIST_TARGET)
	@ls -l target/$(DIST_TARGET)/dist/snapvisor
	@sha256sum target/$(DIST_TARGET)/dist/snapvisor

# --- prove -------------------------------------------------------------------------------------------------------------
install-tools: ## install the programs that the tests compare with, or say which are missing
	tests/tools.sh

test: install-tools ## all tests, counted
	mkdir -p target
	$(CARGO) test --locked --no-fail-fast 2>&1 | tee target/test.log
	@awk '/^test result:/ { passed += $$4; failed += $$6; ignored += $$8 } \
	  END { printf "\n%d tests passed, %d failed, %d ignored\n", passed, failed, ignored; exit failed > 0 || passed == 0 }' \
	  target/test.log

.PHONY: test-lab
LAB ?= all
test-lab: ## as root: plant real faults on a host of namespaces, one at a time, and see each found; LAB=part of a name
	SNAPVISOR_LAB="$(LAB)" $(CARGO) test --locked --test lab

.PHONY: test-saturation
test-saturation: ## a snapshot as nobody on a processor that eight loops have taken: it waits, and loses no check
	$(CARGO) test --locked --test saturation -- --ignored --nocapture

check: ## formatting, lints as errors, documentation without warnings, module rules
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items
	$(CARGO) test --locked --test house

.PHONY: bench
bench: ## measure the API's list of 10 out of 100,000 against a warp handler that returns a constant
	$(CARGO) bench --locked --bench api

.PHONY: bench-integrity
bench-integrity: ## megabytes a second of the audit of segments on cached data, beside sha256sum of the same bytes
	$(CARGO) bench --locked --bench integrity

docs: ## write anew what is generated from our own tables: settings, checks, rooms
	UPDATE_DOCS=1 $(CARGO) test -q --locked --test cli_docs

# --- the report in a real browser -------------------------------------------------------------------------------------
.PHONY: test-browser report-bench report-pictures
REPORT_OUT ?= $(CURDIR)/target/report-pages

test-browser: ## the report in Chromium: accessibility, keys, links, search, print, no network
	tests/report/prepare.sh
	REPORT_OUT=$(REPORT_OUT) $(CARGO) test -q --locked --lib report::html::tests::write_the_fixtures -- --ignored --exact
	REPORT_OUT=$(REPORT_OUT) node tests/report/report.mjs

report-bench: ## sizes and speed of the report in Chromium, against its budgets and beside pgBadger
	tests/report/prepare.sh bench
	REPORT_OUT=$(REPORT_OUT) $(CARGO) test -q --locked --lib report::html::tests::write_the_fixtures -- --ignored --exact
	REPORT_OUT=$(REPORT_OUT) $(CARGO) test -q --locked --test hosts write_the_pages -- --ignored --exact
	REPORT_OUT=$(REPORT_OUT) node tests/report/bench.mjs

report-pictures: ## the pictures of docs/images: fixtures, the recorded sick host, and the machine that this runs on
	tests/report/prepare.sh
	REPORT_OUT=$(REPORT_OUT) $(CARGO) test -q --locked --lib report::html::tests::write_the_fixtures -- --ignored --exact
	REPORT_OUT=$(REPORT_OUT) $(CARGO) test -q --locked --test hosts write_the_pages -- --ignored --exact
	REPORT_OUT=$(REPORT_OUT) node tests/report/pictures.mjs

# --- redaction --------------------------------------------------------------------------------------------------------
.PHONY: redaction-score redaction-bench
redaction-score: ## recall, negatives and pseudonyms of the redaction engine on fresh random secrets; fails below the targets
	$(CARGO) test --locked --release --test redaction -- --ignored --nocapture --exact score

redaction-bench: ## megabytes a second on logs, dense secrets and hostile data: the engine against its budgets, the program beside two scanners
	$(CARGO) test --locked --release --test redaction -- --ignored --nocapture --exact throughput

# The rooms under test alone are compiled, instrumented for libFuzzer as cargo-fuzz does it; findings are kept in
# fuzz/artifacts. A nightly compiler is needed.
.PHONY: fuzz
FUZZ_S ?= 1800
FUZZ_TARGET := x86_64-unknown-linux-gnu
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=4
fuzz: ## fuzz the redaction engine and its parser of keys and values, half an hour each (FUZZ_S)
	cd fuzz && RUSTFLAGS='$(FUZZ_FLAGS)' $(CARGO) +nightly build --release --target $(FUZZ_TARGET)
	mkdir -p fuzz/artifacts
	for target in engine keyed; do \
	  mkdir -p fuzz/corpus/$$target; \
	  nice -n 19 fuzz/target/$(FUZZ_TARGET)/release/$$target -max_total_time=$(FUZZ_S) -max_len=4096 \
	    -print_final_stats=1 -artifact_prefix=fuzz/artifacts/$$target- fuzz/corpus/$$target; \
	done
