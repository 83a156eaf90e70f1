# SPDX-License-Identifier: MIT
# A newcomer needs two commands: `make run` and `make test`.  `make` alone lists them all.

# An interpreter to use instead of the first suitable one on the path.
PYTHON ?=
# Options for the program that is started: make run ARGS="--port 4000"
ARGS ?=
# Tests to run, and how many processes run them: make test TESTS=tests.test_text JOBS=1
TESTS ?= tests
JOBS ?= 2
# Programs that tests start, and the Debian package of each, as command:package.
TEST_PROGRAMS ?= redis-server:redis-server chromium:chromium nginx:nginx-light caddy:caddy faketime:faketime \
	npm:npm curl:curl jq:jq

# The browser, and fonts for what people write in the chats.
PICTURE_PROGRAMS ?= chromium:chromium fonts-noto-color-emoji fonts-noto-cjk

VENV := .venv
LOWEST := .venv-lowest
BIN := $(VENV)/bin
CHECKED := livechat tests tools $(wildcard benchmarks)
INSTALL := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run demo test test-lowest check layout lint types walls format bench campaign pictures proto build site \
	release news contract clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.* ## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

run: $(VENV)/installed ## install and start the daemon on port 3000
	$(BIN)/twistd --nodaemon --pidfile= livechat $(ARGS)

demo: $(VENV)/installed ## the same against a built-in simulator; needs no network
	$(BIN)/twistd --nodaemon --pidfile= livechat --demo $(ARGS)

test: $(VENV)/installed-dev ## install what tests need and run all tests
	@tools/install-debian $(TEST_PROGRAMS)
	@$(BIN)/python tools/run_tests.py -j$(JOBS) $(TESTS)

# What starts browsers, whole daemons or builds is tested with the exact versions only.
LOWEST_SKIPPED := acceptance% architecture attacks browser% campaign client clock cluster% contract_tools \
	emotes_daemon example% fairness filter_acceptance fourth% install logs packaging redis_faults release \
	site sse_acceptance starting terminal tiktok_acceptance tools waiting_daemon workers_daemon wrong_starts \
	youtube_acceptance
LOWEST_TESTS ?= $(addprefix tests.test_,$(filter-out $(LOWEST_SKIPPED), \
	$(patsubst tests/test_%.py,%,$(wildcard tests/test_*.py))))

test-lowest: $(LOWEST)/installed ## run most tests with the lowest versions that pyproject.toml allows
	@tools/install-debian $(TEST_PROGRAMS)
	@$(LOWEST)/bin/python tools/run_tests.py -j$(JOBS) $(LOWEST_TESTS)

check: layout lint types walls ## check layout, style, types and import walls

layout: $(VENV)/installed-dev
	$(BIN)/ruff format --check .

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .

types: $(VENV)/installed-dev
	$(BIN)/mypy $(CHECKED)

walls: $(VENV)/installed-dev
	$(BIN)/lint-imports --no-logo

format: $(VENV)/installed-dev ## lay the code out as `make check` wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed-dev ## measure
	$(BIN)/python -m benchmarks $(ARGS)

campaign: $(VENV)/installed-dev ## attack a daemon in every way we know, with a witness who must lose nothing
	@tools/install-debian $(TEST_PROGRAMS)
	$(BIN)/python -m benchmarks.campaign $(ARGS)

# A release of grpcio-tools brings its own protoc; the code it makes runs with protobuf >= 6.30.
PROTO := livechat/platforms/tiktok/webcast
proto: $(PROTO).proto $(VENV)/made ## rebuild the Python module of TikTok's messages
	$(BIN)/python -m venv build/proto
	build/proto/bin/python -m pip install --quiet 'grpcio-tools==1.72.1'
	build/proto/bin/python -m grpc_tools.protoc -I . --python_out=. --pyi_out=. $<
	sed -i '1i # SPDX-License-Identifier: MIT' $(PROTO)_pb2.py
	sed -i '1i # SPDX-License-Identifier: MIT\n# mypy: disable-error-code="type-arg"' $(PROTO)_pb2.pyi

site: $(VENV)/installed-dev ## build the documentation as a site into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

pictures: $(VENV)/installed-dev ## take the pictures of docs/pictures anew, from a demonstration
	@tools/install-debian $(PICTURE_PROGRAMS) prometheus:prometheus redis-server:redis-server
	$(BIN)/python tools/take_pictures.py
	$(BIN)/python tools/draw_dashboard.py

build: $(VENV)/installed-dev ## build the wheel and the source archive into dist/
	$(BIN)/python -m build --no-isolation

release: $(VENV)/installed-dev ## gather the news, commit, tag and build: make release VERSION=1.2.3
	$(BIN)/python tools/release.py $(VERSION)

contract: $(VENV)/installed-dev ## write the contract files and the tables of docs/protocol.md
	$(BIN)/python tools/write_contract.py

news: $(VENV)/installed-dev ## show what the next release's changelog will say
	@$(BIN)/towncrier build --draft

clean: ## remove everything that these commands made
	rm -rf tests/javascript/node_modules tests/javascript/.installing
	rm -rf $(VENV) $(LOWEST) dist build _trial_temp* .coverage* .hypothesis
	rm -rf .mypy_cache .ruff_cache .import_linter_cache twisted/plugins/dropin.cache
	find livechat tests tools twisted $(wildcard benchmarks) -name __pycache__ -prune -exec rm -rf {} +

$(LOWEST)/installed: pyproject.toml constraints-lowest.txt
	@tools/make-venv $(LOWEST) $(PYTHON)
	@echo 'Installing livechat and the lowest versions of what it needs into $(LOWEST)'
	@PIP_CONSTRAINT=constraints-lowest.txt PIP_DISABLE_PIP_VERSION_CHECK=1 \
		$(LOWEST)/bin/python -m pip install --quiet --editable '.[test]'
	@touch $@

# An environment does not survive being moved or copied: it knows where it was made.
ifneq ($(shell cat $(VENV)/made 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/made
endif

$(VENV)/made:
	@tools/make-venv $(VENV) $(PYTHON)
	@echo '$(CURDIR)' > $@

$(VENV)/installed: $(VENV)/made pyproject.toml constraints.txt
	@echo 'Installing livechat and what it needs into $(VENV)'
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/made pyproject.toml constraints.txt
	@echo 'Installing livechat and what its tests and checks need into $(VENV)'
	@$(INSTALL) --editable '.[dev]'
	@touch $(VENV)/installed $@
