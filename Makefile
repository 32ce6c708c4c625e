# lm-tools: non-recursive, no list of tools. Everything made goes under build/.
#   make [all]   make deps   make demo   make check   make help
CC      ?= cc
CONF    ?= release
DEV     ?= 0
V       ?= 0
PREFIX  ?= /usr/local
JOBS    ?= $(shell nproc)

B       := build/$(CONF)
VERSION := $(shell cat VERSION)
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wwrite-strings -Wvla -Wformat=2 -Wpointer-arith -Wundef -fno-common
ifneq ($(DEV),0)
WARN    += -Werror
endif
OPT_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong
OPT_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_tsan    := -O1 -fsanitize=thread -fno-omit-frame-pointer
OPT_cov     := -O0 --coverage
OPT_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
# -march is never given: kernels/x86/LEVEL says its own. No fused contraction but where spelled out.
ALLCF   = -std=c11 -D_GNU_SOURCE -Ilib -I. -g -fPIE -pthread -ffp-contract=off $(OPT_$(CONF)) $(WARN) $(CFLAGS)
ALLLF   = -pie -pthread -Wl,-z,relro,-z,now $(filter -fsanitize% --coverage,$(OPT_$(CONF))) $(LDFLAGS)
BASELIB := -larchive -lz -lxxhash -ljansson -lnettle -lm -ldl

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
KFLAGS_avx2       := -mavx2 -mfma -mf16c -mbmi -mbmi2 -O3
KFLAGS_avx512     := $(KFLAGS_avx2) -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512
KFLAGS_avx512bf16 := $(KFLAGS_avx512) -mavx512bf16
KFLAGS_avx512vnni := $(KFLAGS_avx512) -mavx512vnni

LIBOBJ   := $(LIBSRC:%.c=$(B)/%.o) $(KREF:%.c=$(B)/%.o) $(KX86:%.c=$(B)/%.o)
BINS     := $(TOOLS:%=$(B)/bin/%)
UNITS    := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))

all: $(BINS)

# The flag stamp changes only when compiler or flags do; every object depends on it.
STAMP    := $(B)/flags
STAMPTXT := $(CC) $(ALLCF) $(ALLLF) $(LIBS) $(VERSION)
$(shell mkdir -p $(B) && printf '%s\n' '$(STAMPTXT)' | cmp -s - $(STAMP) || printf '%s\n' '$(STAMPTXT)' >$(STAMP))

$(B)/%.o: %.c $(STAMP)
	$(call say,cc,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLCF) $(KFLAGS_$(notdir $(patsubst %/,%,$(dir $<)))) -MMD -MP -c -o $@ $<
$(B)/lib/cli/run.o: ALLCF += -DLM_VERSION='"$(VERSION)"' -DLM_BUILD='"$(CC) $(OPT_$(CONF)) $(CFLAGS)"'

$(B)/liblm.a: $(LIBOBJ)
	$(call say,ar,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/bin/%: $(B)/bin/%.o $(B)/liblm.a
	$(call say,ld,$@)
	$(Q)$(CC) $(ALLLF) -o $@ $< $(B)/liblm.a -Wl,--as-needed $(LIBS)

$(B)/unit/%: $(B)/tests/unit/%.o $(B)/liblm.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLLF) -o $@ $< $(B)/liblm.a -Wl,--as-needed $(LIBS)

unit: $(UNITS)

clean:
	rm -rf build

.SECONDARY:
.PHONY: all unit clean
-include $(LIBOBJ:.o=.d) $(TOOLS:%=$(B)/bin/%.d) $(UNITS:$(B)/unit/%=$(B)/tests/unit/%.d)
