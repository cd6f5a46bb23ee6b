"""What a figure was measured on: processor, kernel, device and file system. And what the server's process asks of them."""
import os
import platform
import re
import statistics
import time
from pathlib import Path

IN_MEMORY = ('tmpfs', 'ramfs', 'devtmpfs')


class NotHere(Exception):
    """Why it cannot be measured on this machine, in words for a person."""


def file_system_of(path):
    """(type, source, mount point) of the mount that holds `path`."""
    path = os.path.realpath(path)
    best = ('', None, None)
    for line in Path('/proc/self/mountinfo').read_text().splitlines():
        left, right = line.split(' - ', 1)
        point = left.split()[4].encode().decode('unicode_escape')
        kind, source = right.split()[:2]
        if (path == point or path.startswith(point.rstrip('/') + '/')) and len(point) >= len(best[0]):
            best = (point, kind, source)
    return best[1], best[2], best[0]


def disk_of(path):
    """The block device's folder in /sys of the file system that holds `path`; None where there is none (overlay, network)."""
    number = os.stat(path).st_dev
    block = Path(f'/sys/dev/block/{os.major(number)}:{os.minor(number)}')
    if not block.exists():
        return None
    block = block.resolve()
    return block if (block / 'queue').exists() else block.parent


def real_disk(folder):
    """Names device and file system; NotHere in memory, where a sync costs nothing."""
    kind, source, _ = file_system_of(folder)
    if kind in IN_MEMORY:
        raise NotHere(f'{folder} lies on {kind}: an answer would be durable in memory only. Name a folder on a disk with --folder')
    disk = disk_of(folder)
    cache = (disk / 'queue/write_cache').read_text().strip() if disk and (disk / 'queue/write_cache').exists() else 'unknown'
    return {'file_system': kind, 'device': source, 'write_cache': cache, 'sync_ms': sync_milliseconds(folder)}


def sync_milliseconds(folder, times=100):
    """Median of appending 4 KiB and fdatasync: what a durable answer costs here at least."""
    path, taken = Path(folder) / 'sync.probe', []
    with open(path, 'wb') as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    path.unlink()
    return round(1000 * statistics.median(taken), 3)


def machine():
    models = re.findall(r'^model name\s*: (.*)$', Path('/proc/cpuinfo').read_text(), re.M)
    memory = int(re.search(r'MemTotal:\s+(\d+)', Path('/proc/meminfo').read_text()).group(1))
    return {'processor': models[0] if models else platform.machine(), 'cores': os.cpu_count(), 'memory_gb': round(memory / 1e6, 1),
            'kernel': platform.release(), 'load_at_start': os.getloadavg()[0]}
