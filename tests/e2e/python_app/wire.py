"""The generated classes of common/wire/*.proto: protoc writes them into the build tree, as any other app's build would."""
import subprocess
import sys

from programs import BIN, ROOT

_made = BIN.parent / 'python_app'
_made.mkdir(parents=True, exist_ok=True)
subprocess.run(['protoc', f'--proto_path={ROOT / "common/wire"}', f'--python_out={_made}', 'interlude.proto', 'content.proto'],
               check=True, timeout=30)
sys.path.insert(0, str(_made))

from content_pb2 import Content                                     # noqa: E402,F401
from interlude_pb2 import *                                         # noqa: E402,F401,F403
