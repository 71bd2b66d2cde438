"""A sample day of the sample district: what its people might report, spread over all stages."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle
from typing import Any

from services.replay.marks import marked
from services.replay.plan import Ask, End, Plan, Route, Spot
from shared.pack.model import CityPack, ClassKey, Grid

CITY = "620103"
"""Code of the city whose classes and streets the sample speaks of."""

_SCHEME = "GB/T 47678.5-2026"
_STEP_DEGREES = 0.00012
_H, _W, _C, _G, _L = Route.PHONE, Route.WEB, Route.HANDSET, Route.LIAISON, Route.INSTRUCTION


@dataclass(frozen=True, slots=True)
class Scene:
    """One report: class as kind and code, what is told, by whom, and how far it comes."""

    class_name: str
    text: str
    route: Route
    end: End
    more: dict[str, Any] = field(default_factory=dict)


def _scene(name: str, text: str, route: Route, end: End, **more: Any) -> Scene:
    return Scene(name, text, route, end, more)


SCENES = (
    # Closed on the first attempt.
    _scene("component:01001", "供水井盖缺失，路面露出井口，行人绕行", _C, End.CLOSED),
    _scene("component:01002", "污水井盖松动，车辆碾压时异响", _C, End.CLOSED),
    _scene("component:01037", "人行道路灯连续三盏不亮", _H, End.CLOSED),
    _scene("component:03005", "果皮箱箱门脱落，垃圾外溢", _C, End.CLOSED),
    _scene("component:02010", "停车让行标志被树枝遮挡", _W, End.CLOSED),
    _scene("component:04002", "行道树枝断裂，悬在人行道上方", _H, End.CLOSED),
    _scene("component:04007", "街边座椅木条断裂，有钉子外露", _C, End.CLOSED),
    _scene("event:06010", "小区东门外垃圾散落，异味较重", _H, End.CLOSED),
    _scene("event:06011", "路边堆积建筑渣土约两立方米", _C, End.CLOSED),
    _scene("event:06012", "菜市场出入口路面污水横流", _G, End.CLOSED),
    _scene("event:06014", "运输车抛洒砂石，影响非机动车通行", _C, End.CLOSED),
    _scene("event:06042", "垃圾收集站满溢，未及时清运", _H, End.CLOSED),
    _scene("event:07001", "楼道和电线杆贴满疏通管道小广告", _C, End.CLOSED),
    _scene("event:09005", "饭馆把桌椅摆到店外人行道上", _H, End.CLOSED),
    _scene("event:09010", "共享单车倒伏一片，堵住盲道", _W, End.CLOSED),
    _scene("event:08001", "工地夜间施工，混凝土泵车噪声扰民", _H, End.CLOSED),
    _scene("event:10001", "背阴坡道结冰，老人滑倒", _G, End.CLOSED),
    # Closed, but not straight.
    _scene("event:06013", "路面坑槽，雨后积水看不清深浅", _H, End.CLOSED, fails=1),
    _scene("event:06036", "店铺门前堆放货物占道", _C, End.CLOSED, fails=1),
    _scene("event:09001", "学校门口无照游商聚集", _H, End.CLOSED, fails=2),
    _scene("component:01005", "电力井盖破损，缺一角", _C, End.CLOSED, feedback_refused=True),
    _scene("event:07006", "门头牌匾破损，有坠落危险", _W, End.CLOSED, feedback_refused=True),
    _scene(
        "component:01041",
        "电话亭玻璃破碎，地面有碎片",
        _C,
        End.CLOSED,
        asks=Ask.RETURN,
        granted=True,
    ),
    _scene(
        "event:06001",
        "楼顶正在搭建彩钢房",
        _H,
        End.CLOSED,
        asks=Ask.EXTENSION,
        granted=True,
    ),
    _scene(
        "component:02004",
        "公交候车亭顶棚漏雨",
        _W,
        End.CLOSED,
        asks=Ask.RETURN,
        granted=False,
    ),
    # Waiting for the centre or for a unit's decision.
    _scene("component:01028", "配电箱门敞开，线头裸露", _C, End.AWAITING_DISPATCH, urgent=True),
    _scene("event:06004", "临街外墙大面积涂鸦", _W, End.AWAITING_DISPATCH),
    _scene("component:02012", "路名牌被撞歪，指向错误", _C, End.AWAITING_DISPATCH),
    _scene("event:06028", "广场音响声音过大，影响休息", _H, End.AWAITING_DISPATCH),
    _scene("event:08004", "工地裸土未覆盖，大风扬尘", _C, End.DISPATCHED),
    _scene("event:08012", "渣土车带泥上路，留下两道泥印", _H, End.DISPATCHED),
    _scene("component:01004", "雨水箅子被落叶堵塞", _C, End.DISPATCHED),
    _scene("event:06019", "树上拉绳晾晒被褥", _G, End.DISPATCHED),
    _scene("component:01027", "通信交接箱箱门敞开", _C, End.DISPATCHED, asks=Ask.RETURN),
    _scene("event:06020", "河滩有人焚烧枯枝落叶，烟雾大", _H, End.ACCEPTED, urgent=True),
    _scene("event:06045", "绿地被踩踏，部分裸露", _C, End.ACCEPTED),
    _scene("component:04013", "绿地喷灌漏水，人行道长期湿滑", _W, End.ACCEPTED),
    _scene("event:07003", "楼体私设大型广告牌", _H, End.ACCEPTED, asks=Ask.EXTENSION),
    _scene("component:04010", "喷泉设施损坏，需定制配件", _C, End.ACCEPTED, asks=Ask.DEFERRAL),
    _scene(
        "component:01070",
        "滨河护栏锈断三米，整段更换需备料",
        _C,
        End.DEFERRED,
        asks=Ask.DEFERRAL,
        granted=True,
    ),
    _scene("event:08007", "施工围挡倾斜，挤占人行道", _C, End.HANDLED),
    _scene("component:02017", "道路中央隔离栏被撞倒", _H, End.HANDLED),
    _scene("event:09004", "废品收购摊占道，杂物乱堆", _W, End.HANDLED),
    _scene("component:01006", "路灯井盖缺失，已放置警示桩", _C, End.VERIFYING),
    _scene("event:06007", "临街护栏晾晒衣物", _G, End.VERIFYING),
    _scene("event:09009", "消防通道被私家车堵占", _H, End.VERIFYING),
    _scene("component:01042", "邮筒漆面脱落，投信口变形", _W, End.VERIFIED),
    _scene("event:08006", "建筑材料堆放混乱，挡住出入口", _C, End.VERIFIED),
    _scene("event:06029", "露天烧烤油烟扰民", _H, End.VOIDED),
    # Not decided yet, or without a case.
    _scene("event:09006", "夜市摊贩占用两条车道", _L, End.RECEIVED),
    _scene("component:01043", "信息亭屏幕破裂", _W, End.RECEIVED),
    _scene("event:09003", "桥下有流浪人员，天冷需要帮助", _H, End.RECEIVED),
    _scene("component:04001", "古树旁有人挖坑，疑似伤根", _W, End.CHECKING),
    _scene("event:06026", "河水颜色异常，有泡沫", _H, End.CHECKING),
    _scene("event:06028", "邻居装修声音大", _H, End.REJECTED, reason="not-within-competence"),
    _scene("event:09010", "自家自行车被挪动", _W, End.REJECTED, reason="not-within-competence"),
    _scene("event:06010", "东门外垃圾还没清，味道很大", _W, End.MERGED, into=8),
    _scene("component:01037", "路灯不亮，晚上下班害怕", _H, End.MERGED, into=3),
    _scene("component:01002", "井盖一压就响，半夜吵醒", _H, End.MERGED, into=2),
)
"""`into` is the number of an earlier scene, counted from 1."""

INQUIRIES = (
    ("路灯不亮应该怎么报修", "street-lamp", None),
    ("暖气不热找哪个部门", "heating-complaint", None),
    ("反映的问题怎样查进度", "follow-report", None),
    ("对法院判决不服，想请热线协调", None, "区人民法院诉讼服务中心"),
    ("要求落实多年前的信访答复", None, "区信访局"),
)
"""Calls that need no case: the question, and the knowledge entry or the address that answers it."""


def sample_plans(pack: CityPack, at: datetime) -> dict[str, Plan]:
    """The plans of the sample, by key; the same whenever it is played.

    Args:
        pack: of the sample district.
        at: when all of it was seen.
    """
    plans: dict[str, Plan] = {}
    grids = _grids(pack)
    for number, scene in enumerate(SCENES, start=1):
        into = plans.get(_key(scene.more.get("into", 0)))
        spot, grid = (into.spot, into.grid) if into else _spot(pack, next(grids), number)
        plan = _plan(pack, scene, number, at, spot=spot, grid=grid, into=into)
        plans[plan.key] = plan
    return plans


def _key(number: int) -> str:
    return f"S{number:03d}"


def _grids(pack: CityPack) -> Iterator[Grid]:
    """One grid of each street, again and again."""
    first: dict[str, Grid] = {}
    for grid in pack.grids.values():
        first.setdefault(grid.street, grid)
    return cycle(first.values())


def _spot(pack: CityPack, grid: Grid, number: int) -> tuple[Spot, str]:
    """A place in a grid, a few steps from those of other scenes there."""
    middle = grid.polygon.representative_point()
    lng, lat = round(middle.x + number % 7 * _STEP_DEGREES, 6), round(middle.y, 6)
    found = pack.grid_at(lng, lat)
    if found is None or found.code != grid.code:
        lng = round(middle.x, 6)
    street, community = pack.areas[grid.street].name.zh, pack.areas[grid.community].name.zh
    address = f"{street}{community}{number * 3 + 1} 号附近"
    return Spot(lng, lat, address, exact=True), grid.code


def _plan(
    pack: CityPack,
    scene: Scene,
    number: int,
    at: datetime,
    *,
    spot: Spot,
    grid: str | None,
    into: Plan | None,
) -> Plan:
    key = ClassKey.parse(f"{_SCHEME}:{scene.class_name}")
    units = [one.unit.code for one in pack.responsible_units(key, grid)]
    more = {**scene.more, "into": into.key if into else None}
    if more.get("asks") is Ask.RETURN and more.get("granted") and len(units) > 1:
        more["second_unit"] = units[1]
    return Plan(
        key=_key(number),
        route=scene.route,
        created=at,
        text=marked(scene.text, _key(number)),
        spot=spot,
        class_key=key,
        condition=pack.conditions_of(key)[0].code,
        grid=grid,
        unit=units[0],
        end=scene.end,
        **more,
    )
