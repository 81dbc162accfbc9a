"""The city's ceilings and its first price book: one graduated, one by cell, one zero-rated with a shadow price."""

from __future__ import annotations

from typing import Any

MIB = 1 << 20
_PER_MIB = {"meter": "billable_bytes", "unit": MIB, "unit_name": "MiB"}
_PER_CELL = {"meter": "released_cells"}
BASIS = "示范市公共数据授权运营最高准许收费标准(演示)"

CEILINGS: tuple[dict[str, Any], ...] = (
    {"price": "tourism-flow.bytes", **_PER_MIB, "unit_price_fen": 300, "basis": BASIS},
    {"price": "business-climate.cells", **_PER_CELL, "unit_price_fen": 80, "basis": BASIS},
    {"price": "hotline.public-interest", **_PER_MIB, "unit_price_fen": 200, "basis": BASIS},
)
BOOK: dict[str, Any] = {
    "prices": [
        {
            "price": "tourism-flow.bytes",
            "title_zh": "全域旅游客流分析:按计费字节分档",
            "title_en": "Tourist flow: by billable bytes, graduated",
            **_PER_MIB,
            "kind": "graduated",
            "use": "industry",
            "tiers": [{"up_to": 20, "unit_price_fen": 260}, {"unit_price_fen": 175}],
        },
        {
            "price": "business-climate.cells",
            "title_zh": "营商环境分析:按出域单元格",
            "title_en": "Business climate: by released cell",
            **_PER_CELL,
            "kind": "unit",
            "use": "industry",
            "tiers": [{"unit_price_fen": 65}],
        },
        {
            "price": "hotline.public-interest",
            "title_zh": "热线工单公共治理:零收费(列影子价格)",
            "title_en": "Hotline for public governance: zero-rated, with a shadow price",
            **_PER_MIB,
            "kind": "zero-rated",
            "use": "public-interest",
            "tiers": [{"unit_price_fen": 150}],
        },
    ]
}
