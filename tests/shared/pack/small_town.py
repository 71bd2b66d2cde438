"""The text of a town small enough to read at a glance, whole and without a fault."""

CALENDAR = """\
zone = "Asia/Shanghai"
working_day = "hours-worked"
rest_weekdays = ["sunday"]

[holidays]
source = "none"

[[season]]
from = "01-01"
to = "12-31"
hours = ["09:00-17:00"]
"""

CITY = """\
code = "990001"
zone = "Asia/Shanghai"
languages = ["zh", "en"]

[name]
zh = "小镇"
en = "Small Town"

[centre]
lng = 100.0
lat = 30.0

[[source]]
code = "handset"
name = { zh = "手持终端", en = "Handset" }
trusted = true

[[source]]
code = "web"
name = { zh = "网页", en = "Web" }
trusted = false
"""

UNITS = """\
code,name_zh,name_en,kind,parent,command_duty,higher_level
board,领导小组,Board,leading-group,,,
centre,中心,Centre,centre,board,,
walkers,采集公司,Walkers,collection-company,centre,,
roads,道路局,Roads,bureau,board,yes,
water,水务局,Water,utility,,,yes
east,东街道,East Office,subdistrict,board,,
"""

AREAS = """\
code,level,parent,name_zh,name_en,lng,lat,office
990001,district,,小镇,Small Town,,,board
990001001,street,990001,东街,East Street,100.005,30.005,east
990001001001,community,990001001,东一社区,East One,100.005,30.005,
990001002,street,990001,西街,West Street,,,
990001002001,community,990001002,西一社区,West One,,,
"""

CLASSES = """\
scheme,kind,code,major_code,major_zh,major_en,name_zh,name_en,urgent,special
S 1:2026,component,01001,01,公用,Utilities,井盖,Cover,,
S 1:2026,event,01001,01,市容,Appearance,积水,Flooding,yes,yes
S 1:2026,event,01002,01,市容,Appearance,垃圾,Rubbish,,
"""

RULES = """\
code,scheme,kind,class,text_zh,text_en,limit,closing_zh,closing_en,standard_zh,standard_en,urgent,special,closes_on_notice
C-1,S 1:2026,component,01001,丢失,Gone,2 hours,复原,Restored,围护,Fence it,yes,,
C-2,S 1:2026,component,01001,破损,Broken,0.5 working-days,修好,Mended,更换,Replace,,,yes
E1-1,S 1:2026,event,01001,积水,Water stands,4 hours,排净,Drained,抽排,Pump,yes,yes,
E2-1,S 1:2026,event,01002,垃圾,Rubbish lies,4 working-hours,清走,Gone,清运,Cart off,,,
"""

RESPONSIBILITIES = """\
scheme,kind,code,unit,territory,rank,matter,basis_zh,basis_en
S 1:2026,component,01001,roads,,2,井盖,协同,Assists
S 1:2026,component,01001,water,,1,上水井盖,权属,Owns it
S 1:2026,event,01001,roads,,1,积水,职责,Its duty
S 1:2026,event,01002,roads,,1,垃圾,职责,Its duty
S 1:2026,event,01002,east,990001001,1,垃圾,属地,Its ground
"""

PEOPLE = """\
login,name_zh,name_en,roles,unit,territory,language
agent1,甲,A,agent;shift-leader,centre,,zh
operator1,乙,B,operator;video-operator,centre,,zh
dispatcher1,丙,C,dispatcher,centre,,zh
supervisor1,丁,D,supervisor,centre,,zh
leader1,戊,E,leader,board,,en
collector1,己,F,collector,walkers,,zh
company1,庚,G,collection-company,walkers,,zh
gridlead1,辛,H,grid-leader,east,990001001,zh
system1,壬,I,system-administrator,centre,,zh
security1,癸,J,security-administrator,centre,,zh
audit1,子,K,audit-administrator,centre,,zh
roads1,丑,L,handler;unit-lead,roads,,zh
water1,寅,M,handler;unit-lead,water,,zh
east1,卯,N,handler;unit-lead,east,,zh
"""

SYSTEMS = """\
client_id,name_zh,name_en,roles,scopes,unit
partner1,一窗,One window,partner,reports.write;reports.read,
pbx1,交换机,Exchange,pbx,hotline.calls.write,centre
"""

CAMERAS = """\
code,name_zh,name_en,lng,lat,grid,unit
cam-1,路口,Junction,100.002,30.002,990001001001001,centre
"""

GRIDS = """\
{"type": "FeatureCollection", "features": [
{"type": "Feature", "properties": {"code": "990001001001001", "name_zh": "一", "name_en": "One", "owner": "collector1"},
 "geometry": {"type": "Polygon", "coordinates": [[[100.0, 30.0], [100.01, 30.0], [100.01, 30.01], [100.0, 30.01], [100.0, 30.0]]]}},
{"type": "Feature", "properties": {"code": "990001002001001", "name_zh": "二", "name_en": "Two", "owner": "collector1"},
 "geometry": {"type": "Polygon", "coordinates": [[[100.01, 30.0], [100.02, 30.0], [100.02, 30.01], [100.01, 30.01], [100.01, 30.0]]]}}
]}
"""  # noqa: E501 - one feature a line, as packs have it

