"""One word, icon and tint per state, the same everywhere (document 11 §8). Colour never stands alone."""

from __future__ import annotations

from gongshu.portal.language import N_

# code: (icon, colour role, word)
STATUSES: dict[str, tuple[str, str, str]] = {
    code: (icon, role, word)
    for icon, role, states in [
        (
            "circle",
            "neutral",
            {
                "draft": N_("草稿"),
                "withdrawn": N_("已撤回"),
                "expired": N_("已到期"),
                "not-started": N_("未开始"),
                "superseded": N_("已被新版本取代"),
                "ended": N_("已结束"),
            },
        ),
        (
            "clock",
            "info",
            {
                "submitted": N_("已提交"),
                "in-review": N_("审核中"),
                "to-be-decided": N_("待审定"),
                "prepared": N_("待签核"),
                "to-be-signed": N_("待签署"),
                "authorised": N_("已批准"),
                "running": N_("进行中"),
                "checking": N_("检查中"),
                "open": N_("未关账"),
                "issued": N_("已开具"),
            },
        ),
        (
            "circle-check",
            "success",
            {
                "allowed": N_("允许"),
                "approved": N_("已同意"),
                "agreed": N_("已同意"),
                "released": N_("已出域"),
                "auto-released": N_("秒批出域"),
                "active": N_("生效"),
                "signed-off": N_("已签核"),
                "signed": N_("已签署"),
                "verified": N_("已验证"),
                "closed": N_("已关账"),
                "finished": N_("已完成"),
                "done": N_("已完成"),
                "valid": N_("有效"),
            },
        ),
        (
            "alert-triangle",
            "warning",
            {
                "returned": N_("已退回"),
                "expiring": N_("快到期"),
                "parked": N_("暂停计费"),
                "unwitnessed": N_("未见证"),
                "flagged": N_("需判断"),
                "cancelled": N_("已取消"),
            },
        ),
        (
            "circle-x",
            "danger",
            {
                "denied": N_("拒绝"),
                "rejected": N_("不同意"),
                "vetoed": N_("否决"),
                "revoked": N_("已撤销"),
                "frozen": N_("已冻结"),
                "recalled": N_("已召回"),
                "failed": N_("失败"),
                "proof-failed": N_("验证失败"),
                "overdue": N_("已逾期"),
            },
        ),
        (
            "help-circle",
            "neutral",
            {
                "unknown": N_("结果未知"),
                "no-evidence": N_("无证据"),
                "too-little-data": N_("数据不足"),
            },
        ),
    ]
    for code, word in states.items()
}
