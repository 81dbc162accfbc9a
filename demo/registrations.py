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
    opening: str = "none"
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
        year | 年 | Year | 交通运行 | L1 | dimension
        month | 月 | Month | 交通运行 | L1 | dimension
        day | 日 | Day | 交通运行 | L1 | dimension
        dep_time | 实际起飞时刻 | Actual departure, HHMM | 交通运行 | L1 |
        sched_dep_time | 计划起飞时刻 | Scheduled departure, HHMM | 交通运行 | L1 |
        dep_delay | 起飞延误(分钟) | Departure delay, minutes | 交通运行 | L1 |
        arr_time | 实际到达时刻 | Actual arrival, HHMM | 交通运行 | L1 |
        sched_arr_time | 计划到达时刻 | Scheduled arrival, HHMM | 交通运行 | L1 |
        arr_delay | 到达延误(分钟) | Arrival delay, minutes | 交通运行 | L1 |
        carrier | 承运人 | Carrier | 交通运行 | L1 | dimension
        flight | 航班号 | Flight number | 交通运行 | L1 | dimension
        tailnum | 机尾号(主体标识) | Tail number (entity) | 主体标识 | L2 |
        origin | 出发机场 | Origin | 交通运行 | L1 | dimension
        dest | 到达机场 | Destination | 交通运行 | L1 | dimension
        air_time | 空中时间(分钟) | Air time, minutes | 交通运行 | L1 |
        distance | 距离(英里) | Distance, miles | 交通运行 | L1 |
        hour | 计划起飞小时 | Scheduled hour | 交通运行 | L1 | dimension
        minute | 计划起飞分钟 | Scheduled minute | 交通运行 | L1 |
        time_hour | 计划起飞整点 | Scheduled date and hour | 交通运行 | L1 |
        """,
        "unconditional", "unconditional", "none", "示例-JT-2013-0001",
    ),
    Registration(
        "aviation.planes", f"飞机{BANNER_ZH}", f"Planes{BANNER_EN}", "transport", "tailnum",
        """
        tailnum | 机尾号(主体标识) | Tail number (entity) | 主体标识 | L2 |
        year | 制造年份 | Year made | 设备 | L1 | dimension
        type | 机型类别 | Type | 设备 | L1 | dimension
        manufacturer | 制造商 | Manufacturer | 设备 | L1 | dimension
        model | 型号 | Model | 设备 | L1 | dimension
        engines | 发动机数 | Engines | 设备 | L1 | dimension
        seats | 座位数 | Seats | 设备 | L1 |
        speed | 巡航速度 | Cruising speed | 设备 | L1 |
        engine | 发动机类型 | Engine type | 设备 | L1 | dimension
        """,
        "unconditional", "unconditional", "none", "示例-JT-2013-0002",
    ),
    Registration(
        "aviation.airports", f"机场{BANNER_ZH}", f"Airports{BANNER_EN}", "transport", "faa",
        """
        faa | 机场代码 | Airport code | 地点 | L1 | dimension
        name | 名称 | Name | 地点 | L1 | dimension
        lat | 纬度 | Latitude | 地点 | L1 |
        lon | 经度 | Longitude | 地点 | L1 |
        alt | 海拔(英尺) | Altitude, feet | 地点 | L1 |
        tz | 时差 | Offset from UTC | 地点 | L1 | dimension
        dst | 夏令时 | Daylight saving | 地点 | L1 | dimension
        tzone | 时区 | Time zone | 地点 | L1 | dimension
        """,
        "unconditional", "unconditional", "none", "示例-JT-2013-0003",
    ),
    Registration(
        "aviation.airlines", f"航空公司{BANNER_ZH}", f"Airlines{BANNER_EN}", "transport", "carrier",
        """
        carrier | 代码 | Code | 主体名称 | L1 | dimension
        name | 名称 | Name | 主体名称 | L1 | dimension
        """,
        "unconditional", "unconditional", "none", "示例-JT-2013-0004",
    ),
    Registration(
        "aviation.weather", f"机场气象{BANNER_ZH}", f"Weather{BANNER_EN}", "transport", None,
        """
        origin | 机场 | Airport | 气象 | L1 | dimension
        year | 年 | Year | 气象 | L1 | dimension
        month | 月 | Month | 气象 | L1 | dimension
        day | 日 | Day | 气象 | L1 | dimension
        hour | 时 | Hour | 气象 | L1 | dimension
        temp | 气温(华氏) | Temperature, °F | 气象 | L1 |
        dewp | 露点(华氏) | Dew point, °F | 气象 | L1 |
        humid | 相对湿度 | Relative humidity | 气象 | L1 |
        wind_dir | 风向 | Wind direction | 气象 | L1 |
        wind_speed | 风速(英里/时) | Wind speed, mph | 气象 | L1 |
        wind_gust | 阵风(英里/时) | Gust, mph | 气象 | L1 |
        precip | 降水(英寸) | Precipitation, inches | 气象 | L1 |
        pressure | 气压(毫巴) | Pressure, millibars | 气象 | L1 |
        visib | 能见度(英里) | Visibility, miles | 气象 | L1 |
        time_hour | 整点 | Date and hour | 气象 | L1 |
        """,
        "unconditional", "unconditional", "none", "示例-JT-2013-0005",
    ),
    Registration(
        "business.companies", "经营主体登记", "Registered companies", "market", "uscc",
        """
        uscc | 统一社会信用代码(主体标识) | Unified social credit code (entity) | 主体标识 | L2 |
        name | 名称 | Name | 主体名称 | L1 |
        legal_person | 法定代表人 | Legal representative | 个人信息 | L3 |
        id_no | 法定代表人身份证号 | Identity number of the representative | 个人信息 | L4 |
        phone | 联系电话 | Phone | 个人信息 | L3 |
        district | 行政区 | District | 区划 | L1 | dimension
        industry | 行业(GB/T 4754) | Industry (GB/T 4754) | 登记 | L1 | dimension
        capital_yuan | 注册资本(元) | Registered capital, yuan | 登记 | L1 |
        registered_on | 成立日期 | Registered on | 登记 | L1 |
        status | 登记状态 | Status | 登记 | L1 | dimension
        insured_staff | 参保人数 | Insured staff | 经营 | L2 |
        electricity_kwh | 年用电量(千瓦时) | Electricity a year, kWh | 经营 | L3 |
        tax_grade | 纳税信用级别 | Tax credit grade | 经营 | L2 | dimension
        penalties | 行政处罚次数 | Penalties | 信用 | L2 |
        """,
        "conditional", "none", "monthly", "示例-SJ-2026-0101",
    ),
    Registration(
        "hotline.tickets", "12345 热线工单", "12345 hotline tickets", "hotline", "caller_phone",
        """
        ticket_id | 工单编号 | Ticket | 诉求 | L1 |
        caller_phone | 来电号码(主体标识) | Caller's phone (entity) | 个人信息 | L4 |
        district | 行政区 | District | 区划 | L1 | dimension
        kind | 诉求类型 | Kind | 诉求 | L1 | dimension
        topic | 诉求主题 | Topic | 诉求 | L1 | dimension
        unit | 承办单位 | Unit in charge | 诉求 | L1 | dimension
        created_at | 受理时间 | Received | 诉求 | L1 |
        due_at | 办结期限 | Due | 诉求 | L1 |
        closed_at | 办结时间 | Closed | 诉求 | L1 |
        satisfaction | 满意度(1–5) | Satisfaction, 1–5 | 诉求 | L2 | dimension
        content | 诉求内容 | Content | 个人信息 | L4 |
        """,
        "conditional", "none", "daily", "示例-RX-2026-0301",
    ),
    Registration(
        "transit.trips", "地铁公交客流", "Metro and bus trips", "transport", "card_id",
        """
        trip_id | 行程编号 | Trip | 出行 | L2 |
        card_id | 卡号(主体标识) | Card (entity) | 个人信息 | L3 |
        line | 线路 | Line | 出行 | L1 | dimension
        from_station | 上车站 | From | 出行 | L2 | dimension
        to_station | 下车站 | To | 出行 | L2 | dimension
        district | 行政区 | District | 区划 | L1 | dimension
        trip_date | 日期 | Date | 出行 | L2 | dimension
        hour | 小时 | Hour | 出行 | L1 | dimension
        fare_fen | 票价(分) | Fare, fen | 出行 | L1 |
        """,
        "conditional", "none", "daily", "示例-JT-2026-0201", ("district",),
    ),
    Registration(
        "tourism.stays", "文旅客流监测", "Tourist stays", "tourism", "guest_id_no",
        """
        stay_id | 入住编号 | Stay | 住宿 | L2 |
        guest_id_no | 住客证件号(主体标识) | Guest's identity number (entity) | 个人信息 | L4 |
        hotel | 住宿单位 | Hotel | 住宿 | L2 | dimension
        district | 行政区 | District | 区划 | L1 | dimension
        checkin | 入住日期 | Check-in | 住宿 | L2 | dimension
        nights | 晚数 | Nights | 住宿 | L1 | dimension
        spend_yuan | 消费(元) | Spending, yuan | 住宿 | L2 |
        home_province | 客源省份 | Home province | 住宿 | L1 | dimension
        """,
        "conditional", "none", "monthly", "示例-WL-2026-0401", ("district",),
    ),
)  # fmt: skip
