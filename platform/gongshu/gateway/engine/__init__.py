"""The engine: the Spark driver the gateway owns, and the only hands that touch a plan inside it.

    engine = start_engine(EngineSettings(...))            # blocks until Spark Connect answers
    host, port, token = engine.connect_endpoint           # send metadata ("authorization", "Bearer " + token)
    engine.alive() -> bool                                # False as soon as the driver is gone
    engine.describe(session, plan) -> Description         # raises EngineRefusal, StatementFailed
    engine.secure(session, plan, relations, views=()) -> SecuredPlan   # raises EngineRefusal, StatementFailed
    engine.handle_relation(handle) -> bytes               # spark.connect.Relation for ExecutePlan.plan.root
    engine.forget_handle(handle)
    engine.metered(operation_id) -> {...}                 # what a finished operation took; regulators only
    engine.forget(session)                                # for good: Spark never opens the same session id again
    engine.interrupt(session)                             # stops what the session runs in the driver
    engine.release_table(session, plan, by, measures, relations, views=()) -> ReleaseTable
    engine.pinned_conf -> Mapping[str, str]               # what Config.get may be answered from
    engine.stop()
    safe_error(condition, sql_state, parameters, message) -> SafeError     # for errors of the forwarded stream

Every call is blocking (run it in a thread), thread-safe and bounded by `call_seconds`; a dead, stuck or slow driver
raises Unavailable("engine"), an unreachable store Unavailable("storage"). `secure` may run jobs (show_string,
crosstab, pivot and the like are computed while planning): call it only after the intent is durable.
It must never run a plan that it did not secure itself: Spark refuses every plan that is no handle.
"""

from gongshu.gateway.engine.driver import Engine, start_engine
from gongshu.gateway.engine.errors import EngineRefusal, StatementFailed, is_storage_failure, safe_error
from gongshu.gateway.engine.shapes import (
    Cell,
    Column,
    Description,
    EngineSettings,
    Mask,
    Measure,
    MeasureEvidence,
    PinnedFile,
    ReleaseTable,
    SafeError,
    SecuredPlan,
    SecuredRelation,
    SessionKey,
    ViewPlan,
)

__all__ = [
    "Cell",
    "Column",
    "Description",
    "Engine",
    "EngineRefusal",
    "EngineSettings",
    "Mask",
    "Measure",
    "MeasureEvidence",
    "PinnedFile",
    "ReleaseTable",
    "SafeError",
    "SecuredPlan",
    "SecuredRelation",
    "SessionKey",
    "StatementFailed",
    "ViewPlan",
    "is_storage_failure",
    "safe_error",
    "start_engine",
]
