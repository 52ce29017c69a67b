"""Every cell of the notebooks runs on a real model (SmolLM2), in a kernel of this environment."""

from pathlib import Path

import nbclient
import nbformat
import pytest
from test_notebooks import NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_real_notebook(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    outputs = [
        output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    ]
    assert len(outputs) > 5 and not [o for o in outputs if o.output_type == "error"]
