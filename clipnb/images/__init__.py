"""Pictures in and out: files, bytes, URLs, arrays <-> RGB pictures and float tensors."""

from clipnb.download import is_url as is_url
from clipnb.files import is_named_like_an_image as is_named_like_an_image
from clipnb.images.limits import FORMATS as FORMATS
from clipnb.images.limits import MAX_BYTES as MAX_BYTES
from clipnb.images.limits import MAX_MEMORY as MAX_MEMORY
from clipnb.images.limits import MAX_PIXELS as MAX_PIXELS
from clipnb.images.limits import require_raster as require_raster
from clipnb.images.output import require_writable as require_writable
from clipnb.images.output import save_image as save_image
from clipnb.images.output import to_bytes as to_bytes
from clipnb.images.output import to_pil as to_pil
from clipnb.images.output import to_png as to_png
from clipnb.images.output import to_tensor as to_tensor
from clipnb.images.output import write_image as write_image
from clipnb.images.rgb import backdrop_of as backdrop_of
from clipnb.images.rgb import require_backdrop as require_backdrop
from clipnb.images.sources import ImageSource as ImageSource
from clipnb.images.sources import open_image as open_image
from clipnb.images.sources import read_image_file as read_image_file
