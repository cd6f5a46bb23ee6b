"""Faults for `./dev demo --sabotage NAME`: each changes one thing in the store while the server is down, as somebody could who
has the machine: with the checksums of the pages right, which keep rotten disks out and not people. The demo must notice every one
of them, in the scene where a person would.
"""
import base64
import hashlib
import sqlite3
import struct
from contextlib import contextmanager
from datetime import timedelta

PAGE, WORDS = 4096, 511             # the last eight bytes of a page are its checksum (server/store/sqlite/page_checksum.cpp)
ODD, ALL = 0x9e3779b97f4a7c15, 2 ** 64 - 1


def mixed(state, word):
    product = ((state ^ word) * ODD) & ALL
    return (product << 29 | product >> 35) & ALL


def page_checksum(page, number):
    lanes = [mixed(lane, number) for lane in (1, 2, 3, 4)]
    for place, word in enumerate(struct.unpack_from(f'<{WORDS}Q', page)):
        lanes[place % 4] = mixed(lanes[place % 4], word)
    total = lanes[0]
    for lane in lanes[1:]:
        total = mixed(total, lane)
    return total


def seal_pages(path):
    with open(path, 'r+b') as file:
        for number, page in enumerate(iter(lambda: file.read(PAGE), b''), start=1):
            file.seek(number * PAGE - 8)
            file.write(struct.pack('<Q', page_checksum(page, number)))


@contextmanager
def database(story):
    connection = sqlite3.connect(story.server.database, timeout=10, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        yield connection
    finally:
        connection.close()          # the last one: its log is in the file now
        seal_pages(story.server.database)


def newest_of(connection, person):
    """The newest envelope of a person's account: the one that is held."""
    account = bytes.fromhex(person.account)
    return connection.execute('SELECT * FROM envelopes WHERE account = ? ORDER BY seq DESC LIMIT 1', (account,)).fetchone()


def changed(cursor, rows=1):
    assert cursor.rowcount == rows, f'the sabotage changed {cursor.rowcount} rows, not {rows}: it is no sabotage'


def early_delivery(story):
    """his held message is stamped back into the window that is over, so that it passes at once"""
    stamp = int(story.first[0].timestamp() * 1000) + 1000
    with database(story) as connection:
        row = newest_of(connection, story.jonas)
        changed(connection.execute('UPDATE envelopes SET stamp = ? WHERE id = ?', (stamp, row['id'])))


def window_moved(story):
    """in the server's copy of her signed hours the second opening begins already"""
    begins = [int(moment.timestamp()).to_bytes(8, 'big') for moment in (story.second[0], story.first[1] + timedelta(seconds=1))]
    with database(story) as connection:
        for row in connection.execute('SELECT * FROM schedules').fetchall():
            if begins[0] in row['bytes']:
                changed(connection.execute('UPDATE schedules SET bytes = ? WHERE account = ? AND number = ?',
                                           (row['bytes'].replace(*begins), row['account'], row['number'])))


def dropped(story):
    """his held message is deleted"""
    with database(story) as connection:
        changed(connection.execute('DELETE FROM envelopes WHERE id = ?', (newest_of(connection, story.jonas)['id'],)))


def duplicated(story):
    """his held message is there a second time, under the next number"""
    with database(story) as connection:
        row = dict(newest_of(connection, story.jonas))
        row.pop('id')
        row['seq'] = connection.execute('SELECT next_seq FROM conversations WHERE conversation = ?', (row['conversation'],)).fetchone()[0]
        changed(connection.execute(f'INSERT INTO envelopes ({", ".join(row)}) VALUES ({", ".join("?" * len(row))})', tuple(row.values())))
        changed(connection.execute('UPDATE conversations SET next_seq = next_seq + 1 WHERE conversation = ?', (row['conversation'],)))


def entry_byte_changed(story):
    """one byte of the log's entry about his held message is another one"""
    with database(story) as connection:
        row = newest_of(connection, story.jonas)
        index = connection.execute('SELECT max(idx) FROM entries WHERE veil_conversation = ? AND veil_stamp = ?', (row['conversation'], row['stamp'])).fetchone()[0]
        entry = bytearray(connection.execute('SELECT entry FROM entries WHERE idx = ?', (index,)).fetchone()[0])
        entry[60] ^= 0x01
        changed(connection.execute('UPDATE entries SET entry = ? WHERE idx = ?', (bytes(entry), index)))


def checkpoint_rolled_back(story):
    """the log is put back to the checkpoint that it had before the window closed"""
    size, note = story.old_checkpoint
    with database(story) as connection:
        assert connection.execute('SELECT count(*) FROM entries').fetchone()[0] > size, 'nothing was logged since'
        connection.execute('BEGIN')
        connection.execute('DELETE FROM entries WHERE idx >= ?', (size,))
        changed(connection.execute('UPDATE store SET log_size = ?, log_note = ?', (size, note)))
        for subject in connection.execute('SELECT id FROM subjects').fetchall():
            last = connection.execute('SELECT counter, entry FROM entries WHERE subject = ? ORDER BY counter DESC LIMIT 1', (subject['id'],)).fetchone()
            head = hashlib.sha256(b'\0' + last['entry']).digest() if last else bytes(32)
            changed(connection.execute('UPDATE subjects SET counter = ?, head = ? WHERE id = ?', (last['counter'] if last else 0, head, subject['id'])))
        for tile in connection.execute('SELECT * FROM tiles WHERE level <= 0').fetchall():
            width = min(256, size - 256 * tile['idx'])
            part = 32 if tile['level'] == 0 else 2 + 104    # a hash; an entry behind its length
            connection.execute('UPDATE tiles SET width = ?, content = ? WHERE level = ? AND idx = ?',
                               (width, tile['content'][:part * width], tile['level'], tile['idx']))
        connection.execute('COMMIT')


def plaintext_in_database(story):
    """what he wrote is put into a table, in base64"""
    with database(story) as connection:
        text = base64.b64encode(b'text=' + story.NIGHT.encode()).decode()
        changed(connection.execute('INSERT INTO leases VALUES (?, ?, ?)', (text, 'sabotage', 2 ** 52)))


SABOTAGES = {fault.__name__.replace('_', '-'): fault
             for fault in (early_delivery, window_moved, dropped, duplicated, entry_byte_changed, checkpoint_rolled_back, plaintext_in_database)}
# The scene that must name it.
NAMED_BY = {
    'early-delivery': 'The window opens again',
    'window-moved': 'The window opens again',
    'dropped': 'The window opens again',
    'duplicated': 'The window opens again',
    'entry-byte-changed': 'Both verify the log',
    'checkpoint-rolled-back': 'Both verify the log',
    'plaintext-in-database': 'The operator searches for plaintext',
}
