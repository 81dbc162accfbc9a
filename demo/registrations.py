"""What the stewards state when they register each dataset: names, legal attributes, every column's level.

One line for each column: name | comment | English comment | category | level | dimension or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Registration:
    """The form of one dataset."""

    name: str
    title_zh: str
    title_en: str
    provider: str
    entity_column: str | None
    columns: str
    sharing: str = "conditional"
    opening: str = "conditional"
    update_frequency: str = "monthly"
    registration_code: str = ""
    partition_by: tuple[str, ...] = ()

    def meta(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title_zh": self.title_zh,
            "title_en": self.title_en,
            "provider": self.provider,
            "entity_column": self.entity_column,
            "legal_grade": "general",
            "sharing": self.sharing,
            "opening": self.opening,
            "update_frequency": self.update_frequency,
            "registration_code": self.registration_code,
            "registration_valid_until": "2028-12-31",
            "partition_by": list(self.partition_by),
            "columns": [_column(line) for line in self.columns.strip().splitlines()],
        }


def _column(line: str) -> dict[str, Any]:
    name, zh, en, category, level, dimension = (cell.strip() for cell in line.split("|"))
    return {
        "name": name,
        "comment_zh": zh,
        "comment_en": en,
        "category": category,
        "level": level,
        "dimension": dimension == "dimension",
    }


BANNER_ZH = "(公开样例数据,仅作技术演示)"
BANNER_EN = " (public sample data, for demonstration)"

REGISTRATIONS = (
    Registration(
        "aviation.flights", f"航班起降{BANNER_ZH}", f"Flights{BANNER_EN}", "transport", "tailnum",
        """
        year | 年 | Year | business | L1 | dimension
        month | 月 | Month | business | L1 | dimension
        day | 日 | Day | business | L1 | dimension
        dep_time | 实际起飞时刻 | Actual departure, HHMM | business | L1 |
        sched_dep_time | 计划起飞时刻 | Scheduled departure, HHMM | business | L1 |
        dep_delay | 起飞延误(分钟) | Departure delay, minutes | business | L1 |
        arr_time | 实际到达时刻 | Actual arrival, HHMM | business | L1 |
        sched_arr_time | 计划到达时刻 | Scheduled arrival, HHMM | business | L1 |
        arr_delay | 到达延误(分钟) | Arrival delay, minutes | business | L1 |
        carrier | 承运人 | Carrier | business | L1 | dimension
        flight | 航班号 | Flight number | business | L1 | dimension
        tailnum | 机尾号(主体标识) | Tail number (entity) | organisation | L2 |
        origin | 出发机场 | Origin | business | L1 | dimension
        dest | 到达机场 | Destination | business | L1 | dimension
        air_time | 空中时间(分钟) | Air time, minutes | business | L1 |
        distance | 距离(英里) | Distance, miles | business | L1 |
        hour | 计划起飞小时 | Scheduled hour | business | L1 | dimension
        minute | 计划起飞分钟 | Scheduled minute | business | L1 |
        time_hour | 计划起飞整点 | Scheduled date and hour | business | L1 |
        """,
        "unconditional", "unconditional", "once", "示例-JT-2013-0001",
    ),
    Registration(
        "aviation.planes", f"飞机{BANNER_ZH}", f"Planes{BANNER_EN}", "transport", "tailnum",
        """
        tailnum | 机尾号(主体标识) | Tail number (entity) | organisation | L2 |
        year | 制造年份 | Year made | business | L1 | dimension
        type | 机型类别 | Type | business | L1 | dimension
        manufacturer | 制造商 | Manufacturer | business | L1 | dimension
        model | 型号 | Model | business | L1 | dimension
        engines | 发动机数 | Engines | business | L1 | dimension
        seats | 座位数 | Seats | business | L1 |
        speed | 巡航速度 | Cruising speed | business | L1 |
        engine | 发动机类型 | Engine type | business | L1 | dimension
        """,
        "unconditional", "unconditional", "once", "示例-JT-2013-0002",
    ),
    Registration(
        "aviation.airports", f"机场{BANNER_ZH}", f"Airports{BANNER_EN}", "transport", "faa",
        """
        faa | 机场代码 | Airport code | place | L1 | dimension
        name | 名称 | Name | place | L1 | dimension
        lat | 纬度 | Latitude | place | L1 |
        lon | 经度 | Longitude | place | L1 |
        alt | 海拔(英尺) | Altitude, feet | place | L1 |
        tz | 时差 | Offset from UTC | place | L1 | dimension
        dst | 夏令时 | Daylight saving | place | L1 | dimension
        tzone | 时区 | Time zone | place | L1 | dimension
        """,
        "unconditional", "unconditional", "once", "示例-JT-2013-0003",
    ),
    Registration(
        "aviation.airlines", f"航空公司{BANNER_ZH}", f"Airlines{BANNER_EN}", "transport", "carrier",
        """
        carrier | 代码 | Code | organisation | L1 | dimension
        name | 名称 | Name | organisation | L1 | dimension
        """,
        "unconditional", "unconditional", "once", "示例-JT-2013-0004",
    ),
    Registration(
        "aviation.weather", f"机场气象{BANNER_ZH}", f"Weather{BANNER_EN}", "transport", None,
        """
        origin | 机场 | Airport | public | L1 | dimension
        year | 年 | Year | public | L1 | dimension
        month | 月 | Month | public | L1 | dimension
        day | 日 | Day | public | L1 | dimension
        hour | 时 | Hour | public | L1 | dimension
        temp | 气温(华氏) | Temperature, °F | public | L1 |
        dewp | 露点(华氏) | Dew point, °F | public | L1 |
        humid | 相对湿度 | Relative humidity | public | L1 |
        wind_dir | 风向 | Wind direction | public | L1 |
        wind_speed | 风速(英里/时) | Wind speed, mph | public | L1 |
        wind_gust | 阵风(英里/时) | Gust, mph | public | L1 |
        precip | 降水(英寸) | Precipitation, inches | public | L1 |
        pressure | 气压(毫巴) | Pressure, millibars | public | L1 |
        visib | 能见度(英里) | Visibility, miles | public | L1 |
        time_hour | 整点 | Date and hour | public | L1 |
        """,
        "unconditional", "unconditional", "once", "示例-JT-2013-0005",
    ),
    Registration(
        "business.companies", "经营主体登记", "Registered companies", "market", "uscc",
        """
        uscc | 统一社会信用代码(主体标识) | Unified social credit code (entity) | organisation | L2 |
        name | 名称 | Name | organisation | L1 |
        legal_person | 法定代表人 | Legal representative | personal | L3 |
        id_no | 法定代表人身份证号 | Identity number of the representative | personal | L4 |
        phone | 联系电话 | Phone | personal | L3 |
        district | 行政区 | District | place | L1 | dimension
        industry | 行业(GB/T 4754) | Industry (GB/T 4754) | organisation | L1 | dimension
        capital_yuan | 注册资本(元) | Registered capital, yuan | organisation | L1 |
        registered_on | 成立日期 | Registered on | organisation | L1 |
        status | 登记状态 | Status | organisation | L1 | dimension
        insured_staff | 参保人数 | Insured staff | organisation | L2 |
        electricity_kwh | 年用电量(千瓦时) | Electricity a year, kWh | organisation | L3 |
        tax_grade | 纳税信用级别 | Tax credit grade | organisation | L2 | dimension
        penalties | 行政处罚次数 | Penalties | organisation | L2 |
        """,
        "conditional", "conditional", "monthly", "示例-SJ-2026-0101",
    ),
    Registration(
        "hotline.tickets", "12345 热线工单", "12345 hotline tickets", "hotline", "caller_phone",
        """
        ticket_id | 工单编号 | Ticket | business | L1 |
        caller_phone | 来电号码(主体标识) | Caller's phone (entity) | personal | L4 |
        district | 行政区 | District | place | L1 | dimension
        kind | 诉求类型 | Kind | business | L1 | dimension
        topic | 诉求主题 | Topic | business | L1 | dimension
        unit | 承办单位 | Unit in charge | business | L1 | dimension
        created_at | 受理时间 | Received | business | L1 |
        due_at | 办结期限 | Due | business | L1 |
        closed_at | 办结时间 | Closed | business | L1 |
        satisfaction | 满意度(1–5) | Satisfaction, 1–5 | business | L2 | dimension
        content | 诉求内容 | Content | personal | L4 |
        """,
        "conditional", "conditional", "daily", "示例-RX-2026-0301",
    ),
    Registration(
        "transit.trips", "地铁公交客流", "Metro and bus trips", "transport", "card_id",
        """
        trip_id | 行程编号 | Trip | business | L2 |
        card_id | 卡号(主体标识) | Card (entity) | personal | L3 |
        line | 线路 | Line | business | L1 | dimension
        from_station | 上车站 | From | business | L2 | dimension
        to_station | 下车站 | To | business | L2 | dimension
        district | 行政区 | District | place | L1 | dimension
        trip_date | 日期 | Date | business | L2 | dimension
        hour | 小时 | Hour | business | L1 | dimension
        fare_fen | 票价(分) | Fare, fen | business | L1 |
        """,
        "conditional", "conditional", "daily", "示例-JT-2026-0201", ("district",),
    ),
    Registration(
        "tourism.stays", "文旅客流监测", "Tourist stays", "tourism", "guest_id_no",
        """
        stay_id | 入住编号 | Stay | business | L2 |
        guest_id_no | 住客证件号(主体标识) | Guest's identity number (entity) | personal | L4 |
        hotel | 住宿单位 | Hotel | business | L2 | dimension
        district | 行政区 | District | place | L1 | dimension
        checkin | 入住日期 | Check-in | business | L2 | dimension
        nights | 晚数 | Nights | business | L1 | dimension
        spend_yuan | 消费(元) | Spending, yuan | business | L2 |
        home_province | 客源省份 | Home province | business | L1 | dimension
        """,
        "conditional", "conditional", "monthly", "示例-WL-2026-0401", ("district",),
    ),
)  # fmt: skip
