# rules.mk -- the WebAssembly module of exported pages: every C file below the binding, and web.c, by emscripten.
#
# It is a small build (pn.h) with 128-bit vectors, one thread and no files.  Kernels that run for most of the time are
# compiled for speed, the others for size.  The first link builds emscripten's C library, in build/web/cache.  Debian's
# configuration freezes that cache, and does not say where acorn is, which the linker needs.

EMCC       ?= emcc
WEB_BUILD  := $(C_BUILD)/web
WEB_CACHE  ?= $(WEB_BUILD)/cache
WEB_MODULE := pyneural/apps/draw/web/engine.wasm
WEB_CONFIG := $(wildcard /usr/share/emscripten/.emscripten)
WEB_ENV     = $(if $(WEB_CONFIG),EM_CONFIG=$(abspath $(WEB_BUILD)/config) EM_CACHE=$(abspath $(WEB_CACHE)) \
              NODE_PATH=/usr/share/nodejs)

WEB_FLAGS := -std=gnu11 -msimd128 -ffp-contract=fast -fno-math-errno -fno-trapping-math -Icsrc -DPN_SMALL -MMD -MP
WEB_LINK  := -Oz -msimd128 --no-entry -sSTANDALONE_WASM -sAUTO_NATIVE_LIBRARIES=0 -sFILESYSTEM=0 -sMALLOC=emmalloc \
             -sALLOW_MEMORY_GROWTH
WEB_FAST  := conv image pool2d update

# Ops that a small build leaves out.
WEB_SOURCES := $(filter-out $(addprefix csrc/ops/,$(addsuffix .c,any argmax matmul one_hot where)),$(C_SOURCES)) \
               $(wildcard csrc/web/*.c)
WEB_OBJECTS := $(WEB_SOURCES:%.c=$(WEB_BUILD)/%.o) $(C_FAMILIES:%=$(WEB_BUILD)/%/baseline_f32.o)

.PHONY: web web-tools
web: web-tools         ## the module of the pages that pyneural export writes, by emscripten; then install again
	@$(MAKE) --no-print-directory $(WEB_MODULE)

web-tools:
	@command -v $(EMCC) >/dev/null || { echo "make web compiles to WebAssembly, and there is no '$(EMCC)' here:" \
	    "install it (Debian: apt install emscripten) or give yours, EMCC="; exit 1; }

$(WEB_BUILD)/config: $(WEB_CONFIG)
	@mkdir -p $(@D)
	@$(if $(WEB_CONFIG),sed 's/^FROZEN_CACHE *=.*/FROZEN_CACHE = False/' $< > $@,touch $@)

$(WEB_BUILD)/%.o: %.c $(WEB_BUILD)/config csrc/web/rules.mk
	@mkdir -p $(@D)
	$(WEB_ENV) $(EMCC) $(WEB_FLAGS) -Oz -c $< -o $@

$(WEB_BUILD)/%/baseline_f32.o: csrc/kernels/isa/baseline_f32.c $(WEB_BUILD)/config csrc/web/rules.mk
	@mkdir -p $(@D)
	$(WEB_ENV) $(EMCC) $(WEB_FLAGS) $(if $(filter $*,$(WEB_FAST)),-O2,-Os) -DPN_FAMILY=$* -c $< -o $@

$(WEB_MODULE): $(WEB_OBJECTS)
	@mkdir -p $(@D)
	$(WEB_ENV) $(EMCC) $(WEB_LINK) $^ -o $(WEB_BUILD)/engine.wasm
	cp $(WEB_BUILD)/engine.wasm $@

-include $(WEB_OBJECTS:.o=.d)
