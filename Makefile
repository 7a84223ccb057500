# SPDX-License-Identifier: MIT
#
# make demo    the main job, end to end, on a fresh Debian 12 machine
# make test    every test but the long ones
# make all     build/silta and build/silta-instance
# make help    the rest

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
BUILD ?= build
PKG_CONFIG ?= pkg-config
VERSION := 0.1.0

# --- flags ----------------------------------------------------------------------------------

PKGS := libxml-2.0 xmlsec1-openssl libssl libcrypto libmicrohttpd gnutls libcurl libconfig jansson \
	libzip sqlite3 uuid libsystemd
# third-party headers are read as system headers: our warnings are about our code
PKG_CFLAGS := $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null))
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)

try = $(shell printf 'int main(void){return 0;}' | $(CC) -Werror $(1) -x c -o /dev/null - \
	2>/dev/null && printf '%s' '$(1)')

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wwrite-strings -Wcast-qual -Wundef -Wvla -Wformat=2 \
	-Wswitch-enum -Wconversion -Wsign-conversion -Wnull-dereference -Wimplicit-fallthrough
WARN_PROBED := -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Walloc-zero \
	-Wformat-overflow=2 -Wjump-misses-init
HARDEN_PROBED := -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
	-ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr
HARDEN_LD_PROBED := -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--as-needed

# flags are probed once per compiler and kept
PROBE := $(BUILD)/flags-$(notdir $(CC)).mk
-include $(PROBE)
$(PROBE):
	@mkdir -p $(@D)
	@printf 'PROBED_C := %s\nPROBED_LD := %s\n' \
	  "$(foreach f,$(WARN_PROBED) $(HARDEN_PROBED),$(call try,$(f)))" \
	  "$(foreach f,$(HARDEN_LD_PROBED),$(call try,$(f)))" > $@

OPT ?= -O2
SANITIZE ?=
FORTIFY := $(if $(SANITIZE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(if $(findstring clang,$(CC)),2,3))
SAN_FLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
CFLAGS_ALL := -std=gnu17 -D_GNU_SOURCE $(OPT) -g $(WARN) $(if $(WERROR),-Werror) \
	$(if $(SANITIZE),$(filter -W%,$(PROBED_C)),$(PROBED_C)) -fPIE -fno-common -fno-strict-aliasing \
	$(FORTIFY) $(SAN_FLAGS) -Ibridge -I. -I$(BUILD) $(PKG_CFLAGS) -DSLT_VERSION='"$(VERSION)"' $(CFLAGS)
LDFLAGS_ALL := -pie $(PROBED_LD) $(SAN_FLAGS) $(LDFLAGS)

# --- what is built --------------------------------------------------------------------------

objs = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
BASE_SRC := $(wildcard bridge/base/*.c)
FED_SRC := $(wildcard federation/*.c)
MAP_SRC := $(wildcard mappings/*.c)
BRIDGE_SRC := $(filter-out bridge/main.c,$(wildcard bridge/*.c))
INSTANCE_SRC := $(wildcard tests/instance/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
INTEROP_SRC := $(wildcard tests/interop/test_*.c)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
BENCH_SRC := $(wildcard tests/bench/bench_*.c)
SUPPORT_SRC := $(wildcard tests/support/*.c)

LIBS := $(BUILD)/libbridge.a $(BUILD)/libfederation.a $(BUILD)/libmappings.a $(BUILD)/libbase.a
LINK_LIBS := $(LIBS) $(PKG_LIBS) -lpthread -lm

UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(UNIT_SRC))
INTEROP := $(patsubst tests/interop/%.c,$(BUILD)/tests/interop/%,$(INTEROP_SRC))
FUZZ_REPLAY := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(FUZZ_SRC))
BENCH := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(BENCH_SRC))

all: $(BUILD)/silta $(BUILD)/silta-instance ## build the programs

$(BUILD)/libbase.a: $(call objs,$(BASE_SRC))
$(BUILD)/libfederation.a: $(call objs,$(FED_SRC))
$(BUILD)/libmappings.a: $(call objs,$(MAP_SRC))
$(BUILD)/libbridge.a: $(call objs,$(BRIDGE_SRC))
$(BUILD)/lib%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/silta: $(call objs,bridge/main.c) $(LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(call objs,bridge/main.c) $(LINK_LIBS)

$(BUILD)/silta-instance: $(call objs,$(INSTANCE_SRC)) $(LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(call objs,$(INSTANCE_SRC)) $(LINK_LIBS)

$(BUILD)/obj/%.o: %.c | $(PROBE)
	@mkdir -p $(@D)
	@echo "  CC $<"
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<
Q := @

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(call objs,$(SUPPORT_SRC)) $(LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(call objs,$(SUPPORT_SRC)) $(LINK_LIBS) $(TEST_LIBS)
$(UNIT) $(INTEROP): TEST_LIBS := -lcmocka
$(FUZZ_REPLAY): $(BUILD)/obj/tests/fuzz/replay.o
$(FUZZ_REPLAY): TEST_LIBS := $(BUILD)/obj/tests/fuzz/replay.o

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

.PHONY: all clean
clean: ## remove what was built
	rm -rf $(BUILD)
.SECONDARY:
