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

PKGS := libxml-2.0 libssl libcrypto libmicrohttpd gnutls libcurl libconfig jansson \
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

# Flags are probed once per compiler and kept; not by goals that may run before there is a compiler.
PROBE := $(BUILD)/flags-$(notdir $(CC)).mk
ifneq ($(filter-out deps deps-demo deps-check demo test help clean,$(or $(MAKECMDGOALS),all)),)
-include $(PROBE)
endif
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

# --- packages -------------------------------------------------------------------------------

DEPS := build-essential pkg-config libxml2-dev libssl-dev libmicrohttpd-dev libgnutls28-dev \
	libcurl4-openssl-dev libconfig-dev libjansson-dev libzip-dev libsqlite3-dev uuid-dev \
	uthash-dev libsystemd-dev
# the tests' judges, and what they drive the programs with
DEPS_TEST := libcmocka-dev libxml2-utils xmlsec1 libxmlsec1-openssl openssl curl sqlite3 jq zip unzip \
	python3 python3-lxml python3-cryptography python3-asn1crypto wrk
DEPS_DEMO := jq unzip python3
DEPS_CHECK := clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev llvm-14 valgrind shellcheck codespell

define install_missing
	@missing=$$(for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | \
	  grep -q 'ok installed' || printf '%s ' $$p; done); \
	if [ -n "$$missing" ]; then echo "installing: $$missing"; \
	  if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing \
	    >/tmp/silta-apt.log 2>&1; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	      --no-install-recommends $$missing >/tmp/silta-apt.log 2>&1 || \
	      { tail -20 /tmp/silta-apt.log; exit 1; }; fi; fi
endef

deps: ## install the Debian packages that building and testing need
	$(call install_missing,$(DEPS) $(DEPS_TEST))
deps-demo:
	$(call install_missing,$(DEPS) $(DEPS_DEMO))
deps-check: deps ## the same for the checks
	$(call install_missing,$(DEPS_CHECK))

# --- the two commands -----------------------------------------------------------------------

JOBS ?= $(shell nproc 2>/dev/null || echo 2)

demo: deps-demo ## dispense a Finnish prescription in Estonia, and show it
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@examples/fi-prescription-in-estonia/demo

test: deps ## every test but the long ones
	@$(MAKE) --no-print-directory -j$(JOBS) all programs-of-tests
	@BUILD=$(BUILD) tests/run.sh

# --- tests and checks -----------------------------------------------------------------------

programs-of-tests: $(UNIT) $(INTEROP) $(FUZZ_REPLAY)

asan: ## unit and interop tests, and the flow, under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)-asan SANITIZE=address,undefined \
	  OPT=-O1 all programs-of-tests
	@BUILD=$(BUILD)-asan tests/run.sh
tsan: ## the tests that use threads under ThreadSanitizer
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)-tsan SANITIZE=thread OPT=-O1 \
	  all programs-of-tests
	@BUILD=$(BUILD)-tsan tests/run.sh test_queue test_msglog test_msglog_ahead test_http \
	  test_http_wire test_flow test_connections
valgrind: programs-of-tests ## unit tests under valgrind
	@BUILD=$(BUILD) VALGRIND=1 tests/run.sh unit

FUZZ_BUILD := $(BUILD)-fuzz
TIME ?= 60
fuzz: ## fuzz NAME=multipart (or all) for TIME=60 seconds each
	@BUILD=$(FUZZ_BUILD) MAKE="$(MAKE)" tests/fuzz/run.sh $(TIME) $(NAME)
$(FUZZ_BUILD)/fuzz_%: tests/fuzz/fuzz_%.c $(call objs,$(SUPPORT_SRC)) $(LIBS)
	$(Q)$(CC) $(CFLAGS_ALL) -fsanitize=fuzzer $(LDFLAGS_ALL) -o $@ $< \
	  $(call objs,$(SUPPORT_SRC)) $(LINK_LIBS)

layers: ## which folder may use which, and forbidden calls
	@tests/check_layers.sh
	@tests/simple_mistakes.sh

C_FILES := $(shell find bridge federation mappings tests -name '*.[ch]' 2>/dev/null)
format: ## rewrite the sources in the house format
	clang-format-14 -i $(C_FILES)
format-check:
	clang-format-14 --dry-run --Werror $(C_FILES)

lint: ## clang-tidy over the sources (slow), spelling, shell scripts
	clang-tidy-14 --quiet $(filter %.c,$(filter-out tests/%,$(C_FILES))) -- -std=gnu17 -D_GNU_SOURCE \
	  -Ibridge -I. $(PKG_CFLAGS) -DSLT_VERSION='"$(VERSION)"'
	shellcheck -S warning .ci/run tests/*.sh tests/*/*.sh examples/*/up

docs: $(BUILD)/silta ## the manual page that is made from the options
	@{ cat bridge/man/silta.conf.5.head; $(BUILD)/silta check --options; \
	  printf '.Sh SEE ALSO\n.Xr silta 8\n'; } > bridge/man/silta.conf.5

bench: $(BENCH) all ## ratios against the floors, measured in one run
	@BUILD=$(BUILD) tests/bench/run.sh

# --- installing -----------------------------------------------------------------------------

PREFIX ?= /usr
install: all ## into $(DESTDIR)$(PREFIX)
	install -D -m 0755 $(BUILD)/silta $(DESTDIR)$(PREFIX)/bin/silta
	install -d $(DESTDIR)$(PREFIX)/share/silta
	cp -r mappings/countries mappings/flows mappings/pivot mappings/messages.tsv \
	  $(DESTDIR)$(PREFIX)/share/silta/
	for p in bridge/man/*.[1-8]; do s=$${p##*.}; \
	  install -D -m 0644 $$p $(DESTDIR)$(PREFIX)/share/man/man$$s/$${p##*/}; done
	install -D -m 0644 examples/systemd/silta.service \
	  $(DESTDIR)/lib/systemd/system/silta.service

clean: ## remove what was built
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-clang $(BUILD)-fuzz

help: ## this list
	@grep -hE '^[a-z][a-z-]*:.*##' Makefile | sed -E 's/:.*## /\t/' | sort | expand -t 16

.PHONY: all deps deps-demo deps-check demo test programs-of-tests asan tsan valgrind fuzz layers \
	format format-check lint docs bench install clean help
.SECONDARY:
