# Everything runs from .venv, which is made from the hashed lock files. Only python3.11 and make are needed.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export PYTHONUNBUFFERED := 1
# What is compiled is kept: the tests start the same modules many times.
export PYTHONDONTWRITEBYTECODE :=
NO_PACKAGES := echo "The packages could not be installed; without the internet, give pip and uv a folder of wheels: PIP_FIND_LINKS and UV_FIND_LINKS with PIP_NO_INDEX=1 and UV_NO_INDEX=1."; exit 1

.DEFAULT_GOAL := help
.PHONY: help demo test alone check chaos disks soak fuzz bench gate lock format styles messages secrets clean

help: ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(BIN)/uv: requirements/uv.lock
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: no $(PYTHON) on the PATH. Name another with make PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "No virtual environment could be made: Python's venv module is needed (python3.11-venv on Debian)."; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock || { $(NO_PACKAGES); }
	@touch $@

$(VENV)/.runtime: $(BIN)/uv requirements/runtime.lock
	@echo "Installing the product's packages (locked, hashed)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/runtime.lock || { $(NO_PACKAGES); }
	@touch $@

$(VENV)/.develop: $(BIN)/uv requirements/develop.lock
	@echo "Installing the packages for checks and tests (locked, hashed)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/develop.lock || { $(NO_PACKAGES); }
	@touch $@ $(VENV)/.runtime

demo: $(VENV)/.runtime ## Start everything with sample data: make demo [PORT=8000] [DATA=.data]
	@exec $(BIN)/python manage.py demo --port "$(or $(PORT),8000)" --data "$(or $(DATA),.data)"

test: $(VENV)/.develop ## The suite against its own throw-away PostgreSQL, Valkey, simulator and Chromium
	@$(BIN)/python -m tests.needs
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not alone" $(ARGS)

check: $(VENV)/.develop ## Format, lint, types, rooms, templates, migrations, styles
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/mypy .
	@$(BIN)/djhtml --check --tabwidth 2 templates
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/python -m tests.pages.trim --check

alone: $(VENV)/.develop ## The tests that measure a pace or kill at the busiest moment, with nothing beside them
	@$(BIN)/python -m pytest -q -m alone $(ARGS)

chaos: $(VENV)/.develop ## Faults one after the other on a running campaign, judged by the simulator's ledger
	@$(BIN)/python -m pytest tests/chaos -q -s --ignore=tests/chaos/test_disk.py $(ARGS)

disks: $(VENV)/.develop ## Disks that fill up while sending; takes the right to mount one
	@$(BIN)/python -m pytest tests/chaos/test_disk.py -q -s $(ARGS)

soak: $(VENV)/.develop ## The same for hours: a million messages
	@$(BIN)/python -m pytest tests/chaos/test_campaign.py -q -s --soak --timeout=0 $(ARGS)

fuzz: $(VENV)/.develop ## Coverage-guided fuzzing of what reads a peer's octets: make fuzz [SECONDS=300]
	@mkdir -p .data/corpus
	@$(BIN)/python -m tests.fuzz.decoder .data/corpus -max_total_time=$(or $(SECONDS),300)

bench: $(VENV)/.develop ## Ratios, medians of three, in one run
	@$(BIN)/python -m tests.bench

gate: $(VENV)/.develop ## Durable submit must reach 5,000 segments/s: the best of three short rounds
	@$(BIN)/python -m tests.bench --gate

format: $(VENV)/.develop ## Format code and templates
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/djhtml --tabwidth 2 templates

styles: $(VENV)/.develop ## Keep of Tabler's stylesheet what the pages use, in message_center/static/mc/tabler.css
	@$(BIN)/python -m tests.pages.trim

messages: $(VENV)/.runtime ## Texts to translate, into message_center/locale: make messages [LOCALE=uz]
	@command -v xgettext >/dev/null || { echo "xgettext is needed: install the package gettext."; exit 1; }
	@$(BIN)/python manage.py makemessages $(if $(LOCALE),--locale "$(LOCALE)",--all) --keep-pot --no-wrap --add-location file --ignore tests

secrets: $(VENV)/.runtime ## Make the secrets that docker-compose.yml names, in secrets/
	@$(BIN)/python -m message_center.stack.compose_secrets secrets

lock: $(BIN)/uv ## Resolve the requirements anew
	@cd requirements && for f in uv runtime develop; do ../$(BIN)/uv pip compile --quiet --python-version 3.11 --universal $$f.in -o $$f.lock --generate-hashes --no-emit-index-url --no-header; done

clean: ## Remove the environment and the demo's data
	rm -rf $(VENV) .data
