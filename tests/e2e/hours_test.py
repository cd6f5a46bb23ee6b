#!/usr/bin/python3
"""A week with a therapist, seen from both sides: hours that do not keep, and words that are taken back.

One server, one therapist and one client; every step is a command of its own, and at the end both check the log.
"""
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

from programs import Person, Server


def at(text):
    return datetime.fromisoformat(text.replace('Z', '+00:00'))


class Hours(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix='interlude-hours.')
        root = Path(self.folder.name)
        self.server = Server(root / 'server')
        self.server.start()
        self.addCleanup(self.folder.cleanup)
        self.addCleanup(self.server.kill)
        self.therapist = Person('Helena', root / 'therapist', self.server.ca)
        self.client = Person('Jonas', root / 'client', self.server.ca)
        self.therapist.ask('join', '--key-file', self.server.operator('invite', 'therapist')['link'])
        # Open for one minute of the week, and not today.
        day = (datetime.now(timezone.utc) + timedelta(days=3)).strftime('%a')
        self.weekly = f'{day} 12:00-12:01'

    def meet(self):
        self.therapist.ask('hours', 'set', self.weekly, '--zone', 'UTC')
        link = self.therapist.ask('invite', '--name', 'Jonas').of('invitation')[0]['link']
        self.client.ask('join', '--key-file', '--name', 'Helena', link)

    def shown(self, person=None):
        return (person or self.client).ask('hours', 'show').of('hours')[0]

    def texts(self, person):
        return [each['text'] for each in person.ask('read').of('message')]

    def send(self, text):
        return self.client.ask('send', 'Helena', text).of('message')[0]

    def both_verify(self):
        for person in (self.therapist, self.client):
            audit = person.ask('audit', 'verify').of('audit')[0]
            self.assertTrue(audit['ok'], audit)
            self.assertEqual(audit['problems'], [])

    def test_preview_says_what_would_be_and_publishes_nothing(self):
        first = self.therapist.ask('hours', 'preview', 'Mon-Sun 01:00-05:00', '--zone', 'Europe/Berlin').of('preview')[0]
        self.assertTrue(first['allowed'])
        self.assertGreater(len(first['windows']), 300)
        longer = {each['longer_by_seconds'] for each in first['odd_days']}
        self.assertEqual(longer, {-3600, 3600}, 'the clocks change twice a year')
        self.assertEqual(self.shown(self.therapist)['state'], 'none')
        self.meet()
        refused = self.therapist.run('hours', 'close', 'now', '+9d', '--preview')
        self.assertEqual((refused.code, refused.of('preview')[0]['problem']), (3, 'next_opening_later'))
        self.assertEqual(self.shown()['number'], 1)
        words = self.therapist.run('hours', 'preview', 'Mon-Sun 01:00-05:00', '--zone', 'Europe/Berlin', as_json=False)
        self.assertEqual(words.code, 0, words.err)
        self.assertIn('Nothing is published', words.out)
        self.assertIn('this window is 1 hour shorter than the clock says', words.out)

    def test_words_that_wait_can_be_had_back_or_changed(self):
        self.meet()
        self.assertEqual(self.send('too much')['state'], 'held')
        self.assertEqual(self.client.ask('recall', 'last').of('message')[0]['state'], 'recalled')
        hurt = self.send('hurt')
        other = self.client.ask('replace', hurt['message_id'][:10], 'calmer').of('message')[0]
        self.assertEqual((other['state'], other['text']), ('held', 'calmer'))
        self.assertEqual([each['text'] for each in self.client.ask('held').of('message')], ['calmer'])
        self.assertEqual(self.client.run('recall', hurt['message_id']).code, 3, 'it is gone already')
        self.assertEqual(self.client.run('recall', 'nothing like that').code, 2)
        self.therapist.ask('hours', 'open-now', '+10m', '--reason', 'agreed')
        self.assertEqual(self.texts(self.therapist), ['calmer'])
        late = self.client.run('recall', other['message_id'])
        self.assertEqual((late.code, late.of('error')[0]['code']), (3, 'too_late'))
        self.both_verify()

    def test_hours_that_do_not_keep_are_said_openly_and_seen_by_both(self):
        self.meet()
        promised = at(self.shown()['next_opening'])
        self.assertEqual(self.therapist.run('hours', 'close', 'now', '+9d').code, 3, 'a promised opening is not moved silently')
        self.therapist.ask('hours', 'postpone', (promised + timedelta(minutes=1)).strftime('%Y-%m-%dT%H:%M:%SZ'), '--reason', 'family')
        self.assertGreater(at(self.shown()['next_opening']), promised)
        self.assertEqual([(each['kind'], each['reason']) for each in self.shown()['overrides']], [('postpone', 'family')])

        waits = self.send('are you there?')
        self.assertEqual(waits['state'], 'held')
        self.therapist.ask('hours', 'open-now', '+1h', '--reason', 'agreed')
        self.assertEqual(self.shown()['state'], 'open')
        self.assertEqual(self.texts(self.therapist), ['are you there?'])
        self.assertIn(self.send('good')['state'], ('stored', 'delivered'))

        self.therapist.ask('hours', 'away', '+2h', '--reason', 'illness')
        seen = self.shown()
        self.assertEqual(seen['state'], 'closed')
        self.assertEqual(seen['overrides'][-1]['reason'], 'illness')
        self.assertEqual(self.send('get well soon')['state'], 'held')
        words = self.client.run('hours', 'show', as_json=False).out
        self.assertIn('away, unplanned (illness)', words)

        later = promised + timedelta(days=9)    # the next opening could not be taken back
        self.therapist.ask('hours', 'open', later.strftime('%Y-%m-%dT%H:%M:%SZ'), '+1h')
        opened = self.shown()
        self.therapist.ask('hours', 'undo')
        self.assertNotEqual(self.shown()['windows'], opened['windows'])
        self.assertEqual(self.shown()['number'], opened['number'] + 1)
        self.both_verify()

    def test_what_is_no_time_or_reason_changes_nothing(self):
        self.meet()
        for words in (('away', 'soon'), ('away', '+2h', '--reason', 'bored'), ('postpone', '1999-01-01'), ('open-now', '+400d')):
            self.assertEqual(self.therapist.run('hours', *words).code, 2, words)
        self.assertEqual(self.therapist.run('hours', 'undo').code, 2)
        self.assertEqual(self.client.run('hours', 'away', '+1h').code, 77)
        self.assertNotIn('overrides', self.shown())


if __name__ == '__main__':
    unittest.main()
