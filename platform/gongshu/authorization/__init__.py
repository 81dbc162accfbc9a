"""Scenarios, agreements, grants, term and revocation: who may use which columns of what, and until when.

It decides what was asked, agreed, authorised and signed, and compiles it; whether a statement may run
is asked of the policy at every statement. It must never let one person or organisation hold two duties
in one case. Others use what is named here.
"""

from gongshu.authorization.grants import Grant, grants_in_force, grants_on_dataset, is_frozen, scenarios_of_analyst

__all__ = ["Grant", "grants_in_force", "grants_on_dataset", "is_frozen", "scenarios_of_analyst"]
