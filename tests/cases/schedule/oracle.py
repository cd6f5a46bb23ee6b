#!/usr/bin/env python3
"""An independent reading of schedule rules, over Python's zoneinfo: it never sees a compiled schedule.

Reads {"cases": [{"rules": {"zone", "weekly": [{"day", "start", "end"}], "closures": [[from, to]], "openings": [...]},
"instants": [...]}]} on stdin, times in seconds since 1970 UTC, days from 0 (Monday), minutes after that day's midnight.
Prints {"states": ["0110...", ...]}: for each case one character for each instant, 1 for open.
"""
import json
import sys
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo


def resolve(day: date, minute: int, zone: ZoneInfo, is_end: bool) -> float:
    """Wall-clock minutes of a day as an instant (product.md): an ambiguous start is its first occurrence, an ambiguous
    end its last; a time that the clocks leave out moves forward by as much as they do."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    early, late = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    left_out = early.astimezone(timezone.utc).astimezone(zone).replace(tzinfo=None) != wall
    return (late if is_end and not left_out else early).timestamp()


class Schedule:
    def __init__(self, rules: dict):
        self.rules = rules
        self.zone = ZoneInfo(rules["zone"])
        self.days: dict[date, list[tuple[float, float]]] = {}

    def windows(self, day: date) -> list[tuple[float, float]]:
        """Those that begin on a local day."""
        if day not in self.days:
            self.days[day] = [
                (resolve(day, rule["start"], self.zone, False), resolve(day, rule["end"], self.zone, True))
                for rule in self.rules["weekly"]
                if rule["day"] == day.weekday()
            ]
        return self.days[day]

    def is_open(self, instant: int) -> bool:
        if any(start <= instant < end for start, end in self.rules["openings"]):
            return True
        if any(start <= instant < end for start, end in self.rules["closures"]):
            return False
        today = datetime.fromtimestamp(instant, self.zone).date()
        return any(
            start <= instant < end
            for back in range(-1, 4)
            for start, end in self.windows(today - timedelta(days=back))
        )


def main() -> None:
    states = []
    for case in json.load(sys.stdin)["cases"]:
        schedule = Schedule(case["rules"])
        states.append("".join("01"[schedule.is_open(instant)] for instant in case["instants"]))
    json.dump({"states": states}, sys.stdout)


if __name__ == "__main__":
    main()
