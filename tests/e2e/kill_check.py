"""Judges what the kill loops wrote down: nothing lost, nothing twice, in order, nothing early. Starts nothing.

A record is plain values, so that kill_check_test.py can hand in wrong ones. Times are datetimes; a token is the text of one
message, unique in the whole run.
"""
import copy
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass
class Typed:
    """One message that a person wrote and an app has kept (it was in the vault when somebody looked)."""
    talk: int           # which conversation
    author: str         # name of the home
    series: str         # what one process wrote, one after the other: two processes of a home have no order between them
    number: int
    token: str
    at: object = None   # when it was given to the app


@dataclass
class Record:
    typed: list = field(default_factory=list)           # [Typed]; whatever else arrives was never written
    members: dict = field(default_factory=dict)         # talk -> the names of its two homes
    histories: dict = field(default_factory=dict)       # home -> message objects of `read --json`, in its order
    first_shown: dict = field(default_factory=dict)     # (home, token) -> when a process of that home first printed it
    answers: list = field(default_factory=list)         # [(home, message object)] that `send --json` ended with
    reads: list = field(default_factory=list)           # [(home, when it began, the texts)] of each `read`, while nobody was killed
    windows: list = field(default_factory=list)         # [(opens, closes)], ascending
    parse_time: object = None                           # text of --json -> datetime


def due(windows, stamp):
    """When a message accepted at that moment may be given to the other side; None: no window is published for it."""
    for opens, closes in windows:
        if stamp < closes:
            return max(opens, stamp)
    return None


def check(record):
    """What does not hold, in words; empty if all of it does."""
    problems = []
    by_token = {each.token: each for each in record.typed}
    for talk, members in record.members.items():
        written = [each for each in record.typed if each.talk == talk]
        for home in members:
            problems += check_history(record, home, talk, written, by_token)
        problems += check_agreement(record, members, written)
    problems += check_times(record, by_token)
    problems += check_answers(record)
    problems += check_reads(record)
    return problems


def place(record, home, token):
    return next((each for each in record.histories[home] if each.get('text') == token), None)


def check_history(record, home, talk, written, by_token):
    """Each home has everything of its conversation once, each author's in the order of writing, and nothing else."""
    problems = []
    history = record.histories[home]
    times = {}
    for each in history:
        times[each.get('text')] = times.get(each.get('text'), 0) + 1
    for each in written:
        if not times.get(each.token):
            problems.append(f'lost: {home} does not have "{each.token}" of {each.author}')
        elif times[each.token] > 1:
            problems.append(f'twice: {home} has "{each.token}" {times[each.token]} times')
    for text in times:
        if text not in by_token or by_token[text].talk != talk:
            problems.append(f'invented: {home} has "{text}", which nobody wrote there')
    newest = {}
    for each in history:
        known = by_token.get(each.get('text'))
        if known is None:
            continue
        before = newest.get((known.author, known.series))
        if before is not None and known.number < before.number:
            problems.append(f'order: {home} has "{known.token}" after "{before.token}"')
        newest[known.author, known.series] = known
    seqs = [each['seq'] for each in history if 'seq' in each]
    if seqs != sorted(set(seqs)):
        problems.append(f'order: {home} has places of the conversation out of order or twice')
    for each in history:
        if each['from'].get('me') and each['state'] not in ('stored', 'delivered', 'read'):
            problems.append(f'unfinished: "{each.get("text")}" of {home} is still {each["state"]}')
    return problems


def check_agreement(record, members, written):
    """Both sides have a message in the same place, accepted at the same moment."""
    problems = []
    for each in written:
        seen = [place(record, home, each.token) for home in members]
        if None not in seen and len({(one.get('seq'), one.get('accepted_at')) for one in seen}) != 1:
            problems.append(f'disagreement: the two sides of "{each.token}" have it in different places')
    return problems


def check_times(record, by_token):
    """Nothing is shown to the other side before its opening, by the published windows alone."""
    problems = []
    for (home, token), when in record.first_shown.items():
        written = by_token.get(token)
        if written is None or written.author == home:
            continue
        own = place(record, written.author, token)
        if own is None or 'accepted_at' not in own:
            continue
        moment = due(record.windows, record.parse_time(own['accepted_at']))
        if moment is None or when < moment:
            problems.append(f'early: {home} was shown "{token}" at {when:%H:%M:%S.%f}, it was due at '
                            + (f'{moment:%H:%M:%S.%f}' if moment else 'no time'))
    return problems


def check_answers(record):
    """What a verb was told is so: the same place for ever, and "held until" is the next opening."""
    problems = []
    for home, answer in record.answers:
        now = place(record, home, answer['text'])
        if now is None:
            problems.append(f'lost: {home} was told that "{answer["text"]}" is {answer["state"]}')
        elif 'seq' in answer and now.get('seq') != answer['seq']:
            problems.append(f'lost: {home} was told that "{answer["text"]}" has place {answer["seq"]}')
        if answer['state'] == 'held':
            moment = due(record.windows, record.parse_time(answer['accepted_at']))
            if 'held_until' not in answer or record.parse_time(answer['held_until']) != moment:
                problems.append(f'hours: "{answer["text"]}" is held until {answer.get("held_until")}, not {moment}')
    return problems


def check_reads(record):
    """A `read` that ended well has everything that was due well before it began."""
    problems = []
    for home, began, texts in record.reads:
        missing = [each for each in record.histories[home] if each.get('text') not in texts and 'accepted_at' in each]
        for each in missing:
            moment = due(record.windows, record.parse_time(each['accepted_at']))
            if moment and moment + timedelta(seconds=2) < began:
                problems.append(f'behind: read of {home} did not have "{each["text"]}", {(began - moment).total_seconds():.1f} s after it was due')
    return problems


# ---- wrong records, to see that check() can say no -------------------------------------------------------------------

def a_foreign_one(record):
    """(home, token, index in its history) of a message that somebody else wrote."""
    for home, history in sorted(record.histories.items()):
        for index, each in enumerate(history):
            if not each['from'].get('me') and (home, each['text']) in record.first_shown:
                return home, each['text'], index
    raise ValueError('nothing arrived anywhere')


def drop(record):
    home, _, index = a_foreign_one(record)
    del record.histories[home][index]


def duplicate(record):
    home, _, index = a_foreign_one(record)
    again = copy.deepcopy(record.histories[home][index])
    again['seq'] = record.histories[home][-1]['seq'] + 1
    record.histories[home].append(again)


def early(record):
    home, token, index = a_foreign_one(record)
    stamp = record.parse_time(record.histories[home][index]['accepted_at'])
    moment = due(record.windows, stamp)
    record.first_shown[home, token] = moment - (record.windows[0][1] - record.windows[0][0]) / 1000


def reorder(record):
    home, token, index = a_foreign_one(record)
    history = record.histories[home]
    same = next(i for i, each in enumerate(history) if i > index and each['from'] == history[index]['from'])
    history[index]['text'], history[same]['text'] = history[same]['text'], history[index]['text']


def forget(record):
    """The author was told a place that is nobody's now."""
    home, history = next((home, history) for home, history in sorted(record.histories.items())
                         if any(each['from'].get('me') for each in history))
    answer = copy.deepcopy(next(each for each in history if each['from'].get('me')))
    answer['seq'] += 1_000_000
    record.answers.append((home, answer))


SABOTAGES = {each.__name__: each for each in (drop, duplicate, early, reorder, forget)}
