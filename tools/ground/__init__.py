"""Bring up Odoo 19, its database and its tests on a machine that has only Python 3.11."""
