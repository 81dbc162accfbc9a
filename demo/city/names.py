"""Invented names of people, companies, hotels and stations, put together from syllables."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Generator = np.random.Generator

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛"
GIVEN = "子明文华建国秀英志强丽娟海燕春梅佳怡浩然雨泽思远嘉欣俊杰晓东雅琪宇轩梓涵睿诗若彤承恩景行知微"
TRADE_NAMES = "云山珠水岭南越秀流花荔湾海心鹏程万象启明星河恒裕瑞丰嘉禾德润广益正源泰和安顺华彩新辰立本"
LINES = ("1号线", "2号线", "3号线", "4号线", "5号线", "6号线", "8号线", "快线", "B1路", "B3路", "夜18路", "环线")
STATIONS = tuple(
    f"{a}{b}" for a in ("东湖", "西门", "南塘", "北苑", "中和", "江畔", "云台", "桂园") for b in "路桥站坊口"
)
HOTELS = tuple(
    f"{place}{kind}"
    for place in ("江湾", "云台", "荔香", "珠影", "越华", "海心", "流花", "榕荫", "白鹭", "木棉")
    for kind in ("酒店", "宾馆", "公寓", "旅舍", "民宿", "度假村")
)
PROVINCES = tuple(
    "广东 湖南 广西 江西 湖北 四川 福建 河南 浙江 江苏 上海 北京 山东 安徽 重庆 贵州 云南 "  # noqa: SIM905 - one word each
    "海南 陕西 河北 辽宁 山西 黑龙江 吉林 甘肃 内蒙古 新疆 天津 宁夏 青海 西藏 香港 澳门 台湾".split()
)


def choose(rng: Generator, options: tuple[str, ...], count: int, shares: tuple[float, ...] | None = None) -> pa.Array:
    """`count` draws from a few words, kept as a dictionary."""
    weights = None if shares is None else np.array(shares) / sum(shares)
    drawn = rng.choice(len(options), count, p=weights).astype(np.int32)
    return pick(options, drawn)


def pick(options: tuple[str, ...], indices: npt.NDArray[np.int32]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(indices), pa.array(options)).cast(pa.string())


def people(rng: Generator, count: int) -> pa.Array:
    surnames, first, second = (
        pick(tuple(signs), rng.integers(0, len(signs), count).astype(np.int32)) for signs in (SURNAMES, GIVEN, GIVEN)
    )
    return pc.binary_join_element_wise(surnames, first, second, "")


def companies(rng: Generator, trades: pa.Array) -> pa.Array:
    count = len(trades)
    syllables = [pick(tuple(TRADE_NAMES), rng.integers(0, len(TRADE_NAMES), count).astype(np.int32)) for _ in range(3)]
    return pc.binary_join_element_wise("示范市", *syllables, trades, "有限公司", "")
