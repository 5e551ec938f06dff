# SPDX-License-Identifier: BSD-2-Clause
#
# Everything is built under build/. "make help" lists the targets; V=1 shows the commands.
# CFLAGS, CPPFLAGS and LDFLAGS are added to what is set here.

VERSION    := 0.1.0

PREFIX     ?= /usr/local
SBINDIR    ?= $(PREFIX)/sbin
SYSCONFDIR ?= /etc
DATADIR    ?= $(PREFIX)/share/sentroid
UNITDIR    ?= $(PREFIX)/lib/systemd/system

CC         ?= cc
CLANG      ?= clang
LLVM_STRIP ?= llvm-strip

PKGS := libbpf libxdp libelf libcjson libmicrohttpd inih libpcap libcrypto libsystemd sqlite3 \
	libcurl zlib libzstd cmocka

# What is built natively goes to OBJ, which "make asan" points elsewhere; BPF objects and their
# skeletons are the same for both.
BUILD := build
OBJ   := $(BUILD)

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-print-directory

all: ## Build the programs (the default)

# ---- Sources -------------------------------------------------------------------------------

BPF_SRC   := $(wildcard bpf/*.bpf.c)
USER_SRC  := $(filter-out user/sentroidd.c,$(wildcard user/*.c))
AGENT_SRC := $(wildcard user/sentroidd.c)
TOOLS_SRC := $(wildcard tools/*.c)
UNIT_SRC  := $(wildcard tests/unit/*.c)
BPFT_SRC  := $(wildcard tests/bpf/*.c)
NET_SRC   := $(wildcard tests/net/*.c)
PATH_SRC  := $(wildcard tests/native/*.c)
BENCH_SRC := $(wildcard tests/bench/*.c)
FUZZ_SRC  := $(wildcard tests/fuzz/*.c)
GOLD_SRC  := $(wildcard tests/golden/*.c)

objects    = $(patsubst %.c,$(OBJ)/%.o,$(1))
tests_in   = $(patsubst %.c,$(OBJ)/%,$(filter tests/$(1)/test_%,$(2)))
helpers_in = $(call objects,$(filter-out tests/$(1)/test_%,$(2)))

BPF_OBJ    := $(BPF_SRC:bpf/%.bpf.c=$(BUILD)/%.bpf.o)
SKELETONS  := $(BPF_OBJ:.bpf.o=.skel.h)
LIB        := $(OBJ)/libsentroid.a
PROGRAMS   := $(if $(TOOLS_SRC),$(OBJ)/sentroid) $(if $(AGENT_SRC),$(OBJ)/sentroidd)
UNIT_TESTS := $(call tests_in,unit,$(UNIT_SRC))
BPF_TESTS  := $(call tests_in,bpf,$(BPFT_SRC))
NET_TOOLS  := $(NET_SRC:%.c=$(OBJ)/%)
BENCHES    := $(BENCH_SRC:%.c=$(OBJ)/%)
FUZZ_SEEDS := $(OBJ)/tests/fuzz/seeds
TRAFFIC    := $(OBJ)/tests/golden/traffic
FUZZERS    := $(addprefix $(OBJ)/tests/fuzz/fuzz_,path model capture)
NATIVE_OBJ := $(call objects,$(USER_SRC) $(AGENT_SRC) $(TOOLS_SRC) $(UNIT_SRC) $(BPFT_SRC) \
	      $(NET_SRC) $(PATH_SRC) $(FUZZ_SRC) $(BENCH_SRC) $(GOLD_SRC))

# ---- Flags ---------------------------------------------------------------------------------

INCLUDES := -Iinclude -Iuser -I$(BUILD) -I. -Ibpf -Itests/native
DEFINES  := -D_GNU_SOURCE -DSENTROID_VERSION=\"$(VERSION)\" -DSENTROID_DATADIR=\"$(DATADIR)\"
WARNINGS := -Wall -Wextra -Werror -Wmissing-prototypes -Wshadow
# Some distributions predefine _FORTIFY_SOURCE, with another value.
HARDEN   := -fPIE -fstack-protector-strong -fstack-clash-protection \
	    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
SANITIZE :=

ALL_CFLAGS  = -std=gnu11 -O2 -g -fno-omit-frame-pointer $(WARNINGS) $(HARDEN) $(DEFINES) \
	      $(INCLUDES) $(PKG_CFLAGS) $(SANITIZE) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE) $(LDFLAGS)
ALL_LIBS    = $(PKG_LIBS) -lm

BPF_ARCH   := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(shell uname -m)))
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -Wall -Wextra -Werror \
	      -I. -Iinclude -Ibpf

# ---- Tools and libraries -------------------------------------------------------------------

# These are looked up once, when the first recipe needs them, so that "make help", "make deps" and
# "make clean" work on a bare machine. bpftool is outside of an ordinary user's PATH on Debian; on
# Ubuntu the one in PATH refuses any kernel but the one it was packaged with.
lazily = $(eval $(1) := $(2))$($(1))

BPFTOOL   ?= $(call lazily,BPFTOOL,$(shell PATH="$$PATH:/usr/sbin:/sbin"; \
	     for t in bpftool /usr/lib/linux-tools/*/bpftool; do \
	     "$$t" version >/dev/null 2>&1 && { command -v "$$t"; break; }; done))
