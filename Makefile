# The commands of this repository. `make help` lists them.
.PHONY: help test check
CARGO ?= cargo

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

test: ## run all tests
	$(CARGO) test --locked

check: ## formatting, lints as errors, documentation without warnings, module rules
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items
	$(CARGO) test --locked --test house
