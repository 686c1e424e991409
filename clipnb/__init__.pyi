from .environment.setup import setup as setup
from .errors import ClipnbError as ClipnbError
from .images import open_image as open_image
from .images import save_image as save_image
from .images import to_pil as to_pil
from .images import to_tensor as to_tensor
from .models.encoder import DualEncoder as DualEncoder
from .models.registry import list_models as list_models
from .models.registry import load_model as load_model
from .models.registry import unload as unload

__version__: str
