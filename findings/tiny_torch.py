"""Lets xgrammar be imported without torch and transformers.

Its grammars, its matcher and its tests of texts use neither; its bit masks, which are torch's tensors, can't be used.
"""

import importlib.machinery
import os
import sys
import types

# The binding asks for torch as it is imported, so it comes first, and without.
os.environ["TVM_FFI_DISABLE_TORCH_C_DLPACK"] = "1"
import tvm_ffi  # noqa: E402, F401


class _StandIn(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        kind = type(name, (), {"__init__": lambda *_, **__: None})
        setattr(self, name, kind)
        return kind


class _Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _StandIn(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, _Finder())
