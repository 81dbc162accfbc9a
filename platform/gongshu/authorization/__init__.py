"""Scenarios, agreements, grants, term and revocation: who may use which columns of what, and until when.

It decides what was asked, agreed, authorised and signed, and compiles it; whether a statement may run
is asked of the policy at every statement. It must never let one person or organisation hold two duties
in one case. Others use what is named here.
"""

from gongshu.authorization.agreements import agreement_by_id, agreements_of, facts_of_agreement, find_agreement
from gongshu.authorization.application import Attachment, DatasetRequest, NewScenario, Quota, Verdicts
from gongshu.authorization.applying import draft_scenario, submit_scenario, withdraw_scenario
from gongshu.authorization.approvals import decide_request, find_request, requests_for, require_can_decide
from gongshu.authorization.documents import (
    KIND_WORDS,
    attach_file,
    attach_text,
    document_content,
    documents_of,
    missing_documents,
    require_can_attach,
)
from gongshu.authorization.drafting import authorise_scenario, draft_agreement
from gongshu.authorization.freezes import freeze_organisation, open_freeze, unfreeze_organisation
from gongshu.authorization.grants import Grant, grants_in_force, grants_on_dataset, is_frozen, scenarios_of_analyst
from gongshu.authorization.scenarios import (
    facts_of,
    find_scenario,
    own_scenario,
    request_facts,
    visible_scenarios,
)
from gongshu.authorization.signing import can_sign, revoke_agreement, sign_agreement
from gongshu.authorization.spawning import decide_spawn, may_stay, sandbox_facts
from gongshu.authorization.states import STATE_WORDS, ScenarioState, can_move

__all__ = [
    "KIND_WORDS",
    "STATE_WORDS",
    "Attachment",
    "DatasetRequest",
    "Grant",
    "NewScenario",
    "Quota",
    "ScenarioState",
    "Verdicts",
    "agreement_by_id",
    "agreements_of",
    "attach_file",
    "attach_text",
    "authorise_scenario",
    "can_move",
    "can_sign",
    "decide_request",
    "decide_spawn",
    "document_content",
    "documents_of",
    "draft_agreement",
    "draft_scenario",
    "facts_of",
    "facts_of_agreement",
    "find_agreement",
    "find_request",
    "find_scenario",
    "freeze_organisation",
    "grants_in_force",
    "grants_on_dataset",
    "is_frozen",
    "may_stay",
    "missing_documents",
    "open_freeze",
    "own_scenario",
    "request_facts",
    "requests_for",
    "require_can_attach",
    "require_can_decide",
    "revoke_agreement",
    "sandbox_facts",
    "scenarios_of_analyst",
    "sign_agreement",
    "submit_scenario",
    "unfreeze_organisation",
    "visible_scenarios",
    "withdraw_scenario",
]
