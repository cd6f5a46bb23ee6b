"""The judge of the kill loops says no to each wrong record, and yes to a right one."""
import unittest
from datetime import datetime, timedelta, timezone

from kill_check import SABOTAGES, Record, Typed, check, due

NOON = datetime(2030, 1, 7, 12, 0, tzinfo=timezone.utc)


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def right_record():
    """Two people, two windows; three messages each, the last one of each held until the second window."""
    record = Record(members={0: ('ann', 'ben')}, parse_time=datetime.fromisoformat, windows=[(at(0), at(10)), (at(20), at(30))])
    seq = 0
    record.histories = {'ann': [], 'ben': []}
    for number, moment in enumerate((1, 2, 15)):
        for author in ('ann', 'ben'):
            seq += 1
            token = f'{author} {number}'
            record.typed.append(Typed(0, author, 'chat', number, token))
            for home in ('ann', 'ben'):
                record.histories[home].append({'text': token, 'seq': seq, 'from': {'me': home == author, 'account': author},
                                               'state': 'delivered', 'accepted_at': at(moment).isoformat()})
                record.first_shown[home, token] = due(record.windows, at(moment)) + timedelta(milliseconds=30)
    held = dict(record.histories['ann'][4], state='held', held_until=at(20).isoformat())
    record.answers.append(('ann', held))
    return record


def kinds(record):
    return {problem.split(':')[0] for problem in check(record)}


class Judge(unittest.TestCase):
    def test_a_right_record_holds(self):
        self.assertEqual(check(right_record()), [])

    def test_each_sabotage_is_named(self):
        expected = {'drop': 'lost', 'duplicate': 'twice', 'early': 'early', 'reorder': 'order', 'forget': 'lost'}
        self.assertEqual(set(expected), set(SABOTAGES))
        for name, kind in expected.items():
            with self.subTest(name):
                record = right_record()
                SABOTAGES[name](record)
                self.assertIn(kind, kinds(record))

    def test_what_nobody_wrote(self):
        record = right_record()
        record.typed.pop()
        self.assertIn('invented', kinds(record))

    def test_a_draft_that_never_left(self):
        record = right_record()
        own = record.histories['ann'][0]
        own['state'] = 'on_device'
        self.assertIn('unfinished', kinds(record))

    def test_sides_that_differ(self):
        record = right_record()
        record.histories['ben'][-1]['seq'] += 1
        self.assertIn('disagreement', kinds(record))

    def test_a_wrong_opening_told(self):
        record = right_record()
        record.answers[0][1]['held_until'] = at(21).isoformat()
        self.assertIn('hours', kinds(record))

    def test_a_read_that_ended_too_early(self):
        record = right_record()
        texts = {each['text'] for each in record.histories['ben']} - {'ann 0'}
        record.reads = [('ben', at(2), texts)]
        self.assertEqual(check(record), [])
        record.reads = [('ben', at(25), texts)]
        self.assertEqual(kinds(record), {'behind'})

    def test_shown_in_no_window(self):
        record = right_record()
        record.windows.pop()
        self.assertIn('early', kinds(record))


class Due(unittest.TestCase):
    def test_at_once_in_a_window_else_at_the_next_opening(self):
        windows = [(at(0), at(10)), (at(20), at(30))]
        self.assertEqual([due(windows, at(s)) for s in (-5, 0, 9.999, 10, 20, 29, 30)],
                         [at(0), at(0), at(9.999), at(20), at(20), at(29), None])


if __name__ == '__main__':
    unittest.main()
