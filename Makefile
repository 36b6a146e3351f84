# Makefile -- all commands; `make help` lists them.  Needs Python 3.11 or newer with its headers, a C compiler and make;
# everything else is installed automatically.  PYTHON= sets the interpreter, VENV= the virtual environment.

PYTHON ?= python3
VENV   ?= .venv

BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip --disable-pip-version-check --quiet
JOBS := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

# Processes of the test suite; each takes up to 2 GB.
WORKERS ?= $(shell [ $(JOBS) -le 4 ] && echo $(JOBS) || echo 4)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:  # no part of a file is taken for the whole one
include tests/c/rules.mk
include csrc/web/rules.mk

.PHONY: help digits test op bench bench-kernels bench-install lint stubs docs notebooks golden digits-c library matrix isas clean install install-here install-test install-docs asan-ops tsan-slots fuzz

help:                  ## list these commands
	@awk -F ' *## *' '/^[a-z-]+:.*## /{split($$1, a, ":"); printf "make %-13s %s\n", a[1], $$2}' $(MAKEFILE_LIST)

digits: install-here   ## install into .venv, train on MNIST, report the test accuracy, save the model
	$(BIN)/pyneural digits

test: lint             ## install into .venv with -Werror, then lint, type checks, C tests and the whole test suite
	$(MAKE) -j$(JOBS) c-test
	$(BIN)/pytest -n $(WORKERS) tests

matrix:                ## the suite on the oldest and the newest Python and NumPy (OLDEST=, NEWEST= interpreters)
	tools/matrix.sh $(OLDEST) $(NEWEST)

# Also runs the C test of the same name, if there is one.
op: export PYTHONPATH := $(CURDIR):$(CURDIR)/tests
op:                    ## test one op in seconds: incremental build, then its rows on every instruction set (NAME=elu)
	@[ -n "$(NAME)" ] || { echo "NAME is missing: make op NAME=elu"; exit 1; }
	@[ -x $(BIN)/pytest ] || $(MAKE) install-test
	PYNEURAL_WERROR=1 $(BIN)/python setup.py -q build_ext --inplace
	$(BIN)/pytest -q tests/test_ops.py -k 'every_op or [$(NAME)- or [$(NAME)]'
	@for isa in $$($(BIN)/python -c 'import test_ops; print(*test_ops.lower_isas())'); do \
	    echo "PYNEURAL_ISA=$$isa"; PYNEURAL_ISA=$$isa $(BIN)/python tests/test_ops.py $$isa $(NAME) || exit 1; \
	done
	@[ ! -e tests/c/test_$(NAME).c ] || $(MAKE) c-test C_TESTS=tests/c/test_$(NAME).c

# Stops at the best instruction set of the processor.  tests/test_ops.py covers the naive twins.
ISAS ?= baseline avx2 avx512
isas: install-test     ## the suite under every instruction set of this processor, from the lowest (ISAS=)
	@best=$$($(BIN)/python -c 'from pyneural import _core; print(_core.isa())'); status=0; \
	for isa in $(ISAS); do \
	    echo "PYNEURAL_ISA=$$isa"; \
	    PYNEURAL_ISA=$$isa $(BIN)/pytest -q tests || status=1; \
	    [ $$isa != $$best ] || break; \
	done; exit $$status

# The peers are installed in a separate environment, and nothing else depends on it.
BENCH_VENV := build/bench-venv
BENCH      := $(BENCH_VENV)/bin/python
bench: bench-install   ## compare with other libraries: steps, kernels, memory; writes benchmarks/RESULTS.md (QUICK=1, ONLY=)
	$(BENCH) benchmarks/bench.py $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

bench-kernels: bench-install  ## each kernel in GFLOP/s or GB/s: ours by instruction set, the naive twin, PyTorch (ONLY=)
	$(BENCH) benchmarks/kernels.py $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

bench-install:
	[ -x $(BENCH) ] || $(PYTHON) -m venv $(BENCH_VENV)
	rm -rf build/lib.* build/bdist.*
	$(BENCH) -m pip --disable-pip-version-check --quiet install . -r benchmarks/peers.txt

lint: install-test     ## ruff, mypy --strict, clang-format; checks that docs and stubs match the op table
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict pyneural
	$(BIN)/clang-format --dry-run --Werror $$(git ls-files '*.c' '*.h' '*.inc')
	$(BIN)/python tools/make_stubs.py --check

stubs: install-test    ## regenerate docs/ops.md and the stubs from the op table and the tables of names
	$(BIN)/python tools/make_stubs.py

# With PYNEURAL_DATA=sample they are executed only.
notebooks: install-test  ## execute the notebooks on real data and write their outputs (NOTEBOOKS="01_mnist ..." picks some)
	$(BIN)/python tools/run_notebooks.py $(NOTEBOOKS)

# Every page is read again each time, so that no warning is lost; outputs of examples are kept while no code changes.
docs: install-docs     ## build the site in build/docs/html from docs/ and notebooks/: its examples run, warnings are errors
	$(BIN)/sphinx-build -q -E -W --keep-going -c docs -d build/docs/pages . build/docs/html
	@echo "the site is build/docs/html/index.html"

golden:                ## recompute the golden files; fails if one differs (PYTHON= an interpreter that has PyTorch)
	$(PYTHON) tools/golden.py --check