PKG_CFLAGS = $(call lazily,PKG_CFLAGS,$(have_all)$(shell pkg-config --cflags $(PKGS)))
PKG_LIBS   = $(call lazily,PKG_LIBS,$(shell pkg-config --libs $(filter-out cmocka,$(PKGS))))
STRIP_BPF  = $(call lazily,STRIP_BPF,$(or $(shell command -v $(LLVM_STRIP) 2>/dev/null),true))

lacking  = $(strip $(foreach t,$(firstword $(CC)) $(firstword $(CLANG)) pkg-config, \
	   $(if $(shell command -v $(t) 2>/dev/null),,$(t))) $(if $(BPFTOOL),,bpftool) \
	   $(shell for p in $(PKGS); do pkg-config --exists $$p 2>/dev/null || echo $$p; done))
have_all = $(call lazily,have_all,$(call complain,$(lacking)))
complain = $(if $(1),$(error missing: $(1): run 'make deps'))

ifeq ($(V),1)
Q   :=
say :=
else
Q   := @
say  = @printf '  %-5s%s\n' $(1) $(patsubst $(BUILD)/%,%,$(2))
endif

# ---- Programs ------------------------------------------------------------------------------

all: $(BPF_OBJ) $(SKELETONS) $(LIB) $(PROGRAMS)

tests: $(UNIT_TESTS) $(BPF_TESTS) $(NET_TOOLS) $(FUZZ_SEEDS) $(TRAFFIC) ## Build the test programs

$(BPF_OBJ): $(BUILD)/%.bpf.o: bpf/%.bpf.c $(BUILD)/bpf.flags
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@
	$(Q)$(STRIP_BPF) -g $@ # DWARF goes, BTF stays

# What clang-tidy finds in generated code is not ours to fix.
$(SKELETONS): %.skel.h: %.bpf.o
	$(call say,SKEL,$@)
	$(Q){ echo '/* NOLINTBEGIN */' && $(BPFTOOL) gen skeleton $< name $(notdir $*) && \
		echo '/* NOLINTEND */'; } > $@

# Which skeletons a file includes is known only after its first compilation.
$(NATIVE_OBJ): $(OBJ)/%.o: %.c $(OBJ)/native.flags | $(SKELETONS)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# The packet path built natively: its own stand-ins for the headers of BPF programs come first, and it
# reads frames and keys as words, wherever they lie, as the kernel does.
$(call objects,$(PATH_SRC)): INCLUDES := -Itests/native/shim $(INCLUDES)
$(call objects,$(PATH_SRC)): ALL_CFLAGS += -fno-strict-aliasing -fno-sanitize=alignment

$(LIB): $(call objects,$(USER_SRC)) | $(OBJ)/native.flags
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

$(OBJ)/sentroid: $(call objects,$(TOOLS_SRC))
$(OBJ)/sentroidd: $(call objects,$(AGENT_SRC))
$(UNIT_TESTS): $(call helpers_in,unit,$(filter-out tests/unit/crash_%,$(UNIT_SRC)))
$(BPF_TESTS): $(call helpers_in,bpf,$(filter-out tests/bpf/duel.c,$(BPFT_SRC)))
$(OBJ)/tests/bpf/test_native $(OBJ)/tests/bpf/test_native_captures: $(call objects,tests/bpf/duel.c $(PATH_SRC))
$(UNIT_TESTS) $(BPF_TESTS) $(NET_TOOLS) $(BENCHES): %: %.o
$(UNIT_TESTS) $(BPF_TESTS): ALL_LIBS += -lcmocka
# Ends at each step that leaves a trace on disk, one after the other.
$(OBJ)/tests/unit/test_crash: $(call objects,tests/unit/crash_steps.c)
$(OBJ)/tests/unit/test_crash: ALL_LDFLAGS += $(foreach f,open write fsync rename link unlink unlinkat \
	truncate,-Wl,--wrap=$(f))
# Time goes by as these say.
$(OBJ)/tests/unit/test_http $(OBJ)/tests/unit/test_alert_times: ALL_LDFLAGS += -Wl,--wrap=clock_gettime

$(FUZZ_SEEDS): $(call objects,tests/fuzz/seeds.c tests/bpf/fixtures.c tests/bpf/packet.c tests/unit/pcapng_kit.c)

$(TRAFFIC): $(call objects,$(GOLD_SRC) tests/bpf/packet.c tests/bpf/random.c)

$(OBJ)/sentroid $(OBJ)/sentroidd $(UNIT_TESTS) $(BPF_TESTS) $(NET_TOOLS) $(BENCHES) $(FUZZ_SEEDS) $(TRAFFIC): $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(ALL_LIBS)

$(OBJ)/tests/fuzz/fuzz_path: $(call objects,tests/fuzz/fuzz_path.c tests/fuzz/plain.c $(PATH_SRC) \
	tests/bpf/modelkit.c tests/bpf/random.c)
$(OBJ)/tests/fuzz/fuzz_model: $(call objects,tests/fuzz/fuzz_model.c $(addprefix user/,cancel.c fsutil.c \
	json_reader.c model.c model_json.c model_print.c why.c))
$(OBJ)/tests/fuzz/fuzz_capture: $(call objects,tests/fuzz/fuzz_capture.c tests/bpf/by_libpcap.c \
	$(addprefix user/,capture.c capture_oddities.c classic.c link.c pcapng.c stream.c why.c))
$(FUZZERS):
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(ALL_LIBS)

# Rewritten only when the flags change, which then rebuilds what was compiled with the old ones.
flags_file = @mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' > $@

$(OBJ)/native.flags: FORCE
	$(call flags_file,$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS))

$(BUILD)/bpf.flags: FORCE
	$(have_all)$(call flags_file,$(CLANG) $(BPF_CFLAGS))

-include $(BPF_OBJ:.o=.d) $(NATIVE_OBJ:.o=.d)

# ---- What to do with them ------------------------------------------------------------------

# A separate make for each step: the first may install what the second looks up. Without root the
# tests that need more than the build are skipped anyway; without apt the user knows better.
is_root     := $(filter 0,$(shell id -u))
ensure_deps  = @! command -v apt-get >/dev/null || tools/deps.sh $(1)

deps: ## Install what is missing to build and test (Debian, Ubuntu; as root)
	$(Q)tools/deps.sh

demo: ## Show it at work on a network in namespaces (as root)
	$(call ensure_deps)
	$(Q)$(MAKE) all
	$(Q)tools/demo.sh

check: ## Run the tests (as root: all of them)
	$(call ensure_deps,$(if $(is_root),,build))
	$(Q)$(MAKE) all tests fuzzers
	$(Q)tests/run.sh

check-vm: ## Boot other kernels in a VM and run Sentroid there; what is missing is skipped
	$(call ensure_deps,$(if $(is_root),,build))
	$(Q)$(MAKE) all tests
	$(Q)rm -f $(BUILD)/vm/figures
	$(Q)tests/run.sh vm
	$(Q)test ! -e $(BUILD)/vm/figures || cat $(BUILD)/vm/figures

report: all ## Rebuild docs/figures.md and build/report.html from the captures in ../shared/data (as root)
	$(Q)tools/report.sh

