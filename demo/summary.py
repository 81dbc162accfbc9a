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
    """One line for each line of the invoice, and one for each party of its split."""
    lines = []
    for line in invoice["lines"]:
        lines.append(f"{line['price']}: {line['quantity']:,} → {format_yuan(int(line['fen']))} 元")
        if line["shadow_fen"]:
            lines[-1] += f" (zero-rated 零收费; shadow 影子价 {format_yuan(int(line['shadow_fen']))} 元)"
        for share in line["allocations"]:
            if share["fen"]:
                whose = f" · {share['dataset']} (accounted contribution 核算贡献)" if share["accounted"] else ""
                lines.append(f"    {share['party']:<10} {format_yuan(int(share['fen'])):>10} 元{whose}")
    return lines


def print_accounts(hub: str, portal: str, world: dict[str, Any], seconds: float) -> None:
    print(f"\nReady after {seconds:.0f} s. It stays up until `make stop`.")
    print(f"  Portal 门户   {portal}\n  Sandboxes 沙箱 {hub}")
    print("  Accounts 账户 (demo data; also in .run/demo.json)")
    for person in world["people"]:
        roles = " ".join(f"{role}@{place}" for role, place in person["appointments"])
        print(f"    {person['name']:<6} {person['password']:<14} {person['display_zh']}  {roles}")
    print("  Try 试一试: .venv/bin/gongshu sandbox run --as chen --scenario tourism-flow demo/cells/flow.py")
