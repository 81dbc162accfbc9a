"""Gongshu (公数): licensed analysis of public data that everyone else can check.

The rooms, from the ground up: settings, database, clock, errors, money; audit and policy; identity;
catalogue; authorization; revenue; release; gateway; compliance; portal and cli. A lower room never
imports a higher one (checked by import-linter, see pyproject.toml at the root).
"""
