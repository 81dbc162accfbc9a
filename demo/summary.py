"""The last words of `make demo`: what the journey left in the log, the money, the addresses, the accounts."""

from __future__ import annotations

from typing import Any

from gongshu.money import format_yuan


def print_summary(facts: dict[str, Any]) -> None:
    print("\nThe journey 全程")
    for step in facts["steps"]:
        place = "" if step["log_index"] is None else f"log index {step['log_index']}"
        print(f"  {step['step']:<14}\t{place:<14}\t{step['said']}")
    for invoice in facts["invoices"]:
        print(f"\n  Invoice {invoice['no']} 结算单 → {invoice['payer']}: {format_yuan(int(invoice['fen']))} 元 yuan")
        for share in _split(invoice):
            print(f"    {share}")
    print(f"\n  {facts['steps'][-1]['said']}")


def _split(invoice: dict[str, Any]) -> list[str]:
    """One line for each party of the split, as the invoice's document says."""
    found = invoice.get("split") or invoice.get("allocations") or []
    items = found.items() if isinstance(found, dict) else ((one.get("party"), one) for one in found)
    lines = []
    for party, value in items:
        fen = value if isinstance(value, int) else int(value.get("fen", 0))
        accounted = " (accounted contribution 核算贡献)" if isinstance(value, dict) and value.get("accounted") else ""
        lines.append(f"{party}: {format_yuan(fen)} 元{accounted}")
    return lines


def print_accounts(hub: str, portal: str, world: dict[str, Any], seconds: float) -> None:
    print(f"\nReady after {seconds:.0f} s. It stays up until `make stop`.")
    print(f"  Portal 门户   {portal}\n  Sandboxes 沙箱 {hub}")
    print("  Accounts 账户 (demo data; also in .run/demo.json)")
    for person in world["people"]:
        roles = " ".join(f"{role}@{place}" for role, place in person["appointments"])
        print(f"    {person['name']:<6} {person['password']:<14} {person['display_zh']}  {roles}")
    print("  Try 试一试: .venv/bin/gongshu sandbox run --as chen --scenario tourism-flow demo/cells/flow.py")
