"""What the operators apply for (document 10): the three scenarios, their columns, rows, masks and prices."""

from __future__ import annotations

from typing import Any

PLAN = {
    "kind": "plan",
    "title": "实施方案",
    "text": "一、场景与目标;二、数据与用途;三、安全措施:仅在沙箱内分析,成果经审核后出域;四、收益与分配;五、退出安排。",
}
OPINIONS = [
    {"kind": "legal-opinion", "title": "法律意见书", "text": "经审查,本协议符合公共数据授权运营的规定。"},
    {"kind": "fair-competition", "title": "公平竞争审查意见", "text": "未发现排除、限制竞争的内容。"},
]
QUOTA = {"billable_bytes_per_day": 2 << 30, "statements_per_day": 5000}
TWO_DISTRICTS = {"column": "district", "op": "in", "values": ["440103", "440104"]}
HASHED = {"kind": "sha-256-keyed"}
FLIGHT_COLUMNS = (
    "year month day dep_time dep_delay arr_delay carrier flight tailnum origin dest air_time distance hour time_hour"
)


def _request(dataset: str, columns: str, price: str, reason: str, **more: Any) -> dict[str, Any]:
    return {"dataset": dataset, "columns": columns.split(), "price": price, "reason": reason, **more}


TOURISM_FLOW = {
    "code": "tourism-flow",
    "title_zh": "全域旅游客流分析",
    "title_en": "City-wide tourist flow analysis",
    "purpose": "分析航班、住宿与公共交通客流的关系,形成全域旅游客流指数,服务旅游企业的运力与客房安排。",
    "beneficiary": "本市旅游、住宿和交通企业",
    "use": "industry",
    "output_kinds": ["table", "chart"],
    "term_months": 24,
    "analysts": ["chen", "huang"],
    "quota": QUOTA,
    "documents": [PLAN],
    "requests": [
        _request(
            "aviation.flights", FLIGHT_COLUMNS, "tourism-flow.bytes", "到港航班是客流的先行指标",
            row_filter={"column": "origin", "op": "in", "values": ["JFK", "LGA"]}, masks={"tailnum": HASHED},
        ),
        _request("aviation.airports", "faa name lat lon alt tz dst tzone", "tourism-flow.bytes", "机场位置"),
        _request("aviation.airlines", "carrier name", "tourism-flow.bytes", "承运人名称"),
        _request(
            "tourism.stays", "stay_id guest_id_no hotel district checkin nights spend_yuan home_province",
            "tourism-flow.bytes", "住宿客流与消费",
            row_filter=TWO_DISTRICTS, masks={"guest_id_no": HASHED, "checkin": {"kind": "truncate-to-month"}},
        ),
        _request(
            "transit.trips", "trip_id card_id line from_station to_station district trip_date hour fare_fen",
            "tourism-flow.bytes", "市内出行", row_filter=TWO_DISTRICTS, masks={"card_id": HASHED},
        ),
    ],
}  # fmt: skip

BUSINESS_CLIMATE = {
    "code": "business-climate",
    "title_zh": "营商环境分析",
    "title_en": "Business climate analysis",
    "purpose": "受市场监管部门委托,分析行业活跃度与诉求办理情况,评价营商环境。",
    "beneficiary": "市市场监督管理局及本市企业",
    "output_kinds": ["table", "chart"],
    "term_months": 24,
    "analysts": ["zhou"],
    "commission": "示范市市场监督管理局委托函:委托海珠数据有限公司开展营商环境分析。",
    "quota": QUOTA,
    "documents": [PLAN],
    "requests": [
        _request(
            "business.companies",
            "uscc name legal_person district industry capital_yuan registered_on status insured_staff tax_grade "
            "penalties electricity_kwh phone",
            "business-climate.cells", "行业活跃度", use="industry",
            row_filter={"column": "status", "op": "=", "value": "在营"},
            masks={"electricity_kwh": {"kind": "bucket", "size": 1000}, "phone": {"kind": "show-last-4"}},
        ),
        _request(
            "hotline.tickets", "ticket_id district kind topic unit created_at due_at closed_at satisfaction",
            "hotline.public-interest", "诉求办理情况(公共治理)", use="public-interest",
            row_filter={"column": "kind", "op": "<>", "value": "举报"},
        ),
    ],
}  # fmt: skip

EXPIRED_PILOT = {
    "code": "expired-pilot",
    "title_zh": "气象影响试点(短期)",
    "title_en": "Weather impact pilot (short)",
    "purpose": "短期试点:验证授权到期后自动失效。",
    "beneficiary": "演示",
    "use": "industry",
    "output_kinds": ["table"],
    "term_minutes": 1,
    "analysts": ["zhou"],
    "quota": QUOTA,
    "documents": [PLAN],
    "requests": [
        _request(
            "aviation.weather", "origin year month day hour temp humid wind_speed precip visib time_hour",
            "tourism-flow.bytes", "试点",
        ),
    ],
}  # fmt: skip

SCENARIOS: dict[str, dict[str, Any]] = {
    one["code"]: one  # type: ignore[misc]
    for one in (EXPIRED_PILOT, TOURISM_FLOW, BUSINESS_CLIMATE)
}
MANAGERS = {"tourism-flow": "liang", "business-climate": "xie", "expired-pilot": "xie"}
OPERATORS = {"tourism-flow": "operator-a", "business-climate": "operator-b", "expired-pilot": "operator-b"}