STAGES = """\
warn_share = 0.2
acknowledgement = "0.5 working-hours"

[ordinary]
registration = "0.5 working-hours"
dispatch = "0.5 working-hours"
supervision = "0.5 working-hours"
sending_out = "0.5 working-hours"
verification = "1 working-hours"
closing = "0.5 working-hours"

[urgent]
verification = "60 minutes"
sending_out = "30 minutes"

[special]
sending_out = "none"
"""

ASSESSMENT = """\
[[version]]
name = "first"
valid_from = 2024-01-01
timely_weight = 0.8
resolution_weight = 0.2
redispatch_allowance = 0.03
extension_allowance = 0.03
deferral_allowance = 0.03
resolution_target = 0.85
small_sample = 20
trial = true
appeal_days = 5

[[version]]
name = "second"
valid_from = 2025-01-01
timely_weight = 0.7
resolution_weight = 0.3
redispatch_allowance = 0.03
extension_allowance = 0.03
deferral_allowance = 0.03
resolution_target = 0.9
small_sample = 20
trial = false
appeal_days = 5
"""

INTAKE = """\
[registration]
automatic = true
requires = ["class", "position"]
max_accuracy_m = 50
excluded = ["S 1:2026:event:01001"]

[duplicates]
radius_m = 50
window_hours = 72.5

[[duplicates.override]]
class = "S 1:2026:event:01002"
radius_m = 20
window_hours = 4

[tasks]
expiry_minutes = 60
max_reissues = 3
arrival_radius_m = 100
"""

RESPONSIBILITY = """\
[candidates]
order = ["decision", "owner", "maintainer", "table", "settled", "named"]
component_radius_m = 15

[coordination]
position = "1 working-days"
urgent_position = "4 hours"
decision = "3 working-days"
urgent_decision = "8 hours"
office = "board"

[remediation]
recovered_to_fund = true
"""

COMPONENTS = """\
code,scheme,class,lng,lat,owner,maintainer
99000101001000001,S 1:2026,01001,100.00200,30.002,water,roads
99000101001000002,S 1:2026,01001,100.00210,30.002,roads,
"""

EMERGENCIES = """\
leaders = ["leader1"]
escalation = ["agent1", "leader1"]
acknowledge_minutes = 3
rounds = 2

[registration]
sources = ["handset"]
default_condition = "C-1"

[papers]
classification = "24 hours"
dispatch = "12 hours"
record = "2 days"
"""

SUPERVISION = """\
[red-light]
on = true
level = "ordinary"
answer = "1 working-days"
asked = { zh = "请办理。", en = "Do it." }

[not-accepted]
on = true
level = "key"
within = "30 minutes"
answer = "4 hours"
asked = { zh = "请办理。", en = "Do it." }

[failed-verification]
on = true
times = 2
level = "key"
answer = "2 working-days"
asked = { zh = "请办理。", en = "Do it." }

[shirking]
on = true
times = 3
level = "key"
answer = "1 working-days"
asked = { zh = "请办理。", en = "Do it." }

[repeated-complaint]
on = true
times = 3
window_days = 30
radius_m = 100
level = "key"
answer = "2 working-days"
asked = { zh = "请办理。", en = "Do it." }

[instruction]
on = true
level = "leading-group"
answer = "3 working-days"
asked = { zh = "请办理。", en = "Do it." }

[meeting]
level = "leading-group"
answer = "5 working-days"
asked = { zh = "请办理。", en = "Do it." }

[important]
level = "key"
answer = "3 working-days"
asked = { zh = "请办理。", en = "Do it." }
"""

ENTRY = """\
+++
id = "rubbish"
language = "en"
title = "Who takes the rubbish"
basis = "Town rule"
unit = "roads"
valid_until = 2027-12-31
keywords = ["rubbish"]
refer_to = "east"
+++

The roads bureau does, on Mondays.
"""

TOWN = {
    "calendar.toml": CALENDAR,
    "city.toml": CITY,
    "units.csv": UNITS,
    "areas.csv": AREAS,
    "classes.csv": CLASSES,
    "rules.csv": RULES,
    "responsibilities.csv": RESPONSIBILITIES,
    "people.csv": PEOPLE,
    "systems.csv": SYSTEMS,
    "cameras.csv": CAMERAS,
    "grids.geojson": GRIDS,
    "stages.toml": STAGES,
    "assessment.toml": ASSESSMENT,
    "intake.toml": INTAKE,
    "responsibility.toml": RESPONSIBILITY,
    "components.csv": COMPONENTS,
    "emergencies.toml": EMERGENCIES,
    "supervision.toml": SUPERVISION,
    "knowledge/rubbish.md": ENTRY,
}
