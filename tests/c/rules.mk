# rules.mk -- the plain C tests in four builds: release with assertions, address + undefined, thread, ARM in qemu.
#
# Every C file below the binding is compiled once per build, into build/<build>/, and a stub of kernels once for each of
# their families; each tests/c/test_*.c is a program.
# `make c-test C_ARGS='seed=7 fork'` passes arguments to all programs.  C_TESTS= selects some of the programs.

C_BUILD  ?= build
C_ARGS   ?=
C_BUILDS := release asan tsan arm

ARM_CC   ?= aarch64-linux-gnu-gcc
ARM_QEMU ?= qemu-aarch64
ARM_ROOT ?= /usr/aarch64-linux-gnu

C_FOLDERS := $(addprefix csrc/,base kernels engine tensor ops graph optim model)
C_SOURCES := $(sort $(wildcard $(addsuffix /*.c,$(C_FOLDERS))))

# Each stub of csrc/kernels/isa/ is compiled once for each family of kernels.
C_STUBS    := $(sort $(wildcard csrc/kernels/isa/*.c))
C_FAMILIES := $(patsubst csrc/kernels/families/%.inc,%,$(sort $(wildcard csrc/kernels/families/*.inc)))
C_TESTS   ?= $(sort $(wildcard tests/c/test_*.c))

C_FLAGS := -std=gnu11 -ffp-contract=fast -fno-math-errno -fno-trapping-math -Icsrc -pthread -MMD -MP -g -DPN_DEBUG \
           -Wall -Wextra -Wshadow -Wconversion -Wdouble-promotion -Wstrict-prototypes -Wmissing-prototypes -Werror \
           -Wno-enum-float-conversion

# gcc inlines a memcpy of few bytes as moves, which the sanitizers do not check; they do check calls.
C_CALLS := -fno-builtin-memcpy -fno-builtin-memmove -fno-builtin-memset

C_FLAGS_release := -O3
C_FLAGS_asan    := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all $(C_CALLS)
C_FLAGS_tsan    := -O1 -fno-omit-frame-pointer -fsanitize=thread $(C_CALLS)
C_FLAGS_arm     := -O3
C_CC_arm         = $(ARM_CC)

# Sanitizers are slow: their programs may shorten themselves.  ThreadSanitizer needs a memory layout that some kernels'
# address randomisation does not leave it.  AddressSanitizer's fake stack (use after return) is off: gcc 12 gives 64-byte
# vectors on it less than their alignment (GCC PR 110027), and their aligned stores fault.
C_RUN_release :=
C_RUN_asan    := ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=0:strict_string_checks=1:abort_on_error=0 \
                 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
C_RUN_tsan     = TSAN_OPTIONS=halt_on_error=0:second_deadlock_stack=1:exitcode=66 \
                 $(shell setarch $$(uname -m) -R true 2>/dev/null && echo setarch $$(uname -m) -R)
C_RUN_arm      = $(ARM_QEMU) -L $(ARM_ROOT)
C_ARGS_release :=
C_ARGS_asan    := quick
C_ARGS_tsan    := quick
C_ARGS_arm     :=

.PHONY: c-test asan tsan arm C_FORCE
c-test: c-run-release  ## the C tests, with assertions
asan:   c-run-asan     ## the C tests under AddressSanitizer and UndefinedBehaviorSanitizer
tsan:   c-run-tsan     ## the C tests, and threads in Python, under ThreadSanitizer
arm:                   ## the C tests compiled for aarch64 and run in qemu-user (ARM_CC=, ARM_QEMU=, ARM_ROOT=)
	@command -v $(ARM_CC) >/dev/null || { echo "make arm compiles for aarch64, and there is no '$(ARM_CC)' here:" \
	    "install it (Debian: apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross) or give yours, ARM_CC="; exit 1; }
	@command -v $(ARM_QEMU) >/dev/null || { echo "make arm runs aarch64 programs in qemu, and there is no" \
	    "'$(ARM_QEMU)' here: install it (Debian: apt install qemu-user) or give yours, ARM_QEMU="; exit 1; }
	@$(MAKE) --no-print-directory c-run-arm

# $(1): the build.  The programs run one after another, all of them, whatever fails on the way.
define C_RULES
C_CC_$(1)       ?= $$(CC)
C_COMPILE_$(1)   = $$(C_CC_$(1)) $$(C_FLAGS) $$(C_FLAGS_$(1))
C_OBJECTS_$(1)  := $$(C_SOURCES:%.c=$(C_BUILD)/$(1)/%.o) \
                   $$(foreach family,$$(C_FAMILIES),$$(C_STUBS:%.c=$(C_BUILD)/$(1)/$$(family)/%.o))
C_PROGRAMS_$(1)  = $$(C_TESTS:%.c=$(C_BUILD)/$(1)/%)

$(C_BUILD)/$(1)/flags: C_FORCE
	@mkdir -p $$(@D)
	@echo '$$(C_COMPILE_$(1))' | cmp -s - $$@ || echo '$$(C_COMPILE_$(1))' > $$@

$(C_BUILD)/$(1)/%.o: %.c $(C_BUILD)/$(1)/flags
	@mkdir -p $$(@D)
	$$(C_COMPILE_$(1)) -c $$< -o $$@

$(C_BUILD)/$(1)/tests/c/test_%: $(C_BUILD)/$(1)/tests/c/test_%.o $$(C_OBJECTS_$(1))
	$$(C_CC_$(1)) $$(C_FLAGS_$(1)) -pthread $$^ -lm -o $$@

# Not a test: tests/test_c_model.py gives it commands.
$(C_BUILD)/$(1)/tests/c/run_model: $(C_BUILD)/$(1)/tests/c/run_model.o $$(C_OBJECTS_$(1))
	$$(C_CC_$(1)) $$(C_FLAGS_$(1)) -pthread $$^ -lm -o $$@

.SECONDARY: $$(C_OBJECTS_$(1)) $$(C_TESTS:%.c=$(C_BUILD)/$(1)/%.o)
.PHONY: c-run-$(1)
c-run-$(1): $$(C_PROGRAMS_$(1))
	@status=0; for program in $$^; do \
	    echo "$$$$program"; \
	    $$(C_RUN_$(1)) $$$$program $$(C_ARGS_$(1)) $$(C_ARGS) || { status=1; echo "$$$$program failed"; }; \
	done; exit $$$$status

-include $$(C_OBJECTS_$(1):.o=.d) $$(wildcard $(C_BUILD)/$(1)/tests/c/*.d)
endef

# $(1): the build, $(2): the family.
define C_FAMILY_RULE
$(C_BUILD)/$(1)/$(2)/csrc/kernels/isa/%.o: csrc/kernels/isa/%.c $(C_BUILD)/$(1)/flags
	@mkdir -p $$(@D)
	$$(C_COMPILE_$(1)) -DPN_FAMILY=$(2) -c $$< -o $$@
endef

$(foreach build,$(C_BUILDS),$(eval $(call C_RULES,$(build))))
$(foreach build,$(C_BUILDS),$(foreach family,$(C_FAMILIES),$(eval $(call C_FAMILY_RULE,$(build),$(family)))))