bench: all $(NET_TOOLS) ## Measure what a packet and the agent cost (as root)
	$(Q)$(OBJ)/sentroid bench
	$(Q)tools/bench_agent.sh

bench-train: $(BENCHES) ## Measure what training costs, beside scikit-learn where it is
	$(Q)tools/bench_train.sh

asan: $(SKELETONS) ## Run the unit tests under the address and undefined behaviour sanitizers
	$(Q)$(MAKE) OBJ=$(BUILD)/asan HARDEN=-fPIE \
		SANITIZE='-O1 -Wno-error -fsanitize=address,undefined -fno-sanitize-recover=all' \
		unit-tests
	$(Q)BUILD_DIR=$(BUILD)/asan tests/run.sh unit

unit-tests: $(UNIT_TESTS)

FUZZ_RUNS ?= 200000

fuzz: tests fuzzers ## Fuzz the packet path and the readers of models and captures, FUZZ_RUNS inputs each
	$(Q)FUZZ_RUNS=$(FUZZ_RUNS) tests/fuzz/test_fuzz.sh

# Where clang comes without the run-time library of its fuzzer, there is nothing to build.
FUZZ_FLAGS := -Wno-error -fno-sanitize-recover=all -fsanitize=address,undefined,fuzzer-no-link
fuzzers:
	$(Q)if echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | \
		$(CLANG) -fsanitize=fuzzer,address -x c -o /dev/null - 2>/dev/null; then \
		$(MAKE) OBJ=$(BUILD)/fuzz CC=$(CLANG) HARDEN=-fPIE SANITIZE='$(FUZZ_FLAGS)' \
			fuzz-programs; \
	fi

fuzz-programs: $(FUZZERS)

C_FILES    := $(wildcard $(addsuffix /*.[ch],bpf include/sentroid user tools tests/unit tests/bpf tests/net \
	      tests/native tests/native/shim tests/native/shim/bpf tests/fuzz tests/bench tests/golden))
TIDY_FILES := $(USER_SRC) $(AGENT_SRC) $(TOOLS_SRC)
SCRIPTS    := $(wildcard .ci/run tools/*.sh tests/*.sh tests/*/*.sh)

lint: $(SKELETONS) ## Check format and look for bugs (clang-format, cppcheck, clang-tidy, shellcheck)
	$(call ensure_deps,lint)
	$(Q)clang-format --dry-run -Werror $(C_FILES)
	$(Q)cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability \
		--inline-suppr --suppress=missingIncludeSystem --std=c11 $(DEFINES) --library=tools/cppcheck.cfg -Iinclude -Iuser \
		$(wildcard user tools include)
	$(Q)$(if $(TIDY_FILES),clang-tidy --quiet $(TIDY_FILES) -- $(ALL_CFLAGS))
	$(Q)shellcheck $(SCRIPTS)

fmt: ## Format the sources in place
	$(Q)clang-format -i $(C_FILES)

# The unit starts what is installed; an existing configuration stays.
keep_or_install = test -e $(2) || install -D -m 644 $(1) $(2)

install: all ## Install to $(DESTDIR)$(PREFIX)
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(OBJ)/sentroid
	install -D -m 755 -t $(DESTDIR)$(SBINDIR) $(OBJ)/sentroidd
	install -d $(DESTDIR)$(DATADIR) $(DESTDIR)$(UNITDIR)
	install -m 644 -t $(DESTDIR)$(DATADIR) models/*.json packaging/prometheus.rules.yml
	sed 's|@SBINDIR@|$(SBINDIR)|' packaging/sentroidd.service \
		> $(DESTDIR)$(UNITDIR)/sentroidd.service
	$(call keep_or_install,packaging/sentroid.conf,$(DESTDIR)$(SYSCONFDIR)/sentroid/sentroid.conf)
	$(call keep_or_install,packaging/logrotate,$(DESTDIR)$(SYSCONFDIR)/logrotate.d/sentroid)

clean: ## Remove build/
	$(Q)rm -rf $(BUILD)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

FORCE:

.PHONY: all tests deps demo check check-vm report bench bench-train asan unit-tests fuzz fuzzers fuzz-programs lint fmt install clean help FORCE
