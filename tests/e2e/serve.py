#!/usr/bin/python3
"""A local server that stays, for trying things by hand: `./dev serve [--port N] [--reset]`. Ctrl-C drains and ends it."""
import argparse
import shutil
import signal
import sys

from programs import BIN, ROOT, Failed, Server

GUIDE = '''
Interlude is ready: https://{name}:{port}       (throw-away certificate; diagnostics in {log})

In another terminal:

  export PATH={bin}:$PATH INTERLUDE_CA_FILE={ca} INTERLUDE_ADMIN_SOCKET={socket}
  alias therapist='interlude --home {home}/therapist' client='interlude --home {home}/client'

  therapist join --key-file --my-name "Dr. Helena Brandt" '{link}'
  therapist hours set "Mon-Fri 09:00-12:00,14:00-17:00" --zone Europe/Berlin
  therapist invite --name Jonas                  # prints the client's link
  client join --key-file --name Helena --my-name Jonas 'LINK'
  client send Helena "Hello"                     # delivered now, or "held until …"
  therapist read      ·      client chat      ·      therapist verify      ·      client audit verify

Another therapist: interludectl invite therapist. End with Ctrl-C; ./dev serve --reset forgets everything.
'''
AGAIN = '(The homes of an earlier run are still there: who has joined goes on without joining.)\n'


def main():
    parser = argparse.ArgumentParser(prog='./dev serve', description='A local server that stays.')
    parser.add_argument('--port', type=int, default=7443, help='loopback port (default 7443; 0: any free one)')
    parser.add_argument('--reset', action='store_true', help='forget the store, certificates and homes of earlier runs')
    options = parser.parse_args()
    folder = ROOT / 'build/serve'
    if options.reset:
        shutil.rmtree(folder, ignore_errors=True)
    server = Server(folder, port=options.port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.start(detached=True)          # its own group: Ctrl-C comes to us, and we let it drain
        link = server.operator('invite', 'therapist')['link']
        print(GUIDE.format(name=server.name, port=server.port, log=server.diagnostics, bin=BIN, ca=server.ca,
                           socket=server.socket, home=folder / 'homes', link=link), flush=True)
        if any((folder / 'homes').glob('*')):
            print(AGAIN, flush=True)
        (folder / 'homes').mkdir(exist_ok=True)
        return server.process.wait()
    except Failed as fault:
        print(f'./dev serve: {fault}', file=sys.stderr)
        return 69
    except KeyboardInterrupt:
        print('\ndraining …', flush=True)
        return server.stop() or 0
    finally:
        server.stop()


if __name__ == '__main__':
    sys.exit(main())