# ---- the virtual environment --------------------------------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "pyneural needs Python 3.11 or newer; choose one: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Stale build/lib folders would keep deleted files.  setup.py keeps build/objects, and recompiles what changed.
install: $(BIN)/python
	rm -rf build/lib.* build/bdist.*
	$(PIP) install .

# Editable, so that `import pyneural` also works in this folder.
install-here: $(BIN)/python
	rm -rf build/lib.* build/bdist.*
	$(PIP) install --editable .

install-test: $(BIN)/python
	rm -rf build/lib.* build/bdist.*
	PYNEURAL_WERROR=1 $(PIP) install --editable '.[test]'

install-docs: $(BIN)/python
	rm -rf build/lib.* build/bdist.*
	$(PIP) install --editable '.[docs]'

# ---- the extension under the sanitizers ----------------------------------------------------------------------------

# The package compiled with a sanitizer; rebuilt only when a source has changed.
PACKAGE_SOURCES := setup.py $(shell find csrc pyneural -type f ! -name '*.so' ! -name '*.pyc')
$(C_BUILD)/%/package/built: $(PACKAGE_SOURCES) | install-test
	rm -rf build/lib.* build/bdist.* $(@D)
	PYNEURAL_BUILD=$* $(PIP) install --no-deps --target $(@D) .
	rm -rf build/lib.* build/bdist.*
	@touch $@

# Python itself leaks and is not instrumented, so leak detection is off, and the sanitizer runtime is preloaded.
ASAN_PACKAGE := $(C_BUILD)/asan/package
ASAN_PYTHON   = PYTHONPATH=$(abspath $(ASAN_PACKAGE)) PYTHONMALLOC=malloc LD_PRELOAD=$$($(CC) -print-file-name=libasan.so) \
                ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:handle_abort=1:handle_sigill=1 \
                UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

# ASAN_SELECT= is a selection of these by pytest's -k.
ASAN_TESTS := tests/test_ops.py tests/test_empty.py tests/test_bounds.py tests/test_races.py

asan: asan-ops
asan-ops: $(ASAN_PACKAGE)/built
	$(ASAN_PYTHON) $(BIN)/pytest -p no:cacheprovider -n $(WORKERS) --dist worksteal $(ASAN_TESTS) $(if $(ASAN_SELECT),-k '$(ASAN_SELECT)')

TSAN_PACKAGE := $(C_BUILD)/tsan/package
tsan: tsan-slots
tsan-slots: $(TSAN_PACKAGE)/built
	PYTHONPATH=$(abspath $(TSAN_PACKAGE)) LD_PRELOAD=$$($(CC) -print-file-name=libtsan.so) $(C_RUN_tsan) \
	    $(BIN)/python tests/tsan_slots.py

SECONDS ?= 60
SEED    ?= 0
fuzz: $(ASAN_PACKAGE)/built  ## the fuzzers under AddressSanitizer, SECONDS=60 in total (FUZZ=ops, SEED=, ONLY=a case)
	$(ASAN_PYTHON) $(BIN)/python tools/fuzz/fuzz.py $(FUZZ) --seconds $(SECONDS) --seed $(SEED) $(if $(ONLY),--only $(ONLY))

# ---- plain C ------------------------------------------------------------------------------------------------------

LIBRARY := $(C_BUILD)/release/libpyneural.a
EXAMPLE := $(C_BUILD)/release/examples/digits
MNIST   ?= $(or $(PYNEURAL_DATA),../shared/data)/mnist
IDX     := $(C_BUILD)/mnist

# With q, since r would keep one object of each name, and the stubs have one per family.
$(LIBRARY): $(C_OBJECTS_release)
	rm -f $@
	$(AR) qcs $@ $^

library: $(LIBRARY)    ## build/release/libpyneural.a, the engine and csrc/model/ for C programs (docs/guide/from_c.md)

$(EXAMPLE): $(patsubst %.c,$(C_BUILD)/release/%.o,$(wildcard examples/*.c)) $(C_OBJECTS_release)
	$(CC) -pthread $^ -lm -o $@

$(foreach build,$(C_BUILDS),$(eval $(C_BUILD)/$(build)/tests/c/test_files: \
    $(C_BUILD)/$(build)/examples/files.o))
-include $(wildcard $(C_BUILD)/*/examples/*.d)

digits-c: $(EXAMPLE)   ## the C example, without Python: unpack MNIST (MNIST= its folder), train, save, load, test
	@[ -d $(MNIST) ] || { echo "there is no folder $(MNIST) with MNIST: give it with make digits-c MNIST=..."; exit 1; }
	@mkdir -p $(IDX)
	for file in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do \
	    gzip -dc $(MNIST)/$$file-ubyte.gz > $(IDX)/$$file-ubyte || exit 1; done
	$(EXAMPLE) train $(IDX) $(C_BUILD)/digits-c.safetensors
	$(EXAMPLE) test $(IDX) $(C_BUILD)/digits-c.safetensors

clean:                 ## remove all build products, including .venv
	rm -rf build dist *.egg-info .venv .mypy_cache .pytest_cache .ruff_cache
	find pyneural tests tools benchmarks docs -name __pycache__ -prune -exec rm -rf {} +
	rm -f pyneural/*.so
