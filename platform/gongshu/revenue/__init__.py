"""Usage, prices under ceilings, invoices, splits: from the log to the yuan.

It decides what is owed and whose it is, as a pure function of log, price book and agreements; it must
never round twice, charge above a ceiling, bill an entry twice, or edit what was closed. Others use what
is named here.
"""

from gongshu.revenue.books import NewPrice, all_books, present_book, publish_book, published
from gongshu.revenue.capital import capital_yuan
from gongshu.revenue.ceilings import NewCeiling, ceiling_at, ceilings, set_ceiling
from gongshu.revenue.closing import Closing, close_period, prepare
from gongshu.revenue.estimate import PriceSoFar, describe_price, sandbox_prices, unit_yuan
from gongshu.revenue.journal import to_beancount
from gongshu.revenue.price import Book, Kind, Meter, Price, Tier
from gongshu.revenue.reading import UsageReader, reader_for
from gongshu.revenue.run import Invoice, InvoiceLine, Run
from gongshu.revenue.usage import UsageLine, month_of
from gongshu.revenue.view import (
    Earning,
    allocations_of,
    balances,
    earnings_for,
    entries_behind,
    invoice_for,
    invoice_value,
    invoices_for,
    lines_of,
    recompute,
    runs,
    sees_all_money,
    usage_for,
)

__all__ = [
    "Book",
    "Closing",
    "Earning",
    "Invoice",
    "InvoiceLine",
    "Kind",
    "Meter",
    "NewCeiling",
    "NewPrice",
    "Price",
    "PriceSoFar",
    "Run",
    "Tier",
    "UsageLine",
    "UsageReader",
    "all_books",
    "allocations_of",
    "balances",
    "capital_yuan",
    "ceiling_at",
    "ceilings",
    "close_period",
    "describe_price",
    "earnings_for",
    "entries_behind",
    "invoice_for",
    "invoice_value",
    "invoices_for",
    "lines_of",
    "month_of",
    "prepare",
    "present_book",
    "publish_book",
    "published",
    "reader_for",
    "recompute",
    "runs",
    "sandbox_prices",
    "sees_all_money",
    "set_ceiling",
    "to_beancount",
    "unit_yuan",
    "usage_for",
]
