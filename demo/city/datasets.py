"""The four generated tables of the city (document 10's columns, in its order)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demo.city import DISTRICT_SHARES, DISTRICTS, FIRST_DAY, LAST_DAY, SEED, identifiers, names

Generator = np.random.Generator
DAYS = int((np.datetime64(LAST_DAY) - np.datetime64(FIRST_DAY)).astype(int)) + 1

# GB/T 4754-2017: code, the word for company names, share.
INDUSTRIES = (
    ("F5137", "贸易", 0.22), ("L7291", "商务服务", 0.17), ("I6513", "软件", 0.12), ("C3990", "电子", 0.09),
    ("E4910", "建筑安装", 0.08), ("H6210", "餐饮", 0.08), ("M7320", "科技", 0.07), ("G5430", "运输", 0.06),
    ("K7020", "物业", 0.04), ("R8890", "文化传播", 0.04), ("J6700", "投资", 0.02), ("Q8423", "健康", 0.01),
)  # fmt: skip
STATES = ("在营", "注销", "吊销", "迁出")
KINDS = ("咨询", "求助", "投诉", "举报", "建议")
TOPICS = (
    "物业服务",
    "噪声扰民",
    "公共交通",
    "医疗挂号",
    "消费维权",
    "道路养护",
    "供水供电",
    "社会保障",
    "食品安全",
    "停车管理",
)
UNITS = (
    "住建局",
    "生态环境局",
    "交通运输局",
    "卫生健康委",
    "市场监管局",
    "城管局",
    "人社局",
    "供电局",
    "水务局",
    "街道办",
)


def companies(count: int = 200_000) -> pa.Table:
    """business.companies: one row for each registered company."""
    rng = np.random.default_rng([SEED, 1])
    trade = rng.choice(len(INDUSTRIES), count, p=[share for _, _, share in INDUSTRIES]).astype(np.int32)
    district = _districts(rng, count)
    capital = np.round(np.exp(rng.normal(13.8, 1.6, count)) / 10_000).astype(np.int64) * 10_000 + 10_000
    staff = np.minimum(np.exp(rng.normal(1.9, 1.3, count)), 9000).astype(np.int32)
    power = (np.exp(rng.normal(8.2, 1.4, count)) + staff * 310).astype(np.int64)
    state = rng.choice(4, count, p=[0.83, 0.11, 0.04, 0.02]).astype(np.int32)
    return pa.table(
        {
            "uscc": identifiers.companies(rng, np.array(DISTRICTS, dtype=np.int64)[district]),
            "name": names.companies(rng, names.pick(tuple(word for _, word, _ in INDUSTRIES), trade)),
            "legal_person": names.people(rng, count),
            "id_no": identifiers.persons(rng, count),
            "phone": identifiers.phones(rng, count),
            "district": names.pick(DISTRICTS, district),
            "industry": names.pick(tuple(code for code, _, _ in INDUSTRIES), trade),
            "capital_yuan": capital,
            "registered_on": _days(rng, count, "1995-01-01", 11_600),
            "status": names.pick(STATES, state),
            "insured_staff": np.where(state == 0, staff, 0).astype(np.int32),
            "electricity_kwh": np.where(state == 0, power, 0),
            "tax_grade": names.choose(rng, ("A", "B", "M", "C", "D"), count, (0.14, 0.48, 0.25, 0.08, 0.05)),
            "penalties": rng.poisson(0.11, count).astype(np.int32),
        }
    )


def stays(count: int = 2_000_000) -> pa.Table:
    """tourism.stays: one row for each stay of one guest; partitioned by district."""
    rng = np.random.default_rng([SEED, 2])
    guests = identifiers.persons(rng, count * 3 // 10)
    home = rng.choice(len(names.PROVINCES), len(guests), p=_falling(len(names.PROVINCES))).astype(np.int32)
    guest = rng.integers(0, len(guests), count)
    nights = np.minimum(rng.geometric(0.52, count), 30).astype(np.int32)
    spend = (nights * np.exp(rng.normal(5.9, 0.45, count))).astype(np.int32)
    return pa.table(
        {
            "stay_id": identifiers.numbered("S", count, 8),
            "guest_id_no": guests.take(pa.array(guest)),
            "hotel": names.choose(rng, names.HOTELS, count, tuple(_falling(len(names.HOTELS), 0.4))),
            "district": names.pick(DISTRICTS, _districts(rng, count)),
            "checkin": _seasonal_days(rng, count),
            "nights": nights,
            "spend_yuan": spend,
            "home_province": names.pick(names.PROVINCES, home[guest]),
        }
    )


def trips(count: int = 1_000_000) -> pa.Table:
    """transit.trips: one row for each ride; partitioned by district (where it began)."""
    rng = np.random.default_rng([SEED, 3])
    cards = identifiers.numbered("YCT", 260_000, 9)
    hours = np.array([0.2, 0.1, 0.1, 0.1, 0.2, 0.8, 3, 8, 9.5, 6, 4, 4, 4.5, 4.5, 4, 4.5, 6, 9, 9.5, 6, 5, 4.5, 3, 1])
    return pa.table(
        {
            "trip_id": identifiers.numbered("T", count, 8),
            "card_id": cards.take(pa.array(rng.integers(0, len(cards), count))),
            "line": names.choose(rng, names.LINES, count, tuple(_falling(len(names.LINES)))),
            "from_station": names.choose(rng, names.STATIONS, count),
            "to_station": names.choose(rng, names.STATIONS, count),
            "district": names.pick(DISTRICTS, _districts(rng, count)),
            "trip_date": _seasonal_days(rng, count),
            "hour": rng.choice(24, count, p=hours / hours.sum()).astype(np.int32),
            "fare_fen": (rng.integers(1, 8, count) * 100).astype(np.int32),
        }
    )


def tickets(count: int = 300_000) -> pa.Table:
    """hotline.tickets: one row for each call."""
    rng = np.random.default_rng([SEED, 4])
    callers = identifiers.phones(rng, 140_000)
    created = (
        np.datetime64(FIRST_DAY, "s")
        + rng.integers(0, DAYS, count).astype("timedelta64[D]")
        + rng.integers(8 * 3600, 21 * 3600, count).astype("timedelta64[s]")
    )
    took = (np.exp(rng.normal(11.3, 1.1, count))).astype("timedelta64[s]")
    is_open = rng.random(count) < 0.03
    topic = rng.integers(0, len(TOPICS), count).astype(np.int32)
    kind = rng.choice(5, count, p=[0.42, 0.23, 0.22, 0.05, 0.08]).astype(np.int32)
    return pa.table(
        {
            "ticket_id": identifiers.numbered("H", count, 8),
            "caller_phone": callers.take(pa.array(rng.integers(0, len(callers), count))),
            "district": names.pick(DISTRICTS, _districts(rng, count)),
            "kind": names.pick(KINDS, kind),
            "topic": names.pick(TOPICS, topic),
            "unit": names.pick(UNITS, topic),
            "created_at": _moments(created),
            "due_at": _moments(created + np.timedelta64(5, "D")),
            "closed_at": _moments(created + took, is_open),
            "satisfaction": pa.array(rng.choice([5, 4, 3, 2, 1], count, p=[0.46, 0.3, 0.12, 0.07, 0.05]), mask=is_open),
            "content": names.pick(
                tuple(f"市民{kind}:{topic}问题,希望尽快处理。" for kind in KINDS for topic in TOPICS),
                (kind * len(TOPICS) + topic).astype(np.int32),
            ),
        }
    )


def _districts(rng: Generator, count: int) -> npt.NDArray[np.int32]:
    return rng.choice(len(DISTRICTS), count, p=np.array(DISTRICT_SHARES) / sum(DISTRICT_SHARES)).astype(np.int32)


def _falling(count: int, slope: float = 0.8) -> npt.NDArray[np.float64]:
    """Shares that fall with the rank."""
    weights = 1 / np.arange(1, count + 1) ** slope
    return np.asarray(weights / weights.sum())


def _days(rng: Generator, count: int, first: str, days: int) -> pa.Array:
    return pa.array(np.datetime64(first) + rng.integers(0, days, count).astype("timedelta64[D]"), pa.date32())


def _seasonal_days(rng: Generator, count: int) -> pa.Array:
    """Days of the year of history, more at week ends and at holidays."""
    days = np.datetime64(FIRST_DAY) + np.arange(DAYS).astype("timedelta64[D]")
    weights = 1 + 0.35 * np.isin((days.astype(int) + 3) % 7, (5, 6)) + 0.4 * np.sin(np.arange(DAYS) * 2 * np.pi / 182)
    for first, last in (("2026-02-16", "2026-02-23"), ("2026-05-01", "2026-05-05"), ("2026-10-01", "2026-10-07")):
        weights[(days >= np.datetime64(first)) & (days <= np.datetime64(last))] += 1.6
    drawn = rng.choice(DAYS, count, p=weights / weights.sum())
    return pa.array(np.datetime64(FIRST_DAY) + drawn.astype("timedelta64[D]"), pa.date32())


def _moments(moments: npt.NDArray[np.datetime64], absent: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.array(moments.astype("datetime64[us]"), pa.timestamp("us", tz="UTC"), mask=absent)
