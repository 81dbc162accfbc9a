"""How events of the log read to people: one phrase per event type, in both languages.

An event without a phrase here shows its code: nothing is ever hidden for want of words.
"""

from __future__ import annotations

from gongshu.errors import Words

EVENTS = {
    "audit.key.activated": Words("启用日志密钥", "log key activated"),
    "audit.log.exported": Words("导出日志", "log exported"),
    "audit.log.read": Words("查阅日志", "log read"),
    "audit.payload.erased": Words("删除附件", "private part erased"),
    "authorization.agreement.compiled": Words("协议生效为授权", "agreement compiled to grants"),
    "authorization.agreement.drafted": Words("起草协议", "agreement drafted"),
    "authorization.agreement.revoked": Words("撤销协议", "agreement revoked"),
    "authorization.agreement.signed": Words("签署协议", "agreement signed"),
    "authorization.document.attached": Words("附上文件", "document attached"),
    "authorization.organisation.frozen": Words("冻结机构", "organisation frozen"),
    "authorization.organisation.unfrozen": Words("解冻机构", "organisation unfrozen"),
    "authorization.request.decided": Words("数源单位审定", "request decided"),
    "authorization.scenario.authorised": Words("批准应用场景", "scenario authorised"),
    "authorization.scenario.drafted": Words("起草应用场景", "scenario drafted"),
    "authorization.scenario.submitted": Words("提交应用场景", "scenario submitted"),
    "authorization.scenario.withdrawn": Words("撤回应用场景", "scenario withdrawn"),
    "authorization.spawn.decided": Words("判定沙箱启动", "sandbox start decided"),
    "authorization.unfreeze.asked": Words("申请解冻", "unfreezing asked for"),
    "catalogue.dataset.registered": Words("登记数据资源", "dataset registered"),
    "catalogue.registration.renewed": Words("登记续期", "registration renewed"),
    "catalogue.version.delivered": Words("数据文件入库", "version delivered"),
    "catalogue.version.prepared": Words("版本待签核", "version prepared"),
    "catalogue.version.returned": Words("版本退回", "version returned"),
    "catalogue.version.signed_off": Words("版本签核", "version signed off"),
    "identity.login.refused": Words("登录被拒", "login refused"),
    "identity.login.succeeded": Words("登录", "login"),
    "identity.organisation.created": Words("新建机构", "organisation created"),
    "identity.person.changed": Words("人员变更", "person changed"),
    "identity.person.created": Words("新建人员", "person created"),
    "platform.part.started": Words("平台部件启动", "part started"),
    "policy.bundle.archived": Words("存档策略包", "rules archived"),
    "price.book.published": Words("发布收费标准", "price book published"),
    "price.book.refused": Words("收费标准被拒", "price book refused"),
    "price.ceiling.set": Words("设定收费上限", "ceiling set"),
    "release.item.added": Words("生成成果项", "release item made"),
    "release.item.downloaded": Words("下载成果", "release downloaded"),
    "release.item.found_changed": Words("成果字节不符", "item bytes changed"),
    "release.item.released": Words("成果出域", "release item released"),
    "release.link.issued": Words("领取下载链接", "download link taken"),
    "release.request.approved": Words("出域申请通过", "release approved"),
    "release.request.checked": Words("自动检查", "automatic checks run"),
    "release.request.recalled": Words("召回成果", "release recalled"),
    "release.request.rejected": Words("不同意出域", "release rejected"),
    "release.request.restored": Words("撤销召回", "recall undone"),
    "release.request.returned": Words("退回出域申请", "release returned"),
    "release.request.submitted": Words("提交出域申请", "release submitted"),
    "release.request.withdrawn": Words("撤回出域申请", "release withdrawn"),
    "release.restore.proposed": Words("提出撤销召回", "reversal of a recall proposed"),
    "release.review.submitted": Words("提交审核意见", "review submitted"),
    "release.review_need.decided": Words("判定成果审核", "release decision"),
    "sandbox.door.refused": Words("受控通道拒绝", "refused at a door"),
    "sandbox.server.started": Words("沙箱启动", "sandbox started"),
    "sandbox.server.stopped": Words("沙箱停止", "sandbox stopped"),
    "settlement.closing.refused": Words("关账被拒", "closing refused"),
    "settlement.period.closed": Words("关账", "period closed"),
    "statement.denial.logged": Words("语句被拒", "statement denied"),
    "statement.intent.logged": Words("语句意图", "statement intent"),
    "statement.outcome.logged": Words("语句结果", "statement outcome"),
}
# The private parts that readers meet most, in the order in which they are read; others follow by name.
PARTS = {
    "statement": Words("语句", "statement"),
    "usage": Words("用量", "usage"),
    "columns": Words("读到的列", "columns read"),
    "answer": Words("判定的回答", "the policy's answer"),
    "question": Words("判定的问题", "the question to the policy"),
    "engine": Words("引擎计量", "the engine's figures"),
    "terms": Words("条款", "terms"),
    "person": Words("人员", "person"),
    "search": Words("查找条件", "search"),
}
OPEN = frozenset({"statement", "usage", "person", "search"})  # shown unfolded


def part_words(name: str) -> Words:
    return PARTS.get(name, Words(name, name))


def part_place(name: str) -> tuple[int, str]:
    """Where a part stands on the page."""
    order = list(PARTS)
    return (order.index(name) if name in PARTS else len(order), name)


def event_words(event: str) -> Words:
    return EVENTS.get(event, Words(event, event))
