# Everything these targets make lies in .build/; `make clean` removes it.
#
#   make demo              Odoo with a demo company on http://127.0.0.1:8069 until Ctrl-C
#   make demo SERVE=0      the same without the server
#   make test              all tests
#   make test T=…          a path below tests/, an add-on's test file, or an Odoo test tag
#   make bench             what ours costs beside core's: 2 000 customers, 20 000 invoices, 4 000 open orders
#   make bench SIZE=large  20 000 / 300 000 / 30 000, or SIZE=customers/invoices/orders; RUNS=5
#   make bench STRICT=1    a missed target is an error; CASES="search confirm" measures only those
#   make lint              ruff and pylint-odoo
#   make i18n              export the terms, bring zh_CN.po up to date (CHECK=1: only compare)
#   make screenshots       take the screenshots in docs/ anew
#
# ODOO_SRC=… uses an Odoo 19 that is already there, the PG* variables a PostgreSQL.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
GROUND := $(PYTHON) -m tools.ground
export PYTHONPYCACHEPREFIX := $(CURDIR)/.build/pycache

.PHONY: demo test bench lint i18n screenshots clean

demo:
	@$(GROUND) demo $(if $(filter 0,$(SERVE)),--no-serve)

test:
	@$(GROUND) test $(if $(T),'$(T)')

bench:
	@$(GROUND) bench $(if $(SIZE),--size '$(SIZE)') $(if $(RUNS),--runs '$(RUNS)') \
	  $(if $(DB),--database '$(DB)') $(if $(filter 1,$(STRICT)),--strict) $(CASES)

lint:
	@$(GROUND) lint

i18n:
	@$(GROUND) i18n $(if $(CHECK),--check)

screenshots:
	@$(GROUND) screenshots

# Without the cache folder, so that nothing is made again while it is removed.
clean:
	@PYTHONDONTWRITEBYTECODE=1 $(GROUND) clean
