# Everything these targets make lies in .build/; `make clean` removes it.
#
#   make demo              Odoo with a demo company on http://127.0.0.1:8069 until Ctrl-C
#   make demo SERVE=0      the same without the server
#   make test              all tests
#   make test T=…          a path below tests/, an add-on's test file, or an Odoo test tag
#   make lint              ruff and pylint-odoo
#   make i18n              export the terms, bring zh_CN.po up to date (CHECK=1: only compare)
#   make screenshots       take the screenshots in docs/ anew
#
# ODOO_SRC=… uses an Odoo 19 that is already there, the PG* variables a PostgreSQL.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
GROUND := $(PYTHON) -m tools.ground
export PYTHONPYCACHEPREFIX := $(CURDIR)/.build/pycache

.PHONY: demo test lint i18n screenshots clean

demo:
	@$(GROUND) demo $(if $(filter 0,$(SERVE)),--no-serve)

test:
	@$(GROUND) test $(if $(T),'$(T)')

lint:
	@$(GROUND) lint

i18n:
	@$(GROUND) i18n $(if $(CHECK),--check)

screenshots:
	@$(GROUND) screenshots

# Without the cache folder, so that nothing is made again while it is removed.
clean:
	@PYTHONDONTWRITEBYTECODE=1 $(GROUND) clean
