# SPDX-License-Identifier: Apache-2.0
# The verbs. Each is a line or two that calls meson, which stays usable directly.
DEMO = build/demo
SAN = -Db_sanitize=address,undefined -Db_lundef=false -Dfaults=true --buildtype=debugoptimized
# Source files are found by their folders: configures again when there are others than the last time.
fresh = @ls src/*/*.* src/*/*/*.c src/*/*/*.sql data/*.tsv > $(1)/files.new; cmp -s $(1)/files.new $(1)/files || meson setup --reconfigure $(1) >/dev/null; mv $(1)/files.new $(1)/files
F = tree
T = 60

build: build/build.ninja
	$(call fresh,build)
	ninja -C build

build/build.ninja: | installed-build
	meson setup build

installed-%:
	@tools/install.sh $*

# Installs what is missing, builds, makes the demonstration phone, scans it.
demo: build | installed-demo
	tests/demo/make_demo.sh $(DEMO)
	@echo
	@rm -f $(DEMO)/facts.db
	-build/gifthorse scan $(DEMO)/phone.zip --db $(DEMO)/facts.db -f text -f html=$(DEMO)/report.html -f integrity
	@echo
	@echo "The HTML report:    $(DEMO)/report.html"
	@echo "The facts database: $(DEMO)/facts.db   (gifthorse query $(DEMO)/facts.db 'SELECT * FROM files LIMIT 5')"

# Installs what is missing, builds with sanitizers, runs all tests.
test: | installed-build installed-test installed-demo
	[ -f build-san/build.ninja ] || meson setup build-san $(SAN)
	$(call fresh,build-san)
	ninja -C build-san
	tests/demo/make_demo.sh $(DEMO)
	python3 tests/run.py --build build-san --demo $(DEMO)

lint: | installed-build installed-lint
	[ -f build/build.ninja ] || meson setup build
	python3 tools/lint.py --build build $(LINT)

fmt:
	git ls-files '*.c' '*.h' | grep -v '\.def$$' | xargs clang-format -i

# make fuzz F=erofs T=60: one target for so many seconds, from its seeds.
fuzz: build-fuzz/build.ninja
	$(call fresh,build-fuzz)
	ninja -C build-fuzz fuzz_$(F)
	python3 fuzz/run.py --build build-fuzz --seconds $(T) $(F)

build-fuzz/build.ninja: | installed-build installed-test
	CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fsanitize=fuzzer-no-link

bench: build | installed-bench
	bench/run.sh

cover: | installed-build installed-test
	[ -f build-cover/build.ninja ] || meson setup build-cover -Db_coverage=true
	$(call fresh,build-cover)
	ninja -C build-cover
	python3 tests/run.py --build build-cover --demo $(DEMO)
	ninja -C build-cover coverage-text && tail -1 build-cover/meson-logs/coverage.txt

docs: build
	python3 tools/docs.py build/gifthorse docs/rules $(DEMO)/phone.zip

clean:
	rm -rf build build-san build-fuzz build-cover

.PHONY: build demo test lint fmt fuzz bench cover docs clean
