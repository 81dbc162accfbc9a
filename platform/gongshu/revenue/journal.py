"""The double-entry journal of an invoice: what the operator owes, and whose it is.

Every transaction sums to zero (the database checks it). A provider's accounted contribution lies in the
treasury's keeping under the provider's name; it is not a payout (document 13 §3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gongshu.revenue.models import Posting
from gongshu.revenue.run import Allocation, Invoice


def postings(invoice: Invoice, entry_id: str) -> Iterator[Posting]:
    """One transaction per invoice line: the receivable against everybody's part. Lines of zero post nothing."""
    for line in invoice.lines:
        if line.fen == 0:
            continue
        transaction = f"{invoice.number}/{line.number}"
        yield Posting(transaction=transaction, account=f"receivable:{invoice.payer}", fen=line.fen, entry_id=entry_id)
        for part in line.allocations:
            if part.fen:
                yield Posting(transaction=transaction, account=account_of(part), fen=-part.fen, entry_id=entry_id)


def account_of(part: Allocation) -> str:
    """Where a party's part lies."""
    if part.accounted:
        return f"treasury:contribution:{part.party}:{part.dataset}"
    return f"income:{part.party}" if part.party == "platform" else f"payable:{part.party}"


def to_beancount(invoice: Mapping[str, Any], day: str) -> Iterator[str]:
    """An issued invoice (its JSON) as Beancount text, for the books of others. day: ``2026-11-30``."""
    for line in invoice["lines"]:
        if line["fen"]:
            yield f'{day} * "{invoice["invoice"]}" "{line["scenario"]} {line["price"]}"'
            yield f"  Assets:Receivable:{_name(invoice['payer'])}  {_yuan(line['fen'])} CNY"
            for part in line["allocations"]:
                if part["fen"]:
                    yield f"  {_beancount_account(Allocation(**part))}  {_yuan(-part['fen'])} CNY"
            yield ""


def _beancount_account(part: Allocation) -> str:
    if part.accounted:
        return f"Liabilities:Treasury:Contribution:{_name(part.party)}:{_name(part.dataset)}"
    return f"Income:{_name(part.party)}" if part.party == "platform" else f"Liabilities:{_name(part.party)}"


def _name(code: str) -> str:
    return "-".join(word.capitalize() for word in code.replace(".", "-").replace("_", "-").split("-"))


def _yuan(fen: int) -> str:
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"
