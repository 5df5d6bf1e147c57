# make demo   installs what is missing, builds, and searches for the structure of TiO2
# make test   installs what is missing, builds, and runs all tests
# make widths checks, after a build, kernels for vectors of other machines, too
# make bench  builds, measures, and compares with docs/baseline.json and with other programs; with
#             STRICT=1 it fails where something is slower than the baseline by more than 5 %
# make baseline  the same, and what it finds is the new baseline
# make performance  writes docs/performance.md and docs/dynamics.md

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build
.PHONY: build demo test widths bench baseline performance benchmarks format lint packages test-packages clean

LIBRARIES := openmpi-bin libopenmpi-dev libopenblas-dev libfftw3-dev libsymspg-dev libyaml-dev \
             libsqlite3-dev pkg-config make
FOR_TESTS := python3-ase quantum-espresso quantum-espresso-data

SOURCES := Package.swift Sources Tests
DEMO := campaigns/demo

# More ranks than cores, and root in containers, need to be allowed explicitly.
export OMPI_ALLOW_RUN_AS_ROOT := 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM := 1

# Installs the Debian packages in $(1) that are missing.
define install
	missing=()
	for package in $(1); do
	  dpkg -s "$$package" 2>/dev/null | grep -q '^Status: install ok installed' || missing+=("$$package")
	done
	if [ "$${#missing[@]}" -gt 0 ]; then
	  if [ "$$(id -u)" = 0 ]; then
	    run=(env)
	  elif sudo -n true 2>/dev/null; then
	    run=(sudo -n)
	  else
	    echo "Missing Debian packages: $${missing[*]}" >&2
	    echo "Install them, then start again:  sudo apt-get install -y $${missing[*]}" >&2
	    exit 1
	  fi
	  "$${run[@]}" apt-get update -q
	  "$${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
	    --no-install-recommends "$${missing[@]}"
	fi
	if ! command -v swift > /dev/null; then
	  echo "Missing: Swift 6.2 or later. See https://www.swift.org/install/linux" >&2
	  exit 1
	fi
endef

packages:
	@$(call install,$(LIBRARIES))

test-packages:
	@$(call install,$(LIBRARIES) $(FOR_TESTS))

build: packages
	@swift build -c release

demo: build
	@rm -rf $(DEMO)
	mpirun -n 3 --oversubscribe .build/release/polymorph search inputs/tio2/campaign.yaml \
	  --directory $(DEMO)
	echo "The campaign is in $(DEMO); its best structures are in $(DEMO)/best."

test: test-packages
	@swift build -c release --build-tests
	log=$$(mktemp)
	trap 'rm -f "$$log"' EXIT
	status=0
	swift test -c release --skip-build --disable-xctest 2>&1 | tee "$$log" \
	  | grep -v '^◇' || status=$$?
	echo "----"
	grep -E '^✘ Test .* recorded an issue' "$$log" || true
	grep -E 'Test run with' "$$log" | tail -n 1 || status=1
	if grep -qE 'Test run with 0 tests' "$$log"; then
	  echo "no test was run" >&2
	  exit 1
	fi
	exit $$status

# Kernels are written for vectors of four and of eight numbers; a machine compiles one of both. After a build.
widths:
	@maps=$$(find Sources -name module.modulemap | sed 's/^/-Xcc -fmodule-map-file=/')
	for width in FOUR EIGHT; do
	  swiftc -typecheck -swift-version 6 -package-name $(notdir $(CURDIR)) -I .build/release/Modules \
	    $$maps -D POLYMORPH_$${width}_LANES $$(find Sources/Potential -name '*.swift')
	done

benchmarks: packages
	@swift build -c release --product Benchmarks

bench: benchmarks
	@.build/release/Benchmarks compare docs/bench.plan --baseline docs/baseline.json \
	  $(if $(STRICT),--strict)

baseline: benchmarks
	@.build/release/Benchmarks compare docs/bench.plan --baseline docs/baseline.json --renew

performance: benchmarks
	@.build/release/Benchmarks document docs/performance.plan --output docs/performance.md
	@.build/release/Benchmarks document docs/dynamics.plan --output docs/dynamics.md

format:
	@swift format format -i -r $(SOURCES)

lint:
	@swift format lint --strict -r $(SOURCES)

clean:
	@swift package clean
