"""The organisations and people of the invented city (document 10). Passwords are random for each demo."""

from __future__ import annotations

import secrets
from typing import Any

# code, Chinese name, English name, kind, duties
ORGANISATIONS = (
    ("principal", "示范市政府办公室", "Office of the Model City Government", "authority", ("principal",)),
    ("agency", "示范市政务服务和数据管理局", "Model City Services and Data Bureau", "authority", ("agency",)),
    ("expert", "示范市外部专家库", "Model City External Expert Pool", "authority", ()),
    ("transport", "示范市交通运输局", "Model City Transport Bureau", "provider", ()),
    ("tourism", "示范市文化广电旅游局", "Model City Culture and Tourism Bureau", "provider", ()),
    ("market", "示范市市场监督管理局", "Model City Market Regulation Bureau", "provider", ()),
    ("hotline", "示范市12345热线受理中心", "Model City 12345 Hotline Centre", "provider", ()),
    ("operator-a", "粤数科技有限公司", "Yueshu Technology Ltd", "operator", ()),
    ("operator-b", "海珠数据有限公司", "Haizhu Data Ltd", "operator", ()),
    ("audit", "示范市审计局", "Model City Audit Bureau", "regulator", ("audit",)),
    ("price", "示范市发展和改革局", "Model City Development and Reform Bureau", "regulator", ("price",)),
    ("platform", "示范市数据集团有限公司", "Model City Data Group", "platform", ()),
)  # fmt: skip
# name, Chinese, English, role, organisations in which the role is held (the first is home)
PEOPLE = (
    ("chen", "陈思远", "Chen Siyuan", "analyst", ("operator-a",)),
    ("huang", "黄雨泽", "Huang Yuze", "analyst", ("operator-a",)),
    ("liang", "梁承恩", "Liang Cheng'en", "manager", ("operator-a",)),
    ("zhou", "周浩然", "Zhou Haoran", "analyst", ("operator-b",)),
    ("xie", "谢知微", "Xie Zhiwei", "manager", ("operator-b",)),
    ("he", "何建国", "He Jianguo", "steward", ("transport",)),
    ("luo", "罗春梅", "Luo Chunmei", "steward", ("tourism",)),
    ("deng", "邓志强", "Deng Zhiqiang", "steward", ("market",)),
    ("qin", "秦海燕", "Qin Haiyan", "steward", ("hotline",)),
    ("jiang", "姜景行", "Jiang Jingxing", "cdo", ("transport", "tourism", "market", "hotline")),
    ("song", "宋文华", "Song Wenhua", "officer", ("principal",)),
    ("feng", "冯晓东", "Feng Xiaodong", "officer", ("agency",)),
    ("tang", "唐丽娟", "Tang Lijuan", "reviewer", ("agency",)),
    ("yuan", "袁俊杰", "Yuan Junjie", "reviewer", ("agency",)),
    ("pan", "潘若彤", "Pan Ruotong", "reviewer", ("expert",)),
    ("shen", "沈睿", "Shen Rui", "regulator", ("audit",)),
    ("du", "杜嘉欣", "Du Jiaxin", "regulator", ("price",)),
    ("ye", "叶宇轩", "Ye Yuxuan", "engineer", ("platform",)),
)
# A department's steward by the first part of a dataset's name.
STEWARDS = {"aviation": "he", "transit": "he", "tourism": "luo", "business": "deng", "hotline": "qin"}
CDO = "jiang"


def first_accounts() -> dict[str, Any]:
    """What `gongshu setup accounts` reads, with a random password for everybody."""
    return {
        "organisations": [
            {"code": code, "name_zh": zh, "name_en": en, "kind": kind, "uscc": "", "duties": list(duties)}
            for code, zh, en, kind, duties in ORGANISATIONS
        ],
        "people": [
            {
                "name": name,
                "display_zh": zh,
                "display_en": en,
                "organisation": places[0],
                "password": secrets.token_urlsafe(9),
                "appointments": [[role, place] for place in places],
            }
            for name, zh, en, role, places in PEOPLE
        ],
    }
